//! The bytes of a file: buffered in full pieces, and counted.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::BUFFER_BYTES;

/// Fills the whole buffer, however little the source gives at a time. The first bytes decide on the
/// format of a file, and a read of a pipe or of a gzip member may end anywhere among them.
pub(super) struct Full<R> {
    pub(super) source: R,
    /// The error that ended the last read, after the bytes before it.
    pub(super) failed: Option<io::Error>,
}

impl<R> Full<R> {
    pub(super) fn new(source: R) -> Self {
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
pub(super) struct Counted<R> {
    pub(super) source: R,
    pub(super) read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

pub(super) fn buffered<R: Read>(source: R) -> BufReader<Full<R>> {
    BufReader::with_capacity(BUFFER_BYTES, Full::new(source))
}
