//! What is told to whom when profiles change.
//!
//! A publication names its target and which changes it wants. Secrets are not in the model, which
//! is data that people read: it names the environment variables of the servers that hold them. Such
//! a name begins with [`SECRET_PREFIX`], so that who may put a model in force cannot have any other
//! variable of a server sent somewhere.

use std::collections::BTreeSet;

/// How the variables begin that a model may name.
pub const SECRET_PREFIX: &str = "PUBLISH_";

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// To whom.
    pub target: Target,
    /// Which kinds of changes.
    pub kinds: BTreeSet<PublishedKind>,
    /// Of updates only those of these fields; none: all.
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

/// A JetStream stream of a NATS server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsTarget {
    /// The servers: `nats://HOST:PORT` or `tls://HOST:PORT`.
    pub url: String,
    /// The subject, with `{tenant}` and `{kind}` to be filled in.
    pub subject: String,
    /// The variable that holds the text of a credentials file.
    pub credentials_env: Option<String>,
    /// The variables that hold a user's name and password.
    pub user_env: Option<(String, String)>,
}

/// A receiver over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// Where it is.
    pub url: String,
    /// The variable that holds the secret to sign with.
    pub secret_env: String,
    /// How many times a change is tried before it becomes a dead letter.
    pub max_attempts: u32,
    /// How long an answer may take, in seconds.
    pub timeout_seconds: u32,
}

/// A kind of change, as it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublishedKind {
    /// A profile is new, or lives again.
    Created,
    /// It says something else.
    Updated,
    /// It went into another one.
    Merged,
    /// It is gone.
    Deleted,
}

impl PublishedKind {
    /// All, as they are named.
    pub const ALL: [(&'static str, Self); 4] = [
        ("created", Self::Created),
        ("updated", Self::Updated),
        ("merged", Self::Merged),
        ("deleted", Self::Deleted),
    ];

    /// How it is named.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| *name)
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
