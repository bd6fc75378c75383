//! Whether the database is there, and whether what it holds can be relied on, as far as this
//! process knows.
//!
//! Whoever follows the change log asks the database all the time, so it is the first to see that it
//! does not answer. It says so here, and from then on everybody else is refused at once, those too
//! who wait for an answer already: a caller that learns it now can go elsewhere, one that waits for
//! a timeout cannot.
//!
//! A database that answers may still be the wrong one: its file was deleted or replaced, or a write
//! that was answered as stored is not in it. Then the store **refuses** everything, with the
//! reason, until the reason is gone for certain.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Error;
use crate::telemetry::Episode;

/// How long nothing must fail until failures count as over: where the disk is nearly full, some
/// writes fail and others do not.
const CALM: Duration = Duration::from_secs(1);

/// Whether the database is there.
#[derive(Debug)]
pub struct Availability {
    state: watch::Sender<State>,
    /// Writes that the database did not take, for reasons that are none of theirs.
    pub writes: Arc<Episode>,
    /// Reads that it did not answer.
    pub reads: Arc<Episode>,
}

#[derive(Debug, Clone, Default)]
struct State {
    away: bool,
    refusal: Option<Arc<str>>,
    /// Why nothing is written: the clock.
    clock: Option<Arc<str>>,
}

impl State {
    fn reason(&self) -> Option<Arc<str>> {
        self.refusal.clone().or_else(|| self.clock.clone())
    }

    fn is_there(&self) -> bool {
        !self.away && self.refusal.is_none()
    }
}

impl Default for Availability {
    /// It is, until somebody says otherwise.
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
            writes: Arc::new(Episode::with_calm("writes to the database", CALM)),
            reads: Arc::new(Episode::with_calm("reads of the database", CALM)),
        }
    }
}

impl Availability {
    /// Whether the database is there and can be relied on.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.state.borrow().is_there()
    }

    /// Whether the database does not answer.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.state.borrow().away
    }

    /// Why nothing is answered from this database although it answers; `None` while it can be
    /// relied on.
    #[must_use]
    pub fn refusal(&self) -> Option<Arc<str>> {
        self.state.borrow().refusal.clone()
    }

    /// Says whether it is. Answers whether that is news.
    #[must_use]
    pub fn set(&self, there: bool) -> bool {
        self.state
            .send_if_modified(|known| std::mem::replace(&mut known.away, !there) == there)
    }

    /// Sets or clears the reason why nothing is answered from this database. Answers whether it is
    /// another one than before.
    #[must_use]
    pub fn set_refusal(&self, refusal: Option<Arc<str>>) -> bool {
        self.state.send_if_modified(|known| {
            let news = known.refusal != refusal;
            known.refusal = refusal;
            news
        })
    }

    /// Sets or clears the reason why nothing is written: the server's clock is wrong. Reads go on.
    pub fn set_clock_refusal(&self, refusal: Option<Arc<str>>) {
        self.state.send_if_modified(|known| {
            let news = known.clock != refusal;
            known.clock = refusal;
            news
        });
    }

    /// Whether the clock lets anything be written.
    ///
    /// # Errors
    /// [`Error::Clock`] while it does not.
    pub fn may_write(&self) -> Result<(), Error> {
        self.state
            .borrow()
            .clock
            .as_ref()
            .map_or(Ok(()), |why| Err(Error::Clock(why.to_string())))
    }

    /// Why the server is not to be called ready; `None` when nothing speaks against it.
    #[must_use]
    pub fn reason(&self) -> Option<Arc<str>> {
        self.state.borrow().reason()
    }

    /// Waits until that reason is another one than `known`, and returns it.
    pub async fn reason_after(&self, known: Option<Arc<str>>) -> Option<Arc<str>> {
        let mut state = self.state.subscribe();
        // The sender lives as long as this.
        let changed = state.wait_for(|state| state.reason() != known).await;
        changed.map_or(known.clone(), |state| state.reason())
    }

    /// Works with the database as long as it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] as soon as it is away or refused; those of the work.
    ///
    /// # Cancel safety
    /// That of the work, which is dropped when the database goes.
    pub async fn guard<T, E: From<Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let gone = async {
            // The sender lives as long as this.
            let state = self
                .state
                .subscribe()
                .wait_for(|state| !state.is_there())
                .await
                .ok()
                .map(|state| state.clone());
            state.and_then(|state| state.refusal)
        };
        tokio::select! {
            biased;
            refusal = gone => {
                let why = refusal.map_or_else(|| "it does not answer".to_owned(), |refusal| refusal.to_string());
                Err(Error::Unavailable(why).into())
            }
            done = work => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_database_stays_refused_when_it_answers_again() {
        let availability = Availability::default();
        assert!(
            availability.set(false)
                && availability.set_refusal(Some("its file was deleted".into()))
        );
        assert!(availability.set(true));
        assert!(!availability.is_away() && !availability.is_there());
        let refused = availability
            .guard(async { Ok::<(), Error>(()) })
            .await
            .expect_err("refused");
        assert!(
            refused.to_string().contains("its file was deleted"),
            "{refused}"
        );
        assert!(availability.set_refusal(None) && availability.is_there());
    }
}
