//! Channels that are not to be used, in the words of forms and exports.

use super::*;

#[test]
fn each_channel_that_a_text_names_is_forbidden() {
    let every = || channels(&["email", "sms", "voice_call"]);
    for (value, read, note) in [
        (json!("sms/email"), channels(&["sms", "email"]), "strictest"),
        (
            json!("sms & email"),
            channels(&["sms", "email"]),
            "strictest",
        ),
        (
            json!("SMS and E-Mail"),
            channels(&["sms", "email"]),
            "strictest",
        ),
        (json!("no sms please"), channels(&["sms"]), "strictest"),
        (
            json!("sms\nvoice call"),
            channels(&["sms", "voice_call"]),
            "strictest",
        ),
        (
            json!(["sms", "sms + email"]),
            channels(&["sms", "email"]),
            "strictest",
        ),
        (json!("all channels"), every(), "strictest"),
        (json!("not by any channel"), every(), "strictest"),
        (json!("ALL"), every(), ""),
        (json!(["*"]), every(), ""),
        (
            json!("[\"sms\",\"email\"]"),
            channels(&["sms", "email"]),
            "",
        ),
        (json!(true), every(), "strictest"),
        (json!({"sms": true}), every(), "strictest"),
        (json!("sms,sms;SMS"), channels(&["sms"]), ""),
    ] {
        let (found, notes) = one("forbidden_channels", &value);
        assert!(found == Some(read), "{value}: {notes}");
        let expected = match note {
            "" => String::new(),
            note => format!("preferences.forbidden_channels={note}"),
        };
        assert_eq!(notes, expected, "{value}");
    }
    for none in [json!("fax"), json!("carrier pigeon"), json!("smsx")] {
        let (found, notes) = one("forbidden_channels", &none);
        assert!(found.is_none(), "{none}");
        assert_eq!(notes, "preferences.forbidden_channels=malformed", "{none}");
    }
}

/// A database writes a boolean as a decimal number, a newsletter by its own words.
#[test]
fn yes_and_no_are_read_as_other_systems_write_them() {
    for (name, number, flag) in [
        ("do_not_contact", "1.00", true),
        ("do_not_contact", "0.00", false),
        ("topics.news", "1.0", true),
        ("topics.news", "0.0", false),
        ("accessibility.no_phone", "-1.0", true),
    ] {
        let value = serde_json::from_str(number).expect("a number");
        let (found, notes) = one(name, &value);
        assert!(found == Some(Preference::Flag(flag)), "{name} {number}");
        assert_eq!(notes, "", "{name} {number}");
    }
    for (word, flag) in [
        ("SUBSCRIBED", true),
        ("opted in", true),
        ("unsubscribed", false),
        ("opt-out", false),
        ("pending", false),
    ] {
        let (found, notes) = one("topics.news", &json!(word));
        assert!(found == Some(Preference::Flag(flag)), "{word}");
        assert_eq!(notes, "", "{word}");
    }
    let half = serde_json::from_str("0.5").expect("a number");
    assert!(one("do_not_contact", &half).0 == Some(Preference::Flag(true)));
}
