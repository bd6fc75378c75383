//! Corrections in any order of arrival.

use super::*;
use crate::model::Model;
use crate::records::RecordKey;
use crate::records::{DraftEvent, Statement};

const START: i64 = 1_750_000_000_000_000;

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_micros(START + hours * 3_600_000_000)
}

fn key() -> EventKey {
    EventKey {
        source: "shop".to_owned(),
        event_id: "e".to_owned(),
    }
}

fn draft(record: &str, kind: &str) -> DraftEvent {
    DraftEvent {
        record: RecordKey::new("shop", record),
        attach: Vec::new(),
        event_id: "e".to_owned(),
        kind: kind.to_owned(),
        event_time: Some(hour(0)),
        properties: std::collections::BTreeMap::new(),
    }
}

/// Statements of one key: the event itself, and corrections of it said at an hour.
fn checked(draft: Draft, received: i64) -> Statement {
    let model = Model::parse("sources: { shop: }").expect("a model");
    model.check(draft, hour(received)).expect("fits")
}

fn retract(said: Option<i64>, received: i64) -> Statement {
    let draft = DraftRetraction {
        event: key(),
        version: 0,
        source_time: said.map(hour),
    };
    checked(Draft::Retraction(draft), received)
}

fn replace(record: &str, kind: &str, said: Option<i64>, received: i64) -> Statement {
    let draft = DraftReplacement {
        event: draft(record, kind),
        version: 0,
        source_time: said.map(hour),
    };
    checked(Draft::Replacement(draft), received)
}

fn take(kept: &mut KeptEvent, statement: &Statement) -> EventTaken {
    match statement {
        Statement::Event(event) => kept.take_event(event),
        Statement::Correction(correction) => kept.take_correction(correction),
        Statement::Record(_) => panic!("of no event"),
    }
}

/// All orders of a few things.
fn orders<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = things.split_first() else {
        return vec![Vec::new()];
    };
    let with_first = |order: Vec<T>| {
        (0..=order.len()).map(move |place| {
            let mut order = order.clone();
            order.insert(place, first.clone());
            order
        })
    };
    orders(rest).into_iter().flat_map(with_first).collect()
}

#[test]
fn any_order_of_arrival_leaves_the_same() {
    let event = checked(Draft::Event(draft("1", "bought")), 1);
    let sets = [
        vec![event.clone(), retract(None, 2)],
        vec![event.clone(), replace("2", "bought", None, 2)],
        vec![
            event.clone(),
            retract(Some(3), 9),
            replace("2", "sold", Some(2), 9),
            replace("1", "bought", Some(4), 9),
        ],
        vec![
            event,
            retract(Some(3), 9),
            replace("2", "sold", Some(3), 9),
            retract(Some(1), 9),
        ],
    ];
    for set in sets {
        let kept: Vec<KeptEvent> = orders(&set)
            .iter()
            .map(|order| {
                let mut kept = KeptEvent::unknown(key());
                for statement in order {
                    take(&mut kept, statement);
                }
                kept
            })
            .collect();
        assert!(kept.windows(2).all(|pair| pair[0] == pair[1]), "{kept:#?}");
    }
}

#[test]
fn said_again_nothing_changes() {
    let event = checked(Draft::Event(draft("1", "bought")), 1);
    for correction in [
        retract(None, 2),
        retract(Some(2), 2),
        replace("1", "sold", None, 2),
    ] {
        let mut kept = KeptEvent::unknown(key());
        assert_eq!(take(&mut kept, &event), EventTaken::Holds);
        assert_eq!(take(&mut kept, &correction), EventTaken::Holds);
        let held = kept.clone();
        assert_eq!(take(&mut kept, &correction), EventTaken::Known);
        assert_eq!(take(&mut kept, &event), EventTaken::Known);
        assert_eq!(kept, held);
    }
}

#[test]
fn an_event_that_is_taken_back_keeps_its_id() {
    let other = checked(Draft::Event(draft("1", "sold")), 3);
    let mut kept = KeptEvent::unknown(key());
    take(&mut kept, &checked(Draft::Event(draft("1", "bought")), 1));
    take(&mut kept, &retract(None, 2));
    assert_eq!(take(&mut kept, &other), EventTaken::Reused);
    assert_eq!(kept.event, None);
    // A replacement that is said later brings it back.
    assert_eq!(
        take(&mut kept, &replace("1", "sold", None, 3)),
        EventTaken::Holds
    );
    assert_eq!(kept.event.map(|event| event.kind).as_deref(), Some("sold"));
}

#[test]
fn a_clock_that_is_ahead_does_not_outlast_later_corrections() {
    let mut kept = KeptEvent::unknown(key());
    take(&mut kept, &replace("1", "sold", Some(1_000), 2));
    assert_eq!(take(&mut kept, &retract(Some(3), 3)), EventTaken::Holds);
    assert_eq!(kept.event, None);
}
