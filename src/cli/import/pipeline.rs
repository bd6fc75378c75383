//! From batches to acknowledgements: several in flight, counted in order.

use futures::StreamExt;
use futures::stream::FuturesOrdered;

use super::input::Input;
use super::position::PositionFile;
use super::progress::Progress;
use super::rejects::Rejects;
use super::sink::{Done, Outcome, Sink};

/// Batches that are sent and not yet acknowledged.
const IN_FLIGHT: usize = 4;

/// One input to import.
pub(crate) struct Job {
    /// The rows.
    pub(crate) input: Input,
    /// Whose.
    pub(crate) source: String,
    /// By which mapping.
    pub(crate) kind: String,
    /// How many rows a batch has, at most.
    pub(crate) batch_rows: usize,
    /// Where refused rows go.
    pub(crate) rejects: Option<Rejects>,
    /// Where the position is kept.
    pub(crate) position: Option<PositionFile>,
}

/// Imports it. What was acknowledged before a failure is counted, and its position kept.
pub(crate) async fn run(job: Job, sink: &Sink, progress: &Progress) -> anyhow::Result<()> {
    let Job {
        input,
        source,
        kind,
        batch_rows,
        mut rejects,
        mut position,
    } = job;
    let mut batches = input.batches(batch_rows);
    let mut in_flight = FuturesOrdered::new();
    let mut unread = Ok(());
    let mut reading = true;
    while reading || !in_flight.is_empty() {
        tokio::select! {
            batch = batches.recv(), if reading && in_flight.len() < IN_FLIGHT => match batch {
                Some(Ok(batch)) => in_flight.push_back(sink.submit(&source, &kind, batch).await?),
                Some(Err(error)) => (unread, reading) = (Err(error), false),
                None => reading = false,
            },
            Some(done) = in_flight.next(), if !in_flight.is_empty() => {
                let done: Done = done?;
                progress.add(&done);
                let rejects_bytes = write_rejects(rejects.as_mut(), &done)?;
                if let Some(position) = &mut position {
                    position.save(done.end, rejects_bytes);
                }
            }
        }
    }
    unread?;
    if let Some(position) = position {
        position.remove();
    }
    Ok(())
}

/// Writes the refused rows of a batch; answers how long the file is then.
fn write_rejects(rejects: Option<&mut Rejects>, done: &Done) -> anyhow::Result<u64> {
    let Some(rejects) = rejects else { return Ok(0) };
    for (row, outcome) in &done.rows {
        if let Outcome::Rejected(reasons) = outcome {
            rejects.add(row, reasons)?;
        }
    }
    rejects.flush()
}
