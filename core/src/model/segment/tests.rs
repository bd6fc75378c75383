use super::*;
use crate::records::{QuietHours, StatedPreference};

const MODEL: &str = "
traits: { tier: }
sources: { crm: }
segments:
  contactable: { when: preferences.do_not_contact != true }
  readers: { when: preferences.topics.news != false }
";

fn stated(said: Vec<(PreferenceKey, Preference)>) -> Preferences {
    let said = said.into_iter().map(|(key, value)| {
        let stated = StatedPreference {
            value,
            origins: Vec::new(),
        };
        (key, stated)
    });
    said.collect()
}

/// Whether a condition holds of who has said something, and has no traits.
fn holds(condition: &str, said: &Preferences) -> bool {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:?}"));
    let segment = model.candidate_segment(condition);
    let segment = segment.unwrap_or_else(|errors| panic!("{condition}: {errors:?}"));
    let subject = model.subject(|_| None, std::iter::empty(), said, std::iter::empty());
    segment.includes(&subject).expect("within its budget")
}

#[test]
fn what_is_not_known_is_null_whatever_it_is() {
    let nothing = Preferences::default();
    for name in [
        "traits.tier",
        "preferences.language",
        "preferences.do_not_contact",
        "preferences.preferred_channels",
        "preferences.quiet_hours",
        "preferences.frequency_caps",
        "preferences.topics.news",
        "preferences.topics.offers",
        "preferences.topics['offers']",
        "preferences.topics['weekly-news']",
    ] {
        for (condition, expected) in [
            (format!("{name} == null"), true),
            (format!("{name} != null"), false),
        ] {
            assert_eq!(holds(&condition, &nothing), expected, "{condition}");
        }
    }
    for (condition, expected) in [
        ("traits.tier == 'gold'", false),
        ("traits.tier != 'gold'", true),
        ("preferences.do_not_contact == true", false),
        ("preferences.do_not_contact != true", true),
        ("preferences.topics.news != false", true),
    ] {
        assert_eq!(holds(condition, &nothing), expected, "{condition}");
    }
}

#[test]
fn segments_of_the_model_see_null_for_topics_and_preferences_that_nobody_spoke_of() {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:?}"));
    let members = |said: &Preferences| {
        let subject = model.subject(|_| None, std::iter::empty(), said, std::iter::empty());
        model
            .segments_of(&subject)
            .members
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(members(&Preferences::default()), ["contactable", "readers"]);
    let no_news = PreferenceKey::Topic("news".to_owned());
    let said = stated(vec![
        (PreferenceKey::DoNotContact, Preference::Flag(true)),
        (no_news, Preference::Flag(false)),
    ]);
    assert!(members(&said).is_empty());
}

#[test]
fn what_is_said_is_seen_and_needs_are_not() {
    let night = QuietHours {
        days: QuietHours::EVERY_DAY,
        start: 1320,
        end: 420,
    };
    let said = stated(vec![
        (PreferenceKey::Language, Preference::Text("de".to_owned())),
        (
            PreferenceKey::QuietHours,
            Preference::QuietHours(vec![night]),
        ),
        (PreferenceKey::NoPhone, Preference::Flag(true)),
    ]);
    assert!(holds("preferences.language == 'de'", &said));
    assert!(holds("'22:00-07:00' in preferences.quiet_hours", &said));
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:?}"));
    let subject = model.subject(|_| None, std::iter::empty(), &said, std::iter::empty());
    assert!(!subject.0.to_string().contains("phone"));
}

/// What a condition names, in a line.
fn named(condition: &str) -> String {
    let found = mentions_of(condition).into_iter();
    let told = found.map(|Mention { subject, path }| {
        let path: Vec<String> = std::iter::once(subject.to_owned()).chain(path).collect();
        path.join("/")
    });
    told.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_a_condition_names_is_read_from_its_tree() {
    for (condition, names) in [
        ("traits.tier == 'computed.spent'", "traits/tier"),
        ("traits['first name'] != null", "traits/first name"),
        ("traits.?tier.orValue('') == 'gold'", "traits/tier"),
        ("traits[?'tier'].orValue('') == 'gold'", "traits/tier"),
        (
            "preferences.topics['news'] == true",
            "preferences/topics/news",
        ),
        (
            "has(traits.tier) && computed.spent > 1",
            "computed/spent traits/tier",
        ),
        // The variable of a loop is no subject, whatever its name.
        ("[1, 2].exists(traits, traits > 1)", ""),
        (
            "traits.tags.exists(tag, tag == traits.tier)",
            "traits/tags traits/tier",
        ),
        ("traits.list[0].tier == 'gold'", "traits/list"),
        (
            "traits[preferences.language] == 'x'",
            "preferences/language traits",
        ),
        ("{'traits': 1}.traits == 1", ""),
        (r#"traits.note == "it's traits.no""#, "traits/note"),
        (
            r"traits.note == r'\' && experience.rfm.recency > 1",
            "experience/rfm/recency traits/note",
        ),
        ("traits . tier == 'a' // computed.b", "traits/tier"),
    ] {
        assert_eq!(named(condition), names, "{condition}");
    }
}

#[test]
fn needs_are_refused_where_they_are_named_and_not_where_a_text_says_the_word() {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:?}"));
    let refused = |condition| model.candidate_segment(condition).is_err();
    assert!(refused("preferences.accessibility.large_print == true"));
    assert!(refused("preferences['accessibility'] != null"));
    assert!(!refused("traits.tier == 'accessibility'"));
}

#[test]
fn a_day_is_one_of_the_models_calendar() {
    let yaml = "time_zone: America/New_York\ntraits: { since: }\nsources: { crm: }";
    let model = Model::parse(yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
    let day = Value::from("2026-01-31");
    let subject = model.subject(
        |name| (name == "since").then_some(&day),
        std::iter::empty(),
        &Preferences::default(),
        std::iter::empty(),
    );
    for condition in [
        "time(traits.since) == timestamp('2026-01-31T05:00:00Z')",
        "traits.since >= timestamp('2026-01-31T05:00:00Z')",
    ] {
        let segment = model.candidate_segment(condition).expect(condition);
        assert_eq!(segment.includes(&subject), Ok(true), "{condition}");
    }
}
