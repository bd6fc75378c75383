//! The task of one stream, and what ends it when its client takes nothing of the answer.
//!
//! HTTP/2 asks for the next part of an answer only when the client has room for it. So an answer
//! that nobody takes is not even looked at: neither its deadline nor the end of the server can
//! reach it from inside. The task is ended from outside. A client that takes a little now and then
//! is ended like one that takes nothing, by what it is behind ([`Arrears`]).

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::arrears::Arrears;
use super::connection::{Connection, Stops};

/// How often a stream is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long an answer may go on after its deadline, to send its status.
const LAST_WORDS: Duration = Duration::from_secs(1);

tokio::task_local! {
    static CONTROL: Arc<Control>;
}

/// State that a stream's task and its call share.
#[derive(Default)]
pub struct Control {
    inner: Mutex<Inner>,
    ended: AtomicU8,
}

#[derive(Default)]
struct Inner {
    /// Since when the client has had no room for the next part of the answer.
    blocked_since: Option<Instant>,
    /// The bytes of the part that was given last.
    given: usize,
    arrears: Arrears,
    /// How long the client may have no room. `None` until there is an answer.
    patience: Option<Patience>,
    deadline: Option<Instant>,
}

/// How long an answer waits for its client.
pub type Patience = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Why a stream's task was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The client took nothing, or too little, for too long.
    NotTaken,
    /// The deadline passed while the client took nothing.
    Deadline,
    /// The connection or the server ended.
    Connection,
}

impl Control {
    /// The control of the stream whose task this is; a new one outside of such a task.
    #[must_use]
    pub fn current() -> Arc<Self> {
        CONTROL.try_with(Arc::clone).unwrap_or_default()
    }

    /// The answer begins: from now on its client must take it.
    pub fn answers(&self, patience: Patience, deadline: Option<Instant>) {
        let mut inner = self.lock();
        let blocked_since = Some(Instant::now());
        *inner = Inner {
            blocked_since,
            patience: Some(patience),
            deadline,
            ..Inner::default()
        };
    }

    /// The next part of the answer was asked for.
    pub fn asked(&self) {
        let mut inner = self.lock();
        if let Some(blocked) = inner.blocked_since.take() {
            let given = std::mem::take(&mut inner.given);
            inner.arrears.took(given, blocked.elapsed());
        }
    }

    /// A part of the answer went out, with this number of bytes.
    pub fn gave(&self, bytes: usize) {
        let mut inner = self.lock();
        (inner.blocked_since, inner.given) = (Some(Instant::now()), bytes);
    }

    /// Why the task was ended, if it was.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        [Cut::NotTaken, Cut::Deadline, Cut::Connection]
            .into_iter()
            .find(|cut| *cut as u8 + 1 == self.ended.load(Ordering::Relaxed))
    }

    /// Waits until the client has taken nothing, or too little, for too long.
    async fn overdue(&self) -> Cut {
        loop {
            tokio::time::sleep(LOOK).await;
            let (blocked, patience, deadline, owed) = {
                let inner = self.lock();
                (
                    inner.blocked_since,
                    inner.patience.clone(),
                    inner.deadline,
                    inner.arrears.owed(),
                )
            };
            let (Some(blocked), Some(patience)) = (blocked, patience) else {
                continue;
            };
            if deadline.is_some_and(|deadline| deadline.elapsed() >= LAST_WORDS) {
                return Cut::Deadline;
            }
            if blocked.elapsed() + owed >= patience() {
                return Cut::NotTaken;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs each stream of a connection as a task of its own.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) connection: Arc<Connection>,
    pub(super) stops: Stops,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        let open = Open::new(self.connection.clone());
        self.stops.tasks.spawn(async move {
            let control = Arc::new(Control::default());
            let mut stream = std::pin::pin!(CONTROL.scope(control.clone(), stream));
            let cut = tokio::select! {
                biased;
                _ = &mut stream => return,
                () = open.0.cut.cancelled() => Cut::Connection,
                cut = control.overdue() => cut,
            };
            // The call reads it when its body is dropped, with the stream.
            control.ended.store(cut as u8 + 1, Ordering::Relaxed);
        });
    }
}

/// A stream that counts among those of its connection.
struct Open(Arc<Connection>);

impl Open {
    fn new(connection: Arc<Connection>) -> Self {
        connection.stream_began();
        Self(connection)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.stream_ended();
    }
}
