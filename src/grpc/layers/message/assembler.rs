//! A message put together from the frames of a body, within its bounds.

use std::io::Read;

use bytes::{Buf, Bytes, BytesMut};
use flate2::read::GzDecoder;
use tonic::Status;

use super::{FREE_BYTES, MessageLimits};
use crate::grpc::layers::decoded::{Estimate, Shape};
use crate::grpc::status;
use crate::transport::Held;

/// The compression flag and the length in front of each message.
pub(super) const HEAD_BYTES: usize = 5;

/// Puts messages together.
pub(super) struct Assembler {
    pub(super) limits: MessageLimits,
    /// The type of the messages; `None` where it is unknown.
    pub(super) shape: Option<Shape>,
    pub(super) gzip: bool,
    pub(super) held: Held,
    /// The message so far.
    pub(super) partial: BytesMut,
    /// Its whole length, once it is known.
    pub(super) length: Option<usize>,
}

impl Assembler {
    /// The next whole message in `data`, which keeps what comes after it.
    pub(super) fn next(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, Status> {
        while !data.is_empty() {
            if self.length.is_none() {
                if self.partial.len() < HEAD_BYTES && self.take_head(data) {
                    continue;
                }
                let length = length(&self.partial);
                if length > self.limits.max_bytes {
                    data.clear();
                    return Ok(Some(self.partial.split().freeze()));
                }
                self.hold(length)?;
                self.length = Some(HEAD_BYTES + length);
                self.partial.reserve(length);
            }
            let length = self.length.unwrap_or_default();
            let more = data.len().min(length - self.partial.len());
            self.partial.extend_from_slice(&data[..more]);
            data.advance(more);
            if let Some(message) = self.complete()? {
                return Ok(Some(message));
            }
        }
        self.complete()
    }

    /// Takes bytes of the head; returns whether it is still incomplete.
    fn take_head(&mut self, data: &mut Bytes) -> bool {
        let more = data.len().min(HEAD_BYTES - self.partial.len());
        self.partial.extend_from_slice(&data[..more]);
        data.advance(more);
        self.partial.len() < HEAD_BYTES
    }

    fn complete(&mut self) -> Result<Option<Bytes>, Status> {
        if self.length != Some(self.partial.len()) {
            return Ok(None);
        }
        self.length = None;
        let mut message = std::mem::take(&mut self.partial).freeze();
        if message[0] == 1 && self.gzip {
            message = self.unpack(&message)?.unwrap_or(message);
        }
        self.hold_decoded(&message)?;
        Ok(Some(message))
    }

    /// Holds what a message takes with its decoded form. One that stayed compressed is refused by
    /// tonic.
    fn hold_decoded(&mut self, message: &[u8]) -> Result<(), Status> {
        let (Some(shape), [0, ..]) = (self.shape, message) else {
            return Ok(());
        };
        // A message larger than the whole budget can never be taken: no reason to try again.
        let room = self.limits.budget.limit().saturating_sub(message.len());
        let limit = self.limits.max_decoded_bytes.min(room);
        match shape.estimate(&message[HEAD_BYTES..], limit) {
            Estimate::Bytes(decoded) => self.hold(message.len() + decoded),
            Estimate::TooLarge(field) => Err(status::decoded_too_large(field, limit)),
        }
    }

    /// The message without its compression; `None` if it cannot be unpacked within its bound, which
    /// tonic tells the caller.
    fn unpack(&mut self, message: &Bytes) -> Result<Option<Bytes>, Status> {
        let mut decoder = GzDecoder::new(&message[HEAD_BYTES..]);
        let mut unpacked = BytesMut::zeroed(HEAD_BYTES);
        let mut chunk = [0; FREE_BYTES];
        loop {
            match decoder.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    let length = unpacked.len() - HEAD_BYTES + read;
                    if length > self.limits.max_bytes {
                        return Ok(None);
                    }
                    self.hold(length)?;
                    unpacked.extend_from_slice(&chunk[..read]);
                }
                Err(_) => return Ok(None),
            }
        }
        let length = u32::try_from(unpacked.len() - HEAD_BYTES).unwrap_or(u32::MAX);
        unpacked[1..HEAD_BYTES].copy_from_slice(&length.to_be_bytes());
        Ok(Some(unpacked.freeze()))
    }

    fn hold(&mut self, length: usize) -> Result<(), Status> {
        if length <= FREE_BYTES || self.held.grow_to(length) {
            return Ok(());
        }
        if length > self.limits.budget.limit() {
            return Err(status::request_too_large(
                length,
                self.limits.budget.limit(),
            ));
        }
        Err(status::too_many_bytes(
            "requests",
            self.limits.budget.limit(),
        ))
    }

    pub(super) fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }
}

/// The length in a message's head.
pub(super) fn length(head: &[u8]) -> usize {
    let length = head
        .get(1..HEAD_BYTES)
        .and_then(|length| length.try_into().ok())
        .map_or(0, u32::from_be_bytes);
    length as usize
}
