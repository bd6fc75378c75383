//! Whether the database is there, as far as this process knows.
//!
//! Whoever follows the change log asks the database all the time, so it is the first to see that it does not answer. It
//! says so here, and from then on everybody else is refused at once, those too who wait for an answer already: a caller that
//! learns it now can go elsewhere, one that waits for a timeout cannot.

use tokio::sync::watch;

use super::Error;

/// Whether the database is there.
#[derive(Debug)]
pub struct Availability(watch::Sender<bool>);

impl Default for Availability {
    /// It is, until somebody says otherwise.
    fn default() -> Self {
        Self(watch::Sender::new(true))
    }
}

impl Availability {
    /// Whether the database is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        *self.0.borrow()
    }

    /// Says whether it is. Answers whether that is news.
    #[must_use]
    pub fn set(&self, there: bool) -> bool {
        self.0.send_if_modified(|known| std::mem::replace(known, there) != there)
    }

    /// Works with the database as long as it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] as soon as it is away; those of the work.
    ///
    /// # Cancel safety
    /// That of the work, which is dropped when the database goes.
    pub async fn guard<T, E: From<Error>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let gone = async {
            // The sender lives as long as this.
            drop(self.0.subscribe().wait_for(|there| !there).await);
        };
        tokio::select! {
            biased;
            () = gone => Err(Error::Unavailable("it does not answer".to_owned()).into()),
            done = work => done,
        }
    }
}
