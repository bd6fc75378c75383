//! Model files.

use profile_core::model::Model;
use profile_core::model::file::{BUILT_IN, ModelError};
use serde_json::json;

use super::{Answer, Target, ensure, text};

/// A model file. Each mistake names a place in the file, in order; what compiles can map payloads.
pub(super) const MODEL: Target = Target {
    name: "model",
    words: &[
        "sources:",
        "traits:",
        "identifiers:",
        "priority: 1",
        "normalize: e164",
        "default_region: US",
        "unique: true",
        "blocked: [\"(a+)+$\"]",
        "matching:",
        "link_probability: 0.5",
        "computed:",
        "segments:",
        "purposes:",
        "channels:",
        "views:",
        "publish:",
        "events:",
        "experience:",
        "key: id",
        "records:",
        "  ",
        "<<: ",
        "? ",
        "| ",
        "> ",
        "%YAML 1.2",
        "---",
        "...",
        "!!str",
        "~",
        ".inf",
        "0o17",
        "size(a)",
        "join_nonempty(' ', [a, b])",
    ],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    let parts = [
        "identifiers:\n  email: { priority: 3, normalize: email, blocked: [\"^test@\"] }\n",
        "traits:\n  given_name: { match: given_name }\n  note: {}\n",
        "sources:\n  web:\n    trust: 50\n    records:\n      customers:\n        key: id\n        version: int(v)\n        \
         identifiers: { email: email }\n        traits: { given_name: first, note: \"a + '-' + b\" }\n",
        "sources:\n  web:\n    events:\n      orders:\n        type: \"'order_placed'\"\n        id: id\n        record: customer\n        \
         time: time(at)\n        properties: { order_id: id, total: decimal(total) }\n",
        "computed:\n  orders: { count: order_placed, days: 30 }\nsegments:\n  loyal: computed.orders > 3\n",
        "publish:\n  crm: { webhook: { url: \"https://x.example/\", secret_env: CUSTOMER_PROFILE_SECRET_X } }\n",
    ];
    let mut seeds: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
    seeds.push([parts[0], parts[1], parts[2]].concat().into_bytes());
    seeds.push(
        [parts[0], parts[1], parts[2], parts[4]]
            .concat()
            .into_bytes(),
    );
    // Sections of the manual, each with all that it needs to be read.
    seeds.extend(
        BUILT_IN
            .split("\n\n")
            .map(|section| section.as_bytes().to_vec()),
    );
    seeds
}

fn check(input: &[u8]) -> Answer {
    let yaml = text(input);
    match Model::parse(&yaml) {
        Ok(model) => {
            let payload = json!({"id": 1, "email": "a@b.com", "first": null, "at": "2026-01-31", "total": "x"});
            for (source, declared) in &model.sources {
                for kind in declared.kinds.keys() {
                    drop(model.map(source, kind, &payload));
                }
            }
            Ok(format!(
                "{} {} {}",
                model.sources.len(),
                model.traits.len(),
                model.identifiers.len()
            ))
        }
        Err(mistakes) => check_mistakes(&yaml, &mistakes),
    }
}

fn check_mistakes(yaml: &str, mistakes: &[ModelError]) -> Answer {
    // One more: the parser counts the line after the last line end, where a file breaks off.
    let lines = yaml.split(['\n', '\r']).count() + 1;
    ensure(!mistakes.is_empty(), || {
        "a refusal without a mistake".to_owned()
    })?;
    for mistake in mistakes {
        ensure((1..=lines).contains(&mistake.line), || {
            format!("line {} of {lines}: {mistake}", mistake.line)
        })?;
        ensure(mistake.column >= 1, || {
            format!("a column before the first: {mistake}")
        })?;
        ensure(!mistake.message.is_empty(), || {
            format!("a mistake says nothing: {mistake}")
        })?;
        ensure(!mistake.message.chars().any(char::is_control), || {
            format!("a control character in a message: {mistake:?}")
        })?;
    }
    ensure(
        mistakes.is_sorted_by_key(|mistake| (mistake.line, mistake.column)),
        || format!("mistakes are not in order of line and column: {mistakes:?}"),
    )?;
    let mut messages: Vec<&str> = mistakes
        .iter()
        .map(|mistake| mistake.message.as_str())
        .collect();
    messages.sort_unstable();
    messages.dedup();
    Ok(messages.join("; "))
}
