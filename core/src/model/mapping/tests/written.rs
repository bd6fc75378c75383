//! Keys and times as files and systems write them.

use super::*;

const MODEL: &str = "
time_zone: America/New_York
purposes: { news: {} }
traits: { seen: {} }
sources:
  shop:
    records: { people: { key: id, time: at, traits: { seen: time(at) },
      consents: [{ purpose: news, status: \"'granted'\", expire_time: until }] } }
    events: { orders: { type: order_placed, id: id, time: at, record: who } }
  till:
    time_zone: Asia/Tokyo
    events: { orders: { type: order_placed, id: id, time: at, record: who } }
";

/// The statements of a payload in short, with the fields of their notes; or the first violation.
fn made(source: &str, kind: &str, payload: &Json) -> String {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let mapped = match model.map_in_part(source, kind, payload).whole() {
        Ok(mapped) => mapped,
        Err(violations) => return format!("! {}", violations[0]),
    };
    let time = |time: Option<Timestamp>| time.map_or("no time".to_owned(), |it| it.to_string());
    let told = mapped.drafts.iter().map(|made| {
        let notes: Vec<&str> = made.notes.list.iter().map(|it| it.field.as_str()).collect();
        let told = match &made.draft {
            Draft::Upsert(it) => format!("{} {}", it.record.key, time(it.source_time)),
            Draft::Event(it) => {
                format!(
                    "{} of {} {}",
                    it.event_id,
                    it.record.key,
                    time(it.event_time)
                )
            }
            Draft::Consent(it) => format!("expires {:?}", it.fields.get("expire_time")),
            other => format!("{other:?}"),
        };
        format!("{told} {}", notes.join(" ")).trim_end().to_owned()
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Fails with all payloads that make another statement than the one that begins so.
fn check(source: &str, kind: &str, cases: &[(Json, &str)]) {
    let mut wrong = Vec::new();
    for (payload, expected) in cases {
        let found = made(source, kind, payload);
        if !found.starts_with(expected) {
            wrong.push(format!("{payload}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keys_of_files_are_those_that_were_meant_or_the_payload_is_refused() {
    let lost = "! records.people.key: `id`: is what a spreadsheet shows in place of the value";
    check(
        "shop",
        "people",
        &[
            (json!({"id": " 1 "}), "1 no time; expires None"),
            (json!({"id": "\u{feff}1"}), "1 no time; expires None"),
            (json!({"id": "#N/A"}), lost),
            (json!({"id": "########"}), lost),
            (json!({"id": "4.47900E+11"}), lost),
        ],
    );
    let order = json!({"id": "o1\t", "who": " 7\u{a0}"});
    check("shop", "orders", &[(order, "o1 of 7 no time")]);
    let order = json!({"id": "o1", "who": "#REF!"});
    let lost = "! events.orders.record: `who`: is what a spreadsheet shows";
    check("shop", "orders", &[(order, lost)]);
}

#[test]
fn times_are_in_the_zones_of_their_source() {
    let order = |at: Json| json!({"id": "o1", "who": 7, "at": at});
    check(
        "shop",
        "orders",
        &[
            (order(json!("2026-01-31")), "o1 of 7 2026-01-31T05:00:00Z"),
            (
                order(json!("2026-01-31 08:00")),
                "o1 of 7 2026-01-31T08:00:00Z",
            ),
        ],
    );
    check(
        "till",
        "orders",
        &[
            (order(json!("2026-01-31")), "o1 of 7 2026-01-30T15:00:00Z"),
            (
                order(json!("2026-01-31 08:00")),
                "o1 of 7 2026-01-30T23:00:00Z",
            ),
            (order(json!(1_769_846_400)), "o1 of 7 2026-01-31T08:00:00Z"),
        ],
    );
}

/// A record has no time then, and a trait no value; an event would be one of today.
#[test]
fn a_date_that_means_no_date_is_no_value_and_makes_no_event_of_today() {
    let unread = "! records.people.time: `at`: time() does not take this whole number";
    check(
        "shop",
        "people",
        &[
            (
                json!({"id": 1, "at": "0000-00-00"}),
                "1 no time time traits.seen; expires None",
            ),
            (
                json!({"id": 1, "at": 0}),
                "1 no time time traits.seen; expires None",
            ),
            (json!({"id": 1, "at": 46053}), unread),
            (
                json!({"id": 1, "until": "9999-12-31"}),
                "1 no time consent.expire_time; expires None",
            ),
        ],
    );
    let order = |at: Json| json!({"id": "o1", "who": 7, "at": at});
    let refused = "! events.orders.time: `at`: stands for no date: leave the event out";
    check(
        "shop",
        "orders",
        &[
            (order(json!(null)), "o1 of 7 no time"),
            (order(json!("0000-00-00 00:00:00")), refused),
            (order(json!(0)), refused),
            (
                order(json!("20261301")),
                "! events.orders.time: `at`: time() does not take",
            ),
        ],
    );
    // By a conversion or a calculation too.
    for time in [
        "time(at)",
        "time(at) + duration('1h')",
        "[at].map(x, time(x))[0]",
    ] {
        let yaml = format!(
            "sources: {{ shop: {{ events: {{ orders: {{ type: order_placed, id: id, record: id, \
             time: \"{time}\" }} }} }} }}"
        );
        let model = Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let refused = model.map("shop", "orders", &order(json!("9999-12-31")));
        let refused = refused.expect_err("an event of today").remove(0);
        assert!(
            refused.description.contains("stands for no date"),
            "{refused}"
        );
    }
}

/// Systems write the last day, or zero of their clock, where there is no date.
#[test]
fn a_value_that_is_made_of_a_date_that_means_no_date_has_a_note() {
    const YAML: &str = "
traits: { x: {} }
purposes: { news: {} }
sources:
  shop:
    records:
      people: { key: id, traits: { x: EXPRESSION }, preferences: { topics.old: 'time(b) < time(a)' },
        consents: [{ purpose: news, status: \"'granted'\", expire_time: EXPRESSION }] }
      patches: { mode: patch, key: id, traits: { x: EXPRESSION } }
    events: { orders: { type: order_placed, id: id, record: id, properties: { until: EXPRESSION } } }
";
    for expression in [
        "time(a)",
        "'time(a) + duration(\"1h\")'",
        "'[a, a].map(x, time(x))'",
    ] {
        let yaml = YAML.replace("EXPRESSION", expression);
        let model = Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:#?}"));
        for none in [
            "9999-12-31",
            "0000-00-00 00:00:00",
            "infinity",
            "1900-01-01",
        ] {
            for (kind, fields) in [
                (
                    "people",
                    "preferences.topics.old consents[0].expire_time traits.x",
                ),
                ("patches", "traits.x"),
                ("orders", "properties.until"),
            ] {
                let payload = json!({"id": 1, "a": none, "b": "2026-01-31"});
                let mapped = model.map_in_part("shop", kind, &payload).whole();
                let mapped =
                    mapped.unwrap_or_else(|wrong| panic!("{kind} {expression}: {wrong:?}"));
                let notes = mapped.drafts.iter().flat_map(|made| &made.notes.list);
                let notes: Vec<_> = notes
                    .filter(|note| note.reason == NoteReason::Placeholder)
                    .collect();
                let found: Vec<&str> = notes.iter().map(|note| note.field.as_str()).collect();
                assert_eq!(found.join(" "), fields, "{kind} {expression} {none}");
            }
        }
    }
}

#[test]
fn a_patch_with_a_date_that_means_no_date_takes_the_earlier_one_away() {
    let model = "{ traits: { x: {} }, sources: { shop: { records: { people: { mode: patch, key: id, \
                 traits: { x: time(a) } } } } } }";
    let model = Model::parse(model).unwrap_or_else(|errors| panic!("{errors:#?}"));
    for (payload, cleared) in [
        (json!({"id": 1, "a": "9999-12-31"}), 1),
        (json!({"id": 1, "a": null}), 1),
        (json!({"id": 1, "a": " "}), 0),
        (json!({"id": 1}), 0),
    ] {
        let drafts = model.map("shop", "people", &payload).expect("a patch");
        let Some(Draft::Patch(said)) = drafts.first() else {
            panic!("{drafts:?}")
        };
        assert_eq!(said.clear_traits.len(), cleared, "{payload}");
    }
}

#[test]
fn a_day_within_an_expression_is_that_of_the_same_calendar_as_elsewhere() {
    let told = |zones: (&str, &str), expression: &str| {
        let yaml = format!(
            "time_zone: {}\nsources: {{ shop: {{ {} events: {{ orders: {{ type: order_placed, id: id, \
             record: id, properties: {{ x: \"{expression}\" }} }} }} }} }}",
            zones.0, zones.1
        );
        let model = Model::parse(&yaml).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let payload = serde_json::json!({
            "id": 1, "day": "2026-01-31", "at": "2026-01-31 08:00:00", "utc": "2026-01-31T05:00:00Z"
        });
        match model.map("shop", "orders", &payload) {
            Ok(drafts) => match drafts.first() {
                Some(Draft::Event(event)) => event.properties["x"].to_string(),
                other => panic!("{other:?}"),
            },
            Err(wrong) => wrong[0].to_string(),
        }
    };
    let model = ("America/New_York", "");
    let source = ("America/New_York", "time_zone: Asia/Tokyo,");
    for (zones, expression, expected) in [
        (model, "time(day)", "2026-01-31T05:00:00Z"),
        (model, "time(at)", "2026-01-31T08:00:00Z"),
        (model, "time(day) + duration('1h')", "2026-01-31T06:00:00Z"),
        (model, "day == time(utc)", "true"),
        (model, "day <= time(utc)", "true"),
        (source, "time(day)", "2026-01-30T15:00:00Z"),
        (source, "time(at)", "2026-01-30T23:00:00Z"),
        (
            source,
            "[day, at].map(x, time(x))[1]",
            "2026-01-30T23:00:00Z",
        ),
        (source, "time(utc)", "2026-01-31T05:00:00Z"),
        (source, "time('2026-01-31')", "2026-01-30T15:00:00Z"),
    ] {
        assert_eq!(told(zones, expression), expected, "{zones:?} {expression}");
    }
}

/// It would be an event of the day of the import.
#[test]
fn an_event_without_the_time_that_its_mapping_names_has_a_note() {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    for (payload, expected) in [
        (json!({"id": 1, "who": 7, "at": "2026-01-31"}), 0),
        (json!({"id": 1, "who": 7, "at": " "}), 1),
        (json!({"id": 1, "who": 7, "at": null}), 1),
        (json!({"id": 1, "who": 7}), 1),
    ] {
        let mapped = model
            .map_in_part("shop", "orders", &payload)
            .whole()
            .expect("an event");
        let notes = &mapped.drafts[0].notes.list;
        assert_eq!(notes.len(), expected, "{payload}: {notes:?}");
        let is_of_time = |note: &crate::model::Note| {
            note.to_string() == "time: is not in the payload: the time of receipt counts"
        };
        assert!(notes.iter().all(is_of_time), "{notes:?}");
    }
}
