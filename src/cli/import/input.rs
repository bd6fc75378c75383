//! The input of an import: a file or bytes in memory, read in batches on a thread of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, anyhow};
use tokio::sync::mpsc;

use super::position::Place;
use crate::sources::files::{FileReader, Options, Position, Row};

/// How many batches are read ahead.
const READ_AHEAD: usize = 2;
/// A batch ends with the row that passes this.
const MAX_BATCH_BYTES: u64 = 1024 * 1024;

/// How many names of fields are remembered.
const MAX_NAMES: usize = 1_000;

/// Rows to import.
pub(crate) struct Input {
    name: String,
    reader: FileReader,
    start: Position,
    names: FieldNames,
}

/// The names that the rows of a file have, at their top; of a file with a header they are known.
#[derive(Clone, Default)]
pub(super) struct FieldNames(Arc<Mutex<BTreeSet<String>>>);

impl FieldNames {
    fn add(&self, rows: &[Row]) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let payloads = rows.iter().filter_map(|row| row.payload.as_ref().ok());
        for name in payloads
            .filter_map(|payload| payload.as_object())
            .flat_map(|row| row.keys())
        {
            if names.len() < MAX_NAMES && !names.contains(name) {
                names.insert(name.clone());
            }
        }
    }

    /// The names so far.
    pub(super) fn get(&self) -> BTreeSet<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Rows that travel together.
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    /// The place after them.
    pub(super) end: Place,
    /// Bytes of the file read so far, as it is stored.
    pub(super) bytes_read: u64,
}

impl Input {
    /// Opens a file at a position.
    pub(super) fn open(file: &Path, options: &Options, start: Position) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let reader = FileReader::open(file, options, start).with_context(|| name.clone())?;
        Ok(Self {
            name,
            reader,
            start,
            names: FieldNames::default(),
        })
    }

    /// The reader, before the first row.
    pub(super) fn reader(&self) -> &FileReader {
        &self.reader
    }

    /// The names that its rows have, as they are read.
    pub(super) fn field_names(&self) -> FieldNames {
        self.names.clone()
    }

    /// Reads what is in memory.
    pub(crate) fn in_memory(name: &str, bytes: Vec<u8>) -> anyhow::Result<Self> {
        let length = bytes.len() as u64;
        let reader = FileReader::new(
            std::io::Cursor::new(bytes),
            length,
            &Options::default(),
            Position::START,
        )?;
        Ok(Self {
            name: name.to_owned(),
            reader,
            start: Position::START,
            names: FieldNames::default(),
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
                names,
            } = self;
            let by_row = reader.columns().is_none();
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
                if by_row {
                    names.add(&batch.rows);
                }
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
    let (mut rows, mut end) = (Vec::new(), start);
    let mut failure = None;
    while rows.len() < max_rows && end.offset - start.offset < MAX_BATCH_BYTES {
        match reader.next() {
            Some(Ok(row)) => {
                end = row.end;
                rows.push(row);
            }
            Some(Err(error)) => {
                failure = Some(error.to_string());
                break;
            }
            None => break,
        }
    }
    let batch = Batch {
        rows,
        end: Place::new(end, reader.digest()),
        bytes_read: reader.bytes_read(),
    };
    (batch, failure)
}
