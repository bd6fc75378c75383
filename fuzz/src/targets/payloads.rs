//! Payloads of sources in JSON, mapped by the built-in model.

use customer_profile::grpc::fuzzing;
use profile_core::model::Model;

use super::{Answer, Target, bytes, check_draft, ensure, refusal};

/// A payload, read by each mapping of the built-in model.
pub(super) const PAYLOAD: Target = Target {
    name: "payload",
    words: &[
        "\"record_id\":",
        "\"email\":",
        "\"phone\":",
        "\"date_of_birth\":",
        "\"order_id\":",
        "\"customer_id\":",
        "\"order_date\":",
        "\"total\":",
        "\"quantity\":",
        "\"requester\":{",
        "\"messages\":[",
        "\"updated_at\":",
        "\"channel\":\"chat\"",
        "\"tags\":[",
        "true",
        "null",
        "[]",
        "{}",
        "12.50",
        "1e-30",
        "1998-06-01T16:20:00Z",
    ],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    bytes(&[
        r#"{"record_id":"r000003","first_name":"Cory","last_name":"Odham","email":"CORY.ODHAM@OUTLOOK.COM",
           "phone":"1-663-669-4612","date_of_birth":"1980-02-29","address":"1 Main St","city":"Troy","state":"NY",
           "postcode":"12180","loyalty_id":"9930785394"}"#,
        r#"{"order_id":"00001-1","customer_id":"r000003","order_date":"1997-01-01","quantity":"1","total":"11.77"}"#,
        r#"{"id":9001,"updated_at":"1998-06-01T16:20:00Z","created_at":"1998-06-01T14:05:00Z","channel":"chat",
           "subject":"Where is my parcel?","tags":["shipping"],"requester":{"id":501,"name":"Cory Odham",
           "email":"c@d.com","account":"r000003","locale":"en-US"},
           "messages":[{"author":"customer","text":"Where?"}],"status":"open"}"#,
        r#"{"email":"ann@shop.com","subscribed":true,"status":"subscribed","time":"2026-01-31T08:00:00Z","language":"de"}"#,
    ])
}

fn check(input: &[u8]) -> Answer {
    let model = Model::built_in();
    let mut answers = Vec::new();
    for (source, kind) in [
        ("web", "customers"),
        ("web", "orders"),
        ("pos", "customers"),
        ("newsletter", "subscribers"),
        ("helpdesk", "conversations"),
    ] {
        let drafts = fuzzing::payload(input, &model, source, kind);
        ensure(
            drafts == fuzzing::payload(input, &model, source, kind),
            || format!("{source}/{kind}: two readings of one payload differ"),
        )?;
        for draft in drafts {
            answers.push(match draft {
                Ok(draft) => {
                    ensure(draft.source() == source, || {
                        format!("{source}/{kind}: a statement about another source")
                    })?;
                    check_draft(&draft)?
                }
                Err(violations) => refusal(&violations)?,
            });
        }
    }
    Ok(answers.join(" | "))
}
