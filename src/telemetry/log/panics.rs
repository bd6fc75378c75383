//! Panics as log lines.
//!
//! The standard hook writes to standard error itself, under its lock: with a reader that has
//! stalled, the thread that panics would hang, and every later one too.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::time::Duration;

/// The longest wait until the line of a panic is written. The next panic may abort the process.
const BOUND: Duration = Duration::from_millis(100);

/// Logs panics from now on.
pub(super) fn log() {
    std::panic::set_hook(Box::new(|panic| {
        line(panic);
        super::flush(BOUND);
    }));
}

fn line(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(thread, place, %backtrace, "a thread panicked: {message}");
    } else {
        tracing::error!(thread, place, "a thread panicked: {message}");
    }
}
