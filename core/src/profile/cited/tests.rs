use super::super::{StoredProfile, fold};
use crate::model::Model;
use crate::records::{
    Draft, DraftEvent, ProfileId, Record, RecordKey, Statement, Timestamp, Value,
};

const MODEL: &str = "
sources: { s: }
events: { bought: { properties: { amount: decimal, by: text } } }
computed:
  count: { count: bought }
  recent: { count: bought, window: 7d }
  spent: { sum: bought, value: amount }
  greatest: { max: bought, value: amount }
  last_by: { last: bought, value: by }
  often: { most_frequent: bought, value: by }
  since: { days_since: bought }
";
const DAY: i64 = 86_400_000_000;
const NOW: i64 = 1_767_225_600_000_000;

/// A profile of records with events: their record, days ago, amount, and way.
fn cited(events: &[(&str, i64, i64, &str)], name: &str) -> Vec<String> {
    let model = Model::parse(MODEL).expect("a model");
    let now = Timestamp::from_micros(NOW);
    let mut records: Vec<Record> = ["a", "b", "c"]
        .map(|key| Record::new(RecordKey::new("s", key), now))
        .into();
    for (number, (record, days, amount, by)) in events.iter().enumerate() {
        let draft = DraftEvent {
            record: RecordKey::new("s", *record),
            attach: Vec::new(),
            event_id: number.to_string(),
            kind: "bought".to_owned(),
            event_time: Some(Timestamp::from_micros(NOW - days * DAY)),
            properties: [
                ("amount".to_owned(), Value::Int(*amount)),
                ("by".to_owned(), Value::from(*by)),
            ]
            .into(),
        };
        let Ok(Statement::Event(event)) = model.check(Draft::Event(draft), now) else {
            panic!("an event")
        };
        let known = records.iter_mut().find(|known| known.key == event.record);
        let known = known.expect("a record");
        let first = !std::mem::replace(&mut known.has_events, true);
        model.count(known, &event, first, now);
    }
    let stored = StoredProfile {
        id: ProfileId(uuid::Uuid::nil()),
        revision: 1,
        update_time: now,
        records,
    };
    let profile = fold(stored, &model);
    let definition = &model.computed[name];
    let counted = profile.records_counted(definition, now).into_iter();
    counted.map(|record| record.key.clone()).collect()
}

#[test]
fn a_record_is_cited_where_its_events_are_counted_and_the_most_telling_first() {
    let events = [
        ("a", 30, 5, "web"),
        ("b", 2, 90, "till"),
        ("c", 1, 10, "web"),
        ("c", 3, 20, "web"),
    ];
    let of = |name| cited(&events, name);
    assert_eq!(of("count"), ["c", "a", "b"]);
    assert_eq!(
        of("recent"),
        ["c", "b"],
        "what is out of the window counts for nothing"
    );
    assert_eq!(of("spent"), ["b", "c", "a"]);
    assert_eq!(of("greatest"), ["b"]);
    assert_eq!(of("last_by"), ["c"]);
    assert_eq!(of("often"), ["c", "a"]);
    assert_eq!(of("since"), ["c"]);
}

#[test]
fn a_record_alone_is_cited_as_long_as_something_is_counted() {
    let old = [("b", 30, 5, "web")];
    assert_eq!(cited(&old, "count"), ["b"]);
    assert!(cited(&old, "recent").is_empty());
    assert!(cited(&[], "count").is_empty());
}
