//! Clocks that are ahead, words of one time, and statements that come again.

use std::collections::BTreeMap;

use super::*;
use crate::model::Model;
use crate::records::{
    About, ConsentState, Draft, DraftConsent, DraftPreferences, DraftRecord, Identifier,
    MAX_FORMER, Preference, PreferenceKey, RecordKey, Statement, Value, effective,
};

const HOUR: i64 = 3_600_000_000;
const START: i64 = 1_750_000_000_000_000;

/// So many hours after the start.
fn hour(hours: i64) -> Timestamp {
    Timestamp::from_micros(START + hours * HOUR)
}

fn model() -> Model {
    Model::parse("identifiers: { email: { priority: 1, normalize: trim } }\nsources: { shop: }\ntraits: { city: }\npurposes: { news: }").expect("a model")
}

fn key() -> RecordKey {
    RecordKey::new("shop", "1")
}

fn checked(draft: Draft, received: i64) -> RecordStatement {
    match model().check(draft, hour(received)) {
        Ok(Statement::Record(statement)) => statement,
        other => panic!("{other:?}"),
    }
}

/// A word on `news`, said by its source at one hour and received at another.
fn consent(status: &str, said: i64, received: i64) -> RecordStatement {
    let draft = DraftConsent {
        record: key(),
        purpose: "news".to_owned(),
        contact_point: None,
        fields: BTreeMap::from([("status".to_owned(), Value::from(status))]),
        version: 0,
        source_time: Some(hour(said)),
        from_list: false,
    };
    checked(Draft::Consent(draft), received)
}

fn limit(value: bool, said: i64, received: i64) -> RecordStatement {
    preference("do_not_contact", value, said, received)
}

fn preference(name: &str, value: bool, said: i64, received: i64) -> RecordStatement {
    let draft = DraftPreferences {
        record: key(),
        preferences: BTreeMap::from([(name.to_owned(), Some(Value::Bool(value)))]),
        version: 0,
        source_time: Some(hour(said)),
    };
    checked(Draft::Preferences(draft), received)
}

fn city(city: &str, said: i64, received: i64) -> RecordStatement {
    let draft = DraftRecord {
        traits: BTreeMap::from([("city".to_owned(), Value::from(city))]),
        source_time: Some(hour(said)),
        ..DraftRecord::new(key())
    };
    checked(Draft::Upsert(draft), received)
}

/// The record after two statements, in both orders: the same.
fn both(one: &RecordStatement, other: &RecordStatement) -> Record {
    let of = |statements: [&RecordStatement; 2]| {
        let mut record = Record::new(key(), hour(0));
        for statement in statements {
            record.apply(statement);
        }
        record
    };
    let record = of([one, other]);
    assert!(record.is_kept_as(&of([other, one])));
    record
}

fn state(record: Record, hours: i64) -> Option<ConsentState> {
    let about = About {
        purpose: "news",
        contact_point: None,
    };
    effective(&[record], about, hour(hours)).map(|found| found.state)
}

#[test]
fn a_withdrawal_holds_whatever_clock_the_grant_before_it_had() {
    for ahead in [1, 9, 24 * 30] {
        let grant = consent("granted", ahead, 0);
        let record = both(&grant, &consent("withdrawn", 1, 1));
        for hours in [1, 10, 24 * 31] {
            let found = state(record.clone(), hours);
            assert_eq!(found, Some(ConsentState::Withdrawn), "{ahead} {hours}");
        }
    }
}

#[test]
fn a_limit_and_a_trait_outlive_no_later_word_for_a_clock_that_is_ahead() {
    let record = both(&limit(false, 9, 0), &limit(true, 1, 1));
    let held = record
        .preferences()
        .next()
        .map(|(key, value, _)| (key, value));
    let expected = (&PreferenceKey::DoNotContact, &Preference::Flag(true));
    assert_eq!(held, Some(expected));
    let record = both(&city("Bonn", 9, 0), &city("Ulm", 1, 1));
    let held = record.traits().next().map(|(_, value, _)| value.clone());
    assert_eq!(held, Some(Value::from("Ulm")));
}

/// The statement under a version of its source.
fn with_version(version: i64, statement: &RecordStatement) -> RecordStatement {
    let time = statement
        .order
        .map_or(Timestamp::default(), |(_, time)| time);
    RecordStatement {
        order: Some((version, time)),
        ..statement.clone()
    }
}

#[test]
fn a_limit_without_a_version_is_not_lost_to_an_older_word_with_one() {
    let held = |record: &Record| {
        let mut all = record.preferences();
        all.next().map(|(_, value, _)| value.clone())
    };
    let free = with_version(7, &limit(false, 1, 1));
    let limited = limit(true, 2, 2);
    let record = both(&free, &limited);
    assert_eq!(held(&record), Some(Preference::Flag(true)));
    let record = all_orders(&[free.clone(), limited.clone(), limit(false, 3, 3)]);
    assert_eq!(held(&record), Some(Preference::Flag(false)));
    let lifted = with_version(8, &limit(false, 3, 3));
    let record = all_orders(&[free, limited.clone(), lifted]);
    assert_eq!(held(&record), Some(Preference::Flag(false)));
    // A version without a time: in doubt the limit.
    let mut timeless = with_version(9, &limit(false, 1, 1));
    timeless.source_time = None;
    timeless.order = Some((9, Timestamp::default()));
    let record = both(&timeless, &limited);
    assert_eq!(held(&record), Some(Preference::Flag(true)));
    let record = both(
        &with_version(7, &consent("granted", 1, 1)),
        &consent("withdrawn", 2, 2),
    );
    assert_eq!(state(record, 3), Some(ConsentState::Withdrawn));
}

#[test]
fn of_words_of_one_time_the_stricter_counts() {
    let record = both(&consent("granted", 1, 2), &consent("withdrawn", 1, 2));
    assert_eq!(state(record, 3), Some(ConsentState::Withdrawn));
    let record = both(&consent("denied", 1, 2), &consent("granted", 1, 2));
    assert_eq!(state(record, 3), Some(ConsentState::Denied));
    // Both clocks are ahead: nothing tells which was said last.
    let record = both(&consent("withdrawn", 4, 2), &consent("granted", 5, 2));
    assert_eq!(state(record, 3), Some(ConsentState::Withdrawn));
    // Several names, since the content would break a tie one way or the other.
    let topics = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|topic| format!("topics.{topic}"));
    let limits = topics.iter().map(|topic| (topic.as_str(), false));
    for (name, strict) in limits.chain([("do_not_contact", true), ("accessibility.braille", true)])
    {
        let [one, other] = [true, false].map(|value| preference(name, value, 1, 2));
        let record = both(&one, &other);
        let value = record
            .preferences()
            .next()
            .map(|(_, value, _)| value.clone());
        assert_eq!(value, Some(Preference::Flag(strict)), "{name}");
    }
}

#[test]
fn a_statement_from_a_fast_clock_is_known_when_it_comes_again() {
    let grant = consent("granted", 9, 0);
    let record = both(&grant, &consent("withdrawn", 1, 1));
    for received in [2, 9, 24] {
        let again = consent("granted", 9, received);
        assert_eq!(record.stamp(&again), record.stamp(&grant));
        assert!(record.may_know(record.stamp(&again)), "{received}");
    }
    let later = consent("granted", 24, 24);
    assert!(!record.may_know(record.stamp(&later)));
}

fn deletion(said: i64) -> RecordStatement {
    let draft = DraftRecord {
        source_time: Some(hour(said)),
        ..DraftRecord::new(key())
    };
    checked(Draft::Delete(draft), said)
}

/// The record after statements, in every order: the same.
fn all_orders(statements: &[RecordStatement]) -> Record {
    let of = |order: &[usize]| {
        let mut record = Record::new(key(), hour(0));
        for &index in order {
            record.apply(&statements[index]);
        }
        record
    };
    let mut order: Vec<usize> = (0..statements.len()).collect();
    let record = of(&order);
    permutations(&mut order, 0, &mut |order| {
        assert!(record.is_kept_as(&of(order)), "{order:?}");
    });
    record
}

fn permutations(order: &mut [usize], from: usize, each: &mut dyn FnMut(&[usize])) {
    if from == order.len() {
        return each(order);
    }
    for index in from..order.len() {
        order.swap(from, index);
        permutations(order, from + 1, each);
        order.swap(from, index);
    }
}

#[test]
fn who_gets_a_key_that_was_deleted_inherits_no_consent() {
    let former = [city("Rome", 1, 1), consent("granted", 2, 2), deletion(3)];
    assert_eq!(
        state(all_orders(&former), 9),
        Some(ConsentState::Granted),
        "a deletion alone takes nothing back"
    );
    let mut reused = former.to_vec();
    reused.push(city("Oslo", 4, 4));
    assert_eq!(state(all_orders(&reused), 9), None);
    reused.push(consent("granted", 5, 5));
    assert_eq!(state(all_orders(&reused), 9), Some(ConsentState::Granted));
}

#[test]
fn who_gets_a_key_that_was_deleted_inherits_what_limits_us() {
    let reused = |word: RecordStatement| {
        all_orders(&[city("Rome", 1, 1), word, deletion(3), city("Oslo", 4, 4)])
    };
    assert_eq!(
        state(reused(consent("withdrawn", 2, 2)), 9),
        Some(ConsentState::Withdrawn)
    );
    let wanted = |name: &str, value: bool| {
        let record = reused(preference(name, value, 2, 2));
        let found = record
            .preferences()
            .map(|(key, ..)| key.to_string())
            .collect::<Vec<_>>();
        found == [name]
    };
    assert!(wanted("do_not_contact", true) && wanted("accessibility.no_phone", true));
    assert!(!wanted("do_not_contact", false) && !wanted("accessibility.braille", true));
}

fn mail(values: &[&str], said: i64) -> RecordStatement {
    let draft = DraftRecord {
        identifiers: values
            .iter()
            .map(|value| Identifier::new("email", *value))
            .collect(),
        source_time: Some(hour(said)),
        ..DraftRecord::new(key())
    };
    checked(Draft::Upsert(draft), said)
}

fn former(record: &Record) -> Vec<String> {
    record.former_identifiers().map(|held| held.value).collect()
}

#[test]
fn values_that_were_replaced_are_kept_in_any_order() {
    let said = [
        mail(&["a"], 1),
        mail(&["b", "c"], 2),
        mail(&["a"], 3),
        mail(&["d"], 4),
    ];
    assert_eq!(former(&all_orders(&said)), ["a", "b", "c"]);
    assert_eq!(former(&all_orders(&said[..3])), ["b", "c"]);
    let cleared = [mail(&["a"], 1), city("Rome", 2, 2), mail(&["b"], 3)];
    assert_eq!(former(&all_orders(&cleared)), ["a"]);
}

#[test]
fn a_deletion_forgets_what_was_held_before_it_in_any_order() {
    let said = [
        mail(&["a"], 1),
        mail(&["b"], 2),
        deletion(3),
        mail(&["c"], 4),
        mail(&["d"], 5),
    ];
    assert_eq!(former(&all_orders(&said)), ["c"]);
    assert!(former(&all_orders(&said[..3])).is_empty());
}

#[test]
fn of_many_former_values_the_last_are_kept() {
    let mut record = Record::new(key(), hour(0));
    let mut forgotten = Vec::new();
    for number in 0..50 {
        let value = format!("m{number:02}");
        let said = mail(&[value.as_str()], number);
        forgotten.extend(record.apply_at(record.stamp(&said), &said));
    }
    assert_eq!(forgotten, vec!["email"; 50 - 1 - MAX_FORMER]);
    let kept = former(&record);
    assert_eq!((kept.len(), kept[0].as_str()), (MAX_FORMER, "m17"));
}

fn after(statements: &[&RecordStatement]) -> Record {
    let mut record = Record::new(key(), hour(0));
    for said in statements {
        record.apply(said);
    }
    record
}

/// Of 1965, of the first second of 1970, and of the day before.
#[test]
fn a_no_of_a_time_that_cannot_be_right_is_not_the_oldest_word() {
    for micros in [-150_000_000_000_000, -86_400_000_000, 1_000_000] {
        let hours = (micros - START) / HOUR;
        for status in ["withdrawn", "denied"] {
            let record = after(&[&consent("granted", 1, 1), &consent(status, hours, 2)]);
            let found = state(record, 9);
            assert!(
                found >= Some(ConsentState::Withdrawn),
                "{micros} {status}: {found:?}"
            );
        }
        let record = after(&[&limit(false, 1, 1), &limit(true, hours, 2)]);
        let held = record
            .preferences()
            .next()
            .map(|(_, value, _)| value.clone());
        assert_eq!(held, Some(Preference::Flag(true)), "{micros}");
        // A yes of such a time counts as the oldest word.
        let record = after(&[&consent("withdrawn", 1, 1), &consent("granted", hours, 2)]);
        assert_eq!(state(record, 9), Some(ConsentState::Withdrawn), "{micros}");
    }
}
