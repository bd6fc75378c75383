//! Dates as databases and programming languages print them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::UnreadDate;

/// A value in the notation of Python, pandas, `MongoDB` or SQL.
static WRAPPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^(?:
        (?:Timestamp|ISODate)\(\s*['"](?P<call>[^'"]+)['"][^)]*\)
        |(?i:date|timestamp)\s*'(?P<sql>[^']+)'
        |\{\s*"\$date"\s*:\s*"(?P<json>[^"]+)"\s*\}
        |(?:datetime\.)?date(?:time)?\((?P<year>\d{4}),\s*(?P<month>\d{1,2}),\s*(?P<day>\d{1,2})
            (?:,[\d,\s]*(?:tzinfo=[^()]*)?)?\)
        )$"#,
    )
    .ok()
});
/// Any other call. The months of JavaScript's begin with 0.
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z]\(").ok());
/// The time of day of Oracle: `12.00.00.000000 AM`.
static POINTS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(\s\d{1,2})\.(\d\d)\.(\d\d)(?:\.\d{1,9})?(\s*[AP]M)").ok());
/// The generalized time of LDAP and HL7: `19900517000000Z`.
static GENERALIZED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(\d{8})(\d\d)(\d\d)(\d\d)(?:\.\d+)?(Z|[+-]\d{4})$").ok());

/// The date in the forms that people write.
///
/// # Errors
/// A call of a program that is not known.
pub(super) fn unwrapped(text: &str) -> Result<Cow<'_, str>, UnreadDate> {
    if let Some(found) = WRAPPED.as_ref().and_then(|wrapped| wrapped.captures(text)) {
        return Ok(Cow::Owned(inner(&found)));
    }
    if CALL.as_ref().is_some_and(|call| call.is_match(text)) {
        return Err(UnreadDate::NoDate);
    }
    let text = match POINTS.as_ref() {
        Some(points) => points.replace(text, "$1:$2:$3$4"),
        None => Cow::Borrowed(text),
    };
    Ok(match GENERALIZED.as_ref() {
        Some(generalized) if generalized.is_match(&text) => {
            Cow::Owned(generalized.replace(&text, "$1 $2:$3:$4$5").into_owned())
        }
        _ => text,
    })
}

fn inner(found: &Captures<'_>) -> String {
    let text = ["call", "sql", "json"]
        .into_iter()
        .find_map(|name| found.name(name));
    text.map_or_else(
        || {
            format!(
                "{}-{:0>2}-{:0>2}",
                &found["year"], &found["month"], &found["day"]
            )
        },
        |text| text.as_str().to_owned(),
    )
}
