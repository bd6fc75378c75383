//! Views: what of a customer is told in one call, and how much of it.

use super::Visible;

/// What is told of a customer.
#[derive(Debug, Clone)]
pub struct ContextView {
    /// What it is for, in words.
    pub description: String,
    /// Named groups of fields, in order.
    pub sections: Vec<(String, Vec<ContextField>)>,
    /// The segments of which is told whether the customer is in them.
    pub segments: Visible,
    /// Whether preferences are told.
    pub preferences: bool,
    /// Whether needs are told.
    pub accessibility: bool,
    /// How many of the latest objects of each kind are told.
    pub objects: Vec<(String, usize)>,
    /// How large an answer may be, encoded.
    pub max_bytes: usize,
}

/// A field of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextField {
    /// A trait.
    Trait(String),
    /// A computed trait.
    Computed(String),
    /// All identifiers of a type.
    Identifier(String),
}

impl ContextField {
    /// Its name within its group.
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::Trait(name) | Self::Computed(name) | Self::Identifier(name)) = self;
        name
    }
}

impl std::fmt::Display for ContextField {
    /// `traits.loyalty_tier`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trait(name) => write!(f, "traits.{name}"),
            Self::Computed(name) => write!(f, "computed.{name}"),
            Self::Identifier(name) => write!(f, "identifiers.{name}"),
        }
    }
}
