//! An answer's body: observed, bounded in bytes, and ended when its time is over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tonic::Status;
use tonic::body::Body;

use super::call::{CallGuard, code};
use super::message::FREE_BYTES;
use crate::grpc::status;
use crate::transport::{Budget, Held};

/// The largest part of an answer that is given at once. A client must take each part within
/// `grpc.send_timeout`, so a part is small enough for the slowest client that is served.
const PART_BYTES: usize = 8 * 1024;

/// An answer's body that tells its call how it ended.
pub(super) struct Answer {
    inner: Body,
    call: CallGuard,
    budget: Arc<Budget>,
    /// The rest of the message that goes out.
    rest: Bytes,
    /// What ends the answer from outside. Made when the answer first waits, which most never do.
    interrupted: Option<Pin<Box<dyn Future<Output = Status> + Send>>>,
    over: bool,
}

impl Answer {
    pub(super) fn new(inner: Body, call: CallGuard, budget: Arc<Budget>) -> Self {
        Self {
            inner,
            call,
            budget,
            rest: Bytes::new(),
            interrupted: None,
            over: false,
        }
    }
}

impl Answer {
    /// The next part of what is left.
    fn part(&mut self) -> Frame<Bytes> {
        let part = self.rest.split_to(self.rest.len().min(PART_BYTES));
        self.call.gave(part.len());
        Frame::data(part)
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        poller: &mut Poller<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        this.call.control.asked();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.part())));
        }
        let status = match Pin::new(&mut this.inner).poll_frame(poller) {
            Poll::Ready(Some(Ok(mut frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    this.call.complete(trailers);
                }
                if let Some(code) = frame.trailers_ref().and_then(code) {
                    this.call.finish(code);
                }
                match frame.into_data() {
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                    Ok(data) => match hold(data, &this.budget) {
                        Ok(data) => {
                            this.rest = data;
                            return Poll::Ready(Some(Ok(this.part())));
                        }
                        Err(status) => {
                            this.call.bounded("answer_bytes");
                            status
                        }
                    },
                }
            }
            Poll::Ready(other) => return Poll::Ready(other),
            Poll::Pending => {
                let interrupted = this
                    .interrupted
                    .get_or_insert_with(|| Box::pin(this.call.interrupted()));
                ready!(interrupted.as_mut().poll(poller))
            }
        };
        this.over = true;
        // The answer gives all that it holds before its status is taken.
        this.inner = Body::empty();
        this.call.finish(status.code());
        Poll::Ready(Some(Ok(Frame::trailers(trailers(&status)))))
    }

    fn is_end_stream(&self) -> bool {
        self.over || (self.rest.is_empty() && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        // An answer may be cut short.
        http_body::SizeHint::default()
    }
}

/// A status at the end of an answer.
fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // Without details; the code alone is always a valid header.
        trailers.insert("grpc-status", i32::from(status.code()).into());
    }
    trailers
}

/// Bytes that are counted until the client has taken them.
struct Counted {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn hold(bytes: Bytes, budget: &Arc<Budget>) -> Result<Bytes, Status> {
    if bytes.len() <= FREE_BYTES {
        return Ok(bytes);
    }
    let mut held = Held::nothing(budget);
    if !held.grow_to(bytes.len()) {
        return Err(status::too_many_bytes("answers", budget.limit()));
    }
    Ok(Bytes::from_owner(Counted { bytes, _held: held }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_answers_are_counted_until_the_last_part_is_taken() {
        let budget = Budget::new(100_000);
        let mut taken = hold(Bytes::from(vec![1; 90_000]), &budget).unwrap();
        assert_eq!(budget.used(), 90_000);
        assert_eq!(
            hold(Bytes::from(vec![1; 20_000]), &budget)
                .unwrap_err()
                .code(),
            tonic::Code::ResourceExhausted
        );
        hold(Bytes::from(vec![1; FREE_BYTES]), &budget).expect("small answers always go");
        let rest = taken.split_off(40_000);
        drop(taken);
        assert_eq!(budget.used(), 90_000);
        drop(rest);
        assert_eq!(budget.used(), 0);
    }
}
