//! Expressions of the model file, compiled and evaluated.

use profile_core::model::Model;
use serde_json::{Value as Json, json};

use super::{Answer, Target, bytes, ensure, text};

/// An expression over a payload. A fault names the expression and quotes no value of the payload.
pub(super) const EXPRESSION: Target = Target {
    name: "expression",
    words: &WORDS,
    seeds: expression_seeds,
    check: check_expression,
};

/// The condition of a segment.
pub(super) const CONDITION: Target = Target {
    name: "condition",
    words: &WORDS,
    seeds: condition_seeds,
    check: check_condition,
};

/// A text in the payload that no message may repeat.
const SECRET: &str = "s3cr3t";

const WORDS: [&str; 50] = [
    "round(",
    "floor(",
    "abs(",
    ".exists(x, x > 1)",
    ".map(x, decimal(x.n))",
    "has(customer.id)",
    ".?sku",
    " - ",
    " / ",
    " > ",
    "first",
    "customer.id",
    "payload",
    "payload['First name']",
    "lines[0].sku",
    "lines",
    "total",
    "at",
    "missing",
    "decimal(",
    "int(",
    "string(",
    "bool(",
    "time(",
    "lower(",
    "upper(",
    "trim(",
    "join_nonempty(' ', [",
    "size(",
    ".map(x, x)",
    ".filter(x, true)",
    ".all(x, x == x)",
    ".exists_one(x, true)",
    ".split(',')",
    ".replace('a', 'aa')",
    ".matches('(a|b)*')",
    ".contains('a')",
    ".startsWith('a')",
    " ? ",
    " : ",
    " && ",
    " || ",
    "!",
    " == ",
    " in ",
    " + ",
    " % 0",
    "r'\\d+'",
    "b'\\xff'",
    "traits.given_name",
];

fn expression_seeds() -> Vec<Vec<u8>> {
    bytes(&[
        "first",
        "payload['First name']",
        "lines[0].sku",
        "decimal(total) * 2.5",
        "first + '-' + string(customer.id)",
        "lines.map(line, line.sku).filter(sku, sku.startsWith('a'))",
        "lines.all(a, lines.all(b, lines.all(c, a.sku == c.sku)))",
        "join_nonempty(' ', [first, middle, last])",
        "'a;b'.split(';')",
        "has(payload.last) ? time(at) : null",
        "{'a': [1, 2.5, true], 'b': -customer.id}",
        "first.replace('A', 'AA').replace('A', 'AA').matches('^(A+)+$')",
        "int(total) / 0",
        "lines.map(line, {'sku': line.sku, 'n': decimal(line.n) / 3}).filter(x, x.n > 0.1)",
        "round(decimal(total) * 1.075, 2) - number % 7",
        "missing.map(x, x.y).exists(y, y == 1) || customer.tags.exists_one(t, t == 'a')",
        "lines.map(a, lines.map(b, lines.map(c, a.n + b.n * c.n)))",
        "duration('1h') + timestamp('2026-01-31T08:00:00Z')",
    ])
}

fn condition_seeds() -> Vec<Vec<u8>> {
    bytes(&[
        "traits.given_name == 'Ann'",
        "traits.given_name != null && preferences.language in ['de', 'fr']",
        "computed.lifetime_value > decimal('100')",
        "preferences.topics.returns == true || !(traits.city in ['Troy'])",
        "traits.given_name.matches('^A')",
    ])
}

fn payload() -> Json {
    json!({
        "first": "AAB", "First name": SECRET, "secret": SECRET, "total": "12.50", "at": "2026-01-31T08:00:00Z",
        "customer": {"id": 7, "tags": ["a", SECRET]}, "empty": [], "blank": " ", "nothing": null, "number": 9_007_199_254_740_993_i64,
        "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": -2}, {"sku": SECRET, "n": 0.5}],
    })
}

fn check_expression(input: &[u8]) -> Answer {
    let source = text(input);
    let quoted = Json::from(source.as_str());
    let yaml = format!(
        "traits: {{ x: {{}} }}\nsources:\n  s:\n    records:\n      r:\n        key: customer.id\n        traits: {{ x: {quoted} }}\n"
    );
    let model = match Model::parse(&yaml) {
        Ok(model) => model,
        Err(mistakes) => {
            let first = mistakes.first().ok_or("a refusal without a mistake")?;
            // The trait's own line, or that of a text that is no text in YAML.
            ensure(
                first.line == 7 || first.message.starts_with("is not YAML"),
                || format!("not the place of the mistake: {first}"),
            )?;
            return Ok(first.message.chars().take(60).collect());
        }
    };
    let mapped = model.map("s", "r", &payload());
    ensure(mapped == model.map("s", "r", &payload()), || {
        "two evaluations differ".to_owned()
    })?;
    match mapped {
        Ok(drafts) => Ok(format!("{drafts:?}").chars().take(300).collect()),
        Err(violations) => {
            for violation in &violations {
                ensure(violation.field == "records.r.traits.x", || {
                    format!("the fault is said to be in {}", violation.field)
                })?;
                // It names the expression, which may hold the text itself.
                ensure(
                    source.contains(SECRET) || !violation.description.contains(SECRET),
                    || format!("a value is quoted: {}", violation.description),
                )?;
            }
            let first = violations.first().ok_or("a refusal without a violation")?;
            Ok(first
                .description
                .trim_start_matches(&format!("`{source}`"))
                .to_owned())
        }
    }
}

fn check_condition(input: &[u8]) -> Answer {
    match Model::built_in().candidate_segment(&text(input)) {
        Ok(_) => Ok("compiles".to_owned()),
        Err(mistakes) => {
            ensure(
                mistakes.iter().all(|mistake| !mistake.is_empty()) && !mistakes.is_empty(),
                || "a mistake says nothing".to_owned(),
            )?;
            Ok(mistakes.join("; ").chars().take(80).collect())
        }
    }
}
