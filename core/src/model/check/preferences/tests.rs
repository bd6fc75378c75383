mod forbidden;

use serde_json::{Value as Json, json};

use super::*;
use crate::model::Notes;
use crate::records::{FrequencyCap, QuietHours, RecordKey};

const MODEL: &str = "
sources: { crm: }
channels: { email: {}, sms: {}, voice_call: {} }
";

fn model() -> Model {
    Model::parse(MODEL).expect("a model")
}

/// A value as a mapping makes it.
fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Decimal(number.to_string().parse().expect("a number")),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(values) => Value::List(values.iter().filter_map(value).collect()),
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(name, json)| Some((name, value(json)?)));
            Value::Map(fields.map(|(name, value)| (name.clone(), value)).collect())
        }
    })
}

fn draft(said: &Json) -> Draft {
    let fields = said.as_object().expect("an object").iter();
    Draft::Preferences(DraftPreferences {
        record: RecordKey::new("crm", "1"),
        preferences: fields
            .map(|(name, json)| (name.clone(), value(json)))
            .collect(),
        version: 0,
        source_time: None,
    })
}

type Kept = BTreeMap<String, Option<Preference>>;

/// The preferences that are kept of a statement, and its notes in short.
fn said(said: &Json) -> Result<(Kept, Vec<String>), Vec<Violation>> {
    let mut notes = Notes::default();
    let checked = model().check_and_note(
        draft(said),
        Timestamp::default(),
        &mut notes,
        crate::identity::unread,
    )?;
    let Statement::Record(RecordStatement {
        change: Change::Prefer(kept),
        ..
    }) = checked
    else {
        panic!("preferences")
    };
    let kept = kept
        .into_iter()
        .map(|(key, value)| (key.to_string(), value));
    let notes = notes
        .list
        .iter()
        .map(|note| format!("{}={}", note.field, note.reason.name()));
    Ok((kept.collect(), notes.collect()))
}

/// One preference as it is read beside another that is understood, and its note.
fn one(name: &str, value: &Json) -> (Option<Preference>, String) {
    let (mut kept, notes) = said(&json!({ name: value, "preferred_name": "Ann" })).expect("kept");
    assert!(kept.contains_key("preferred_name"), "{name}");
    (kept.remove(name).flatten(), notes.join(" "))
}

fn text(text: &str) -> Preference {
    Preference::Text(text.to_owned())
}

fn hours(days: u8, start: u16, end: u16) -> Preference {
    Preference::QuietHours(vec![QuietHours { days, start, end }])
}

fn cap(channel: Option<&str>, max_count: usize, window_days: i64) -> Preference {
    Preference::FrequencyCaps(vec![FrequencyCap {
        channel: channel.map(str::to_owned),
        max_count,
        window_seconds: window_days * 86_400,
    }])
}

fn channels(names: &[&str]) -> Preference {
    Preference::Channels(names.iter().map(|name| (*name).to_owned()).collect())
}

const ALL: u8 = QuietHours::EVERY_DAY;

#[test]
fn a_preference_that_is_not_understood_does_not_take_the_others_with_it() {
    let all = json!({
        "language": "klingonisch", "time_zone": "Europe/Atlantis", "do_not_contact": true,
        "forbidden_channels": ["email", "fax"], "no_such": 1, "topics.news": false,
        "accessibility.large_print": "A3", "accessibility.no_phone": true,
        "accessibility.representative": {"relationship": "daughter"},
    });
    let (kept, notes) = said(&all).expect("kept");
    let expected = [
        ("accessibility.no_phone", Preference::Flag(true)),
        ("do_not_contact", Preference::Flag(true)),
        (
            "forbidden_channels",
            Preference::Channels(vec!["email".to_owned()]),
        ),
        ("topics.news", Preference::Flag(false)),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), Some(value)));
    assert!(kept == Kept::from(expected), "{:?}", kept.keys());
    assert_eq!(
        notes,
        [
            "accessibility.large_print=malformed",
            "accessibility.representative=malformed",
            "preferences.forbidden_channels=malformed",
            "preferences.language=malformed",
            "preferences.no_such=malformed",
            "preferences.time_zone=malformed",
        ]
    );
}

#[test]
fn a_statement_of_which_nothing_is_understood_is_refused() {
    let refused = said(&json!({"language": "klingonisch"})).expect_err("nothing is kept");
    assert_eq!(refused[0].field, "state_preferences.preferences.language");
    let cleared = said(&json!({"language": "klingonisch", "time_zone": null}));
    assert_eq!(
        cleared.expect("a word is cleared").1,
        ["preferences.language=malformed"]
    );
}

#[test]
fn who_can_mend_the_call_gets_violations_and_not_notes() {
    for (wrong, field) in [
        (
            json!({"do_not_contact": true, "language": "klingonisch"}),
            "preferences.language",
        ),
        (
            json!({"do_not_contact": "maybe"}),
            "preferences.do_not_contact",
        ),
        (
            json!({"quiet_hours": ["22:00-late"]}),
            "preferences.quiet_hours",
        ),
    ] {
        let refused = model().check_strictly(draft(&wrong), Timestamp::default());
        let fields: Vec<String> = refused
            .expect_err(field)
            .into_iter()
            .map(|v| v.field)
            .collect();
        assert_eq!(fields, [format!("state_preferences.{field}")]);
    }
    let right = json!({"language": "en_US", "quiet_hours": "9pm-24:00", "do_not_contact": "yes"});
    assert!(
        model()
            .check_strictly(draft(&right), Timestamp::default())
            .is_ok()
    );
}

#[test]
fn common_spellings_are_understood_without_a_note() {
    for (name, value, read) in [
        ("language", json!("en_US"), text("en-US")),
        ("language", json!("iw_IL"), text("he-IL")),
        ("accessibility.sign_language", json!("sgn-US"), text("ase")),
        (
            "time_zone",
            json!("Pacific Time (US & Canada)"),
            text("America/Los_Angeles"),
        ),
        (
            "time_zone",
            json!("W. Europe Standard Time"),
            text("Europe/Berlin"),
        ),
        ("quiet_hours", json!("22:00-07:00"), hours(ALL, 1320, 420)),
        ("quiet_hours", json!("9pm – 7:30 AM"), hours(ALL, 1260, 450)),
        ("quiet_hours", json!("21h to 24:00"), hours(ALL, 1260, 0)),
        (
            "quiet_hours",
            json!({"start_time": "21:00:00", "end_time": "07:00:00"}),
            hours(ALL, 1260, 420),
        ),
        (
            "quiet_hours",
            json!({"start_time": "24:00", "end_time": "6:00", "days": [7]}),
            hours(1, 0, 360),
        ),
        (
            "quiet_hours",
            json!({"start_time": "8pm", "end_time": "21.00", "days": "Sat,Sunday"}),
            hours(0b110_0000, 1200, 1260),
        ),
        (
            "forbidden_channels",
            json!("E-Mail; SMS"),
            channels(&["email", "sms"]),
        ),
        (
            "forbidden_channels",
            json!("Voice call"),
            channels(&["voice_call"]),
        ),
        (
            "frequency_caps",
            json!({"max_count": "3", "window": "week"}),
            cap(None, 3, 7),
        ),
        (
            "frequency_caps",
            json!([{"max_count": 2, "window": 86400, "channel": "Email"}]),
            cap(Some("email"), 2, 1),
        ),
    ] {
        let (found, notes) = one(name, &value);
        assert!(found == Some(read), "{name} {value}");
        assert_eq!(notes, "", "{name} {value}");
    }
    let every = one("forbidden_channels", &json!("all"));
    let Some(Preference::Channels(every)) = every.0 else {
        panic!("channels")
    };
    assert_eq!(every, ["email", "sms", "voice_call"]);
}

#[test]
fn a_yes_is_read_however_it_is_written() {
    for yes in [
        json!("yes"),
        json!("J"),
        json!(1),
        json!("true"),
        json!("X"),
        json!("-1"),
        json!("ja"),
        json!(" TRUE "),
    ] {
        let (found, notes) = one("do_not_contact", &yes);
        assert!(found == Some(Preference::Flag(true)), "{yes}");
        assert_eq!(notes, "", "{yes}");
    }
    for no in [
        json!("no"),
        json!("N"),
        json!(0),
        json!("nein"),
        json!("False"),
    ] {
        let (found, notes) = one("do_not_contact", &no);
        assert!(found == Some(Preference::Flag(false)), "{no}");
        assert_eq!(notes, "", "{no}");
    }
}

/// Caps that are not understood, and what counts.
fn caps() -> Vec<(&'static str, Json, Preference)> {
    vec![
        ("frequency_caps", json!("seldom"), cap(None, 1, 366)),
        (
            "frequency_caps",
            json!({"max_count": "few", "window": "7d"}),
            cap(None, 1, 7),
        ),
        (
            "frequency_caps",
            json!({"max_count": 3, "window": "moon"}),
            cap(None, 3, 366),
        ),
        (
            "frequency_caps",
            json!({"max_count": 0, "window": "7d"}),
            cap(None, 0, 7),
        ),
        (
            "frequency_caps",
            json!({"max_count": 99, "window": "7d"}),
            cap(None, 50, 7),
        ),
        (
            "frequency_caps",
            json!({"max_count": 3, "window": "7d", "channel": "fax"}),
            cap(None, 3, 7),
        ),
    ]
}

#[test]
fn a_limit_that_is_not_understood_counts_as_the_strictest_that_it_may_mean() {
    let yes = || Preference::Flag(true);
    for (name, value, read) in [
        ("do_not_contact", json!("maybe"), yes()),
        ("do_not_contact", json!(2), yes()),
        ("do_not_contact", json!(["2026-01-01"]), yes()),
        ("processing_restricted", json!("since May"), yes()),
        ("accessibility.no_phone", json!("after 5"), yes()),
        ("topics.news", json!("sometimes"), Preference::Flag(false)),
        (
            "forbidden_channels",
            json!({"email": true}),
            channels(&["email", "sms", "voice_call"]),
        ),
        ("quiet_hours", json!("22:00-late"), hours(ALL, 0, 0)),
        ("quiet_hours", json!("late-07:00"), hours(ALL, 0, 0)),
        ("quiet_hours", json!("nights"), hours(ALL, 0, 0)),
        (
            "quiet_hours",
            json!({"start_time": "22:00"}),
            hours(ALL, 0, 0),
        ),
        (
            "quiet_hours",
            json!({"start_time": "22:00", "end_time": "7", "days": [7]}),
            hours(0b100_0001, 0, 0),
        ),
        (
            "quiet_hours",
            json!({"start_time": "22:00", "end_time": "07:00", "days": [8]}),
            hours(ALL, 1320, 420),
        ),
    ]
    .into_iter()
    .chain(caps())
    {
        let (found, notes) = one(name, &value);
        assert!(found == Some(read), "{name} {value}");
        let section = if name.starts_with("accessibility") {
            ""
        } else {
            "preferences."
        };
        assert_eq!(notes, format!("{section}{name}=strictest"), "{value}");
    }
    let many: Vec<String> = (0..21)
        .map(|hour| format!("{hour:02}:00-{hour:02}:30"))
        .collect();
    assert!(one("quiet_hours", &json!(many)).0 == Some(hours(ALL, 0, 0)));
}

#[test]
fn a_word_for_nothing_says_nothing_and_that_is_noted() {
    for name in [
        "do_not_contact",
        "topics.news",
        "quiet_hours",
        "frequency_caps",
        "forbidden_channels",
    ] {
        for nothing in ["", " ", "n/a", "NULL", "unknown", "-"] {
            let (found, notes) = one(name, &json!(nothing));
            assert!(found.is_none(), "{name} {nothing:?}");
            assert_eq!(
                notes,
                format!("preferences.{name}=placeholder"),
                "{nothing:?}"
            );
        }
    }
}

#[test]
fn notes_never_quote_the_value() {
    let secret = "0151-2123";
    for name in [
        "language",
        "time_zone",
        "do_not_contact",
        "quiet_hours",
        "frequency_caps",
        "forbidden_channels",
        "preferred_channels",
    ] {
        let mut notes = Notes::default();
        let draft = draft(&json!({name: secret, "preferred_name": "Ann"}));
        let checked = model().check_and_note(
            draft,
            Timestamp::default(),
            &mut notes,
            crate::identity::unread,
        );
        assert!(checked.is_ok(), "{name}");
        assert_eq!(notes.list.len(), 1, "{name}");
        assert!(
            !notes.list[0].to_string().contains(secret),
            "{:?}",
            notes.list
        );
    }
}
