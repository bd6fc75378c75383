//! The bytes of a file, decompressed and decoded to UTF-8, with their position and their hash.

mod bytes;
mod gzip;
mod lines;

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::Encoding;
use profile_core::records::Violation;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::encoding::Decoded;
use super::{Content, MAX_ROW_BYTES, Position, ReadError, Row, detect};
use bytes::{Counted, Full, buffered};
use gzip::Members;
pub(super) use lines::LineEnds;

const BUFFER_BYTES: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
/// They begin like those of UTF-16.
const UTF32_MARKS: [[u8; 4]; 2] = [[0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]];

pub(super) struct Input {
    stream: Box<dyn BufRead + Send>,
    compressed: bool,
    encoding: &'static Encoding,
    /// Whether a mark at the beginning says the encoding.
    marked: bool,
    stored: Arc<AtomicU64>,
    position: Position,
    /// Whether the last byte was a carriage return.
    after_return: bool,
    line_ends: LineEnds,
    notes: Vec<String>,
    /// Bytes that come once more, and how many of them have come.
    again: Vec<u8>,
    again_taken: usize,
    /// Bytes of the present row, as many as a row may have.
    row: Vec<u8>,
    /// Number of bytes of `row` that are hashed.
    hashed: usize,
    hash: Sha256,
}

impl Input {
    /// `declared`: the encoding of a file without a mark.
    pub(super) fn new(
        source: impl Read + Send + 'static,
        declared: Option<&'static Encoding>,
    ) -> Result<Self, ReadError> {
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            source,
            read: Arc::clone(&stored),
        };
        let mut counted = BufReader::with_capacity(BUFFER_BYTES, Full::new(counted));
        let compressed = counted
            .fill_buf()
            .map_err(|error| ReadError::at_start(error.to_string()))?
            .starts_with(&GZIP_MAGIC);
        let stream: Box<dyn BufRead + Send> = if compressed {
            Box::new(buffered(Members::new(counted)))
        } else {
            Box::new(counted)
        };
        let mut input = Self {
            stream,
            compressed,
            encoding: declared.unwrap_or(encoding_rs::UTF_8),
            marked: false,
            stored,
            position: Position::START,
            after_return: false,
            line_ends: LineEnds::Usual,
            notes: Vec::new(),
            again: Vec::new(),
            again_taken: 0,
            row: Vec::new(),
            hashed: 0,
            hash: Sha256::new(),
        };
        input.decode(declared)?;
        input.line_ends = LineEnds::of(input.peek()?);
        Ok(input)
    }

    /// Finds the encoding and decodes what is no UTF-8.
    fn decode(&mut self, declared: Option<&'static Encoding>) -> Result<(), ReadError> {
        let beginning = self.peek()?;
        if UTF32_MARKS.iter().any(|mark| beginning.starts_with(mark)) {
            return Err(self.error("the file is in UTF-32: save it as UTF-8"));
        }
        let mark = Encoding::for_bom(beginning);
        if let (Some((marked, _)), Some(declared)) = (mark, declared)
            && marked != declared
        {
            let (marked, declared) = (marked.name(), declared.name());
            return Err(self.error(format!(
                "the file begins with the mark of {marked}, and {declared} is declared"
            )));
        }
        if mark.is_none()
            && declared.is_none_or(Encoding::is_ascii_compatible)
            && let Some(what) = detect::refusal(self.peek()?)
        {
            return Err(self.error(what));
        }
        if let Some((encoding, length)) = mark {
            (self.encoding, self.marked) = (encoding, true);
            self.pass(length);
        }
        if let Some(declared) =
            declared.filter(|it| it.is_ascii_compatible() && *it != encoding_rs::UTF_8)
            && is_beyond_ascii(self.peek()?)
        {
            let declared = declared.name();
            self.notes.push(format!(
                "{declared} is declared, and the beginning of the file is UTF-8 with letters beyond \
                 ASCII, which are misread then"
            ));
        }
        if self.encoding != encoding_rs::UTF_8 {
            let stream = std::mem::replace(&mut self.stream, Box::new(io::empty()));
            self.stream = Box::new(buffered(Decoded::new(stream, self.encoding)));
        }
        Ok(())
    }

    /// Name of the encoding, and how it is known.
    pub(super) fn encoding(&self) -> String {
        let name = self.encoding.name();
        if self.marked {
            format!("{name}, by its mark")
        } else {
            name.to_owned()
        }
    }

    /// Line ends of the file.
    pub(super) fn line_ends(&self) -> LineEnds {
        self.line_ends
    }

    /// Oddities of its encoding.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether it is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// The bytes that come next; none at the end.
    pub(super) fn peek(&mut self) -> Result<&[u8], ReadError> {
        if self.again_taken < self.again.len() {
            return Ok(&self.again[self.again_taken..]);
        }
        // Borrowed twice because the first borrow would have to live on in the error's branch.
        if let Err(error) = self.stream.fill_buf() {
            return Err(self.failed(&error));
        }
        self.stream.fill_buf().map_err(|error| ReadError {
            position: self.position,
            what: error.to_string(),
        })
    }

    /// Whether [`peek`](Self::peek) shows all there is. Only at the beginning of a file: what comes
    /// next is a full buffer or the rest.
    pub(super) fn shows_all(&mut self) -> Result<bool, ReadError> {
        let passed = usize::try_from(self.position.offset).unwrap_or(usize::MAX);
        Ok(self.peek()?.len().saturating_add(passed) < BUFFER_BYTES)
    }

    /// Takes bytes that [`peek`](Self::peek) showed into the present row.
    pub(super) fn consume(&mut self, count: usize) {
        let again = self.again_taken < self.again.len();
        let shown = if again {
            &self.again[self.again_taken..]
        } else {
            self.stream.fill_buf().unwrap_or_default()
        };
        let bytes = &shown[..count.min(shown.len())];
        self.position.lines += lines::count(bytes, &mut self.after_return);
        self.position.offset += count as u64;
        if self.row.len() < MAX_ROW_BYTES + BUFFER_BYTES {
            self.row.extend_from_slice(bytes);
        } else {
            self.hash.update(&self.row[self.hashed..]);
            self.hashed = self.row.len();
            self.hash.update(bytes);
        }
        if again {
            self.again_taken += count;
        } else {
            self.stream.consume(count);
        }
    }

    /// The bytes of the present row; of a longer one than a row may be, the first.
    pub(super) fn row(&self) -> &[u8] {
        &self.row
    }

    /// Gives the bytes of the present row after the first `kept` back, to be read again.
    pub(super) fn give_back(&mut self, kept: usize) {
        debug_assert_eq!(self.hashed, 0, "a row that is given back is kept whole");
        let mut again = self.row.split_off(kept);
        self.position.offset -= again.len() as u64;
        let mut after_return = self.row.last() == Some(&b'\r');
        self.after_return = after_return;
        self.position.lines -= lines::count(&again, &mut after_return);
        again.extend_from_slice(&self.again[self.again_taken..]);
        (self.again, self.again_taken) = (again, 0);
    }

    /// Ends the present row.
    pub(super) fn end_row(&mut self) {
        self.hash.update(&self.row[self.hashed..]);
        self.row.clear();
        self.hashed = 0;
    }

    /// Ends the present row, which began on that line.
    pub(super) fn take_row(
        &mut self,
        line: u64,
        payload: Result<Json, Violation>,
        content: Option<Content>,
    ) -> Row {
        self.end_row();
        Row {
            line,
            end: self.position(),
            payload,
            content,
        }
    }

    /// Passes over bytes that belong to no row.
    pub(super) fn pass(&mut self, count: usize) {
        self.consume(count);
        self.end_row();
    }

    /// SHA-256 of all rows before the present one.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Passes over the rest of this line. Returns `false` at the end of the file.
    pub(super) fn pass_line(&mut self) -> Result<bool, ReadError> {
        let ends = self.line_ends;
        loop {
            let bytes = self.peek()?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = ends.find(bytes);
            let count = end.map_or(bytes.len(), |end| end + 1);
            self.pass(count);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// Passes over blanks. Returns the byte that follows; none at the end.
    pub(super) fn pass_blanks(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            let bytes = self.peek()?;
            let blank = bytes
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            let (first, end) = (bytes.get(blank).copied(), bytes.is_empty());
            self.pass(blank);
            if end || first.is_some() {
                return Ok(first);
            }
        }
    }

    /// Goes on to a position; stays where it is behind already.
    pub(super) fn skip_to(&mut self, target: Position) -> Result<(), ReadError> {
        while self.position.offset < target.offset {
            let missing =
                usize::try_from(target.offset - self.position.offset).unwrap_or(usize::MAX);
            let count = self.peek()?.len().min(missing);
            if count == 0 {
                return Err(self.error(
                    "the file ends before the place from which to go on: it is another file",
                ));
            }
            self.pass(count);
        }
        Ok(())
    }

    pub(super) fn error(&self, what: impl Into<String>) -> ReadError {
        ReadError {
            position: self.position,
            what: what.into(),
        }
    }

    fn failed(&self, error: &io::Error) -> ReadError {
        use io::ErrorKind as K;
        match error.kind() {
            K::UnexpectedEof if self.compressed => self.error("the gzip data is cut off here"),
            K::InvalidData | K::InvalidInput if self.compressed => {
                self.error(format!("the gzip data is broken: {error}"))
            }
            _ => self.error(format!("cannot be read: {error}")),
        }
    }
}

/// Whether bytes are UTF-8 with letters beyond ASCII. The last letter may be cut off.
fn is_beyond_ascii(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Err(_) => return false,
    };
    !valid.is_ascii()
}
