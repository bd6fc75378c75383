//! A payload said again changes nothing, whatever statements a mapping makes of it.

use super::*;
use crate::records::{About, ConsentState, DraftConsent, Record, RecordKey, Statement, effective};

const MODEL: &str = r"
identifiers: { email: { priority: 1, normalize: email } }
traits: { name: {}, city: {} }
purposes: { news: {}, offers: {} }
sources:
  shop:
    records:
      customers:
        key: id
        identifiers: { email: email }
        traits: { name: name, city: city }
        preferences: { language: language, topics.news: news }
        consents:
          - { purpose: news, contact_point: { email: email }, status: status }
          - { purpose: offers, status: offers }
      changes: { key: id, mode: patch, traits: { name: name, city: city } }
      listed:
        key: id
        identifiers: { email: email }
        consents: { purpose: news, status: status, effective_time: since, from_list: true }
";

/// A record, as the write path applies statements to it.
struct World {
    model: Model,
    record: Record,
    /// Places of statements that have one of their own.
    known: std::collections::BTreeSet<crate::records::VersionStamp>,
    seconds: i64,
}

impl World {
    fn new() -> Self {
        Self {
            model: Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}")),
            record: Record::new(RecordKey::new("shop", "1"), Timestamp::default()),
            known: std::collections::BTreeSet::default(),
            seconds: 1_800_000_000,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.seconds * 1_000_000)
    }

    /// Says drafts a second later. Returns how many of them were new.
    fn say(&mut self, drafts: Vec<Draft>) -> usize {
        self.seconds += 1;
        let mut new = 0;
        for draft in drafts {
            let checked = self.model.check(draft, self.now());
            let Statement::Record(statement) = checked.unwrap_or_else(|v| panic!("{v:?}")) else {
                panic!("no event here")
            };
            let place = self.record.stamp(&statement);
            if !self.record.repeats(&statement) && self.known.insert(place) {
                self.record.apply(&statement);
                new += 1;
            }
        }
        new
    }

    fn said(&mut self, kind: &str, payload: &Json) -> usize {
        let drafts = self.model.map("shop", kind, payload);
        self.say(drafts.unwrap_or_else(|violations| panic!("{violations:?}")))
    }

    /// The customer says this elsewhere, about any address.
    fn consent(&mut self, status: &str) -> usize {
        let fields = [("status".to_owned(), Value::String(status.to_owned()))].into();
        let draft = Draft::Consent(DraftConsent {
            record: RecordKey::new("shop", "1"),
            purpose: "news".to_owned(),
            contact_point: None,
            fields,
            from_list: false,
            version: 0,
            source_time: None,
        });
        self.say(vec![draft])
    }

    fn state(&self) -> Option<ConsentState> {
        let about = About {
            purpose: "news",
            contact_point: None,
        };
        let records = std::slice::from_ref(&self.record);
        effective(records, about, self.now()).map(|found| found.state)
    }
}

#[test]
fn a_payload_of_several_statements_said_again_says_nothing_new() {
    let mut world = World::new();
    let payload = json!({
        "id": 1, "email": "a@x.com", "name": "Ann", "language": "de", "news": true,
        "status": "granted", "offers": "denied"
    });
    assert_eq!(world.said("customers", &payload), 4);
    let before = world.record.clone();
    for _ in 0..3 {
        assert_eq!(world.said("customers", &payload), 0);
    }
    assert_eq!(world.record, before);

    let moved = json!({"id": 1, "email": "a@x.com", "name": "Ann", "city": "Rome", "language": "de", "news": true});
    assert_eq!(world.said("customers", &moved), 1, "only the record is new");
    assert_eq!(world.said("customers", &payload), 1, "and changes back");
    assert_eq!(world.said("changes", &json!({"id": 1, "city": "Bern"})), 1);
    assert_eq!(
        world.said("customers", &payload),
        1,
        "a change lies over it"
    );
}

#[test]
fn patches_of_other_fields_do_not_make_a_patch_new() {
    let mut world = World::new();
    let (name, city) = (
        json!({"id": 1, "name": "Ann"}),
        json!({"id": 1, "city": "Bern"}),
    );
    assert_eq!(
        world.said("changes", &name) + world.said("changes", &city),
        2
    );
    assert_eq!(
        world.said("changes", &name) + world.said("changes", &city),
        0
    );
    assert_eq!(world.said("changes", &json!({"id": 1, "name": "Bob"})), 1);
    assert_eq!(world.said("changes", &name), 1, "another word came between");
}

#[test]
fn a_list_that_repeats_a_subscription_gives_no_consent_back() {
    let mut world = World::new();
    let listed = json!({"id": 1, "email": "a@x.com", "status": "granted"});
    assert_eq!(world.said("listed", &listed), 2);
    assert_eq!(world.state(), Some(ConsentState::Granted));
    assert_eq!(world.consent("withdrawn"), 1);
    for _ in 0..2 {
        assert_eq!(world.said("listed", &listed), 0);
        assert_eq!(world.state(), Some(ConsentState::Withdrawn));
    }
    let renamed = json!({"id": 1, "email": "b@x.com", "status": "granted"});
    assert_eq!(
        world.said("listed", &renamed),
        1,
        "the record is new, the word is not"
    );
    assert_eq!(world.state(), Some(ConsentState::Withdrawn));
    assert_eq!(world.consent("granted"), 1);
    assert_eq!(world.state(), Some(ConsentState::Granted));
}

#[test]
fn a_list_can_take_consent_away_and_give_it_by_a_later_date() {
    let mut world = World::new();
    assert_eq!(world.consent("withdrawn"), 1);
    let first = json!({"id": 1, "status": "granted"});
    world.said("listed", &first);
    assert_eq!(
        world.state(),
        Some(ConsentState::Withdrawn),
        "first listed after it"
    );
    let since = |seconds: i64| json!({"id": 1, "status": "granted", "since": seconds});
    world.said("listed", &since(1_700_000_000));
    assert_eq!(
        world.state(),
        Some(ConsentState::Withdrawn),
        "said before it"
    );
    world.seconds += 100;
    world.said("listed", &since(1_800_000_050));
    assert_eq!(world.state(), Some(ConsentState::Granted), "said after it");
    world.seconds += 100;
    assert_eq!(
        world.said("listed", &json!({"id": 1, "status": "withdrawn"})),
        1
    );
    assert_eq!(world.state(), Some(ConsentState::Withdrawn));
    world.said("listed", &since(1_900_000_000));
    assert_eq!(
        world.state(),
        Some(ConsentState::Withdrawn),
        "a clock ahead tells nothing"
    );
}
