//! Holds the list of functions in `docs/expressions.md` against those that there are.

use std::collections::BTreeSet;

use super::tests::shown;
use super::{Conversion, Expression, Json, cel, operators, text};

fn page() -> String {
    std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/expressions.md"
    ))
    .expect("the page")
}

/// What the parser expands; their examples show that they are there.
const MACROS: [&str; 7] = [
    "has",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
];

/// Names of CEL, of its extensions and of other products with CEL, beside those on the page.
const OTHERS: &str = "now today abs ceil floor round greatest least max min avg sort sortBy distinct flatten slice first last \
    range isURL url find findAll lookup coalesce default concat length len substr strip upcase downcase title capitalize contains_any \
    optMap optFlatMap transformList transformMap transformMapEntry ip cidr quantity semver encode decode lists math base64 sets regex \
    parse json uuid rand random env exec print throw error";

/// The cells of the tables with examples.
fn rows() -> Vec<[String; 6]> {
    let cells = |line: &str| {
        let line = line.replace("\\|", "\u{0}");
        line.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().replace('\u{0}', "|"))
            .collect::<Vec<_>>()
    };
    let page = page();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells);
    rows.filter_map(|cells| cells.try_into().ok()).collect()
}

fn payload() -> Json {
    let page = page();
    let text = page
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a payload");
    serde_json::from_str(text).expect("JSON")
}

/// As the page writes a result.
fn told(source: &str, payload: &Json) -> String {
    if let Err(mistakes) = Expression::compile(source) {
        return format!("refused: {}", mistakes.concat());
    }
    match shown(source, payload).as_str() {
        "-" => "nothing".to_owned(),
        error if error.starts_with("! ") => format!("error: {}", &error[2..]),
        value => format!("`{value}`"),
    }
}

#[test]
fn each_example_of_the_manual_gives_what_it_says() {
    let (payload, mut wrong) = (payload(), Vec::new());
    let rows = rows();
    assert!(rows.len() > 40, "{}", rows.len());
    for [_, _, example, gives, nothing, gives_nothing] in &rows {
        for (source, expected) in [(example, gives), (nothing, gives_nothing)] {
            let source = source.trim_matches('`');
            let found = told(source, &payload);
            if found != *expected {
                wrong.push(format!("{source}\t{found}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "other results than on the page:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_manual_lists_every_function_and_no_other() {
    let rows = rows();
    let listed: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row[0].split(['`', ' ']))
        .filter(|name| name.starts_with(char::is_alphabetic))
        .collect();
    let is_there =
        |name: &str| MACROS.contains(&name) || cel::knows(name.rsplit('.').next().unwrap_or(name));
    let own = Conversion::ALL
        .map(Conversion::name)
        .into_iter()
        .chain(text::names())
        .chain(operators::names())
        .chain(["join_nonempty", "sum"]);
    for name in own {
        assert!(listed.contains(name), "the page does not have {name}");
    }
    for name in listed
        .iter()
        .filter(|name| name.len() > 1 && **name != "in")
    {
        assert!(is_there(name), "there is no {name}");
    }
    for name in OTHERS
        .split_whitespace()
        .filter(|name| !listed.contains(name))
    {
        assert!(!cel::knows(name), "the page does not have {name}");
    }
}
