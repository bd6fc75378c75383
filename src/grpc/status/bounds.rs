//! Statuses of bounds: what is too much, too slow, too late or at its end. Each says the bound and
//! what to do.

use std::time::Duration;

use profile_core::records::{Reason, Violation};
use tonic::{Code, Status};

use super::{bounded, details, failure, invalid, not_before};
use crate::grpc::v1::ErrorReason;
use crate::lanes::{self, Refusal};
use crate::transport::Ended;

/// A client takes its changes too slowly.
pub(in crate::grpc) fn watcher_too_slow(limit: usize) -> Status {
    let message =
        format!("more than {limit} changes are waiting; begin again with the last resume token");
    failure(
        Code::ResourceExhausted,
        ErrorReason::WatcherTooSlow,
        message,
        &[("limit", limit.to_string())],
    )
}

/// Too many clients watch.
pub(in crate::grpc) fn too_many_watchers(limit: usize) -> Status {
    let message = format!("{limit} clients watch already; try another server");
    failure(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        message,
        &[("limit", limit.to_string())],
    )
}

/// Too many calls of a lane are in work.
pub(in crate::grpc) fn overloaded(refusal: &Refusal, limit: usize) -> Status {
    let message = format!(
        "{limit} {} calls are in work already; try again later",
        refusal.queue
    );
    let metadata = [
        ("limit", limit.to_string()),
        ("lane", refusal.queue.to_owned()),
    ];
    retry_after(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        &message,
        &metadata,
        refusal.retry_after,
    )
}

/// A call could not be served in its lane.
pub(in crate::grpc) fn from_refusal(refusal: &Refusal) -> Status {
    let why = match refusal.reason {
        lanes::Reason::Full => "too many calls wait",
        lanes::Reason::TooLate => "the calls that wait would take longer than the deadline allows",
        lanes::Reason::Expired | lanes::Reason::Gone => {
            "the deadline passed before it was its turn"
        }
    };
    let message = format!(
        "{} lane: {why}; nothing was done; try again later",
        refusal.queue
    );
    let metadata = [("lane", refusal.queue.to_owned())];
    retry_after(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        &message,
        &metadata,
        refusal.retry_after,
    )
}

fn retry_after(
    code: Code,
    reason: ErrorReason,
    message: &str,
    metadata: &[(&str, String)],
    delay: Duration,
) -> Status {
    let mut details = details(code, reason, metadata);
    details.set_retry_info(Some(not_before(delay)));
    bounded::status(code, message, details)
}

/// A stream of the reflection service asks too much.
pub(in crate::grpc) fn too_many_requests(limit: usize) -> Status {
    let message = format!("one stream asks at most {limit} questions; open another");
    failure(
        Code::ResourceExhausted,
        ErrorReason::LimitExceeded,
        message,
        &[("limit", limit.to_string())],
    )
}

/// The caller's deadline passed.
pub(in crate::grpc) fn deadline_exceeded() -> Status {
    let message = "the deadline passed; a write may still be stored, and is safe to say again";
    failure(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        message,
        &[],
    )
}

/// The server is stopping.
pub(in crate::grpc) fn draining() -> Status {
    failure(
        Code::Unavailable,
        ErrorReason::Draining,
        "the server is stopping; try another",
        &[],
    )
}

/// A stream ends with its connection or with the server.
pub(in crate::grpc) fn ended(why: Ended) -> Status {
    match why {
        Ended::Draining => draining(),
        Ended::Aged => {
            let message = "the connection has reached its maximum age; begin the stream again, which opens another one";
            failure(Code::Unavailable, ErrorReason::ConnectionAge, message, &[])
        }
    }
}

/// A stream carried no message for too long.
pub(in crate::grpc) fn stream_idle(limit: Duration) -> Status {
    let message = format!(
        "no message came or went for {limit:?}; begin the stream again when there is something to send"
    );
    failure(
        Code::Unavailable,
        ErrorReason::StreamIdle,
        message,
        &[("limit", format!("{limit:?}"))],
    )
}

/// A message of a request was not complete in time.
pub(in crate::grpc) fn message_incomplete(limit: Duration) -> Status {
    let message = format!(
        "a message of the request was not complete within {limit:?}; nothing of it was looked at"
    );
    failure(
        Code::DeadlineExceeded,
        ErrorReason::MessageIncomplete,
        message,
        &[("limit", format!("{limit:?}"))],
    )
}

/// Too many calls wait for their callers.
pub(in crate::grpc) fn too_many_waiting(limit: usize) -> Status {
    let message = format!(
        "{limit} calls of this kind are waiting for their callers already; try again later"
    );
    failure(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        message,
        &[("limit", limit.to_string())],
    )
}

/// A request for which there can never be room.
pub(in crate::grpc) fn request_too_large(actual: usize, limit: usize) -> Status {
    let description = format!(
        "takes {actual} bytes, all requests together have {limit} (`grpc.max_request_bytes_in_flight`)"
    );
    let mut violation = Violation::new(Reason::LimitExceeded, "request", description);
    violation.numbers = Some((actual, limit));
    invalid(&[violation])
}

/// A message takes too much memory once it is decoded. `field` is the one at which the limit was
/// passed.
pub(in crate::grpc) fn decoded_too_large(field: &str, limit: usize) -> Status {
    let description = format!(
        "takes more than {limit} bytes of memory once decoded (`grpc.max_decoded_bytes`, within `grpc.max_request_bytes_in_flight`); send fewer elements in one message"
    );
    invalid(&[Violation::new(Reason::LimitExceeded, field, description)])
}

/// The requests or answers of all callers together take too much memory.
pub(in crate::grpc) fn too_many_bytes(of: &str, limit: usize) -> Status {
    let message = format!(
        "the {of} of all callers take their {limit} bytes of memory already; try again later"
    );
    failure(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        message,
        &[("limit", limit.to_string())],
    )
}
