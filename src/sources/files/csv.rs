//! CSV (RFC 4180): a header line, then rows.
//!
//! - A row with another number of fields than the header, or with quotes that do not fit, is
//!   wrong: no value is shifted or cut.
//! - A quote that is left open spoils the line on which it is opened alone: reading goes on with
//!   the next line.
//! - A field `="00123"`, as spreadsheets write to keep a text a text, is that text. All else is
//!   kept
//!   as written, blanks too.

mod header;
mod odd;
mod parser;
mod quotes;
mod record;
mod separator;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use profile_core::records::{Reason, Violation};
use serde_json::Value as Json;

use self::header::Header;
use super::input::Input;
use super::options::{Options, Quote, Separator};
use super::{Content, MAX_ROW_BYTES, ReadError, Row};
use parser::{End, fault_of, parser, separator_of};
use record::Record;

/// The more columns a file has, the less it is one.
const MAX_COLUMNS: usize = 4_096;
/// The mark of byte order in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// Number of lines that an open quote may spoil.
const MAX_OPEN_QUOTES: usize = 100;

pub(super) struct Rows {
    parser: Reader,
    separator: Separator,
    quote: Quote,
    declares_quotes: bool,
    escape: Option<u8>,
    header: Header,
    record: Record,
    open_quotes: usize,
    described: String,
}

impl Rows {
    pub(super) fn with_header(input: &mut Input, options: &Options) -> Result<Self, ReadError> {
        skip_line_ends(input)?;
        let (separator, why) = separator_of(input, options)?;
        let quote = match separator {
            Separator::Blanks => Quote::None,
            Separator::Byte(_) => options.quote.unwrap_or(Quote::Byte(b'"')),
        };
        let byte = match separator {
            Separator::Blanks => b' ',
            Separator::Byte(byte) => byte,
        };
        let mut rows = Self {
            parser: parser(&mut ReaderBuilder::new(), byte, quote, options.escape),
            separator,
            quote,
            declares_quotes: options.quote.is_some(),
            escape: options.escape,
            header: Header::default(),
            record: Record::default(),
            open_quotes: 0,
            described: String::new(),
        };
        if options.columns.is_empty() {
            rows.read_header(input)?;
        } else {
            let declared = options.columns.iter().map(String::as_bytes);
            rows.header = Header::read(declared).map_err(ReadError::at_start)?;
        }
        let between = match separator {
            Separator::Blanks => "blanks".to_owned(),
            Separator::Byte(byte) => separator::shown(byte),
        };
        rows.described = match rows.header.columns.len() {
            1 => "one column".to_owned(),
            columns => format!("{columns} columns between {between} ({why})"),
        };
        Ok(rows)
    }

    fn read_header(&mut self, input: &mut Input) -> Result<(), ReadError> {
        match self.read(input)? {
            None => Err(input.error("the file is empty: it has neither a header nor an object")),
            Some(End::TooLong) => Err(ReadError::at_start("the header line is too long")),
            Some(End::OpenQuote) => Err(ReadError::at_start(
                "the header has a quote that is left open to the end of the file",
            )),
            Some(End::Whole) => {
                input.end_row();
                if let Some(quotes) = odd::enclosing(self.record.fields())
                    && !self.declares_quotes
                {
                    let what = odd::undeclared(quotes, "the header's names are");
                    return Err(ReadError::at_start(what));
                }
                self.header = Header::read(self.record.fields()).map_err(ReadError::at_start)?;
                self.pass_underline(input)
            }
        }
    }

    /// Passes over a line of dashes under the header, as query tools print it.
    fn pass_underline(&mut self, input: &mut Input) -> Result<(), ReadError> {
        skip_line_ends(input)?;
        let whole = input.shows_all()?;
        let ends = input.line_ends();
        let bytes = input.peek()?;
        let end = ends.find(bytes).or(whole.then_some(bytes.len()));
        let Some(length) = end.filter(|end| odd::is_underline(&bytes[..*end])) else {
            return Ok(());
        };
        let line = input.position().lines + 1;
        input.pass(length);
        let note = format!("line {line} underlines the header and is not read");
        self.header.notes.push(note);
        Ok(())
    }

    /// Columns and separator, for people.
    pub(super) fn described(&self) -> &str {
        &self.described
    }

    /// Oddities of the header.
    pub(super) fn notes(&self) -> &[String] {
        &self.header.notes
    }

    /// Names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let names = self.header.columns.iter().map(String::as_str);
        names.filter(|name| !name.is_empty())
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Option<Row>, ReadError> {
        skip_line_ends(input)?;
        let before = input.position();
        let line = before.lines + 1;
        let Some(end) = self.read(input)? else {
            return Ok(None);
        };
        if end == End::Whole && self.header.is_replaced_by(self.record.fields()) {
            let what = "names the columns in another way than the header: the rows after it would be \
                        read into wrong columns; split the file before this line";
            return Err(ReadError {
                position: before,
                what: what.to_owned(),
            });
        }
        let (payload, content) = if end == End::Whole {
            let payload = self.payload(input.row());
            let row = || Content::row(input.row(), &self.header.columns, self.record.fields());
            let content = payload.is_err().then(row);
            (payload, content)
        } else {
            let length = self.keep_first_line(input)?;
            let content = Content::text(input.row(), length);
            (Err(fault_of(end)), Some(content))
        };
        Ok(Some(input.take_row(line, payload, content)))
    }

    /// Gives all but the first line of a record that does not end back, to be read as rows. Returns
    /// the length of the line.
    fn keep_first_line(&mut self, input: &mut Input) -> Result<usize, ReadError> {
        self.parser.reset();
        self.open_quotes += 1;
        if self.open_quotes > MAX_OPEN_QUOTES {
            return Err(input.error(format!(
                "more than {MAX_OPEN_QUOTES} rows have a quote that is left open: declare --quote none"
            )));
        }
        let ends = input.line_ends();
        if let Some(first) = ends.find(input.row()) {
            input.give_back(first + 1);
            return Ok(first + 1);
        }
        // One line of more than a row may have.
        let mut length = input.row().len();
        loop {
            let bytes = input.peek()?;
            let line_end = ends.find(bytes);
            let count = line_end.map_or(bytes.len(), |at| at + 1);
            length += count;
            input.consume(count);
            if line_end.is_some() || count == 0 {
                return Ok(length);
            }
        }
    }

    fn payload(&self, row: &[u8]) -> Result<Json, Violation> {
        let malformed = |what: &str| Err(Violation::new(Reason::Malformed, "row", what));
        if let (Quote::Byte(quote), Separator::Byte(separator)) = (self.quote, self.separator)
            && row.contains(&quote)
            && let Some(what) = quotes::fault(row, separator, self.quote, self.escape)
        {
            return malformed(what);
        }
        let (fields, columns) = (self.record.fields, self.header.columns.len());
        if fields != columns {
            return malformed(&format!(
                "has {fields} fields, and the header has {columns}"
            ));
        }
        if self.header.is_repeated_by(self.record.fields()) {
            return malformed("repeats the header");
        }
        if let Some(quotes) = odd::enclosing(self.record.fields())
            && !self.declares_quotes
        {
            return malformed(&odd::undeclared(quotes, "its fields are"));
        }
        let mut object = serde_json::Map::with_capacity(columns);
        for (name, field) in self.header.columns.iter().zip(self.record.fields()) {
            let Ok(text) = std::str::from_utf8(field) else {
                let what = format!(
                    "is not in the encoding of the file in the column `{}`: declare --encoding",
                    shown(name)
                );
                return malformed(&what);
            };
            if !name.is_empty() {
                object.insert(name.clone(), Json::from(quotes::unformula(text)));
            }
        }
        Ok(Json::Object(object))
    }

    /// Reads a record into the present row; none at the end.
    fn read(&mut self, input: &mut Input) -> Result<Option<End>, ReadError> {
        if self.separator == Separator::Blanks {
            return self.read_blanks(input);
        }
        self.record.clear();
        let mut started = false;
        loop {
            let bytes = input.peek()?;
            let at_end = bytes.is_empty();
            if at_end && !started {
                return Ok(None);
            }
            // A line end that is missing at the end of the file is supplied; only within quotes it
            // ends nothing.
            let taken = self
                .record
                .take(&mut self.parser, if at_end { b"\n" } else { bytes });
            let Some((result, count)) = taken else {
                return Ok(Some(End::TooLong));
            };
            if !at_end {
                started |= count > 0;
                input.consume(count);
            }
            match result {
                ReadRecordResult::Record => return Ok(Some(End::Whole)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty if at_end => return Ok(Some(End::OpenQuote)),
                ReadRecordResult::InputEmpty
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => {}
            }
        }
    }

    /// Reads a line whose fields are parted by any number of blanks.
    fn read_blanks(&mut self, input: &mut Input) -> Result<Option<End>, ReadError> {
        self.record.clear();
        let ends = input.line_ends();
        loop {
            let bytes = input.peek()?;
            let line_end = ends.find(bytes);
            let (count, at_end) = (line_end.map_or(bytes.len(), |at| at + 1), bytes.is_empty());
            input.consume(count);
            if input.row().len() > MAX_ROW_BYTES {
                return Ok(Some(End::TooLong));
            }
            if line_end.is_some() || at_end {
                break;
            }
        }
        let line = input.row();
        if line.is_empty() {
            return Ok(None);
        }
        let fields = line
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty());
        self.record.fill(fields);
        Ok(Some(End::Whole))
    }
}

/// Passes over line ends before a row: blank lines, and the second half of a Windows line end. A
/// mark of byte order there, where one file was put after another, is no part of the row.
fn skip_line_ends(input: &mut Input) -> Result<(), ReadError> {
    loop {
        let bytes = input.peek()?;
        let is_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let count = match bytes.iter().take_while(is_end).count() {
            0 if bytes.starts_with(MARK) => MARK.len(),
            count => count,
        };
        if count == 0 {
            return Ok(());
        }
        input.pass(count);
    }
}

/// A column's name for a message, which may be printed on a terminal.
fn shown(name: &str) -> String {
    const MAX_LETTERS: usize = 64;
    let letters = name.chars().filter(|letter| !letter.is_control());
    letters.take(MAX_LETTERS).collect()
}
