//! CSV (RFC 4180, leniently): a header line, then rows.

use std::collections::BTreeSet;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use profile_core::records::{Reason, Violation};
use serde_json::Value as Json;

use super::input::Input;
use super::{MAX_ROW_BYTES, Position, ReadError, Row};

/// The more columns a file has, the less it is one.
const MAX_COLUMNS: usize = 4_096;
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(super) struct Rows {
    parser: Reader,
    columns: Vec<String>,
    record: Record,
}

/// The fields of a row, end to end.
#[derive(Default)]
struct Record {
    bytes: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    fields: usize,
    too_long: bool,
    open_quote: bool,
}

impl Rows {
    pub(super) fn with_header(input: &mut Input) -> Result<Self, ReadError> {
        let separator = separator(input.peek()?);
        let parser = ReaderBuilder::new().delimiter(separator).build();
        let mut rows = Self {
            parser,
            columns: Vec::new(),
            record: Record::default(),
        };
        if !rows.read(input)? {
            return Err(input.error("the file is empty: it has neither a header nor an object"));
        }
        rows.columns = rows.header().map_err(|what| ReadError {
            position: Position::START,
            what,
        })?;
        Ok(rows)
    }

    fn header(&self) -> Result<Vec<String>, String> {
        if self.record.too_long {
            return Err("the header line is too long".to_owned());
        }
        let mut seen = BTreeSet::new();
        let mut columns = Vec::new();
        for (index, field) in self.record.fields().enumerate() {
            let name = std::str::from_utf8(field)
                .map_err(|_| format!("the header's column {} is not UTF-8", index + 1))?;
            let name = name.trim();
            if name.is_empty() {
                return Err(format!("the header's column {} has no name", index + 1));
            }
            if !seen.insert(name) {
                return Err(format!("the header has the column `{}` twice", shown(name)));
            }
            columns.push(name.to_owned());
        }
        Ok(columns)
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Option<Row>, ReadError> {
        skip_line_ends(input)?;
        let line = input.position().lines + 1;
        if !self.read(input)? {
            return Ok(None);
        }
        Ok(Some(Row {
            line,
            end: input.position(),
            payload: self.payload(),
        }))
    }

    fn payload(&self) -> Result<Json, Violation> {
        let malformed = |what: String| Err(Violation::new(Reason::Malformed, "row", what));
        if self.record.too_long {
            let what = format!(
                "is longer than {MAX_ROW_BYTES} bytes or {MAX_COLUMNS} columns: is a quote left open?"
            );
            return Err(Violation::new(Reason::LimitExceeded, "row", what));
        }
        if self.record.open_quote {
            return malformed("has a quote that is left open to the end of the file".to_owned());
        }
        let (fields, columns) = (self.record.fields, self.columns.len());
        if fields != columns {
            return malformed(format!("has {fields} fields, and the header has {columns}"));
        }
        let mut object = serde_json::Map::with_capacity(columns);
        for (name, field) in self.columns.iter().zip(self.record.fields()) {
            match std::str::from_utf8(field) {
                Ok(text) => object.insert(name.clone(), Json::from(text)),
                Err(_) => {
                    return malformed(format!("is not UTF-8 in the column `{}`", shown(name)));
                }
            };
        }
        Ok(Json::Object(object))
    }
}

impl Rows {
    /// Reads a record; `false` at the end.
    fn read(&mut self, input: &mut Input) -> Result<bool, ReadError> {
        self.record.clear();
        let mut started = false;
        loop {
            let bytes = input.peek()?;
            let at_end = bytes.is_empty();
            if at_end && !started {
                return Ok(false);
            }
            // A line end that is missing at the end of the file is supplied; only within quotes it
            // ends nothing.
            let (result, count) = self
                .record
                .take(&mut self.parser, if at_end { b"\n" } else { bytes });
            if !at_end {
                started |= count > 0;
                input.consume(count);
            }
            match result {
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
                ReadRecordResult::InputEmpty if at_end => {
                    self.record.open_quote = true;
                    self.parser.reset();
                    return Ok(true);
                }
                ReadRecordResult::InputEmpty
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => {}
            }
        }
    }
}

impl Record {
    fn clear(&mut self) {
        (self.length, self.fields, self.too_long, self.open_quote) = (0, 0, false, false);
    }

    fn take(&mut self, parser: &mut Reader, bytes: &[u8]) -> (ReadRecordResult, usize) {
        if self.length == self.bytes.len() && !grow(&mut self.bytes, 4 * 1024, MAX_ROW_BYTES) {
            (self.length, self.too_long) = (0, true);
        }
        if self.fields == self.ends.len() && !grow(&mut self.ends, 64, MAX_COLUMNS) {
            (self.fields, self.too_long) = (0, true);
        }
        let (output, ends) = (
            &mut self.bytes[self.length..],
            &mut self.ends[self.fields..],
        );
        let (result, read, written, ended) = parser.read_record(bytes, output, ends);
        self.length += written;
        self.fields += ended;
        (result, read)
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends[..self.fields]
            .iter()
            .map(move |end| &self.bytes[std::mem::replace(&mut start, *end)..*end])
    }
}

/// Makes room, as long as it may; what is in there is overwritten otherwise.
fn grow<T: Clone + Default>(room: &mut Vec<T>, first: usize, most: usize) -> bool {
    let larger = (room.len() * 2).clamp(first, most);
    let grows = larger > room.len();
    room.resize(larger, T::default());
    grows
}

/// Line ends before a row: blank lines, and the second half of a Windows line end.
fn skip_line_ends(input: &mut Input) -> Result<(), ReadError> {
    loop {
        let bytes = input.peek()?;
        let count = bytes
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        if count == 0 {
            return Ok(());
        }
        input.consume(count);
    }
}

/// A column's name for a message, which may be printed on a terminal.
fn shown(name: &str) -> String {
    const MAX_LETTERS: usize = 64;
    let letters = name.chars().filter(|letter| !letter.is_control());
    letters.take(MAX_LETTERS).collect()
}

/// The separator of which the first line has most.
fn separator(beginning: &[u8]) -> u8 {
    let line = beginning
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |separator: u8| line.split(|byte| *byte == separator).count();
    // The first of equals: the comma.
    SEPARATORS
        .into_iter()
        .rev()
        .max_by_key(|separator| count(*separator))
        .unwrap_or(b',')
}
