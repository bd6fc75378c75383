//! What a deployment does with what it knows: the purposes it reads for, and the channels it
//! contacts customers over.

use std::collections::BTreeSet;

use super::Model;
use crate::choices::choices;

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

choices! {
    /// Whether a purpose needs the customer's word.
    pub enum ConsentRule as "ConsentRule" or OptIn {
        /// They must have said yes.
        OptIn = "opt_in",
        /// They must not have said no.
        OptOut = "opt_out",
        /// It rests on something else.
        NotNeeded = "not_needed",
    }
}

/// Which of several things may be seen. By default none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    /// All of the kind.
    All,
    /// Only those with these names.
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

impl Model {
    /// Whether an event of this type tells that a customer was contacted.
    #[must_use]
    pub fn is_contact(&self, event_type: &str) -> bool {
        self.channels
            .values()
            .any(|channel| channel.contact_events.iter().any(|kind| kind == event_type))
    }
}
