//! Limits of the company outlive mistakes in the rest of their payload.

use super::*;

const MODEL: &str = "
identifiers: { email: { priority: 1, normalize: email } }
traits: { spent: {}, born: {}, heavy: {} }
channels: { email: {}, sms: {} }
purposes: { news: {}, ads: {} }
events: { note_written: {} }
sources:
  crm:
    records:
      people:
        when: bool(live)
        key: id
        version: version
        time: at
        delete_when: gone
        identifiers: { email: [email] }
        traits: { spent: decimal(spent), born: time(born), heavy: 'list.map(x, list.map(y, list.map(z, z)))' }
        preferences:
          do_not_contact: stop
          forbidden_channels: never
          quiet_hours: quiet
          frequency_caps: caps
          language: language
          processing_restricted: bool(frozen)
          topics.sport: sport
        consents:
          - { purpose: news, status: news, contact_point: { email: email } }
          - { purpose: ads, status: \"ads ? 'granted' : 'withdrawn'\", language: string(spoken) }
          - { purpose: ads, when: bool(leaves), status: \"'withdrawn'\" }
          - { purpose: ads, when: bool(replies), status: word }
    events:
      people: { type: order_placed, id: order, time: ordered, record: id, when: 'has(payload.order)' }
";

/// The statements of a payload in short, then each field that is wrong.
fn kept(payload: &Json) -> String {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let made = model.map_in_part("crm", "people", payload);
    let drafts = made.mapped.drafts.iter().map(|made| short(&made.draft));
    let wrong = made.violations.iter().map(|wrong| {
        let field = wrong.field.split_once(".people.").expect("of the kind").1;
        format!("! {field}")
    });
    drafts.chain(wrong).collect::<Vec<_>>().join("; ")
}

fn short(draft: &Draft) -> String {
    let order = |version: i64, time: Option<Timestamp>| match (version, time) {
        (0, None) => String::new(),
        (version, time) => format!("@{version}{}", if time.is_some() { "t" } else { "" }),
    };
    match draft {
        Draft::Preferences(said) => {
            let names: Vec<&str> = said.preferences.keys().map(String::as_str).collect();
            let order = order(said.version, said.source_time);
            format!("{}{order}", names.join("+"))
        }
        Draft::Consent(said) => {
            let point = said.contact_point.as_ref().map_or("all", |it| &it.value);
            let order = order(said.version, said.source_time);
            format!("{} {} {point}{order}", said.purpose, said.fields["status"])
        }
        Draft::Upsert(_) => "record".to_owned(),
        Draft::Delete(_) => "deleted".to_owned(),
        Draft::Event(_) => "event".to_owned(),
        other => format!("{other:?}"),
    }
}

fn check(cases: &[(Json, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(said, expected)| {
            let mut payload = json!({"id": 1, "live": true, "leaves": false, "replies": false});
            let fields = payload.as_object_mut().expect("an object");
            fields.extend(said.as_object().expect("an object").clone());
            fields.retain(|_, value| *value != json!("absent"));
            (said, kept(&payload), expected)
        })
        .filter(|(_, found, expected)| found != *expected)
        .map(|(said, found, expected)| format!("{said}:\n  {found}\nnot\n  {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_payload_that_fits_makes_all_its_statements() {
    check(&[
        (
            json!({"spent": "1.50", "stop": true}),
            "record; do_not_contact",
        ),
        (
            json!({"language": "de", "stop": false, "ads": true, "order": 7, "ordered": 1_769_846_400}),
            "record; do_not_contact+language; ads granted all; event",
        ),
        (json!({"live": false, "stop": true}), ""),
    ]);
}

#[test]
fn a_limit_is_kept_whatever_else_is_wrong() {
    check(&[
        (
            json!({"spent": "a lot", "stop": true}),
            "do_not_contact; ! traits.spent",
        ),
        (
            json!({"born": "soon", "stop": "yes"}),
            "do_not_contact; ! traits.born",
        ),
        (
            json!({"email": [["a"]], "stop": 1}),
            "do_not_contact; ! identifiers.email",
        ),
        // A word that is not understood counts as the strictest, as it does alone.
        (
            json!({"spent": "?", "stop": "maybe"}),
            "do_not_contact; ! traits.spent",
        ),
        (
            json!({"spent": "?", "never": ["sms"], "quiet": "22:00-07:00", "caps": "2 per week", "language": "de"}),
            "forbidden_channels+frequency_caps+quiet_hours; ! traits.spent",
        ),
        (
            json!({"spent": "?", "sport": false}),
            "topics.sport; ! traits.spent",
        ),
        // A permission waits until the payload is mended.
        (
            json!({"spent": "?", "sport": true, "stop": false, "news": "granted"}),
            "! traits.spent",
        ),
        (json!({"spent": "?", "stop": null}), "! traits.spent"),
        (
            json!({"spent": "?", "email": "a@x.com", "news": "unsubscribed"}),
            "news unsubscribed a@x.com; ! traits.spent",
        ),
        (
            json!({"spent": "?", "ads": false}),
            "ads withdrawn all; ! traits.spent",
        ),
        // One limit does not take the other with it.
        (
            json!({"frozen": [1], "stop": true, "ads": false}),
            "do_not_contact; ads withdrawn all; ! preferences.processing_restricted",
        ),
        (
            json!({"ads": "odd", "stop": true, "news": "denied"}),
            "do_not_contact; news denied all; ! consents[1].status",
        ),
        (
            json!({"ads": false, "spoken": {"a": 1}}),
            "ads withdrawn all; ! consents[1].language",
        ),
        // A refusal for a contact point that cannot be read is for all.
        (
            json!({"email": {"a": 1}, "news": "denied"}),
            "news denied all; ! consents[0].contact_point.email; ! identifiers.email",
        ),
    ]);
}

#[test]
fn a_limit_is_kept_whatever_is_wrong_with_its_order_or_its_key() {
    let old = "2026-01-31T08:00:00Z";
    check(&[
        // Without an order of its own it counts from its receipt.
        (
            json!({"at": "yesterday", "stop": true}),
            "do_not_contact; ! time",
        ),
        (
            json!({"at": "yesterday", "version": 4, "stop": true}),
            "do_not_contact@4; ! time",
        ),
        (
            json!({"at": old, "version": "x", "stop": true}),
            "do_not_contact; ! version",
        ),
        (
            json!({"at": old, "version": 4, "stop": true, "spent": "?"}),
            "do_not_contact@4t; ! traits.spent",
        ),
        // An event that is wrong.
        (
            json!({"order": 7, "ordered": "soon", "ads": false}),
            "ads withdrawn all; ! time",
        ),
        // A limit needs a key.
        (json!({"id": "absent", "stop": true}), "! key"),
        (json!({"id": "#REF!", "stop": true}), "! key"),
    ]);
}

#[test]
fn what_costs_too_much_leaves_the_limits_their_share() {
    let list: Vec<usize> = (0..400).collect();
    let found = kept(
        &json!({"id": 1, "live": true, "leaves": 0, "replies": 0, "list": list, "stop": true}),
    );
    assert!(
        found.starts_with("do_not_contact; ! traits.heavy"),
        "{found}"
    );
}

#[test]
fn a_condition_that_cannot_be_told_keeps_what_the_payload_itself_says() {
    check(&[
        (
            json!({"live": "absent", "stop": true, "ads": false}),
            "do_not_contact; ads withdrawn all; ! when",
        ),
        (
            json!({"live": "perhaps", "stop": true}),
            "do_not_contact; ! when",
        ),
        // A constant of the mapping is nobody's word.
        (json!({"leaves": "absent"}), "! consents[2].when"),
        (json!({"live": "absent", "leaves": true}), "! when"),
        (
            json!({"replies": "?", "word": "unsubscribed"}),
            "ads unsubscribed all; ! consents[3].when",
        ),
        (
            json!({"replies": "?", "word": "granted"}),
            "! consents[3].when",
        ),
        (
            json!({"replies": "?", "leaves": true}),
            "ads withdrawn all; ! consents[3].when",
        ),
    ]);
}

#[test]
fn a_deleted_customer_keeps_what_they_refused() {
    check(&[
        (json!({"gone": true}), "deleted"),
        (
            json!({"gone": true, "stop": true}),
            "deleted; do_not_contact",
        ),
        (
            json!({"gone": true, "version": 3, "stop": "yes"}),
            "deleted; do_not_contact@3",
        ),
        (
            json!({"gone": "yes", "ads": false, "news": "granted", "email": "a@x.com", "language": "de"}),
            "deleted; ads withdrawn all",
        ),
        // The rest of a deleted record keeps it from nothing.
        (
            json!({"gone": true, "ads": "odd", "stop": true}),
            "deleted; do_not_contact",
        ),
        (
            json!({"gone": true, "at": "soon", "stop": true}),
            "do_not_contact; ! time",
        ),
        (
            json!({"gone": "perhaps", "stop": true}),
            "do_not_contact; ! delete_when",
        ),
    ]);
}

#[test]
fn what_is_wrong_beside_a_deletion_is_noted() {
    let model = Model::parse(MODEL).expect("a model");
    let payload =
        json!({"id": 1, "live": 1, "leaves": 0, "replies": 0, "gone": true, "ads": "odd"});
    let made = model.map_in_part("crm", "people", &payload);
    let notes = &made.mapped.drafts[0].notes.list;
    let fields: Vec<&str> = notes.iter().map(|note| note.field.as_str()).collect();
    assert_eq!(fields, ["consents[1].status"]);
    let omitted = made.mapped.omissions.iter().map(|it| it.field.as_str());
    assert_eq!(omitted.collect::<Vec<_>>(), ["events.people.when"]);
}

#[test]
fn a_mended_payload_says_the_limit_a_second_time() {
    let model = Model::parse(MODEL).expect("a model");
    let mut broken = json!({"id": 1, "live": 1, "leaves": 0, "replies": 0, "ads": false});
    let whole = model.map("crm", "people", &broken).expect("fits");
    broken["spent"] = json!("?");
    let part = model.map_in_part("crm", "people", &broken);
    let drafts: Vec<Draft> = part
        .mapped
        .drafts
        .into_iter()
        .map(|made| made.draft)
        .collect();
    assert!(
        drafts.iter().all(|draft| whole.contains(draft)),
        "{drafts:?}"
    );
    assert_eq!((drafts.len(), whole.len()), (1, 2));
}
