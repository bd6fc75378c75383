//! Work for the processor: a bounded number of threads beside those that answer calls.
//!
//! A thread of the runtime that computes answers nobody meanwhile, and as many long computations as
//! there are threads stop everything, probes included. So what may take longer than some
//! milliseconds (a caller's expression over many profiles, compiling a caller's model, a pass over
//! all customers) runs here:
//!
//! - on one thread less than there are processors, at least one, each with a stack of
//!   `STACK_BYTES`;
//! - what takes minutes (planning and applying a model, training) has one thread of its own, so
//!   that nothing else waits for it;
//! - at most [`MAX_WAITING`] jobs wait; more are refused;
//! - a job whose caller has gone, or whose time is over, is not begun, and one that runs is told so
//!   ([`is_cancelled`](profile_core::computation::is_cancelled)) and ends at its next look;
//! - a panic ends the job alone.
//!
//! Callers come first: background passes wait while callers' jobs wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use profile_core::computation::{Cancellation, STACK_BYTES, within};
use tokio::runtime::RuntimeFlavor;
use tokio::sync::oneshot;

/// How many callers' jobs wait at most.
pub const MAX_WAITING: usize = 256;

/// Whose work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A caller waits for it.
    Call,
    /// A caller waits for it, for minutes: it goes by all records of a tenant.
    Long,
    /// Nobody waits for it.
    Background,
}

/// Why a job has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// As many jobs wait as may.
    #[error("{MAX_WAITING} computations wait already")]
    Full,
    /// A bug; the log has it.
    #[error("a computation has failed")]
    Panicked,
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queues {
    calls: VecDeque<Job>,
    long: VecDeque<Job>,
    background: VecDeque<Job>,
}

struct Pool {
    queues: Mutex<Queues>,
    woken: Condvar,
}

static POOL: LazyLock<&'static Pool> = LazyLock::new(|| {
    let pool: &'static Pool = Box::leak(Box::new(Pool {
        queues: Mutex::default(),
        woken: Condvar::new(),
    }));
    for number in 0..threads() {
        start(pool, &format!("compute-{number}"), |queues| {
            queues
                .calls
                .pop_front()
                .or_else(|| queues.background.pop_front())
        });
    }
    start(pool, "compute-long", |queues| queues.long.pop_front());
    pool
});

fn start(pool: &'static Pool, name: &str, next: fn(&mut Queues) -> Option<Job>) {
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES);
    if let Err(error) = thread.spawn(move || pool.work(next)) {
        tracing::error!(%error, "a thread for computations could not be started");
    }
}

impl Pool {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        // Nothing panics while it is locked.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, next: fn(&mut Queues) -> Option<Job>) {
        loop {
            let mut queues = self.queues();
            let job = loop {
                if let Some(job) = next(&mut queues) {
                    break job;
                }
                queues = self
                    .woken
                    .wait(queues)
                    .unwrap_or_else(PoisonError::into_inner);
            };
            drop(queues);
            job();
        }
    }

    fn add(&self, class: Class, job: Job) -> Result<(), Error> {
        let mut queues = self.queues();
        match class {
            Class::Call if queues.calls.len() >= MAX_WAITING => return Err(Error::Full),
            Class::Long if queues.long.len() >= MAX_WAITING => return Err(Error::Full),
            Class::Long => queues.long.push_back(job),
            Class::Call => queues.calls.push_back(job),
            Class::Background => queues.background.push_back(job),
        }
        drop(queues);
        self.woken.notify_all();
        Ok(())
    }
}

/// Sets the flag when the caller's future is dropped.
struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Computes something on one of the threads for it. `time`: after so long the computation is told
/// that nobody waits.
///
/// # Errors
/// [`Error`].
///
/// # Cancel safety
/// Dropped, the work is not begun, or told that nobody waits for it.
pub async fn run<T: Send + 'static>(
    class: Class,
    time: Option<Duration>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let gone = Arc::new(AtomicBool::new(false));
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    let cancellation = Cancellation::new(gone.clone(), deadline);
    let _gone = OnDrop(gone);
    let (answer, answered) = oneshot::channel();
    let span = tracing::Span::current();
    let job = Box::new(move || {
        if answer.is_closed() {
            return;
        }
        let _span = span.enter();
        let unwinding = std::panic::AssertUnwindSafe(|| within(Some(cancellation), work));
        // Whoever asked may have gone.
        drop(answer.send(std::panic::catch_unwind(unwinding)));
    });
    POOL.add(class, job)?;
    match answered.await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) | Err(_) => Err(Error::Panicked),
    }
}

/// Whether this thread answers calls, and can hand its other tasks to another thread meanwhile.
fn is_runtime() -> bool {
    let runtime = tokio::runtime::Handle::try_current();
    runtime.is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// Has long evaluations leave the threads that answer calls. Once a process; again has no effect.
pub fn install() {
    profile_core::computation::leave_by(is_runtime, off_the_runtime);
}

/// Computes something now, while another thread takes over the other tasks of this one. As many at
/// once as there are threads for computations; the rest waits.
fn off_the_runtime(work: &mut dyn FnMut()) {
    static RUNNING: Mutex<usize> = Mutex::new(0);
    static ENDED: Condvar = Condvar::new();
    struct Permit;
    impl Drop for Permit {
        fn drop(&mut self) {
            *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            ENDED.notify_one();
        }
    }
    if !is_runtime() {
        return work();
    }
    tokio::task::block_in_place(|| {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let most = threads();
        let mut running = ENDED
            .wait_while(running, |running| *running >= most)
            .unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        drop(running);
        let _place = Permit;
        work();
    });
}

/// How many threads compute at once.
fn threads() -> usize {
    std::thread::available_parallelism()
        .map_or(2, usize::from)
        .saturating_sub(1)
        .max(1)
}

#[cfg(test)]
mod tests {
    use profile_core::computation::is_cancelled;

    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_own_job_alone() {
        assert_eq!(
            run(Class::Call, None, || -> u32 { panic!("a job") }).await,
            Err(Error::Panicked)
        );
        assert_eq!(run(Class::Call, None, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_job_is_told_that_its_time_is_over_and_that_its_caller_has_gone() {
        let endless = || {
            while !is_cancelled() {
                std::thread::yield_now();
            }
        };
        assert_eq!(
            run(Class::Call, Some(Duration::from_millis(10)), endless).await,
            Ok(())
        );
        let (started, running) = oneshot::channel();
        let caller = tokio::spawn(run(Class::Call, None, move || {
            let _ = started.send(());
            endless();
        }));
        running.await.expect("begins");
        caller.abort();
        assert_eq!(run(Class::Call, None, || 7).await, Ok(7));
    }
}
