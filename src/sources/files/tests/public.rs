//! Public files, whole: csv-spectrum, and CDNOW as it was published.

use serde_json::Value;

use super::*;

fn data(path: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn csv_spectrum_is_read_as_its_authors_read_it() {
    let files = [
        "comma_in_quotes",
        "empty",
        "empty_crlf",
        "escaped_quotes",
        "json",
        "location_coordinates",
        "newlines",
        "newlines_crlf",
        "quotes_and_newlines",
        "simple",
        "simple_crlf",
        "utf8",
    ];
    for name in files {
        let rows = reader(
            data(&format!("csv-spectrum/csvs/{name}.csv")),
            Position::START,
        );
        let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows: Vec<Value> = rows
            .map(|row| row.expect("a row").payload.expect("a payload"))
            .collect();
        let json = data(&format!("csv-spectrum/json/{name}.json"));
        let expected: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(Value::from(rows), expected, "{name}");
    }
}

/// Any number of spaces parts the columns, and there is no header: such a file is refused as a
/// whole, with what it is taken for, and never read as if its first purchase were a header.
#[test]
fn cdnow_as_it_was_published_is_refused_as_a_whole() {
    let told = told(data("cdnow/CDNOW_sample.txt"));
    let lines: Vec<&str> = told.lines().take(3).collect();
    insta::assert_snapshot!(lines.join("\n"), @"");
}
