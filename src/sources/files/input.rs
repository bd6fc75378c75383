//! The bytes of a file, decompressed, with their position.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::{Position, ReadError};

const BUFFER_BYTES: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const UTF8_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [[u8; 2]; 2] = [[0xFF, 0xFE], [0xFE, 0xFF]];

pub(super) struct Input {
    stream: Box<dyn BufRead + Send>,
    compressed: bool,
    stored: Arc<AtomicU64>,
    position: Position,
}

impl Input {
    pub(super) fn new(source: impl Read + Send + 'static) -> Result<Self, ReadError> {
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            source,
            read: Arc::clone(&stored),
        };
        let mut counted = BufReader::with_capacity(BUFFER_BYTES, Full::new(counted));
        let failed = |error: io::Error| ReadError {
            position: Position::START,
            what: error.to_string(),
        };
        let compressed = counted.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC);
        let stream: Box<dyn BufRead + Send> = if compressed {
            Box::new(BufReader::with_capacity(
                BUFFER_BYTES,
                Full::new(MultiGzDecoder::new(counted)),
            ))
        } else {
            Box::new(counted)
        };
        let mut input = Self {
            stream,
            compressed,
            stored,
            position: Position::START,
        };
        let beginning = input.peek()?;
        if UTF16_MARKS.iter().any(|mark| beginning.starts_with(mark)) {
            return Err(input.error("the file is in UTF-16: save it as UTF-8"));
        }
        if beginning.starts_with(&UTF8_MARK) {
            input.consume(UTF8_MARK.len());
        }
        Ok(input)
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// The bytes that come next; none at the end.
    pub(super) fn peek(&mut self) -> Result<&[u8], ReadError> {
        // Borrowed twice because the first borrow would have to live on in the error's branch.
        if let Err(error) = self.stream.fill_buf() {
            return Err(self.failed(&error));
        }
        self.stream.fill_buf().map_err(|error| ReadError {
            position: self.position,
            what: error.to_string(),
        })
    }

    /// Takes bytes that [`peek`](Self::peek) showed.
    pub(super) fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.stream.fill_buf() {
            self.position.lines +=
                bytes[..count].split(|byte| *byte == b'\n').skip(1).count() as u64;
        }
        self.position.offset += count as u64;
        self.stream.consume(count);
    }

    /// Whether the first visible character is `{`. Goes on to it.
    pub(super) fn begins_with_brace(&mut self) -> Result<bool, ReadError> {
        loop {
            let bytes = self.peek()?;
            let blank = bytes
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            let (first, end) = (bytes.get(blank).copied(), bytes.is_empty());
            self.consume(blank);
            if end || first.is_some() {
                return Ok(first == Some(b'{'));
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
            self.consume(count);
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

/// Fills the whole buffer, however little the source gives at a time. The first bytes decide on the
/// format of a file, and a read of a pipe or of a gzip member may end anywhere among them.
struct Full<R> {
    source: R,
    /// The error that ended the last read, after the bytes before it.
    failed: Option<io::Error>,
}

impl<R> Full<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            failed: None,
        }
    }
}

impl<R: Read> Read for Full<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(filled)
    }
}

/// Counts what is read.
struct Counted<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
