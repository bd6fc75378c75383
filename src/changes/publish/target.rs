//! What all targets have in common.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use profile_core::model::publication::Target as Declared;
use profile_core::records::TenantId;

use super::event::Event;
#[cfg(feature = "nats")]
use super::nats::Nats;
use super::webhook::Webhook;
use crate::clock::Clock;

/// Why an event was not told.
#[derive(Debug)]
pub(super) struct Failure {
    /// For people.
    pub(super) reason: String,
    /// Telling it again is no use.
    pub(super) permanent: bool,
    /// The target asks to be left alone for so long.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    /// One that may go away.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            permanent: false,
            retry_after: None,
        }
    }
}

/// Somebody who is told.
#[async_trait]
pub(super) trait Target: Send {
    /// Tells events. `told` counts those that were taken, from the first on without gaps. An event
    /// is told only when no earlier one of the same profile is under way.
    ///
    /// # Errors
    /// Why the first one was not taken that `told` does not count. Some after it may have been
    /// taken.
    ///
    /// # Cancel safety
    /// Dropped, what is under way may be taken or not.
    async fn tell(&mut self, events: &[Event], told: &AtomicUsize) -> Result<(), Failure>;
}

/// Makes a target ready.
#[cfg_attr(
    not(feature = "nats"),
    expect(
        clippy::unused_async,
        reason = "only NATS has a connection to wait for"
    )
)]
pub(super) async fn connect(
    declared: &Declared,
    tenant: &TenantId,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Target>, Failure> {
    Ok(match declared {
        #[cfg(feature = "nats")]
        Declared::Nats(target) => Box::new(Nats::connect(target, tenant).await?),
        // A version that was stored by a program with NATS stays active, and says so here.
        #[cfg(not(feature = "nats"))]
        Declared::Nats(_) => {
            return Err(Failure::passing(format!(
                "tenant {tenant}: this program is built without NATS; use one that is built with its feature `nats`"
            )));
        }
        Declared::Webhook(target) => Box::new(Webhook::new(target, clock)?),
    })
}

/// How often an event is tried; none: for ever.
pub(super) fn max_attempts(declared: &Declared) -> Option<i64> {
    match declared {
        Declared::Nats(_) => None,
        Declared::Webhook(target) => Some(target.max_attempts.into()),
    }
}

/// Reads a variable that the model names.
pub(super) fn variable(name: &str) -> Result<String, Failure> {
    match std::env::var(name) {
        Ok(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(Failure::passing(format!(
            "the environment variable {name} is not set on the server"
        ))),
    }
}

/// A text of another system, in one line of bounded length.
pub(super) fn plain(text: &str) -> String {
    const MAX_LETTERS: usize = 200;
    let letters = text
        .trim()
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.take(MAX_LETTERS).collect()
}
