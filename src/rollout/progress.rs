//! How far a plan, an application or a training is.

use tokio::sync::watch;

/// How far a long work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// The current step, in words.
    pub phase: &'static str,
    /// How much of it is done.
    pub done: usize,
    /// How much there is to do; 0: it is not known.
    pub total: usize,
}

/// A sender of the latest step to those who watch.
#[derive(Debug, Clone)]
pub struct Progress(watch::Sender<Step>);

impl Progress {
    /// A sender, and a receiver of its steps.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<Step>) {
        let (sender, receiver) = watch::channel(Step::default());
        (Self(sender), receiver)
    }

    pub(super) fn tell(&self, phase: &'static str, done: usize, total: usize) {
        self.0.send_replace(Step { phase, done, total });
    }
}
