//! Expressions: what they answer, and what they may cost.

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod generated;
mod kinds;
mod silent;

fn evaluate(source: &str, payload: &Json) -> Result<Outcome, Fault> {
    let expression = Expression::compile(source).expect(source);
    expression.evaluate(&Payload::new(payload))
}

/// The result as a person reads it; `-` for none.
pub(super) fn shown(source: &str, payload: &Json) -> String {
    match evaluate(source, payload) {
        Ok(outcome) => outcome
            .value()
            .map_or("-".to_owned(), |value| value.to_string()),
        Err(fault) => format!("! {fault}"),
    }
}

#[test]
fn paths_and_their_conversions_need_no_cel() {
    let is_program = |source| {
        matches!(
            Expression::compile(source).expect(source).plan,
            Plan::Program(_)
        )
    };
    for plain in [
        "email",
        "customer.id",
        "payload",
        "payload['First name']",
        "a[0].b",
        "decimal( total )",
        "lower(a.b)",
    ] {
        assert!(!is_program(plain), "{plain}");
    }
    for program in [
        "a + b",
        "'text'",
        "true",
        "1",
        "decimal(a + b)",
        "size(a)",
        "a.size()",
    ] {
        assert!(is_program(program), "{program}");
    }
}

#[test]
fn fields_are_variables_and_the_payload_is_one_too() {
    let payload =
        json!({"first": "Ann", "customer": {"id": 7, "tags": ["a", "b"]}, "First name": "Bea"});
    for (source, expected) in [
        ("first", "Ann"),
        ("customer.id", "7"),
        ("payload.customer.tags[1]", "b"),
        ("payload['First name']", "Bea"),
        ("customer", "id: 7, tags: a, b"),
        ("first + '-' + string(customer.id)", "Ann-7"),
        ("customer.tags.exists(tag, tag == 'b')", "true"),
        ("customer.tags.map(tag, upper(tag))", "A, B"),
        ("payload.first == first ? 'same' : 'other'", "same"),
        ("has(payload.last)", "false"),
        ("join_nonempty(' ', [first, middle, 'Lee'])", "Ann Lee"),
        ("'a;b'.split(';')", "a, b"),
    ] {
        assert_eq!(shown(source, &payload), expected, "{source}");
    }
}

#[test]
fn what_is_computed_from_nothing_is_nothing() {
    let payload =
        json!({"null": null, "blank": " ", "empty": [], "map": {}, "text": "x", "none": null});
    for source in [
        "missing",
        "blank",
        "empty",
        "map.deeper",
        "empty[0]",
        "missing + 'x'",
        "lower(missing)",
        "lower(missing) + 'x'",
        "lower(none)",
        "map.deeper + 'x'",
        "empty[0] + 'x'",
        "missing.split(';')",
        "int(blank)",
        "1 + int(blank)",
        "join_nonempty(' ', [missing, none])",
        "none",
        "decimal(none)",
        "missing > 3",
    ] {
        assert_eq!(shown(source, &payload), "-", "{source}");
    }
    assert_eq!(evaluate("none", &payload), Ok(Outcome::Null));
    assert_eq!(evaluate("missing", &payload), Ok(Outcome::Missing));
}

#[test]
fn numbers_are_exact() {
    let text = r#"{"big": 9007199254740993, "huge": 18446744073709551616, "price": 0.10, "exp": 1.5e3, "text": "12.50"}"#;
    let payload: Json = serde_json::from_str(text).expect("parses");
    for (source, expected) in [
        ("big", "9007199254740993"),
        ("big + 1", "9007199254740994"),
        ("huge", "18446744073709551616"),
        ("price", "0.10"),
        ("decimal(text)", "12.50"),
        ("[decimal(text)]", "12.50"),
        ("exp", "1500"),
        ("price * 3.0", "0.30"),
        ("price * 3", "0.30"),
        ("[price * 3.0 == 0.3]", "true"),
    ] {
        assert_eq!(shown(source, &payload), expected, "{source}");
    }
    let payload: Json =
        serde_json::from_str(r#"{"long": 0.1234567890123456789012345678901}"#).expect("parses");
    assert!(
        shown("long", &payload).starts_with("! a number"),
        "{}",
        shown("long", &payload)
    );
}

#[test]
fn a_failure_names_types_but_no_values() {
    let payload = json!({"secret": "ann@example.com", "n": 0, "list": ["ann@example.com"]});
    for source in [
        "decimal(secret)",
        "secret + n",
        "int(secret)",
        "time(secret)",
        "1 / n",
        "-secret",
        "duration(secret)",
        "timestamp(secret)",
        "decimal(secret + 'x')",
        "upper(list)",
        "{secret: 1, secret: 2}",
    ] {
        let shown = shown(source, &payload);
        assert!(
            shown.starts_with("! ") && !shown.contains("ann"),
            "{source}: {shown}"
        );
    }
}

#[test]
fn unknown_functions_and_broken_syntax_do_not_compile() {
    for source in [
        "",
        "a +",
        "nope(a)",
        "a.nope()",
        "a b",
        "'open",
        "upper(a, b) + nope(1)",
        "(((",
    ] {
        assert!(Expression::compile(source).is_err(), "{source}");
    }
}

/// Loops in loops.
fn nested(depth: usize) -> String {
    let list = "[1,2,3,4,5,6,7,8,9,10]";
    (0..depth).rev().fold("true".to_owned(), |inner, level| {
        format!("{list}.all(x{level}, {inner})")
    })
}

/// Expressions that would take stack, hours or gigabytes.
#[test]
fn what_goes_over_a_bound_is_an_error_that_names_it() {
    let grown = |count: usize| format!("'a'{}", ".replace('a', 'aa')".repeat(count));
    let mut wrong = Vec::new();
    let payload = json!({"list": (0..20_000).collect::<Vec<_>>(), "text": "x".repeat(100_000)});
    for (source, expected) in [
        (vec!["a"; 1_401].join(" + "), "at most 100 are allowed"),
        (vec!["(a + b)"; 601].join(" - "), "at most 100 are allowed"),
        ("a".to_owned() + &".trim()".repeat(1_401), "at most 100 are allowed"),
        (format!("1 + {}1{}", "(".repeat(5_000), ")".repeat(5_000)), "2"),
        (format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)), "recursion limit"),
        (format!("{}1{}", "{1:".repeat(4_000), "}".repeat(4_000)), "recursion limit"),
        (format!("{}x", "!-".repeat(5_000)), "at most 5000"),
        (format!("{}1", "true ? 1 : ".repeat(1_000)), "! "),
        ("!!(!!!!!!(!!!!(((((!!(!!(!!!!((".repeat(5) + "1", "is not CEL"),
        (format!("{{[({}", "{[(".repeat(2_000)), "! "),
        (format!("[{}1]", "1,".repeat(6_000)), "at most 5000 are allowed"),
        (format!("'{}'", "x".repeat(1_000_000)), "at most 16384"),
        ("(".repeat(10_000), "! "),
        (nested(30), "more than 50000 steps over an empty payload"),
        (format!("{} && missing.tier == 'gold'", nested(30)), "more than 50000 steps over an empty payload"),
        (format!("true && {}", nested(30)), "more than 50000 steps over an empty payload"),
        (format!("false || {}", nested(30)), "more than 50000 steps over an empty payload"),
        (format!("text == 'x' || {}", nested(8)), "more than 50000 steps"),
        (nested(64), "! "),
        (format!("text != null && ({} || true)", nested(30)), "budget of 500000 steps"),
        (format!("true || {}", nested(30)), "true"),
        ("list.exists(a, list.exists(b, list.exists(c, a + b + c == -1)))".to_owned(), "steps"),
        ("list.map(a, list.map(b, a * b)).size()".to_owned(), "budget"),
        ("list.map(a, list).size()".to_owned(), "budget"),
        ("list.filter(a, list.exists_one(b, b == -1)).size()".to_owned(), "steps"),
        ("list.all(a, payload + 1 == 2 || true)".to_owned(), "budget"),
        ("list.all(a, list == list)".to_owned(), "steps"),
        ("list.all(a, !(text in list))".to_owned(), "steps"),
        (format!("[{}].size()", "payload,".repeat(2_000)), "bytes"),
        (grown(8), "a"),
        (grown(40), "more than 50000 steps"),
        (format!("text{}", ".replace('x', 'xx').replace('x', 'xxx')".repeat(15)), "bytes"),
        (format!("'{}'.replace('', text).replace('', text).size()", "a".repeat(100)), "bytes"),
        ("list.map(a, 'x').join(text).size()".to_owned(), "budget"),
        ("join_nonempty(text, list).size()".to_owned(), "budget"),
        ("list.map(a, text).join().size()".to_owned(), "bytes"),
        (format!("text{}", ".split('').join(text)".repeat(3)), "budget"),
        (format!("'%s%s'.format([{}])", "text,".repeat(1_000)), "bytes"),
        ("list.map(a, '%s'.format([text])).size()".to_owned(), "bytes"),
        ("list.exists(a, text.indexOf('y') == 1)".to_owned(), "steps"),
        ("list.exists(a, text.matches('(x+x+)+y'))".to_owned(), "steps"),
        ("list.exists(a, text.matches('x' + string(a)))".to_owned(), "steps"),
        ("text.matches('(x{50}){3000}')".to_owned(), "too large"),
        ("text.matches('[')".to_owned(), "no regular expression"),
        ((0..17).map(|n| format!("text.matches('{n}')")).collect::<Vec<_>>().join(" || "), "at most 16"),
        (format!("text{}", " + text".repeat(90)), "bytes"),
        (
            "[text, text].map(a, [a, a].map(b, [b, b].map(c, [c, c].map(d, [d, d].map(e, [e, e, e, e])))))".to_owned(),
            "bytes",
        ),
    ] {
        let shown = match Expression::compile(&source) {
            Ok(_) => shown(&source, &payload),
            Err(mistakes) => format!("! {}", mistakes.join("; ")),
        };
        if !shown.contains(expected) {
            let start: String = source.chars().take(60).collect();
            wrong.push(format!("{start} ({expected}): {}", shown.chars().take(200).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn ordinary_expressions_over_large_payloads_are_within_the_budget() {
    let lines: Vec<Json> = (0..2_000)
        .map(|n| json!({"sku": format!("sku-{n}"), "price": n, "tags": ["a", "b"]}))
        .collect();
    let payload = json!({"lines": lines, "country": "CH", "note": "y".repeat(20_000)});
    let codes = ["'CH'"; 250].join(", ");
    for (source, expected) in [
        (
            "lines.exists(line, line.sku == 'sku-1999' && line.price > 10)".to_owned(),
            "true",
        ),
        (
            "lines.filter(line, 'b' in line.tags).map(line, line.price + 1)[1999]".to_owned(),
            "2000",
        ),
        (
            "lines.map(line, line.sku.replace('sku', 'x')).join(',').size()".to_owned(),
            "12889",
        ),
        (
            "lines.all(line, line.sku.matches('^sku-[0-9]+$'))".to_owned(),
            "true",
        ),
        (format!("country in [{codes}]"), "true"),
        (
            [["country == 'CH'"; 60].join(" && "), "false".to_owned()].join(" || "),
            "true",
        ),
        (
            "note.upperAscii().lowerAscii().indexOf('z')".to_owned(),
            "-1",
        ),
        (format!("0{}", " + 1".repeat(90)), "90"),
    ] {
        assert_eq!(shown(&source, &payload), expected, "{source}");
    }
}

#[test]
fn text_functions_answer_as_those_of_the_crate() {
    let payload = json!({"t": "ta©o©αT"});
    for (source, expected) in [
        ("'hello mellow'.indexOf('')", "0"),
        ("'hello mellow'.indexOf('ello')", "1"),
        ("'hello mellow'.indexOf('ello', 2)", "7"),
        ("t.indexOf('©', 3)", "4"),
        ("t.indexOf('©α', 5)", "-1"),
        ("'abc'.indexOf('', 20)", "3"),
        ("'hello mellow'.lastIndexOf('')", "12"),
        ("'hello mellow'.lastIndexOf('ello', 6)", "1"),
        ("t.lastIndexOf('©', 3)", "2"),
        ("'bananananana'.lastIndexOf('nana', 7)", "6"),
        ("''.lastIndexOf('@@')", "-1"),
        ("'aaa'.replace('a', 'b', 2)", "bba"),
        ("'aaa'.replace('a', 'b', -1)", "bbb"),
        ("'ab'.replace('', '-')", "-a-b-"),
        ("['a', 'b'].join()", "ab"),
        ("['a', 'b'].join('-')", "a-b"),
        ("matches('abc', '^a')", "true"),
        ("missing.replace('a', 'b')", "-"),
        ("missing.indexOf('a')", "-"),
        ("missing.matches('a')", "-"),
        (
            "'abc'.indexOf('a', 3)",
            "! indexOf() does not take this value",
        ),
        ("[1].join()", "! a function takes text, and is given number"),
    ] {
        assert_eq!(shown(source, &payload), expected, "{source}");
    }
}

proptest! {
    #[test]
    fn no_expression_makes_it_panic(source in "[a-c0-9'\\[\\](){}.+*/<>=!&|?:, -]{0,24}", number in any::<i64>()) {
        let payload = json!({"a": number, "b": "text", "c": {"a": [1, null]}});
        if let Ok(expression) = Expression::compile(&source) {
            let _ = expression.evaluate(&Payload::new(&payload));
        }
    }
}

#[test]
fn a_guard_without_an_answer_over_nothing_refuses_no_expression() {
    let compile =
        |source: &str| Expression::compile_within(source, &["traits"], &mut Allowance::default());
    for source in [
        format!("traits.tier == 'gold' && {}", nested(8)),
        format!("traits.tier == 'silver' || {}", nested(8)),
        format!(
            "traits.tier == 'gold' && traits.country == 'CH' && {}",
            nested(8)
        ),
        format!(
            "(traits.tier == 'gold' ? {} : false) || traits.country == 'CH'",
            nested(8)
        ),
        format!("has(traits.tier) && {}", nested(8)),
        format!("!(traits.tier == 'gold') || {}", nested(8)),
        format!("customer.vip && {}", nested(8)),
        format!("vip && {}", nested(8)),
        format!("[1, 2, 3].all(x, traits.limit > x && {})", nested(8)),
    ] {
        assert!(compile(&source).is_ok(), "{source}");
    }
    for source in [
        nested(8),
        format!("{} && traits.tier == 'gold'", nested(8)),
        format!("!has(traits.tier) && {}", nested(8)),
        format!("traits.size() == 0 && {}", nested(8)),
        format!("[1, 2].exists(x, x == 2 && {})", nested(8)),
    ] {
        assert!(compile(&source).is_err(), "{source}");
    }
}

#[test]
fn the_expressions_of_a_model_are_tried_within_a_budget_together() {
    let mut allowance = Allowance::default();
    let dear = format!("{} ? a : b", nested(3));
    let count = (0..10_000)
        .take_while(|_| Expression::compile_within(&dear, &[], &mut allowance).is_ok())
        .count();
    assert!((100..5_000).contains(&count), "{count}");
    let wrong =
        Expression::compile_within(&dear, &[], &mut allowance).expect_err("the budget is used up");
    assert!(
        wrong
            .concat()
            .contains("all expressions of a model together may take 5000000 steps"),
        "{wrong:?}"
    );
    let mut allowance = Allowance::default();
    assert!((0..1_000).all(|n| {
        Expression::compile_within(&format!("a == {n} && b"), &[], &mut allowance).is_ok()
    }));
}

#[test]
fn a_pattern_from_data_is_charged_by_what_it_compiles_to() {
    let patterns: Vec<String> = (0..30).map(|n| format!("(x{{50}}){{250}}{n}")).collect();
    let small: Vec<String> = (0..30).map(|n| format!("^x{n}$")).collect();
    let huge = vec![format!("(x{{50}}){{9000}}"); 30];
    let payload = json!({"text": "y", "small": small, "large": patterns, "huge": huge, "long": "x".repeat(5_000)});
    assert_eq!(shown("small.exists(p, text.matches(p))", &payload), "false");
    assert!(shown("large.exists(p, text.matches(p))", &payload).contains("budget of 500000 steps"));
    assert!(shown("huge.exists(p, text.matches(p))", &payload).contains("budget of 500000 steps"));
    assert!(shown("text.matches(long)", &payload).starts_with("! "));
}
