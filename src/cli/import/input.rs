//! The input of an import: a file or embedded bytes, read in batches on a thread of its own.

use std::path::Path;

use anyhow::{Context, anyhow};
use tokio::sync::mpsc;

use crate::sources::files::{FileReader, Position, Row};

/// How many batches are read ahead.
const READ_AHEAD: usize = 2;
/// A batch ends with the row that passes this.
const MAX_BATCH_BYTES: u64 = 1024 * 1024;

/// Rows to import.
pub(crate) struct Input {
    name: String,
    reader: FileReader,
    start: Position,
}

/// Rows that travel together.
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    /// The place after them.
    pub(super) end: Position,
    /// Bytes of the file read so far, as it is stored.
    pub(super) bytes_read: u64,
}

impl Input {
    /// Opens a file at a position.
    pub(super) fn open(file: &Path, start: Position) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let reader = FileReader::open(file, start).with_context(|| name.clone())?;
        Ok(Self {
            name,
            reader,
            start,
        })
    }

    /// Reads what is compiled in.
    pub(crate) fn embedded(name: &str, bytes: &'static [u8]) -> anyhow::Result<Self> {
        let reader = FileReader::new(bytes, bytes.len() as u64, Position::START)?;
        Ok(Self {
            name: name.to_owned(),
            reader,
            start: Position::START,
        })
    }

    /// How many bytes there are, as they are stored.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.reader.total_bytes()
    }

    /// Begins to read. The last message is an error where the file could not be read to its end.
    pub(super) fn batches(self, max_rows: usize) -> mpsc::Receiver<anyhow::Result<Batch>> {
        let (send, receive) = mpsc::channel(READ_AHEAD);
        tokio::task::spawn_blocking(move || {
            let Self {
                name,
                mut reader,
                mut start,
            } = self;
            loop {
                let (batch, error) = next(&mut reader, start, max_rows);
                let Some(last) = batch.rows.last() else {
                    if let Some(error) = error {
                        // Nobody listens any more: the import has failed for another reason.
                        drop(send.blocking_send(Err(anyhow!("{name}: {error}"))));
                    }
                    return;
                };
                start = last.end;
                if send.blocking_send(Ok(batch)).is_err() {
                    return;
                }
                if let Some(error) = error {
                    drop(send.blocking_send(Err(anyhow!("{name}: {error}"))));
                    return;
                }
            }
        });
        receive
    }
}

fn next(reader: &mut FileReader, start: Position, max_rows: usize) -> (Batch, Option<String>) {
    let mut batch = Batch {
        rows: Vec::new(),
        end: start,
        bytes_read: 0,
    };
    let mut failure = None;
    while batch.rows.len() < max_rows && batch.end.offset - start.offset < MAX_BATCH_BYTES {
        match reader.next() {
            Some(Ok(row)) => {
                batch.end = row.end;
                batch.rows.push(row);
            }
            Some(Err(error)) => {
                failure = Some(error.to_string());
                break;
            }
            None => break,
        }
    }
    batch.bytes_read = reader.bytes_read();
    (batch, failure)
}
