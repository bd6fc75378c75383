//! Rows of good and of broken files.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::json;

use super::*;

mod csv;
mod formats;
mod odd;
mod parquet;
mod public;

fn reader(bytes: impl Into<Vec<u8>>, start: Position) -> Result<FileReader, ReadError> {
    reader_by(bytes, &Options::default(), start)
}

fn reader_by(
    bytes: impl Into<Vec<u8>>,
    options: &Options,
    start: Position,
) -> Result<FileReader, ReadError> {
    let bytes = bytes.into();
    let total_bytes = bytes.len() as u64;
    FileReader::new(Cursor::new(bytes), total_bytes, options, start)
}

/// All rows as text: line, then payload or what is wrong; last, why there are no more.
fn told(bytes: impl Into<Vec<u8>>) -> String {
    told_by(bytes, &Options::default())
}

fn told_by(bytes: impl Into<Vec<u8>>, options: &Options) -> String {
    let rows = match reader_by(bytes, options, Position::START) {
        Ok(rows) => rows,
        Err(error) => return format!("! {error}"),
    };
    let row = |row: Result<Row, ReadError>| match row {
        Ok(Row {
            line,
            payload: Ok(payload),
            ..
        }) => format!("{line} {payload}"),
        Ok(Row {
            line,
            payload: Err(violation),
            ..
        }) => format!("{line} ! {violation}"),
        Err(error) => format!("! {error}"),
    };
    rows.map(row).collect::<Vec<_>>().join("\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writes");
    encoder.finish().expect("finishes")
}

#[test]
fn csv_rows_become_objects_of_strings() {
    let csv = "\u{FEFF}id, name ,note\r\n1,Ann,\"a \"\"b\"\", c\nd\"\r\n\r\n2,ß,\r\n";
    insta::assert_snapshot!(told(csv), @r#"
        2 {"id":"1","name":"Ann","note":"a \"b\", c\nd"}
        5 {"id":"2","name":"ß","note":""}
        "#);
    insta::assert_snapshot!(told("id;price\n1;2,50"), @r#"
        2 {"id":"1","price":"2,50"}
        "#);
}

#[test]
fn json_lines_become_objects() {
    insta::assert_snapshot!(told("\n{\"a\": 1.10}\r\n\n{\"b\": [null]}"), @r#"
        2 {"a":1.10}
        4 {"b":[null]}
        "#);
}

#[test]
fn broken_rows_are_told_and_reading_goes_on() {
    insta::assert_snapshot!(told(b"id,name\n1\n2,b\n3,c,d\n4,\xFF\n5,e\n6,\"f\n7,g\n".to_vec()), @r#"
        2 ! row: has 1 fields, and the header has 2
        3 {"id":"2","name":"b"}
        4 ! row: has 3 fields, and the header has 2
        5 ! row: is not in the encoding of the file in the column `name`: declare --encoding
        6 {"id":"5","name":"e"}
        7 ! row: has a quote that is left open to the end of the file
        8 {"id":"7","name":"g"}
        "#);
    insta::assert_snapshot!(told(b"{\"a\": 1}\n{\"a\": \n{\"a\": \"\xFF\"}\n[]\n".to_vec()), @r#"
        1 {"a":1}
        2 ! row: is not JSON: error in column 5
        3 ! row: is not in the encoding of the file after byte 7
        4 []
        "#);
}

#[test]
fn a_file_without_a_usable_header_is_not_read() {
    insta::assert_snapshot!(told(""), @r"
        ! line 1, after 0 bytes: the file is empty: it has neither a header nor an object
        ");
    insta::assert_snapshot!(told(" ,\n1,2\n"), @r"
        ! line 1, after 0 bytes: the header names no column
        ");
    insta::assert_snapshot!(told(b"id,n\xE9\n".to_vec()), @r"
        ! line 1, after 0 bytes: the header's column 2 is not in the encoding of the file: declare --encoding
        ");
}

#[test]
fn a_row_over_the_limit_is_told_and_reading_goes_on() {
    let long = "x".repeat(MAX_ROW_BYTES);
    for file in [
        format!("id\n1\n{long}x\n2\n"),
        format!("{{}}\n{{\"a\":\"{long}\"}}\n{{}}\n"),
    ] {
        let rows: Vec<Row> = reader(file, Position::START)
            .expect("opens")
            .map(|row| row.expect("reads"))
            .collect();
        assert_eq!(
            rows.iter()
                .map(|row| row.payload.is_ok())
                .collect::<Vec<_>>(),
            [true, false, true]
        );
        assert_eq!(
            rows[1].payload.as_ref().expect_err("too long").reason,
            profile_core::records::Reason::LimitExceeded
        );
    }
}

#[test]
fn gzip_is_known_by_its_first_bytes() {
    assert_eq!(told(gzip(b"id\n1\n")), told("id\n1\n"));
    let both = [gzip(b"{\"a\":1}\n"), gzip(b"{\"a\":2}\n")].concat();
    assert_eq!(told(both), told("{\"a\":1}\n{\"a\":2}\n"));
}

#[test]
fn a_truncated_gzip_file_ends_with_an_error_that_names_the_place() {
    let lines: Vec<String> = (0..20_000)
        .map(|number| format!("{{\"a\":{}}}", number * 7919 % 10_007))
        .collect();
    let whole = gzip(lines.join("\n").as_bytes());
    let rows: Vec<_> = reader(&whole[..whole.len() / 2], Position::START)
        .expect("opens")
        .collect();
    let (last, before) = rows.split_last().expect("rows");
    assert!(
        before.len() > 1_000
            && before
                .iter()
                .all(|row| row.as_ref().is_ok_and(|row| row.payload.is_ok()))
    );
    let error = last.as_ref().expect_err("is cut off");
    assert_eq!(error.position.lines, before.len() as u64);
    assert!(
        error.to_string().ends_with("the gzip data is cut off here"),
        "{error}"
    );
}

#[test]
fn progress_counts_stored_bytes() {
    let whole = gzip(b"id\n1\n2\n");
    let mut rows = reader(whole.clone(), Position::START).expect("opens");
    assert_eq!(rows.by_ref().count(), 2);
    assert_eq!(
        (rows.bytes_read(), rows.total_bytes()),
        (whole.len() as u64, whole.len() as u64)
    );
}

#[test]
fn a_position_beyond_the_end_is_refused() {
    let beyond = Position {
        offset: 100,
        lines: 9,
    };
    assert!(reader("id\n1\n", beyond).is_err());
}

#[test]
fn the_example_files_fit_the_built_in_model() {
    let model = profile_core::model::Model::built_in();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/retail");
    for (file, source, kind, expected) in [
        ("web.csv", "web", "customers", 2_887),
        ("pos.csv", "pos", "customers", 2_024),
        ("loyalty.csv", "loyalty", "customers", 1_928),
        ("callcentre.csv", "callcentre", "customers", 1_384),
        ("newsletter.csv", "newsletter", "subscribers", 853),
        ("orders.csv", "web", "orders", 7_056),
        ("conversations.ndjson", "helpdesk", "conversations", 23),
    ] {
        let rows =
            FileReader::open(&folder.join(file), &Options::default(), Position::START).expect(file);
        let mut count = 0;
        for row in rows {
            let payload = row.expect(file).payload.expect(file);
            for draft in model.map(source, kind, &payload).expect(file) {
                model
                    .check(
                        draft,
                        profile_core::records::Timestamp::from_micros(1_800_000_000_000_000),
                    )
                    .expect(file);
            }
            count += 1;
        }
        assert_eq!(count, expected, "{file}");
    }
}

fn csv_field() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ,;\"\r\n]{0,8}", "[a-z]{1,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_was_written_is_read_from_any_row_on(
        rows in prop::collection::vec(prop::collection::vec(csv_field(), 3), 0..8),
        windows in any::<bool>(), compressed in any::<bool>(),
    ) {
        let terminator = if windows { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
        let mut writer = ::csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).expect("writes");
        for row in &rows {
            writer.write_record(row).expect("writes");
        }
        let bytes = writer.into_inner().expect("flushes");
        let bytes = if compressed { gzip(&bytes) } else { bytes };
        let expected: Vec<Json> = rows.iter().map(|row| json!({"a": row[0], "b": row[1], "c": row[2]})).collect();
        let read: Vec<Row> = reader(bytes.clone(), Position::START).expect("opens").map(|row| row.expect("reads")).collect();
        let payloads: Vec<Json> = read.iter().map(|row| row.payload.clone().expect("payload")).collect();
        prop_assert_eq!(&payloads, &expected);
        for (index, row) in read.iter().enumerate() {
            let rest: Vec<Row> = reader(bytes.clone(), row.end).expect("opens").map(|row| row.expect("reads")).collect();
            prop_assert_eq!(&rest, &read[index + 1..]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), compressed in any::<bool>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = if compressed { gzip(&bytes) } else { bytes };
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Ok(rows) = reader(bytes, Position::START) {
            prop_assert!(rows.count() < 100);
        }
    }
}
