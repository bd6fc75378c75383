//! What each signal does to a server. None ends it without a line in the log.
//!
//! | signal | effect |
//! |---|---|
//! | SIGTERM, SIGINT, SIGQUIT | ends in peace; the second one ends at once, with exit code 130, unless all is done already |
//! | SIGXCPU, SIGPWR | the same: the processor time is used up, the machine loses its power |
//! | SIGHUP | [reloads](super::reload); ends a demo |
//! | SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT, SIGXFSZ, SIGRTMIN to SIGRTMAX | ignored, with a line |
//! | SIGPIPE | ignored |
//!
//! SIGXFSZ is ignored because a write beyond a limit of file sizes then fails like one to a full
//! disk. Signals that report faults of the program itself, and those that stop and continue it, do
//! what they always do. Commands other than `serve` and `demo` leave all signals alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll, select_all, unfold};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::reload::Reload;
use crate::telemetry::log;

/// Exit code of a process that was interrupted, by the convention of shells.
const INTERRUPTED: i32 = 130;
/// How long the last lines may take to be written when the end is asked for a second time.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Signals that end a server.
const ENDS: [(i32, &str); 3] = [
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGQUIT, "SIGQUIT"),
];
/// The same by the kernel, before worse.
const LAST_WARNINGS: &[(i32, &str)] = &[
    (libc::SIGXCPU, "SIGXCPU"),
    #[cfg(target_os = "linux")]
    (libc::SIGPWR, "SIGPWR"),
];
/// Signals that would end a process, and mean nothing to a server.
const IGNORED: &[(i32, &str)] = &[
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGIO, "SIGIO"),
    (libc::SIGXFSZ, "SIGXFSZ"),
    #[cfg(target_os = "linux")]
    (libc::SIGSTKFLT, "SIGSTKFLT"),
];

/// The action on SIGHUP.
pub(super) enum Hangup {
    Reload(Box<Reload>),
    Stop,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    End,
    Hangup,
    Nothing,
}

/// The signals of the process, from now on.
pub(super) struct Signals(SelectAll<BoxStream<'static, (Meaning, String)>>);

impl Signals {
    pub(super) fn new() -> anyhow::Result<Self> {
        let ends = ENDS
            .iter()
            .chain(LAST_WARNINGS)
            .map(|(number, name)| (*number, Meaning::End, (*name).to_owned()));
        let ignored = IGNORED
            .iter()
            .map(|(number, name)| (*number, Meaning::Nothing, (*name).to_owned()));
        let hangup = [(libc::SIGHUP, Meaning::Hangup, "SIGHUP".to_owned())];
        let streams = ends
            .chain(hangup)
            .chain(ignored)
            .chain(real_time())
            .map(listen)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self(select_all(streams)))
    }

    /// Follows them, for ever. The first one that ends the process cancels `stop`, the second one
    /// ends it at once: what was answered is stored all the same. Once the server has `stopped`,
    /// further ones change nothing.
    pub(super) async fn watch(
        mut self,
        stop: CancellationToken,
        stopped: Arc<AtomicBool>,
        mut hangup: Hangup,
    ) {
        let mut is_ending = false;
        while let Some((meaning, name)) = self.0.next().await {
            match (meaning, &mut hangup) {
                (Meaning::Hangup, Hangup::Reload(reload)) => reload.run().await,
                (Meaning::Nothing, _) => {
                    tracing::warn!(signal = name, "a signal without a meaning was ignored");
                }
                (Meaning::End | Meaning::Hangup, _) if stopped.load(Ordering::Acquire) => {}
                (Meaning::End | Meaning::Hangup, _) if is_ending => {
                    tracing::warn!(signal = name, "stopped at once, by a second signal");
                    log::finish(LAST_LINES);
                    std::process::exit(INTERRUPTED);
                }
                (Meaning::End | Meaning::Hangup, _) => {
                    tracing::info!(signal = name, "a signal asks for the end");
                    is_ending = true;
                    stop.cancel();
                }
            }
        }
    }
}

/// One signal, each time it comes.
fn listen(
    (number, meaning, name): (i32, Meaning, String),
) -> anyhow::Result<BoxStream<'static, (Meaning, String)>> {
    let signal = signal(SignalKind::from_raw(number))?;
    let next = move |mut signal: tokio::signal::unix::Signal| {
        let name = name.clone();
        async move {
            signal.recv().await?;
            Some(((meaning, name), signal))
        }
    };
    Ok(unfold(signal, next).boxed())
}

/// Signals for applications' own use, which end a process that does not expect them.
fn real_time() -> impl Iterator<Item = (i32, Meaning, String)> {
    #[cfg(target_os = "linux")]
    let numbers = libc::SIGRTMIN()..=libc::SIGRTMAX();
    #[cfg(not(target_os = "linux"))]
    let numbers = 0..0;
    numbers
        .enumerate()
        .map(|(place, number)| (number, Meaning::Nothing, format!("SIGRTMIN+{place}")))
}
