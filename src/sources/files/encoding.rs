//! Bytes of any encoding as UTF-8.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// A byte that no UTF-8 text has. It takes the place of what the encoding does not know, so that
/// the row is refused.
const UNREADABLE: u8 = 0xFF;
/// The longest UTF-8 sequence, in bytes.
const MAX_SEQUENCE: usize = 4;
/// Bytes decoded at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Decodes a stream.
pub(super) struct Decoded<R> {
    source: R,
    decoder: Decoder,
    ready: Vec<u8>,
    taken: usize,
    over: bool,
}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(source: R, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_without_bom_handling(),
            ready: Vec::with_capacity(CHUNK_BYTES),
            taken: 0,
            over: false,
        }
    }

    fn decode(&mut self) -> io::Result<()> {
        let bytes = self.source.fill_buf()?;
        let last = bytes.is_empty();
        self.ready.resize(CHUNK_BYTES, 0);
        let room = CHUNK_BYTES - MAX_SEQUENCE;
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(bytes, &mut self.ready[..room], last);
        self.ready.truncate(written);
        if let DecoderResult::Malformed(..) = result {
            self.ready.push(UNREADABLE);
        }
        self.source.consume(read);
        self.taken = 0;
        self.over = last && result == DecoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !self.over {
            self.decode()?;
        }
        let count = (self.ready.len() - self.taken).min(buffer.len());
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
