//! Read tokens, resume tokens and page tokens.

use customer_profile::grpc::fuzzing;
use serde_json::json;
use tonic_types::StatusExt;

use super::{Answer, Target, ensure, text};

/// A text that is handed back as a token of each kind. An accepted token reads back the same; any
/// other is refused with the reason of its kind. A read token is accepted only letter by letter.
pub(super) const TOKEN: Target = Target {
    name: "token",
    words: &[
        "A", "_", "-", "=", "AAAA", "eyJ", "IjoiIn0", "{\"a\":", "\"q\":",
    ],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    let id = "00000000-0000-0000-0000-000000000001";
    let pages = [
        json!("name"),
        json!(7),
        json!(id),
        json!({"sequence": 7, "change": 2}),
        json!({"rank": "Named", "profile": id}),
        json!({"edge": {"After": {"sort_time": 0, "source": "web", "event_id": "1"}}, "pinned": null}),
        json!([1, {"source": "web", "key": "r1"}, {"source": "web", "key": "r2"}]),
        json!([1, 2, "a", "b"]),
    ];
    let mut seeds: Vec<Vec<u8>> = pages
        .iter()
        .map(|page| fuzzing::token_of(page).into_bytes())
        .collect();
    seeds
        .extend([0, 7, i64::MAX].map(|sequence| fuzzing::sample_read_token(sequence).into_bytes()));
    seeds.push(fuzzing::sample_resume_token(7, 3).into_bytes());
    // Contents instead of tokens: mutations of these keep the encoding intact.
    seeds.extend(pages.iter().map(|page| page.to_string().into_bytes()));
    seeds.push(Vec::new());
    seeds
}

fn check(input: &[u8]) -> Answer {
    let given = text(input);
    let token = match serde_json::from_str::<serde_json::Value>(&given) {
        Ok(content) => fuzzing::token_of(&content),
        Err(_) => given,
    };
    let mut accepted = Vec::new();
    for (kind, read) in fuzzing::TOKENS {
        match read(&token) {
            Ok(None) => ensure(token.is_empty(), || {
                format!("{kind}: `{token}` stands for the first page")
            })?,
            Ok(Some(again)) => {
                accepted.push(kind);
                ensure(read(&again).ok() == Some(Some(again.clone())), || {
                    format!("{kind}: `{again}` does not read back")
                })?;
                ensure(kind != "read" || again == token, || {
                    format!("`{token}` is taken for the read token `{again}`")
                })?;
            }
            Err(status) => {
                let reason = status
                    .get_details_error_info()
                    .map(|info| info.reason)
                    .unwrap_or_default();
                let expected = match kind {
                    "read" => ["READ_TOKEN_INVALID", "READ_TOKEN_FOREIGN"],
                    "resume" => ["RESUME_TOKEN_INVALID"; 2],
                    _ => ["PAGE_TOKEN_INVALID"; 2],
                };
                ensure(expected.contains(&reason.as_str()), || {
                    format!("{kind}: refused as {reason}")
                })?;
            }
        }
    }
    Ok(accepted.join(", "))
}
