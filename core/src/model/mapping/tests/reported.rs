//! Keys, times and consents of payloads, in the shapes that people report.

use super::*;

const MODEL: &str = "
time_zone: America/New_York
identifiers: { email: { priority: 1, normalize: email }, account: { priority: 2 } }
purposes: { news: {} }
sources:
  shop:
    time_zone: Europe/Berlin
    dates: { order: day_first, numbers: excel }
    records: { people: { key: id, time: at, identifiers: { account: account }, consents:
      [{ purpose: news, status: consent, contact_point: { email: email } }] } }
    events: { orders: { type: order_placed, id: id, time: at, record: who } }
  us: { country: US, events: { orders: { type: order_placed, id: id, time: at, record: who } } }
  any: { events: { orders: { type: order_placed, id: id, time: at, record: who } } }
";

/// The statements of a payload in short, or the first violation.
fn made(source: &str, kind: &str, payload: &str) -> String {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let payload: Json = serde_json::from_str(payload).unwrap_or_else(|_| panic!("{payload}"));
    let drafts = match model.map(source, kind, &payload) {
        Ok(drafts) => drafts,
        Err(violations) => return format!("! {}", violations[0]),
    };
    let told = drafts.iter().map(|draft| match draft {
        Draft::Upsert(it) => {
            let values = it.identifiers.iter().map(|held| format!(" {}", held.value));
            format!("{}{}", it.record.key, values.collect::<String>())
        }
        Draft::Event(it) => {
            let time = it
                .event_time
                .map_or("no time".to_owned(), |it| it.to_string());
            format!("{} of {} {time}", it.event_id, it.record.key)
        }
        Draft::Consent(it) => {
            let point = it.contact_point.as_ref();
            let point = point.map_or("all", |point| point.value.as_str());
            format!("{} for {point}", it.fields["status"])
        }
        other => format!("{other:?}"),
    });
    told.collect::<Vec<_>>().join("; ")
}

fn check(source: &str, kind: &str, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(payload, expected)| (payload, made(source, kind, payload), expected))
        .filter(|(_, found, expected)| !found.starts_with(*expected))
        .map(|(payload, found, expected)| format!("{payload}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_number_is_one_key_however_it_is_written_unless_digits_may_be_lost() {
    let lost = "! records.people.key: `id`: is a number in scientific notation";
    check(
        "shop",
        "people",
        &[
            (r#"{"id": 7}"#, "7"),
            (r#"{"id": 7.0}"#, "7"),
            (r#"{"id": 7.000}"#, "7"),
            (r#"{"id": 4012345678901234.0}"#, "4012345678901234"),
            (r#"{"id": 18446744073709551616}"#, "18446744073709551616"),
            (r#"{"id": "7.0"}"#, "7.0"),
            (r#"{"id": 7.5}"#, "7.5"),
            (r#"{"id": "007"}"#, "007"),
            (r#"{"id": 4.012345678901234e15}"#, lost),
            (r#"{"id": 1E5}"#, lost),
            (r#"{"id": 1e-5}"#, lost),
            (r#"{"id": 1, "account": 9.0}"#, "1 9"),
            (r#"{"id": 1, "account": [9, 8.0]}"#, "1 9 8"),
        ],
    );
    check(
        "shop",
        "orders",
        &[
            (
                r#"{"id": 1e3, "who": 7}"#,
                "! events.orders.id: `id`: is a number in scientific",
            ),
            (
                r#"{"id": 1, "who": 7e3}"#,
                "! events.orders.record: `who`: is a number in",
            ),
            (r#"{"id": 1.0, "who": 7.0}"#, "1 of 7 no time"),
        ],
    );
    let as_text = "type: order_placed, id: string(id), record: string(who)";
    for (id, expected) in [
        ("7.0", Some("7")),
        ("7", Some("7")),
        ("7e3", None),
        ("0.5", Some("0.5")),
    ] {
        let payload: Json =
            serde_json::from_str(&format!(r#"{{"id": {id}, "who": 1}}"#)).expect("JSON");
        let drafts = orders(as_text, &payload).ok();
        let found = drafts.as_deref().map(|drafts| match drafts {
            [Draft::Event(event)] => event.event_id.as_str(),
            other => panic!("{other:?}"),
        });
        assert_eq!(found, expected, "{id}");
    }
}

/// Of a German file it is a thousand and more.
#[test]
fn a_point_before_three_digits_is_told_where_nothing_is_declared() {
    let noted = |expression: &str, total: &str| {
        let yaml = format!(
            "sources: {{ s: {{ events: {{ o: {{ type: order_placed, id: id, record: id, \
             properties: {{ total: \"{expression}\" }} }} }} }} }}"
        );
        let model = Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let payload = json!({ "id": 1, "total": total, "lines": [{ "price": total }] });
        let mapped = model
            .map_in_part("s", "o", &payload)
            .whole()
            .expect("an event");
        let notes = mapped.drafts[0].notes.list.iter();
        let notes = notes.map(|note| format!("{}={}", note.field, note.reason.name()));
        notes.collect::<Vec<_>>().join(" ")
    };
    let ambiguous = "properties.total=ambiguous";
    for (expression, total, note) in [
        ("decimal(total)", "1.234", ambiguous),
        ("decimal(total)", "-12.500", ambiguous),
        ("decimal(total) * 2", " 999.999 ", ambiguous),
        (
            "sum(lines.map(line, decimal(line.price)))",
            "1.234",
            ambiguous,
        ),
        ("decimal(total, '.')", "1.234", ""),
        ("decimal(total, ',')", "1.234", ""),
        ("decimal(total)", "0.125", ""),
        ("decimal(total)", "1.23", ""),
        ("decimal(total)", "1.2345", ""),
        ("decimal(total)", "1234.500", ""),
        ("decimal(total)", "1,234.500", ""),
    ] {
        assert_eq!(noted(expression, total), note, "{expression} {total}");
    }
}

#[test]
fn times_are_in_the_forms_that_their_source_declares() {
    let unread = "! events.orders.time: `at`: time() does not take";
    check(
        "shop",
        "orders",
        &[
            (
                r#"{"id": 1, "who": 7, "at": "03/04/2026"}"#,
                "1 of 7 2026-04-02T22:00:00Z",
            ),
            (
                r#"{"id": 1, "who": 7, "at": "31.01.2026 08:00"}"#,
                "1 of 7 2026-01-31T07:00:00Z",
            ),
            (
                r#"{"id": 1, "who": 7, "at": 46053.5}"#,
                "1 of 7 2026-01-31T11:00:00Z",
            ),
            (
                r#"{"id": 1, "who": 7, "at": "46053"}"#,
                "1 of 7 2026-01-30T23:00:00Z",
            ),
            (r#"{"id": 1, "who": 7, "at": "01/31/2026"}"#, unread),
        ],
    );
    check(
        "us",
        "orders",
        &[
            (
                r#"{"id": 1, "who": 7, "at": "03/04/2026"}"#,
                "1 of 7 2026-03-04T05:00:00Z",
            ),
            (
                r#"{"id": 1, "who": 7, "at": "3/4/2026 8:00 PM"}"#,
                "1 of 7 2026-03-04T20:00:00Z",
            ),
            (r#"{"id": 1, "who": 7, "at": "3.4.2026"}"#, unread),
            (r#"{"id": 1, "who": 7, "at": 46053}"#, unread),
        ],
    );
    check(
        "any",
        "orders",
        &[(r#"{"id": 1, "who": 7, "at": "03/04/2026"}"#, unread)],
    );
}

/// It would count as the time of receipt: an order of today.
#[test]
fn an_event_of_an_implausible_time_is_refused() {
    let order = |at: &str| format!(r#"{{"id": 1, "who": 7, "at": {at}}}"#);
    let implausible = "! events.orders.time: `at`: is before 1971 or after 2200";
    for at in [
        r#""1965-03-01""#,
        r#""1970-12-31T23:59:59Z""#,
        "-315619200",
        r#""2999-12-31""#,
    ] {
        let found = made("any", "orders", &order(at));
        assert!(found.starts_with(implausible), "{at}: {found}");
    }
    for at in [r#""1971-01-01T00:00:00Z""#, r#""2199-12-31""#] {
        let found = made("any", "orders", &order(at));
        assert!(found.starts_with("1 of 7 "), "{at}: {found}");
    }
    let none = made("any", "orders", &order(r#""1969-12-31T16:00:00-08:00""#));
    assert!(none.contains("stands for no date"), "{none}");
}

#[test]
fn a_refusal_in_the_words_of_other_systems_is_for_all_where_no_address_is_said() {
    check(
        "shop",
        "people",
        &[
            (
                r#"{"id": 1, "consent": "UNSUBSCRIBED"}"#,
                "1; UNSUBSCRIBED for all",
            ),
            (r#"{"id": 1, "consent": "Opt-Out"}"#, "1; Opt-Out for all"),
            (r#"{"id": 1, "consent": "declined"}"#, "1; declined for all"),
            (
                r#"{"id": 1, "consent": "SUBSCRIBED", "email": "a@b.de"}"#,
                "1; SUBSCRIBED for a@b.de",
            ),
        ],
    );
    // A grant is for an address, and none is said.
    let granted = made("shop", "people", r#"{"id": 1, "consent": "subscribed"}"#);
    assert_eq!(granted, "1");
}
