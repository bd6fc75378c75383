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

/// Too many entries of the audit log wait to be written.
pub(in crate::grpc) fn audit_behind() -> Status {
    failure(
        Code::Unavailable,
        ErrorReason::AuditBehind,
        "the database does not take entries of the audit log; nothing was done; try again later",
        &[],
    )
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

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_bound_says_its_code_its_reason_and_whether_to_try_again() {
        use Code::{DeadlineExceeded, InvalidArgument, ResourceExhausted, Unavailable};
        let refusal = |reason| Refusal {
            queue: "read",
            reason,
            retry_after: Duration::from_millis(200),
        };
        for (status, code, reason, said) in [
            (
                watcher_too_slow(5),
                ResourceExhausted,
                "WATCHER_TOO_SLOW",
                "more than 5",
            ),
            (
                too_many_watchers(5),
                ResourceExhausted,
                "OVERLOADED",
                "5 clients",
            ),
            (
                overloaded(&refusal(lanes::Reason::Full), 5),
                ResourceExhausted,
                "OVERLOADED",
                "5 read",
            ),
            (
                from_refusal(&refusal(lanes::Reason::Full)),
                ResourceExhausted,
                "OVERLOADED",
                "too many",
            ),
            (
                from_refusal(&refusal(lanes::Reason::TooLate)),
                ResourceExhausted,
                "OVERLOADED",
                "longer",
            ),
            (
                from_refusal(&refusal(lanes::Reason::Gone)),
                ResourceExhausted,
                "OVERLOADED",
                "passed",
            ),
            (
                too_many_requests(5),
                ResourceExhausted,
                "LIMIT_EXCEEDED",
                "at most 5",
            ),
            (
                deadline_exceeded(),
                DeadlineExceeded,
                "DEADLINE_EXCEEDED",
                "safe to say again",
            ),
            (draining(), Unavailable, "DRAINING", "try another"),
            (
                ended(Ended::Draining),
                Unavailable,
                "DRAINING",
                "try another",
            ),
            (
                ended(Ended::Aged),
                Unavailable,
                "CONNECTION_AGE",
                "maximum age",
            ),
            (
                stream_idle(Duration::from_secs(9)),
                Unavailable,
                "STREAM_IDLE",
                "9s",
            ),
            (
                message_incomplete(Duration::from_secs(9)),
                DeadlineExceeded,
                "MESSAGE_INCOMPLETE",
                "9s",
            ),
            (
                too_many_waiting(5),
                ResourceExhausted,
                "OVERLOADED",
                "5 calls",
            ),
            (
                request_too_large(9, 5),
                InvalidArgument,
                "LIMIT_EXCEEDED",
                "9 bytes",
            ),
            (
                decoded_too_large("statements", 5),
                InvalidArgument,
                "LIMIT_EXCEEDED",
                "5 bytes",
            ),
            (
                too_many_bytes("answers", 5),
                ResourceExhausted,
                "OVERLOADED",
                "answers",
            ),
        ] {
            let details = status.get_error_details();
            let info = details.error_info().expect("ErrorInfo");
            assert_eq!(
                (status.code(), info.reason.as_str()),
                (code, reason),
                "{status:?}"
            );
            let texts: Vec<&str> = details
                .bad_request()
                .iter()
                .flat_map(|bad| &bad.field_violations)
                .map(|violation| violation.description.as_str())
                .chain([status.message()])
                .collect();
            assert!(
                texts.iter().any(|text| text.contains(said)),
                "{said}: {texts:?}"
            );
            // Only a bound that may pass says when to come back.
            let passes = matches!(code, ResourceExhausted | Unavailable);
            assert_eq!(details.retry_info().is_some(), passes, "{status:?}");
        }
    }

    #[test]
    fn nobody_is_asked_back_before_the_lane_expects_room() {
        let refusal = Refusal {
            queue: "heavy",
            reason: lanes::Reason::Full,
            retry_after: Duration::from_secs(3),
        };
        for _ in 0..100 {
            let delay = from_refusal(&refusal)
                .get_error_details()
                .retry_info()
                .and_then(|info| info.retry_delay)
                .expect("a delay");
            assert!(delay >= Duration::from_secs(3), "{delay:?}");
            assert!(delay <= Duration::from_secs(5), "{delay:?}");
        }
    }
}
