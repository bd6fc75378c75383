//! Payloads from files: CSV, JSON objects in lines (NDJSON), or a JSON document with a list of
//! them; plain or gzip, in UTF-8 or an encoding that is declared; or Parquet.
//!
//! A caller may declare everything ([`Options`]). The content decides the rest where it leaves no
//! doubt, never the file's name, and [`FileReader::described`] says what the file was taken for,
//! and why. A spreadsheet, a web page, a compressed archive and the like are refused by their name.
//!
//! Promises:
//!
//! - **Flat memory**: one row at a time, of at most [`MAX_ROW_BYTES`]. A longer one is an error of
//!   its own, and reading goes on after it.
//! - **Nothing is left out silently**: each row that is not blank is yielded, as a payload or as
//!   what is wrong with it, with its [`Content`]. Only where the bytes themselves end or break (a
//!   truncated gzip file, a list that is not closed, a disk error) is there a last error instead.
//! - **Resumable**: each row says the [`Position`] after it, from which another reader of the same
//!   file goes on. [`FileReader::digest`] tells whether it is the same file up to there.
//!
//! CSV has only texts: a row becomes an object of strings by column. Errors name lines and columns,
//! and quote no data.

mod content;
mod csv;
mod detect;
mod encoding;
mod format;
mod input;
mod json;
mod ndjson;
pub mod options;
mod parquet;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use profile_core::records::Violation;
use serde_json::Value as Json;

pub use content::Content;
use format::{described, format_of};
use input::Input;
use options::Format;
pub use options::Options;

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
    /// Content of a row that is wrong.
    pub content: Option<Content>,
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

impl ReadError {
    fn at_start(what: impl Into<String>) -> Self {
        Self {
            position: Position::START,
            what: what.into(),
        }
    }
}

/// Reads a file row by row. After an error there is nothing more.
pub struct FileReader {
    input: Input,
    rows: Rows,
    described: String,
    notes: Vec<String>,
    total_bytes: u64,
    /// Of Parquet, whose rows have their columns from its schema.
    columns: Option<Vec<String>>,
    over: bool,
}

enum Rows {
    Csv(Box<csv::Rows>),
    Ndjson(ndjson::Rows),
    Json(json::Rows),
}

impl FileReader {
    /// Opens a file, to read it from a position on.
    ///
    /// # Errors
    /// It cannot be opened, it is no file of rows, what is declared does not fit it, or it ends
    /// before the position.
    pub fn open(path: &Path, options: &Options, start: Position) -> Result<Self, ReadError> {
        let failed = |error: std::io::Error| ReadError::at_start(error.to_string());
        let mut file = File::open(path).map_err(failed)?;
        let total_bytes = file.metadata().map_err(failed)?.len();
        if parquet::is_parquet(&mut file).map_err(failed)? {
            return Self::parquet(file, total_bytes, options, start);
        }
        Self::new(file, total_bytes, options, start)
    }

    fn parquet(
        file: File,
        total_bytes: u64,
        options: &Options,
        start: Position,
    ) -> Result<Self, ReadError> {
        if options.fingerprint() != Options::default().fingerprint() {
            let what = "a Parquet file says itself how it is to be read: declare nothing of it";
            return Err(ReadError::at_start(what));
        }
        let lines = parquet::Lines::open(file).map_err(ReadError::at_start)?;
        let (described, columns) = (lines.described(), lines.columns());
        let options = Options {
            format: Some(Format::JsonLines),
            ..Options::default()
        };
        let reader = Self::new(lines, total_bytes, &options, start)?;
        Ok(Self {
            described,
            columns: Some(columns),
            ..reader
        })
    }

    /// Reads from anything; `total_bytes` is only passed on to [`total_bytes`](Self::total_bytes).
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn new(
        source: impl Read + Send + 'static,
        total_bytes: u64,
        options: &Options,
        start: Position,
    ) -> Result<Self, ReadError> {
        let mut input = Input::new(source, options.encoding)?;
        let lines = options.skip_lines;
        for _ in 0..lines {
            if !input.pass_line()? {
                return Err(input.error(format!("the file has no more than {lines} lines")));
            }
        }
        let (format, why, notes) = format_of(&mut input, options)?;
        let mut rows = match format {
            Format::Csv => Rows::Csv(Box::new(csv::Rows::with_header(&mut input, options)?)),
            Format::JsonLines => Rows::Ndjson(ndjson::Rows::payloads()),
            Format::Rejects => Rows::Ndjson(ndjson::Rows::rejects()),
            Format::Json => Rows::Json(json::Rows::new(&mut input, &options.path)?),
        };
        let described = described(&rows, format, why, &input);
        if input.position().offset < start.offset {
            input.skip_to(start)?;
            if let Rows::Json(rows) = &mut rows {
                rows.resume();
            }
        }
        Ok(Self {
            input,
            rows,
            described,
            notes,
            total_bytes,
            columns: None,
            over: false,
        })
    }

    /// Format of the file, and how it is known.
    #[must_use]
    pub fn described(&self) -> &str {
        &self.described
    }

    /// Oddities of the file, and how they are read.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        let header = match &self.rows {
            Rows::Csv(rows) => rows.notes(),
            Rows::Ndjson(_) | Rows::Json(_) => &[],
        };
        let encoding = self.input.notes().iter();
        encoding
            .chain(&self.notes)
            .chain(header)
            .map(String::as_str)
    }

    /// Names of the columns. `None`: each row has names of its own.
    #[must_use]
    pub fn columns(&self) -> Option<Vec<&str>> {
        match &self.rows {
            Rows::Csv(rows) => Some(rows.columns().collect()),
            Rows::Ndjson(_) | Rows::Json(_) => {
                let columns = self.columns.as_ref()?;
                Some(columns.iter().map(String::as_str).collect())
            }
        }
    }

    /// SHA-256 of all bytes up to the end of the last row, decompressed and decoded.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.input.digest()
    }

    /// Size of the file in bytes, as it is stored.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Number of these bytes that are read. (The rows of Parquet are longer than the file.)
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.input.bytes_read().min(self.total_bytes)
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
            Rows::Json(rows) => rows.next(&mut self.input),
        };
        self.over = !matches!(row, Ok(Some(_)));
        row.transpose()
    }
}

#[cfg(test)]
mod tests;
