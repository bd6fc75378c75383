//! Orders and answers as metrics take them: told often, in any order.

use super::*;
use crate::model::Model;
use crate::records::rollup::State;
use crate::records::{Draft, DraftEvent, Record, RecordKey, Statement};

const START: i64 = 1_750_000_000_000_000;

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_micros(START + hours * 3_600_000_000)
}

fn model() -> Model {
    Model::parse("sources: { s: }\nexperience: { csat: { max: 5 } }").expect("a model")
}

type Said<'a> = (&'a str, &'a str, i64, &'a [(&'a str, Value)]);

fn told(model: &Model, (id, kind, hours, properties): Said<'_>) -> Event {
    let draft = Draft::Event(DraftEvent {
        record: RecordKey::new("s", "1"),
        attach: Vec::new(),
        event_id: id.to_owned(),
        kind: kind.to_owned(),
        event_time: Some(hour(hours)),
        properties: properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    });
    match model.check(draft, hour(1_000)) {
        Ok(Statement::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

/// The state of a definition after events, counted on one record in each of some orders, and on
/// two records that are put together.
fn kept(said: &[Said<'_>], of: impl Fn(&Model) -> crate::records::rollup::DefinitionId) -> Objects {
    let model = model();
    let events: Vec<Event> = said.iter().map(|said| told(&model, *said)).collect();
    let state = |events: &[&Event]| -> State {
        let mut record = Record::new(RecordKey::new("s", "1"), hour(0));
        for (place, event) in events.iter().enumerate() {
            model.count(&mut record, event, place == 0, hour(1_000));
        }
        let state = record.rollup.get(of(&model)).cloned();
        state.unwrap_or_else(|| State::empty(crate::records::rollup::Aggregate::Objects))
    };
    let mut order: Vec<&Event> = events.iter().collect();
    let forward = state(&order);
    for cut in 0..order.len() {
        let (left, right) = order.split_at(cut);
        let mut both = state(left);
        both.merge(&state(right));
        assert_eq!(both, forward, "two records, cut at {cut}");
    }
    order.reverse();
    assert_eq!(state(&order), forward, "the other way round");
    forward.objects().expect("objects").clone()
}

fn orders(said: &[Said<'_>]) -> Vec<(i64, Option<i128>, bool)> {
    let objects = kept(said, |model| {
        let experience = model.experience.as_ref().expect("measured");
        let purchases = experience.purchases.as_ref().expect("measured");
        purchases.orders.id
    });
    let whole = |micros: i128| micros / 1_000_000;
    let shown = |it: Purchase<'_>| {
        let hours = (it.time.as_micros() - START) / 3_600_000_000;
        (hours, it.micros.map(whole), it.cancelled)
    };
    purchases(&objects).into_iter().map(shown).collect()
}

#[test]
fn an_order_counts_once_as_it_is_now() {
    let id = || ("order_id", Value::from("o"));
    let total = |total: i64| ("total", Value::Int(total));
    let refund = |refund: &str, amount: i64| {
        let refund = ("refund_id", Value::from(refund));
        [id(), refund, ("amount", Value::Int(amount))]
    };
    let placed = ("1", "order_placed", 1, &[id(), total(100)][..]);
    assert_eq!(orders(&[placed]), [(1, Some(100), false)]);
    // Told again under another id, edited, paid.
    let edited = ("2", "order_placed", 2, &[id(), total(80)][..]);
    assert_eq!(orders(&[placed, edited]), [(1, Some(80), false)]);
    let updated = ("3", "order_updated", 3, &[id(), total(90)][..]);
    let paid = ("4", "order_paid", 4, &[id()][..]);
    assert_eq!(orders(&[placed, updated, paid]), [(1, Some(90), false)]);
    // Edited in the second in which it was placed.
    let at_once = ("3", "order_updated", 1, &[id(), total(70)][..]);
    assert_eq!(orders(&[placed, at_once]), [(1, Some(70), false)]);
    // Two refunds, one of them told twice, and one that failed.
    let (first, second) = (refund("r1", 20), refund("r2", 5));
    let refunds = [
        placed,
        ("5", "refund_issued", 5, &first[..]),
        ("6", "refund_updated", 6, &first[..]),
        ("7", "refund_issued", 7, &second[..]),
    ];
    assert_eq!(orders(&refunds), [(1, Some(75), false)]);
    let failed = [placed, refunds[1], ("8", "refund_failed", 8, &first[..])];
    assert_eq!(orders(&failed), [(1, Some(100), false)]);
    let whole = refund("r3", 100);
    let given_back = [placed, ("9", "refund_issued", 9, &whole[..])];
    assert_eq!(orders(&given_back), [(1, Some(0), false)]);
    let cancelled = ("a", "order_cancelled", 3, &[id()][..]);
    assert_eq!(orders(&[placed, cancelled]), [(1, Some(100), true)]);
    // Said of one second: the final state holds, whatever the ids.
    let paid = ("z", "order_paid", 3, &[id()][..]);
    assert_eq!(orders(&[placed, cancelled, paid]), [(1, Some(100), true)]);
}

#[test]
fn an_order_without_an_id_is_one_by_itself() {
    let total = |total: i64| ("total", Value::Int(total));
    let two = [
        ("1", "order_placed", 1, &[total(10)][..]),
        ("2", "order_placed", 2, &[total(-5)][..]),
    ];
    assert_eq!(orders(&two), [(1, Some(10), false), (2, Some(-5), false)]);
}

fn scores(said: &[Said<'_>], metric: &str) -> Vec<Option<String>> {
    let objects = kept(said, |model| {
        let experience = model.experience.as_ref().expect("measured");
        let asked = match metric {
            "nps" => &experience.nps,
            "csat" => &experience.csat,
            _ => &experience.ces,
        };
        asked.as_ref().expect("measured").answers.id
    });
    let score = |answer: Answered| answer.score.map(|score| score.round_dp(3).to_string());
    answers(&objects).into_iter().map(score).collect()
}

/// The score on the scale of its metric of one answer.
fn score(metric: &str, score: i64, ends: (Option<i64>, Option<i64>)) -> Option<String> {
    let mut said = vec![
        ("metric", Value::from(metric)),
        ("score", Value::Int(score)),
    ];
    said.extend(ends.0.map(|min| ("scale_min", Value::Int(min))));
    said.extend(ends.1.map(|max| ("scale_max", Value::Int(max))));
    let scores = scores(&[("1", "survey_response", 1, &said)], metric);
    scores.into_iter().next().expect("an answer")
}

#[test]
fn a_later_answer_replaces_the_earlier_one() {
    let said = |score: i64| {
        let metric = ("metric", Value::from("nps"));
        let response = ("response_id", Value::from("r"));
        [metric, response, ("score", Value::Int(score))]
    };
    let (first, second) = (said(3), said(9));
    let both = [
        ("1", "survey_response", 1, &first[..]),
        ("2", "survey_response", 2, &second[..]),
    ];
    assert_eq!(scores(&both, "nps"), [Some("9".to_owned())]);
}

#[test]
fn scores_are_brought_onto_the_scale_of_their_metric() {
    let told = |told: &str| Some(told.to_owned());
    let none = (None, None);
    assert_eq!(score("csat", 4, none), told("4"));
    assert_eq!(score("csat", 5, (Some(1), Some(7))), told("3.667"));
    assert_eq!(score("csat", 7, (None, Some(7))), told("5"));
    assert_eq!(score("csat", 3, (Some(1), Some(3))), told("5"));
    assert_eq!(score("csat", 8, (Some(0), Some(10))), told("4.2"));
    assert_eq!(score("csat", 1, (Some(5), Some(1))), told("5"));
    assert_eq!(score("nps", 5, (Some(1), Some(5))), told("10"));
    assert_eq!(score("nps", 4, (Some(1), Some(5))), told("8"));
    assert_eq!(score("ces", 5, (None, Some(5))), told("7"));
    // A score off its scale is left out.
    assert_eq!(score("csat", 6, none), None);
    assert_eq!(score("csat", 8, (Some(1), Some(7))), None);
    assert_eq!(score("csat", 3, (Some(3), Some(3))), None);
}

/// The states of shops: none of them is in the catalogue's own words.
#[test]
fn an_order_that_was_never_paid_or_wholly_refunded_brings_nothing() {
    let order = |status: &'static str| {
        let id = || ("order_id", Value::from("o"));
        let placed = [id(), ("total", Value::Int(100))];
        let updated = [id(), ("status", Value::from(status))];
        orders(&[
            ("1", "order_placed", 1, &placed[..]),
            ("2", "order_updated", 2, &updated[..]),
        ])
    };
    for status in [
        "cancelled",
        "Canceled",
        "wc-cancelled",
        "failed",
        "wc-failed",
        "Declined",
    ] {
        assert_eq!(order(status), [(1, Some(100), true)], "{status}");
    }
    for status in [
        "expired",
        "payment failed",
        "trash",
        "deleted",
        "voided",
        "rejected",
    ] {
        assert_eq!(order(status), [(1, Some(100), true)], "{status}");
    }
    for status in [
        "refunded",
        "REFUNDED",
        "wc-refunded",
        "fully-refunded",
        "charged_back",
    ] {
        assert_eq!(order(status), [(1, Some(0), false)], "{status}");
    }
    for status in [
        "partially_refunded",
        "completed",
        "on-hold",
        "processing",
        "disputed",
    ] {
        assert_eq!(order(status), [(1, Some(100), false)], "{status}");
    }
}

#[test]
fn an_order_that_is_paid_after_all_counts_again() {
    let id = || ("order_id", Value::from("o"));
    let placed = [id(), ("total", Value::Int(100))];
    let status = |status: &'static str| [id(), ("status", Value::from(status))];
    for before in ["failed", "refunded"] {
        let (failed, completed) = (status(before), status("completed"));
        let found = orders(&[
            ("1", "order_placed", 1, &placed[..]),
            ("2", "order_updated", 2, &failed[..]),
            ("3", "order_updated", 3, &completed[..]),
        ]);
        assert_eq!(found, [(1, Some(100), false)], "{before}");
    }
}

/// Of 100 EUR no 30 are given back by a refund of 30 USD, and it is counted as unknown.
#[test]
fn a_refund_in_another_currency_lessens_no_amount() {
    let id = || ("order_id", Value::from("o"));
    let placed = [
        id(),
        ("total", Value::Int(100)),
        ("currency", Value::from("EUR")),
    ];
    for (currency, left, unknown) in [
        (Some("EUR"), 70, 0),
        (Some("eur"), 70, 0),
        (None, 70, 0),
        (Some("USD"), 100, 1),
    ] {
        let mut refund = vec![
            id(),
            ("refund_id", Value::from("r")),
            ("amount", Value::Int(30)),
        ];
        refund.extend(currency.map(|code| ("currency", Value::from(code))));
        let said = [
            ("1", "order_placed", 1, &placed[..]),
            ("2", "refund_issued", 2, &refund[..]),
        ];
        assert_eq!(orders(&said), [(1, Some(left), false)], "{currency:?}");
        let objects = kept(&said, |model| {
            let experience = model.experience.as_ref().expect("measured");
            experience.purchases.as_ref().expect("measured").orders.id
        });
        assert_eq!(unknown_refunds(&objects), unknown, "{currency:?}");
    }
}
