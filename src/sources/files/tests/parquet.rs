//! Parquet, as pandas, Arrow, `DuckDB` and Polars write it.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::super::*;

fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/parquet");
    PathBuf::from(folder).join(name)
}

fn open(name: &str) -> FileReader {
    FileReader::open(&path(name), &Options::default(), Position::START).expect("opens")
}

fn payloads(name: &str) -> Vec<Json> {
    let payloads = open(name).map(|row| row.expect("reads").payload.expect("a payload"));
    payloads.collect()
}

#[test]
fn tables_of_the_usual_programs_are_read() {
    assert_eq!(
        payloads("pandas.parquet"),
        [
            json!({"id": "7", "first_name": "Zo\u{eb}", "visits": 3, "spent": 19.9,
                "joined": "2026-01-31T08:00:00.5", "seen": "2026-01-31T08:00:00Z"}),
            json!({"id": "8", "first_name": null, "visits": 4, "spent": null,
                "joined": null, "seen": "2026-02-01T00:00:00Z"}),
        ]
    );
    assert_eq!(
        payloads("duckdb.parquet"),
        [
            json!({"id": 1, "first_name": "Ann", "at": "2026-01-31T08:00:00Z", "day": "2026-01-31",
            "total": "12.50", "u": "0190163d-8694-739b-aea5-966c26f8ad91", "s": {"a": 1}})
        ]
    );
    assert_eq!(
        payloads("polars.parquet"),
        [
            json!({"id": "9", "city": "\u{141}\u{f3}d\u{17a}", "at": "2026-01-31T08:00:00",
            "n": null})
        ]
    );
}

#[test]
fn every_type_keeps_its_value() {
    let rows = payloads("arrow.parquet");
    assert_eq!(rows.len(), 3, "two row groups");
    assert_eq!(
        rows[0],
        json!({
            "id": 1, "total": "19.90", "day": "2026-01-31",
            "at": "2026-01-31T08:00:00Z", "local": "2026-01-31T08:00:00", "clock": "09:30:00.25",
            "small": 0.1, "blob": "ff00",
            "lines": [{"sku": "a", "price": "5.00", "sent": "2026-01-01T00:00:00Z"}],
            "tags": ["x", "y"], "extra": {"k": 1}, "big": u64::MAX, "ok": true,
        })
    );
    assert_eq!(rows[1]["total"], "-0.05");
    assert_eq!(rows[1]["small"], "inf");
    assert_eq!(rows[1]["blob"], "text");
    assert_eq!(rows[2]["day"], "1899-12-30");
}

#[test]
fn reading_goes_on_from_any_row() {
    let all: Vec<Row> = open("arrow.parquet")
        .map(|row| row.expect("reads"))
        .collect();
    for (index, row) in all.iter().enumerate() {
        let rest = FileReader::open(&path("arrow.parquet"), &Options::default(), row.end);
        let rest: Vec<Row> = rest
            .expect("opens")
            .map(|row| row.expect("reads"))
            .collect();
        assert_eq!(rest, all[index + 1..]);
    }
}

#[test]
fn what_it_is_and_which_columns_it_has_is_told() {
    let file = open("polars.parquet");
    assert_eq!(
        file.described(),
        "Parquet (its first bytes are PAR1), 1 rows"
    );
    assert_eq!(file.columns(), Some(vec!["id", "city", "at", "n"]));
    let declared = Options {
        skip_lines: 1,
        ..Options::default()
    };
    let error = FileReader::open(&path("polars.parquet"), &declared, Position::START)
        .err()
        .expect("refused");
    assert!(error.to_string().contains("declare nothing"), "{error}");
}

#[test]
fn a_damaged_file_is_refused_or_ends_in_an_error() {
    let whole = std::fs::read(path("arrow.parquet")).expect("reads");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let damaged = dir.path().join("damaged.parquet");
    for place in (4..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xFF;
        std::fs::write(&damaged, &bytes).expect("writes");
        let opened = FileReader::open(&damaged, &Options::default(), Position::START);
        let ends = opened.map_or(true, |file| file.take(10).count() <= 4);
        assert!(ends, "byte {place}");
    }
    std::fs::write(&damaged, &whole[..whole.len() / 2]).expect("writes");
    let opened = FileReader::open(&damaged, &Options::default(), Position::START);
    assert!(opened.is_err());
}
