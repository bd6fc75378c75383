//! Dates of birth, and times in expressions.

use std::sync::LazyLock;

use profile_core::model::{Date, DateForm, DateNumbers, DateOrder, Home, Model, Placeholders};
use profile_core::records::{Draft, Timestamp};
use serde_json::json;

use super::{Answer, Target, bytes, ensure, outline, text};

/// A text that is read as a date of birth by each declaration, and as a time. A date or a time
/// reads back the same.
pub(super) const DATE: Target = Target {
    name: "date",
    words: &[
        "1980-02-29",
        "02/29/1980",
        "29.2.80",
        "Feb",
        "29 february 1980",
        "T00:00:00Z",
        "+14:00",
        "Z",
        "19800229",
        "-",
        "/",
        ".",
        ",",
        "1970",
        "0000",
        "9999",
        "10000",
        "-0001",
        "1e3",
        "[Europe/Berlin]",
        "\u{2212}",
        "24:00:00",
        ":60",
        "1800000000",
    ],
    seeds,
    check,
};

static TIMES: LazyLock<Result<Model, String>> = LazyLock::new(|| {
    let yaml = "sources:\n  s:\n    records:\n      r:\n        key: id\n        time: time(at)\n";
    Model::parse(yaml).map_err(|mistakes| format!("{mistakes:?}"))
});

fn seeds() -> Vec<Vec<u8>> {
    bytes(&[
        "1980-02-29",
        "19800229",
        "2/29/1980",
        "29/2/80",
        "29 Feb 1980",
        "February 29, 1980",
        "1980-02-29T00:00:00Z",
        "2026-01-31T08:00:00+02:00",
        "2026-01-31 08:00:00.123456789",
        "1769846400",
        "1769846400123",
        "1769846400123456",
        "1900-01-01",
        "31.04.1999",
        "1980-13-45",
    ])
}

/// The time that an expression makes of a text, in microseconds; `None` if it makes none.
fn time(raw: &str) -> Result<Option<i64>, String> {
    let model = TIMES.as_ref().map_err(Clone::clone)?;
    match model.map("s", "r", &json!({"id": "1", "at": raw})) {
        Ok(drafts) => match drafts.first() {
            Some(Draft::Upsert(record)) => Ok(record.source_time.map(Timestamp::as_micros)),
            other => Err(format!("no record: {other:?}")),
        },
        Err(_) => Ok(None),
    }
}

/// By how many declarations a text is a date of birth.
fn births(raw: &str) -> Result<usize, String> {
    let order = |order| DateForm {
        order: Some(order),
        ..DateForm::default()
    };
    let numbers = |numbers| DateForm {
        numbers: Some(numbers),
        ..DateForm::default()
    };
    let buddhist = DateForm {
        buddhist: true,
        ..DateForm::default()
    };
    let forms = [
        DateForm::default(),
        buddhist,
        order(DateOrder::DayFirst),
        order(DateOrder::MonthFirst),
        order(DateOrder::YearFirst),
        numbers(DateNumbers::Excel),
        numbers(DateNumbers::UnixSeconds),
        numbers(DateNumbers::UnixMilliseconds),
    ];
    let placeholders = Placeholders::default();
    let mut read = 0;
    for form in forms {
        for home in [Home::Unsaid, Home::said("US"), Home::said("DE")] {
            let Ok(date) = Date::parse(raw, form, home, &placeholders) else {
                continue;
            };
            let shown = date.to_string();
            let again = Date::parse(&shown, DateForm::default(), Home::Unsaid, &placeholders);
            ensure(again == Ok(date) && shown.len() == 10, || {
                format!("{raw:?} is read by {form:?} as {shown}, which is read as {again:?}")
            })?;
            read += 1;
        }
    }
    Ok(read)
}

fn check(input: &[u8]) -> Answer {
    let raw = text(input);
    let births = births(&raw)?;
    let time = time(&raw)?;
    if let Some(micros) = time {
        let shown = Timestamp::from_micros(micros).to_string();
        // Years that RFC 3339 does not have are left to the model's check.
        let again = self::time(&shown)?;
        ensure(
            again == Some(micros) || !(1..=9999).contains(&year(&shown)),
            || format!("{raw:?} is the time {shown}, which is read as {again:?}"),
        )?;
    }
    Ok(format!("{births} {} {}", time.is_some(), outline(&raw)))
}

fn year(shown: &str) -> i64 {
    shown
        .split('-')
        .next()
        .and_then(|year| year.parse().ok())
        .unwrap_or(0)
}
