//! Streams of a work's progress, with its result at the end.

use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::encode::{count, mistakes};
use crate::grpc::call_context::{CallContext, Messages};
use crate::grpc::error::ApiError;
use crate::grpc::v1;
use crate::rollout::{RolloutError, Step};

/// Time between two messages of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// The fate of work whose caller has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abandon {
    /// The work ends.
    WithCaller,
    /// It goes on.
    Never,
}

/// Why work has no result.
pub(super) struct Failed<T> {
    /// Details that are too large for a status. They are the last message before it.
    message: Option<T>,
    error: ApiError,
}

impl<T> Failed<T> {
    /// A model that was not planned or applied. `wrap` makes a message of its mistakes.
    pub(super) fn of(error: RolloutError, wrap: impl Fn(v1::ModelMistakes) -> T) -> Self {
        let message = match &error {
            RolloutError::Mistakes(all) => Some(wrap(mistakes(all))),
            _ => None,
        };
        Self {
            message,
            error: error.into(),
        }
    }
}

impl<T, E: Into<ApiError>> From<E> for Failed<T> {
    fn from(error: E) -> Self {
        Self {
            message: None,
            error: error.into(),
        }
    }
}

/// A stream of progress, then what a work came to.
pub(super) fn stream<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failed<T>>> + Send + 'static,
    mut steps: watch::Receiver<Step>,
    context: CallContext,
    abandon: Abandon,
    progress: impl Fn(v1::ModelProgress) -> T + Send + 'static,
) -> Messages<T> {
    let (answers, stream) = mpsc::channel(4);
    tokio::spawn(async move {
        tokio::pin!(work);
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        loop {
            tokio::select! {
                done = &mut work => {
                    // The caller may have gone.
                    match done {
                        Ok(last) => drop(answers.send(Ok(last)).await),
                        Err(Failed { message, error }) => {
                            if let Some(message) = message {
                                drop(answers.send(Ok(message)).await);
                            }
                            drop(answers.send(Err(context.status(error))).await);
                        }
                    }
                    return;
                }
                () = answers.closed(), if abandon == Abandon::WithCaller => return,
                _ = ticks.tick() => {
                    if steps.has_changed().unwrap_or(false) {
                        let step = *steps.borrow_and_update();
                        // One that is not taken in time is followed by a later one.
                        drop(answers.try_send(Ok(progress(progress_of(step)))));
                    }
                }
            }
        }
    });
    Box::pin(ReceiverStream::new(stream))
}

fn progress_of(step: Step) -> v1::ModelProgress {
    v1::ModelProgress {
        phase: step.phase.to_owned(),
        done: count(step.done),
        total: count(step.total),
    }
}
