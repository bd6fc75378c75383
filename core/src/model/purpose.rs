//! What a deployment does with what it knows: the purposes it reads for, and the channels it
//! contacts customers over.

use std::collections::BTreeSet;

use super::Model;
use crate::records::LegalBasis;

/// Something that data is read, or a customer contacted, for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purpose {
    /// Whether it needs the customer's word.
    pub consent: ConsentRule,
    /// Why data is processed, unless a consent says otherwise.
    pub legal_basis: Option<LegalBasis>,
    /// What sort it is.
    pub kind: PurposeKind,
    /// It goes on while processing is restricted: to keep data, or to defend a claim.
    pub under_restriction: bool,
    /// The traits it may see.
    pub traits: Visible,
    /// The identifier types it may see.
    pub identifiers: Visible,
    /// The event types it may see.
    pub events: Visible,
    /// The computed traits it may see.
    pub computed: Visible,
    /// The segments it may see.
    pub segments: Visible,
    /// The metrics of customer experience that it may see.
    pub experience: Visible,
    /// Whether it may see preferences.
    pub preferences: bool,
    /// Whether it may see accessibility needs.
    pub accessibility: bool,
}

/// What sort of purpose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PurposeKind {
    /// None in particular.
    #[default]
    Ordinary,
    /// It sells: accessibility needs are never seen.
    Marketing,
    /// The customer must be told, whatever they prefer: a recall, a notice that the law demands.
    Essential,
}

/// Whether a purpose needs the customer's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsentRule {
    /// They must have said yes.
    #[default]
    OptIn,
    /// They must not have said no.
    OptOut,
    /// It rests on something else.
    NotNeeded,
}

impl ConsentRule {
    /// All, as the model file names them.
    pub const ALL: [(&'static str, Self); 3] = [
        ("opt_in", Self::OptIn),
        ("opt_out", Self::OptOut),
        ("not_needed", Self::NotNeeded),
    ];
}

/// Which of several things may be seen. By default none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    /// All.
    All,
    /// Only these.
    Only(BTreeSet<String>),
}

impl Default for Visible {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Visible {
    /// Whether one may be seen.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

/// A way to contact customers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    /// The type of the identifier that it leads to; none: it needs none.
    pub contact_point: Option<String>,
    /// The types of the events that tell that a customer was contacted over it.
    pub contact_events: Vec<String>,
    /// Somebody speaks.
    pub voice: bool,
}

impl Model {
    /// Whether an event of this type tells that a customer was contacted.
    #[must_use]
    pub fn is_contact(&self, event_type: &str) -> bool {
        self.channels
            .values()
            .any(|channel| channel.contact_events.iter().any(|kind| kind == event_type))
    }
}
