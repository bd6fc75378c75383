//! What long computations share: a stack that holds the deepest expression, and word that nobody
//! waits any more.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The stack of each thread. The deepest recursion over an expression takes a hundredth of it in a
/// release build.
pub const STACK_BYTES: usize = 32 << 20;

/// Whether somebody still waits for a computation.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    gone: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancellation {
    /// A computation that ends when `gone` is set, or at the deadline.
    #[must_use]
    pub fn new(gone: Arc<AtomicBool>, deadline: Option<Instant>) -> Self {
        Self { gone, deadline }
    }

    fn is_cancelled(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
            || self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Cancellation>> = const { RefCell::new(None) };
}

/// Whether nobody waits any more for what this thread computes.
#[must_use]
pub fn is_cancelled() -> bool {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(Cancellation::is_cancelled))
}

/// Does work as part of a computation that may be cancelled.
pub fn within<T>(cancellation: Option<Cancellation>, work: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(cancellation);
    let result = work();
    CURRENT.set(before);
    result
}

/// How work leaves a thread that others wait for.
type Leave = fn(&mut dyn FnMut());

static LEAVE: OnceLock<(fn() -> bool, Leave)> = OnceLock::new();

/// Says which threads others wait for, and how long work leaves them. Without it all work stays
/// where it began. The first call counts.
pub fn leave_by(holds_up_others: fn() -> bool, leave: Leave) {
    LEAVE.get_or_init(|| (holds_up_others, leave));
}

/// Whether others wait for this thread.
#[must_use]
pub fn holds_up_others() -> bool {
    LEAVE
        .get()
        .is_some_and(|(holds_up_others, _)| holds_up_others())
}

/// Computes something that takes long where it holds up nobody else.
///
/// # Panics
/// The way that was installed does not do the work.
pub fn elsewhere<T>(work: impl FnOnce() -> T) -> T {
    let Some((_, leave)) = LEAVE.get() else {
        return work();
    };
    let (mut work, mut result) = (Some(work), None);
    leave(&mut || result = work.take().map(|work| work()));
    result.expect("the work is done before this returns")
}

/// Computes something on a stack that is large enough for the deepest expression, now.
///
/// # Panics
/// The work panics, or the system has no thread left: on the small stack it could end the process
/// instead.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread_local! {
        static IS_LARGE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    if IS_LARGE.get() {
        return work();
    }
    let cancellation = CURRENT.with_borrow(Clone::clone);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("compute-stack".to_owned())
            .stack_size(STACK_BYTES);
        let spawned = thread.spawn_scoped(scope, move || {
            IS_LARGE.set(true);
            within(cancellation, work)
        });
        match spawned.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread for a computation could be started: {error}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_stack_holds_what_a_small_one_does_not() {
        fn depth(left: u32) -> u32 {
            let frame = std::hint::black_box([left; 1_000]);
            if left == 0 {
                0
            } else {
                1 + depth(left - 1) + frame[0] - frame[999]
            }
        }
        assert_eq!(on_large_stack(|| on_large_stack(|| depth(1_000))), 1_000);
    }
}
