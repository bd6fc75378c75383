//! Whole messages out of a request's body, bounded in time and in bytes.
//!
//! A message is assembled here and handed on in one piece, so that what is not complete is neither
//! decoded nor counted among the calls in work. Its announced length is taken from the budget
//! before its bytes are kept. A compressed message is unpacked here, so that what it takes in
//! memory is what is counted; what it takes once it is [decoded](super::decoded) is counted too,
//! before it is.

mod assembler;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use super::activity::Activity;
use super::decoded::Shape;
use crate::grpc::status;
use crate::transport::{Budget, Held};
use assembler::{Assembler, HEAD_BYTES, length};

/// A message of up to this size is not counted: the bounds of calls bound it.
pub(super) const FREE_BYTES: usize = 16 * 1024;

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
