//! Numbers, absence and odd elements, in the shapes that people report.

use serde_json::{Value as Json, json};

use super::shown;

fn holds(payload: &Json, cases: &[(&str, &str)]) {
    let found: Vec<(&str, String)> = cases
        .iter()
        .map(|(source, _)| (*source, shown(source, payload)))
        .collect();
    let expected: Vec<(&str, String)> = cases
        .iter()
        .map(|(source, expected)| (*source, (*expected).to_owned()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn whole_and_decimal_numbers_mix_and_stay_exact() {
    let text = r#"{"a": 17.99, "b": 1.28, "whole": 600, "cents": 600.00, "minor": 1999, "total": "12.50", "tax": "2", "n": 3,
        "big": 9007199254740993, "long": 0.1234567890123456789012345678901}"#;
    let payload: Json = serde_json::from_str(text).expect("parses");
    holds(
        &payload,
        &[
            ("a - b", "16.71"),
            ("decimal(total) - decimal(tax)", "10.50"),
            ("decimal(total) > decimal(tax)", "true"),
            ("decimal(total) > 12", "true"),
            ("12 < decimal(total)", "true"),
            ("decimal(tax) == 2", "true"),
            ("2.0 == decimal(tax)", "true"),
            ("whole / 2 > 100.0", "true"),
            ("cents / 2 > 100.0", "true"),
            ("whole == cents", "true"),
            ("n + 1.0 > 2.0", "true"),
            ("n + 1.5", "4.5"),
            ("minor / 100", "19.99"),
            ("decimal(minor) / 100", "19.99"),
            ("minor / 100.0", "19.99"),
            ("whole / 100", "6"),
            ("floor(minor / 100)", "19"),
            ("round(decimal(total) * 0.075, 2)", "0.94"),
            ("round(a)", "18"),
            ("ceil(b)", "2"),
            ("abs(b - a)", "16.71"),
            ("-a", "-17.99"),
            ("minor % 100", "99"),
            ("big + 0.5", "9007199254740993.5"),
            ("big > 9007199254740992.0", "true"),
            ("3 in [1, 3.0]", "true"),
            ("decimal('3') in [1, 3]", "true"),
            ("[1, 2.0] == [1.0, 2]", "true"),
            ("{'a': 1} == {'a': 1.0}", "true"),
            ("type(a) == decimal && type(n) == int", "true"),
            ("'%.2f %s %d'.format([a, cents, n])", "17.99 600.00 3"),
            ("long", "! a number has more digits than can be kept"),
            (
                "long > 0",
                "! `>` does not take number with more digits than can be kept and number",
            ),
            ("n / 0", "! a division by zero"),
            (
                "total - 1",
                "! `-` does not take text and number: write decimal(…) around the text",
            ),
            (
                "total + n",
                "! `+` does not take text and number: write string(…) to join texts, decimal(…) to add",
            ),
            (
                "n == '3'",
                "! `==` does not take number and text: write decimal(…) around the text",
            ),
            ("n == 'three'", "false"),
            ("n == '3 pieces'", "false"),
            (
                "minor == '1,999'",
                "! `==` does not take number and text: write decimal(…) around the text",
            ),
            (
                "n in ['3', 'x']",
                "! `in` does not take number and text: write decimal(…) around the text",
            ),
        ],
    );
}

#[test]
fn what_is_not_there_is_null_however_deep() {
    let payload = json!({"customer": null, "billing": {"first": "Bea", "blank": " "}, "tags": [], "address": "", "name": "Ann",
        "lines": [{"sku": "x"}]});
    holds(
        &payload,
        &[
            (
                "customer.first != null ? customer.first : billing.first",
                "Bea",
            ),
            (
                "billing.blank != null ? billing.blank : billing.first",
                "Bea",
            ),
            ("billing.blank == ''", "true"),
            ("missing == ''", "true"),
            ("customer.first == 'x'", "false"),
            ("customer.a.b.c == null", "true"),
            ("lines[9].sku == null", "true"),
            ("lines[0].colour != 'red'", "true"),
            ("customer.first == 'x' || name == 'Ann'", "true"),
            ("has(customer.first)", "false"),
            ("has(billing.blank)", "false"),
            ("has(billing.first)", "true"),
            ("customer.?first.orValue(billing.first)", "Bea"),
            ("billing.?blank.orValue(billing.first)", "Bea"),
            ("billing.?first.orValue('x')", "Bea"),
            ("address.city == null", "true"),
            ("tags.colour == null", "true"),
            (
                "join_nonempty(' ', [customer.first_name, customer.last_name, billing.first])",
                "Bea",
            ),
            ("[missing.startsWith('a'), name]", "Ann"),
            (
                "[name.contains(missing), timestamp(missing), -missing, missing.size(), name]",
                "Ann",
            ),
            (
                "{'a': missing.upperAscii(), 'b': customer.x + 1, 'c': 1}",
                "c: 1",
            ),
            ("'%s'.format([missing])", "-"),
            ("customer.first > 3", "-"),
            ("!(customer.first > 3)", "-"),
            ("name.first", "! a text has no field `first`"),
            ("name.first == 'x'", "! a text has no field of that name"),
            ("lines.sku", "! a list has no field `sku`"),
            ("upper(lines.sku)", "! a list has no field `sku`"),
            ("payload[name][name]", "-"),
            ("name[name]", "! a text has no field of that name"),
        ],
    );
}

#[test]
fn a_loop_over_nothing_is_nothing_and_an_odd_element_costs_itself() {
    let payload = json!({"none": null, "blank": "", "text": "abc",
        "lines": [{"sku": "a", "price": "1.50"}, {"price": "2"}, {"sku": "c", "price": "n/a"}, null]});
    holds(
        &payload,
        &[
            (
                "lines.map(l, {'sku': l.sku, 'price': decimal(l.price)})",
                "price: 1.50, sku: a, price: 2",
            ),
            ("lines.map(l, decimal(l.price))", "1.50, 2"),
            ("lines.map(l, l.sku)", "a, c"),
            ("lines.map(l, has(l.sku), upper(l.sku))", "A, C"),
            (
                "lines.filter(l, decimal(l.price) > 1).map(l, l.price)",
                "1.50, 2",
            ),
            ("lines.filter(l, l.sku.startsWith('c')).size()", "1"),
            ("lines.exists(l, decimal(l.price) > 1)", "true"),
            (
                "lines.exists(l, decimal(l.price) > 5)",
                "! decimal() does not take this text: it is no number",
            ),
            ("lines.exists_one(l, l.sku == 'a')", "true"),
            ("[none.map(x, x), missing.filter(x, x), lines[0].sku]", "a"),
            ("missing.map(x, x).filter(x, x > 1)", "-"),
            ("missing.exists(x, x > 1)", "-"),
            ("missing.all(x, x > 1)", "-"),
            ("blank.all(x, x > 1)", "-"),
            ("!missing.exists(x, x > 1)", "-"),
            ("size(none.map(x, x))", "-"),
            ("{'products': none.map(x, x), 'name': text}", "name: abc"),
            ("lines.map(l, lines.map(m, decimal(m.price))).size()", "4"),
            (
                "text.map(x, x)",
                "! a loop runs over a list or a map, and is given a text",
            ),
        ],
    );
}

#[test]
fn times_and_texts_that_are_times_go_together() {
    let payload = json!({"at": "2026-01-31T08:00:00Z", "day": "2026-02-01", "word": "soon"});
    holds(
        &payload,
        &[
            ("at > timestamp('2026-01-01T00:00:00Z')", "true"),
            ("timestamp('2026-01-01T00:00:00Z') < day", "true"),
            ("time(day) - time(at) > duration('15h')", "true"),
            ("at + duration('24h')", "2026-02-01T08:00:00Z"),
            ("time(at) == at", "true"),
            (
                "word > timestamp('2026-01-01T00:00:00Z')",
                "! `>` does not take text and time",
            ),
        ],
    );
}

/// Net of a tax of 19 %, a third of a sum: the digits of the quotient fill the number.
#[test]
fn a_quotient_that_does_not_end_can_be_computed_with() {
    let payload = json!({"n": 3, "total": "12.50", "big": 9_007_199_254_740_993_i64});
    let too_long = "! a number has more digits than can be kept";
    holds(
        &payload,
        &[
            ("round(n / 1.19 * 0.19, 2)", "0.48"),
            ("round(decimal(total) / 1.19 + 1000, 4)", "1010.5042"),
            ("round(decimal(total) / 3 - 100000, 6)", "-99995.833333"),
            ("round(10 / 3 * 3, 9)", "10.000000000"),
            ("round(1 / 3 * big, 3)", "3002399751580331.000"),
            ("0.123456789012345 * 0.123456789012345", too_long),
            ("big * big", too_long),
        ],
    );
}
