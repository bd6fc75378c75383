//! Whole messages out of a request's body, bounded in time and in bytes.
//!
//! A message is assembled here and handed on in one piece, so that what is not complete is neither
//! decoded nor counted among the calls in work. Its announced length is taken from the budget
//! before its bytes are kept. A compressed message is unpacked here, so that what it takes in
//! memory is what is counted; what it takes once it is [decoded](super::decoded) is counted too,
//! before it is.

use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use flate2::read::GzDecoder;
use http::HeaderMap;
use http_body::Frame;
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use super::activity::Activity;
use super::decoded::{Estimate, Shape};
use crate::grpc::status;
use crate::transport::{Budget, Held};

/// What takes up to this much memory is not counted: the bounds of calls bound it.
pub(super) const FREE_BYTES: usize = 16 * 1024;
/// The compression flag and the length in front of each message.
const HEAD_BYTES: usize = 5;

/// The bounds of a request's messages.
#[derive(Debug, Clone)]
pub(super) struct MessageLimits {
    pub(super) budget: Arc<Budget>,
    /// Of one message; a larger one is handed on as its head, which tonic refuses.
    pub(super) max_bytes: usize,
    /// Of one message once it is decoded.
    pub(super) max_decoded_bytes: usize,
    /// From its first to its last byte.
    pub(super) timeout: Duration,
}

/// Puts messages together.
struct Assembler {
    limits: MessageLimits,
    /// The type of the messages; `None` where it is unknown.
    shape: Option<Shape>,
    gzip: bool,
    held: Held,
    /// The message so far.
    partial: BytesMut,
    /// Its whole length, once it is known.
    length: Option<usize>,
}

impl Assembler {
    /// The next whole message in `data`, which keeps what comes after it.
    fn next(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, Status> {
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
        // What has no room in the whole budget can never be taken: no reason to try again.
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

    fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }
}

/// The length in a message's head.
fn length(head: &[u8]) -> usize {
    let length = head
        .get(1..HEAD_BYTES)
        .and_then(|length| length.try_into().ok())
        .map_or(0, u32::from_be_bytes);
    length as usize
}

/// A request's body that gives whole messages, each in one frame.
pub(super) struct Messages {
    body: Body,
    assembler: Assembler,
    /// Bytes after the last whole message.
    rest: Bytes,
    activity: Option<Arc<Activity>>,
    /// The end of the time of a message that is not complete.
    late: Option<Pin<Box<Sleep>>>,
}

impl Messages {
    pub(super) fn new(
        body: Body,
        headers: &HeaderMap,
        limits: MessageLimits,
        shape: Option<Shape>,
    ) -> Self {
        let gzip = headers
            .get("grpc-encoding")
            .is_some_and(|encoding| encoding == "gzip");
        let held = Held::nothing(&limits.budget);
        let assembler = Assembler {
            limits,
            shape,
            gzip,
            held,
            partial: BytesMut::new(),
            length: None,
        };
        Self {
            body,
            assembler,
            rest: Bytes::new(),
            activity: None,
            late: None,
        }
    }

    /// Notes each message as a sign of life.
    pub(super) fn noted_by(mut self, activity: Arc<Activity>) -> Self {
        self.activity = Some(activity);
        self
    }

    /// The first message of a body, once the body has ended; and the bytes it holds. A second
    /// message is not read.
    pub(super) async fn only(mut self) -> Result<(Bytes, Held), Status> {
        let mut first = None;
        while let Some(frame) =
            std::future::poll_fn(|poller| Pin::new(&mut self).poll(poller)).await
        {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if first.is_some() {
                break;
            }
            if data.len() < HEAD_BYTES + length(&data) {
                // Too large, or cut short: tonic says so, and needs no more of it.
                return Ok((data, self.assembler.held));
            }
            first = Some(data);
        }
        Ok((first.unwrap_or_default(), self.assembler.held))
    }

    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            match self.assembler.next(&mut self.rest) {
                Ok(Some(message)) => {
                    self.late = None;
                    self.activity.iter().for_each(|activity| activity.note());
                    return Poll::Ready(Some(Ok(Frame::data(message))));
                }
                Ok(None) => {}
                Err(status) => return Poll::Ready(Some(Err(status))),
            }
            match http_body::Body::poll_frame(Pin::new(&mut self.body), poller) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Poll::Ready(Some(Err(status))) => return Poll::Ready(Some(Err(status))),
                Poll::Ready(None) => {
                    let cut_short = self.assembler.partial.split().freeze();
                    return Poll::Ready(
                        (!cut_short.is_empty()).then(|| Ok(Frame::data(cut_short))),
                    );
                }
                Poll::Pending => {
                    ready!(self.poll_late(poller));
                    return Poll::Ready(Some(Err(status::message_incomplete(
                        self.assembler.limits.timeout,
                    ))));
                }
            }
        }
    }

    /// Ready when a message has been incomplete for too long.
    fn poll_late(&mut self, poller: &mut Poller<'_>) -> Poll<()> {
        if !self.assembler.is_partial() {
            return Poll::Pending;
        }
        let timeout = self.assembler.limits.timeout;
        self.late
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)))
            .as_mut()
            .poll(poller)
    }
}

impl http_body::Body for Messages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        poller: &mut Poller<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.get_mut().poll(poller)
    }
}

#[cfg(test)]
mod tests;
