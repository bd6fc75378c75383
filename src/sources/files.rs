//! Payloads from files: CSV with a header line, or one JSON object a line (NDJSON), each perhaps
//! compressed with gzip.
//!
//! The format of a file is detected from its first bytes, not from its name: gzip by its magic
//! number, NDJSON by an opening brace, otherwise CSV, whose separator (comma, semicolon, tab, bar)
//! is the most frequent one in the header line.
//!
//! Promises:
//!
//! - **Flat memory**: one row at a time, of at most [`MAX_ROW_BYTES`]. A longer one (a quote left
//!   open, most often) is an error of its own, and reading goes on after it.
//! - **Nothing is left out silently**: each row that is not blank is yielded, as a payload or as
//!   what is wrong with it. Only where the bytes themselves end or break (a truncated gzip file, a
//!   disk error) is there a last error instead.
//! - **Resumable**: each row says the [`Position`] after it, from which another reader of the same
//!   file goes on.
//!
//! CSV has only texts: a row becomes an object of strings by column. Errors name lines and columns,
//! and quote no data.

mod csv;
mod input;
mod ndjson;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use profile_core::records::Violation;
use serde_json::Value as Json;

use input::Input;

/// The longest row, in bytes: four times the longest payload that the server takes.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;

/// A place between two rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Bytes before it, after decompression.
    pub offset: u64,
    /// Lines before it.
    pub lines: u64,
}

impl Position {
    /// The beginning of a file.
    pub const START: Self = Self {
        offset: 0,
        lines: 0,
    };
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The place after it.
    pub end: Position,
    /// The payload, or what is wrong with the row.
    pub payload: Result<Json, Violation>,
}

/// The file cannot be read, or not beyond a position.
#[derive(Debug, thiserror::Error)]
#[error("line {}, after {} bytes: {what}", position.lines + 1, position.offset)]
pub struct ReadError {
    /// The position that was reached.
    pub position: Position,
    /// The reason, in words.
    pub what: String,
}

/// Reads a file row by row. After an error there is nothing more.
pub struct FileReader {
    input: Input,
    rows: Rows,
    total_bytes: u64,
    over: bool,
}

enum Rows {
    Csv(Box<csv::Rows>),
    Ndjson(ndjson::Rows),
}

impl FileReader {
    /// Opens a file, to read it from a position on.
    ///
    /// # Errors
    /// It cannot be opened, its beginning is not text or no header, or it ends before the position.
    pub fn open(path: &Path, start: Position) -> Result<Self, ReadError> {
        let failed = |error: std::io::Error| ReadError {
            position: Position::START,
            what: error.to_string(),
        };
        let file = File::open(path).map_err(failed)?;
        let total_bytes = file.metadata().map_err(failed)?.len();
        Self::new(file, total_bytes, start)
    }

    /// Reads from anything; `total_bytes` is only passed on to [`total_bytes`](Self::total_bytes).
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn new(
        source: impl Read + Send + 'static,
        total_bytes: u64,
        start: Position,
    ) -> Result<Self, ReadError> {
        let mut input = Input::new(source)?;
        let rows = if input.begins_with_brace()? {
            Rows::Ndjson(ndjson::Rows::default())
        } else {
            Rows::Csv(Box::new(csv::Rows::with_header(&mut input)?))
        };
        input.skip_to(start)?;
        Ok(Self {
            input,
            rows,
            total_bytes,
            over: false,
        })
    }

    /// Size of the file in bytes, as it is stored.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Number of these bytes that are read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.input.bytes_read()
    }
}

impl Iterator for FileReader {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let row = match &mut self.rows {
            Rows::Csv(rows) => rows.next(&mut self.input),
            Rows::Ndjson(rows) => rows.next(&mut self.input),
        };
        self.over = !matches!(row, Ok(Some(_)));
        row.transpose()
    }
}

#[cfg(test)]
mod tests;
