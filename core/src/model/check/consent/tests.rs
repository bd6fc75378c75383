use std::collections::BTreeMap;

use super::*;
use crate::model::{Model, Notes};
use crate::records::RecordKey;

const MODEL: &str = "
identifiers: { email: { priority: 1, normalize: email } }
sources: { crm: }
purposes: { news: {} }
";
/// The time at which statements are received.
const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn at(day: i64) -> Value {
    Value::Time(Timestamp::from_micros(
        NOW.as_micros() + day * 86_400_000_000,
    ))
}

fn draft(fields: &[(&str, Value)]) -> Draft {
    let fields = fields.iter().cloned();
    Draft::Consent(DraftConsent {
        record: RecordKey::new("crm", "1"),
        purpose: "news".to_owned(),
        contact_point: None,
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        from_list: false,
        version: 0,
        source_time: None,
    })
}

/// A consent as it is kept, and its notes in short.
fn said(fields: &[(&str, Value)]) -> Result<(Consent, Vec<String>), Vec<Violation>> {
    let model = Model::parse(MODEL).expect("a model");
    let mut notes = Notes::default();
    let checked = model.check_and_note(draft(fields), NOW, &mut notes, crate::identity::unread)?;
    let Statement::Record(RecordStatement {
        change: Change::Consent(consent),
        ..
    }) = checked
    else {
        panic!("a consent")
    };
    let notes = notes.list.iter();
    let notes = notes.map(|note| format!("{}={}", note.field, note.reason.name()));
    Ok((*consent, notes.collect()))
}

#[test]
fn what_describes_a_word_does_not_take_it_with_it() {
    for status in ["withdrawn", "granted"] {
        let (consent, notes) = said(&[
            ("status", status.into()),
            ("language", "klingonisch".into()),
            ("jurisdiction", "Bavaria".into()),
            ("legal_basis", "because".into()),
            ("gpc", "maybe".into()),
            ("notice", Value::List(Vec::new())),
            ("proof", "form 7".into()),
            ("no_such", Value::Int(1)),
        ])
        .expect("the word is kept");
        assert_eq!(permits(consent.status), status == "granted");
        assert_eq!(consent.notes.proof, "form 7");
        assert_eq!((consent.notes.language.as_str(), consent.gpc), ("", None));
        let fields = [
            "no_such",
            "legal_basis",
            "gpc",
            "notice",
            "jurisdiction",
            "language",
        ];
        assert_eq!(
            notes,
            fields.map(|name| format!("consent.{name}=malformed"))
        );
    }
    let (consent, notes) =
        said(&[("status", "Withdrawn".into()), ("language", "en_US".into())]).expect("kept");
    assert_eq!(consent.notes.language, "en-US");
    assert_eq!((consent.status, notes.len()), (ConsentStatus::Withdrawn, 0));
}

#[test]
fn a_no_that_is_bounded_in_a_way_that_is_not_understood_is_not_bounded() {
    for (wrong, name) in [
        (vec![("expire_time", "soon".into())], "expire_time"),
        (vec![("expire_time", at(-1))], "expire_time"),
        (vec![("effective_time", "soon".into())], "effective_time"),
        (
            vec![("effective_time", at(-1)), ("expire_time", at(-2))],
            "expire_time",
        ),
    ] {
        for status in ["withdrawn", "denied"] {
            let fields = [wrong.as_slice(), &[("status", status.into())]].concat();
            let (consent, notes) = said(&fields).expect("the word is kept");
            assert_eq!(consent.expire_time, None, "{fields:?}");
            assert_eq!(notes, [format!("consent.{name}=strictest")]);
        }
        let fields = [wrong.as_slice(), &[("status", "granted".into())]].concat();
        let refused = said(&fields).expect_err("a grant that is not understood");
        assert_eq!(refused[0].field, format!("record_consent.consent.{name}"));
    }
}

/// Clocks that are fast, and local times of Tokyo that are read as UTC.
#[test]
fn a_no_that_is_dated_ahead_of_its_receipt_holds_at_once() {
    let hours = |hours: i64| Timestamp::from_micros(NOW.as_micros() + hours * 3_600_000_000);
    for status in ["withdrawn", "denied", "unsubscribed"] {
        for (ahead, effective, expected) in [
            (-1, hours(-1), 0),
            (0, NOW, 0),
            (1, NOW, 0),
            (9, NOW, 1),
            (24 * 30, NOW, 1),
        ] {
            let time = Value::Time(hours(ahead));
            let (consent, notes) =
                said(&[("status", status.into()), ("effective_time", time)]).expect("kept");
            assert_eq!(consent.effective_time, effective, "{status} {ahead}");
            let note = "consent.effective_time=strictest".to_owned();
            assert_eq!(notes, vec![note; expected], "{status} {ahead}");
        }
    }
    // A grant waits for its time, and so does a no of a call that can be mended.
    let granted = [("status", "granted".into()), ("effective_time", at(2))];
    let (consent, notes) = said(&granted).expect("kept");
    assert_eq!(
        (Value::Time(consent.effective_time), notes.len()),
        (at(2), 0)
    );
    let model = Model::parse(MODEL).expect("a model");
    let denied = [("status", "denied".into()), ("effective_time", at(2))];
    let Ok(Statement::Record(RecordStatement {
        change: Change::Consent(consent),
        ..
    })) = model.check_strictly(draft(&denied), NOW)
    else {
        panic!("a consent")
    };
    assert_eq!(Value::Time(consent.effective_time), at(2));
}

#[test]
fn a_status_that_is_none_is_refused_and_who_can_mend_the_call_gets_every_violation() {
    assert!(said(&[("status", "subscribed?".into())]).is_err());
    assert!(said(&[]).is_err());
    let model = Model::parse(MODEL).expect("a model");
    let strictly = |fields: &[(&str, Value)]| model.check_strictly(draft(fields), NOW);
    let (status, language) = (
        ("status", "withdrawn".into()),
        ("language", "german".into()),
    );
    let refused = strictly(&[status.clone(), language]).expect_err("a language that is none");
    let fields: BTreeMap<_, _> = refused
        .into_iter()
        .map(|v| (v.field, v.description))
        .collect();
    assert!(
        fields.contains_key("record_consent.consent.language"),
        "{fields:?}"
    );
    assert!(strictly(&[status]).is_ok());
}

/// The words of those who send newsletters and manage consent.
#[test]
fn a_status_is_understood_in_the_words_of_other_systems() {
    use ConsentStatus as S;
    for (word, status) in [
        ("GRANTED", S::Granted),
        (" granted ", S::Granted),
        ("SUBSCRIBED", S::Granted),
        ("Opted In", S::Granted),
        ("opt-in", S::Granted),
        ("accepted", S::Granted),
        ("not_confirmed", S::Pending),
        ("UNSUBSCRIBED", S::Withdrawn),
        ("opt_out", S::Withdrawn),
        ("Opt-Out", S::Withdrawn),
        ("opted out", S::Withdrawn),
        ("revoked", S::Withdrawn),
        ("withdraw", S::Withdrawn),
        ("declined", S::Denied),
        ("REJECTED", S::Denied),
        ("not given", S::Denied),
    ] {
        let (consent, notes) = said(&[("status", word.into())]).expect(word);
        assert_eq!((consent.status, notes.len()), (status, 0), "{word}");
    }
    // Words that say neither yes nor no, and values that are no words.
    for word in [
        "NEVER_SUBSCRIBED",
        "unknown",
        "cleaned",
        "maybe",
        "n/a",
        "",
        "unsubscribed?",
    ] {
        assert!(said(&[("status", word.into())]).is_err(), "{word}");
    }
    assert!(said(&[("status", Value::Bool(true))]).is_err());
    assert!(said(&[("status", Value::Int(1))]).is_err());
}
