//! Views: what of a customer is told in one call, and how much of it.

/// A field of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextField {
    /// A trait by its name.
    Trait(String),
    /// A computed trait.
    Computed(String),
    /// All identifiers of a type.
    Identifier(String),
    /// A value of a metric of customer experience: `rfm.purchases`.
    Experience(String),
}

impl ContextField {
    /// Its name within its group.
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::Trait(name)
        | Self::Computed(name)
        | Self::Identifier(name)
        | Self::Experience(name)) = self;
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
            Self::Experience(name) => write!(f, "experience.{name}"),
        }
    }
}
