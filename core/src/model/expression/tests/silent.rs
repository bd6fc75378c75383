//! Conditions whose "no" would be wrong: each is an error that says why.

use serde_json::{Value as Json, json};

use super::shown;

/// The expressions that give something else than what begins so.
fn holds(payload: &Json, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(source, expected)| (source, shown(source, payload), expected))
        .filter(|(_, found, expected)| !found.starts_with(*expected))
        .map(|(source, found, expected)| format!("{source}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kinds_that_differ_are_not_silently_unequal() {
    let text = r#"{"flag": true, "yes": "Yes", "n": 1, "text": "1", "map": {"1": "one"}, "list": [1, 2],
        "long": 123456789012345678901234567890, "none": null}"#;
    let payload: Json = serde_json::from_str(text).expect("parses");
    let unfit = |one: &str, other: &str| format!("! `==` does not take {one} and {other}");
    let (texts, flags) = (unfit("boolean", "text"), unfit("boolean", "number"));
    holds(
        &payload,
        &[
            ("flag == yes", &texts),
            ("flag == 'yes'", &texts),
            ("flag == 'TRUE'", &texts),
            ("flag == 'no'", &texts),
            ("flag == 'Ann'", "false"),
            ("flag == 1", &flags),
            ("flag == 0", &flags),
            ("flag == 1.0", &flags),
            ("flag == 2", "false"),
            ("flag in [1]", "! `in` does not take boolean and number"),
            (
                "flag in ['Y', 'N']",
                "! `in` does not take boolean and text",
            ),
            ("flag in ['a', 'b']", "false"),
            (
                "time('2026-01-31') == 1769846400",
                "! `==` does not take time and number",
            ),
            (
                "duration('36h') == '36h'",
                "! `==` does not take duration and text",
            ),
            (
                "duration('36h') == 36",
                "! `==` does not take duration and number",
            ),
            // Within lists and maps.
            ("list == ['1', '2']", "! `==` does not take list and list"),
            ("list == [1, 3]", "false"),
            ("list == ['a', 'b']", "false"),
            ("[list] == [['1', 2]]", "! `==` does not take list and list"),
            (
                "{'a': n} == {'a': text}",
                "! `==` does not take map and map",
            ),
            ("{'a': n} == {'b': text}", "false"),
            ("['1'] in [list]", "! `in` does not take list and list"),
            // A number that lost digits is equal to none, nor unlike one.
            (
                "long == long",
                "! `==` does not take number with more digits",
            ),
            ("long == 5", "! `==` does not take number with more digits"),
            ("long != 5", "! `!=` does not take number with more digits"),
            (
                "long in [5]",
                "! `in` does not take number with more digits",
            ),
            (
                "long == '123456789012345678901234567890'",
                "! `==` does not take",
            ),
            ("long == 'abc'", "false"),
            ("long != null", "true"),
            ("none == long", "false"),
        ],
    );
}

#[test]
fn keys_of_another_kind_and_places_before_the_first_are_errors() {
    let payload = json!({"map": {"1": "one", "true": "yes"}, "list": ["a", "b"], "empty": []});
    let texts = "! the keys of a map are texts";
    holds(
        &payload,
        &[
            ("map['1']", "one"),
            ("map[1]", texts),
            ("map[1] == 'one'", texts),
            ("map[1.0] == 'one'", texts),
            ("map[true] == 'yes'", texts),
            ("map[2]", "-"),
            ("map[2] == 'two'", "false"),
            ("1 in map", "! `in` does not take number and map"),
            ("'1' in map", "true"),
            ("2 in map", "false"),
            ("{1: 'a'}[1]", "a"),
            (
                "list[-1] == 'b'",
                "! a list has no element before its first",
            ),
            ("list[size(list) - 1]", "b"),
            ("empty[size(empty) - 1] == 'b'", "false"),
            ("list[2] == 'c'", "false"),
        ],
    );
}

/// The function is known, so its name is no mistake; the form is.
#[test]
fn a_function_in_a_form_that_it_does_not_have_is_an_error() {
    let payload =
        json!({"name": "Ann", "total": "12.50", "tags": ["a"], "at": "2026-01-31T08:00:00Z"});
    for source in [
        "name.upper() == 'ANN'",
        "total.decimal() > 1",
        "name.lower()",
        "upper(name, 'x')",
        "contains(name, 'n')",
        "startsWith(name, 'A')",
        "tags.contains('a')",
        "tags.join_nonempty(',')",
        "round(1, 2, 3)",
        "tags.exists(tag)",
        "!(name.upper() == 'X')",
        "name.replace('a')",
        "size(name, tags)",
        "decimal()",
    ] {
        let found = match super::Expression::compile(source) {
            Ok(_) => shown(source, &payload),
            Err(mistakes) => format!("! {}", mistakes.join("; ")),
        };
        assert!(found.starts_with("! "), "{source}: {found}");
    }
    assert_eq!(shown("[1, 2.5].sum()", &payload), "3.5");
    assert_eq!(shown("missing.sum()", &payload), "-");
}

/// JSON has no times: two texts that are times may be of different zones.
#[test]
fn two_texts_that_are_times_are_compared_as_times() {
    let payload = json!({"at": "2026-01-31T08:00:00Z", "same": "2026-01-31T09:00:00+01:00",
        "later": "2026-01-31T08:00:00.5Z", "day": "2026-01-31", "code": "2026-31-A", "word": "soon"});
    holds(
        &payload,
        &[
            ("at == same", "true"),
            ("at != same", "false"),
            ("at < same", "false"),
            ("at >= same", "true"),
            ("same in [at]", "true"),
            ("at < later", "true"),
            ("at < '2026-01-31T08:30:00+01:00'", "false"),
            ("at >= day", "true"),
            ("day >= '2026-01-31'", "true"),
            ("code == '2026-31-A'", "true"),
            ("code > '2026-30-A'", "true"),
            ("word > at", "true"),
            ("'10' < '9'", "true"),
        ],
    );
}

/// CEL knows its types by name: a field that is not there would be the type.
#[test]
fn a_field_with_the_name_of_a_type_is_a_field() {
    holds(
        &json!({}),
        &[
            ("type == null", "true"),
            ("type != 'vip'", "true"),
            ("type == 'vip' || 1 > 0", "true"),
            ("duration == null", "true"),
            ("duration > 5", "-"),
            ("list.map(x, x)", "-"),
            ("map.a == 1", "false"),
            ("timestamp != null", "false"),
            ("[type, bytes, 'x']", "x"),
            ("int + 1", "-"),
            ("dyn.a.b == null", "true"),
            ("type(missing) == null_type", "true"),
        ],
    );
    holds(
        &json!({"type": "vip", "duration": 7, "list": [1, 2]}),
        &[
            ("type == 'vip' && duration > 5", "true"),
            ("sum(list) + duration", "10"),
            ("list.map(type, type + 1)", "2, 3"),
            ("list.exists(map, map == duration - 5)", "true"),
            ("type(duration) == int", "true"),
            ("int(duration) + 1", "8"),
            ("duration('1h') > duration('1m')", "true"),
        ],
    );
}
