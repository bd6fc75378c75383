//! From batches to acknowledgements: several in flight, counted in order.

use futures::StreamExt;
use futures::stream::FuturesOrdered;

use super::input::Input;
use super::position::PositionFile;
use super::progress::Progress;
use super::rejects::Rejects;
use super::sink::{Done, Outcome, Sink};

/// Maximum number of batches that are sent and not acknowledged.
const IN_FLIGHT: usize = 4;

/// One input to import.
pub(crate) struct Job {
    /// Rows to import.
    pub(crate) input: Input,
    /// Source of the rows, by its name in the model.
    pub(crate) source: String,
    /// Kind of the rows: the mapping to apply.
    pub(crate) kind: String,
    /// Maximum number of rows in a batch.
    pub(crate) batch_rows: usize,
    /// File for rejected rows.
    pub(crate) rejects: Option<Rejects>,
    /// File that keeps the position.
    pub(crate) position: Option<PositionFile>,
}

/// Imports the rows of a job. Batches that are acknowledged before a failure count, and the file of
/// the position keeps the place after them.
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

/// Writes the rejected rows of a batch. Returns the length of the file.
fn write_rejects(rejects: Option<&mut Rejects>, done: &Done) -> anyhow::Result<u64> {
    let Some(rejects) = rejects else { return Ok(0) };
    for (row, outcome) in &done.rows {
        if let Outcome::Rejected(reasons) = outcome {
            rejects.add(row, reasons)?;
        }
    }
    rejects.flush()
}
