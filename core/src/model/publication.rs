//! What is told to whom when profiles change.
//!
//! A publication names its target and which changes it wants. Secrets are not in the model, which
//! is data that people read: it names the environment variables of the servers that hold them. Such
//! a name begins with [`SECRET_PREFIX`], so that who may put a model in force cannot have any other
//! variable of a server sent somewhere.

use std::collections::BTreeSet;

pub use super::file::{NatsTarget, WebhookTarget};
use crate::choices::{Choice as _, choices};

/// How the variables begin that a model may name.
pub const SECRET_PREFIX: &str = "PUBLISH_";

/// A target, and which changes are published to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where changes are sent.
    pub target: Target,
    /// Which kinds of changes.
    pub kinds: BTreeSet<PublishedKind>,
    /// Of updates and changes of segments only those of these fields. `None` means all.
    pub fields: Option<BTreeSet<String>>,
}

/// To whom something is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A JetStream stream of a NATS server.
    Nats(NatsTarget),
    /// A receiver over HTTP.
    Webhook(WebhookTarget),
}

choices! {
    /// A kind of change.
    #[derive(PartialOrd, Ord)]
    pub enum PublishedKind as "PublishedKind" {
        /// A profile is new, or lives again.
        Created = "created",
        /// It says something else, has other records, or more events.
        Updated = "updated",
        /// It went into another one.
        Merged = "merged",
        /// All of its records are gone.
        Deleted = "deleted",
        /// It entered or left segments.
        SegmentsChanged = "segments_changed",
    }
}

impl PublishedKind {
    /// How it is named.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.written()
    }
}

impl Target {
    /// What it is, for people and figures.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nats(_) => "nats",
            Self::Webhook(_) => "webhook",
        }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Nats(target) => format!("{} {}", target.url, target.subject),
            Self::Webhook(target) => target.url.clone(),
        }
    }
}
