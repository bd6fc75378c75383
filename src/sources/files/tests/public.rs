//! Public files, whole: csv-spectrum, and CDNOW as it was published.

use serde_json::Value;

use super::*;

fn data(path: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Of `location_coordinates` the suite's JSON has another telephone number than its CSV.
#[test]
fn csv_spectrum_is_read_as_its_authors_read_it() {
    let files = [
        "comma_in_quotes",
        "empty",
        "empty_crlf",
        "escaped_quotes",
        "json",
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

/// Any number of spaces parts the columns, and there is no header. So it is a file of one column,
/// which no mapping names, and `import` refuses it for that.
#[test]
fn cdnow_as_it_was_published_has_one_column_that_no_mapping_names() {
    let rows = reader(data("cdnow/CDNOW_sample.txt"), Position::START).expect("a reader");
    let first = "00004 0001 19970101  2   29.33";
    assert_eq!(rows.columns(), Some(vec![first]));
    let fields = rows.map(|row| {
        let row = row.expect("a row").payload.expect("a payload");
        row.as_object().map_or(0, serde_json::Map::len)
    });
    let fields: Vec<usize> = fields.collect();
    assert_eq!((fields.len(), fields.iter().max()), (6_918, Some(&1)));
}
