//! Batches sent to a server, with patience.

use std::time::Duration;

use bytes::Bytes;
use profile_core::records::Violation;
use tonic::{Code, Status};

use super::{Done, MAX_REQUEST_BYTES, Outcome, together};
use crate::cli::client::{Client, refused, retry_after};
use crate::cli::import::input::Batch;
use crate::cli::import::rejects::Reason;
use crate::cli::import::unread::Unread;
use crate::grpc::{self, reason_name, v1};
use crate::sources::files::Row;

/// Maximum number of attempts while a server is overloaded or unavailable.
const ATTEMPTS: u32 = 10;

/// The wait between attempts grows to this.
const MAX_WAIT: Duration = Duration::from_secs(5);

const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Sends a batch to a server, in as many requests as it takes.
pub(super) async fn send(
    client: Client,
    source: String,
    kind: String,
    batch: Batch,
) -> anyhow::Result<Done> {
    let mut done = Done {
        rows: Vec::with_capacity(batch.rows.len()),
        unread: Unread::default(),
        end: batch.end,
        bytes_read: batch.bytes_read,
    };
    let empty = || v1::IngestPayloadsRequest {
        source: source.clone(),
        kind: kind.clone(),
        payloads: Vec::new(),
    };
    let (mut rows, mut message, mut bytes) = (Vec::new(), empty(), 0);
    for row in batch.rows {
        match &row.payload {
            Ok(payload) => {
                let payload = Bytes::from(serde_json::to_vec(payload)?);
                if bytes + payload.len() > MAX_REQUEST_BYTES && !rows.is_empty() {
                    let rows = std::mem::take(&mut rows);
                    let message = std::mem::replace(&mut message, empty());
                    request(&client, rows, message, &mut done).await?;
                    bytes = 0;
                }
                bytes += payload.len();
                rows.push(row);
                message.payloads.push(payload);
            }
            Err(violation) => {
                let reasons = vec![reason(violation)];
                done.rows.push((row, Outcome::Rejected(reasons)));
            }
        }
    }
    if !rows.is_empty() {
        request(&client, rows, message, &mut done).await?;
    }
    done.rows.sort_by_key(|(row, _)| row.line);
    Ok(done)
}

/// Sends the payloads of some rows, and adds what became of them.
pub(super) async fn request(
    client: &Client,
    rows: Vec<Row>,
    message: v1::IngestPayloadsRequest,
    done: &mut Done,
) -> anyhow::Result<()> {
    let answer = with_patience(client, message).await?;
    if answer.results.len() != rows.len() {
        anyhow::bail!(
            "the server answered {} results to {} rows",
            answer.results.len(),
            rows.len()
        );
    }
    for (row, result) in rows.into_iter().zip(answer.results) {
        let outcomes = result.results.into_iter().map(|mut result| {
            done.unread.add_answered(&mut result);
            outcome(result)
        });
        let outcome = together(outcomes);
        done.rows.push((row, outcome));
    }
    Ok(())
}

/// Asks again while the server is overloaded or away: what was stored all the same is then a
/// duplicate.
async fn with_patience(
    client: &Client,
    message: v1::IngestPayloadsRequest,
) -> anyhow::Result<v1::IngestPayloadsResponse> {
    let mut wait = FIRST_WAIT;
    for _ in 1..ATTEMPTS {
        match client
            .ingest()
            .ingest_payloads(client.request(message.clone())?)
            .await
        {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) if is_passing(&status) => {
                // The delay is random, so that importers which were refused together do not come
                // back together.
                let jitter = retry_after(&status).unwrap_or_else(grpc::retry_delay);
                tokio::time::sleep(wait + jitter).await;
                wait = MAX_WAIT.min(wait * 2);
            }
            Err(status) => return Err(refused(&status)),
        }
    }
    let last = client
        .ingest()
        .ingest_payloads(client.request(message)?)
        .await;
    last.map(tonic::Response::into_inner)
        .map_err(|status| refused(&status))
}

/// Whether asking again may help. `RESOURCE_EXHAUSTED` without a delay is a limit that the same
/// request passes again. `CANCELLED` is of this side's making: of a request that was about to go
/// out on a connection that the server, for its age, had just closed. Nobody here cancels anything.
fn is_passing(status: &Status) -> bool {
    use Code::{Cancelled, DeadlineExceeded, ResourceExhausted, Unavailable};
    match status.code() {
        Unavailable | DeadlineExceeded | Cancelled => true,
        ResourceExhausted => retry_after(status).is_some(),
        _ => false,
    }
}

pub(super) fn outcome(result: v1::StatementResult) -> Outcome {
    match result.outcome() {
        v1::StatementOutcome::Stored => Outcome::Stored,
        v1::StatementOutcome::Duplicate => Outcome::Duplicate,
        v1::StatementOutcome::Rejected | v1::StatementOutcome::Unspecified => {
            let reasons = result.violations.into_iter().map(|violation| Reason {
                name: reason_name(violation.reason()),
                field: violation.field,
                description: violation.description,
            });
            Outcome::Rejected(reasons.collect())
        }
    }
}

pub(super) fn reason(violation: &Violation) -> Reason {
    Reason {
        name: reason_name(grpc::reason(violation.reason)),
        field: violation.field.clone(),
        description: violation.description.clone(),
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn status(code: Code, retry: Option<Duration>) -> Status {
        let mut details = ErrorDetails::new();
        details.set_retry_info(retry);
        Status::with_error_details(code, "a reason", details)
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let delay = Some(Duration::from_millis(500));
        for (code, retry, expected) in [
            (Code::Unavailable, None, true),
            (Code::Unavailable, delay, true),
            (Code::DeadlineExceeded, None, true),
            (Code::Cancelled, None, true),
            (Code::ResourceExhausted, delay, true),
            // A message over a limit is over it the next time too.
            (Code::ResourceExhausted, None, false),
            (Code::InvalidArgument, None, false),
            (Code::NotFound, None, false),
            (Code::FailedPrecondition, None, false),
            (Code::PermissionDenied, None, false),
            (Code::Internal, None, false),
            (Code::Unimplemented, None, false),
        ] {
            assert_eq!(
                is_passing(&status(code, retry)),
                expected,
                "{code:?} {retry:?}"
            );
        }
    }

    #[test]
    fn an_outcome_that_is_not_known_is_no_success() {
        let result = |outcome: i32| v1::StatementResult {
            outcome,
            violations: vec![v1::Violation {
                field: "traits.birth_date".to_owned(),
                description: "is no date".to_owned(),
                reason: v1::ErrorReason::Malformed.into(),
            }],
            ..v1::StatementResult::default()
        };
        let of = |outcome: i32| match super::outcome(result(outcome)) {
            Outcome::Stored => "stored".to_owned(),
            Outcome::Duplicate => "duplicate".to_owned(),
            Outcome::LeftOut => "left out".to_owned(),
            Outcome::Rejected(reasons) => {
                let [reason] = reasons.as_slice() else {
                    panic!("{} reasons", reasons.len());
                };
                format!("{} {}: {}", reason.name, reason.field, reason.description)
            }
        };
        assert_eq!(of(v1::StatementOutcome::Stored.into()), "stored");
        assert_eq!(of(v1::StatementOutcome::Duplicate.into()), "duplicate");
        let rejected = "MALFORMED traits.birth_date: is no date";
        assert_eq!(of(v1::StatementOutcome::Rejected.into()), rejected);
        assert_eq!(of(v1::StatementOutcome::Unspecified.into()), rejected);
        // Of a server that is newer than this program.
        assert_eq!(of(99), rejected);
    }
}
