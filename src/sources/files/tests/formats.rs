//! Formats of files, and refusals by name.

use super::*;
use crate::sources::files::options::{self, Format};

fn path(path: &str) -> Options {
    Options {
        path: path.split('.').map(str::to_owned).collect(),
        ..Options::default()
    }
}

fn encoded(label: &str) -> Options {
    Options {
        encoding: Some(options::encoding(label).expect("a label")),
        ..Options::default()
    }
}

#[test]
fn json_documents_are_rows_however_they_are_laid_out() {
    for document in [
        r#"[{"id":"1"},{"id":"2"}]"#,
        "[ {\"id\":\"1\"} , {\"id\":\"2\"} ]\n",
        "\u{FEFF}[\r\n  {\r\n    \"id\": \"1\"\r\n  },\r\n  {\"id\": \"2\"}\r\n]\r\n",
        "{\"id\":\"1\"}\n{\"id\":\"2\"}",
        "{\n  \"id\": \"1\"\n}\n{\n  \"id\": \"2\"\n}\n",
        "{\"id\":\"1\"}\r\n\r\n{\"id\":\"2\"}\r\n",
    ] {
        let rows = told(document);
        let rows: Vec<&str> = rows
            .lines()
            .map(|row| row.split_once(' ').expect("a row").1)
            .collect();
        assert_eq!(rows, [r#"{"id":"1"}"#, r#"{"id":"2"}"#], "{document}");
    }
    assert_eq!(told("[]"), "");
}

#[test]
fn a_path_leads_to_the_list_of_rows() {
    let document =
        r#"{"meta": {"page": [1, "]}"]}, "data": {"customers": [{"id": 1}, {"id": 2}]}, "x": 1}"#;
    insta::assert_snapshot!(told_by(document, &path("data.customers")), @r#"
    1 {"id":1}
    1 {"id":2}
    "#);
    for (document, way, part) in [
        (
            document,
            "data.people",
            "there is no `people`; there are: customers",
        ),
        (document, "meta", "`meta` is no list of rows"),
        (document, "x.y", "`x` is no object that could have `y`"),
        ("[1]", "a", "no object that could have `a`"),
    ] {
        let error = told_by(document, &path(way));
        assert!(
            error.starts_with("! ") && error.contains(part),
            "{way}: {error}"
        );
    }
    let reader = reader(document, Position::START).expect("opens");
    assert_eq!(reader.notes().count(), 0, "no list of objects at the top");
    let hinted = super::reader(r#"{"customers":[{"id":1}]}"#, Position::START).expect("opens");
    let notes: Vec<&str> = hinted.notes().collect();
    assert!(notes[0].contains("--path customers"), "{notes:?}");
}

#[test]
fn broken_documents_end_with_the_place() {
    for (document, rows, part) in [
        (r#"[{"id":1},{"id":2}"#, 2, "its list is not closed"),
        (r#"[{"id":1},{"id":"#, 1, "cut off within a value"),
        (
            r#"[{"id":1} {"id":2}]"#,
            1,
            "a comma, or the end of the list",
        ),
        (r#"[{"id":1},]"#, 1, "a comma is not followed by a value"),
        (
            r#"[{"id":1}] {"id":2}"#,
            1,
            "something follows the end of the list",
        ),
    ] {
        let told = told(document);
        assert_eq!(told.lines().count(), rows + 1, "{told}");
        assert!(
            told.lines().last().is_some_and(|last| last.contains(part)),
            "{told}"
        );
    }
    insta::assert_snapshot!(told("[{\"id\":1},{\"id\":tru},{'id':3},4,\n{\"id\":5}]"), @r#"
    1 {"id":1}
    1 ! row: is not JSON: error in column 10
    1 ! row: is not JSON: error in column 2
    1 4
    2 {"id":5}
    "#);
}

#[test]
fn rows_of_documents_are_read_from_any_row_on() {
    let document = "{\"a\": [\n{\"n\": 1},\n {\"n\": [2, {\"x\": \"]\"}]}, {\"n\": 3}]}";
    let options = path("a");
    let all: Vec<Row> = reader_by(document, &options, Position::START)
        .expect("opens")
        .map(|row| row.expect("reads"))
        .collect();
    assert_eq!(all.len(), 3);
    for (index, row) in all.iter().enumerate() {
        let rest = reader_by(document, &options, row.end).expect("opens");
        let rest: Vec<Row> = rest.map(|row| row.expect("reads")).collect();
        assert_eq!(rest, all[index + 1..]);
    }
}

#[test]
fn what_is_no_file_of_rows_is_refused_by_its_name() {
    let zip = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml".to_vec();
    for (bytes, part) in [
        (
            b"<!DOCTYPE html><html><body>Sign in</body></html>".to_vec(),
            "an HTML page",
        ),
        (b"\n <html lang=\"en\">".to_vec(), "an HTML page"),
        (
            b"<?xml version=\"1.0\"?><customers><c/></customers>".to_vec(),
            "XML",
        ),
        (b"PAR1\x15\x04\x15\x10\x15\x14".to_vec(), "a Parquet file"),
        (
            b"PK\x03\x04\x14\0\0\0customers.csv".to_vec(),
            "a zip archive",
        ),
        (
            zip.clone(),
            "a spreadsheet or Office document such as .xlsx",
        ),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0".to_vec(),
            "such as .xls",
        ),
        (b"Obj\x01\x04\x16avro.schema".to_vec(), "an Avro file"),
        (b"%PDF-1.7\n".to_vec(), "a PDF document"),
        (b"\x28\xB5\x2F\xFD\x04\0".to_vec(), "zstd"),
        (b"BZh91AY&SY\0\xFF".to_vec(), "bzip2"),
        (b"SQLite format 3\0\x10".to_vec(), "a SQLite database"),
        (gzip(&gzip(b"id\n1\n")), "gzip data within gzip data"),
        (gzip(&zip), "a spreadsheet"),
        (b"i\0d\0,\0n\0\n\x001\0".to_vec(), "--encoding utf-16le"),
        (b"\0i\0d\0,\0n\0\n\x001".to_vec(), "--encoding utf-16be"),
        (b"\xFF\xFE\0\0i\0\0\0".to_vec(), "UTF-32"),
        (b"id,n\n1,\0\0\0\n".to_vec(), "no text"),
    ] {
        let error = told(bytes.clone());
        assert!(
            error.starts_with("! ") && error.contains(part),
            "{bytes:?}: {error}"
        );
    }
    for text in ["ORC,id\n1,2\n", "BZh,id\n1,2\n", "[id],[n]\n1,2\n"] {
        assert!(
            told(text).starts_with("2 {"),
            "{text}: a header may begin so"
        );
    }
}

#[test]
fn files_are_read_in_the_encoding_of_their_mark_or_declaration() {
    let text = "id,name\n1,Jos\u{e9} \u{20ac}5 \u{1F600}\n";
    let utf16 = |little: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some('\u{FEFF}').into_iter().chain(text.chars());
        let units: String = units.collect();
        let bytes = |unit: u16| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        };
        units.encode_utf16().flat_map(bytes).collect()
    };
    let expected = told(text);
    assert_eq!(told(utf16(true, true)), expected);
    assert_eq!(told(utf16(false, true)), expected);
    assert_eq!(told(gzip(&utf16(true, true))), expected);
    assert_eq!(told_by(utf16(true, false), &encoded("utf-16le")), expected);
    assert_eq!(told_by(utf16(false, false), &encoded("utf-16be")), expected);

    let windows = b"id,name\n1,Jos\xE9 \x8010 \x96\n".to_vec();
    let read = r#"2 {"id":"1","name":"José €10 –"}"#;
    assert_eq!(told_by(windows.clone(), &encoded("windows-1252")), read);
    assert!(told(windows.clone()).contains("declare --encoding"));
    let conflict = told_by(utf16(true, true), &encoded("windows-1252"));
    assert!(conflict.contains("is declared"), "{conflict}");
    assert!(options::encoding("latin-9000").is_err());

    let shift_jis = b"id,name\n1,\x8E\x52\x93\x63\n2,\x8E\n".to_vec();
    insta::assert_snapshot!(told_by(shift_jis, &encoded("shift_jis")), @r#"
    2 {"id":"1","name":"山田"}
    3 ! row: is not in the encoding of the file in the column `name`: declare --encoding
    "#);
}

#[test]
fn a_file_says_what_it_was_taken_for() {
    let of = |bytes: &[u8], options: &Options| {
        let reader = reader_by(bytes, options, Position::START).expect("opens");
        reader.described().to_owned()
    };
    let plain = Options::default();
    insta::assert_snapshot!([
        of(b"id;n\n1;2\n", &plain),
        of(&gzip(b"id\tn\n1\t2\n"), &plain),
        of(b"sep=;\nid;n\n1;2\n", &plain),
        of(b"[{}]", &plain),
        of(b"{}\n{}", &plain),
        of(b"{\n}\n", &plain),
        of(b"\xFF\xFEi\0d\0\n\x001\0", &plain),
        of(b"{\"a\":[]}", &path("a")),
        of(b"id\n1\n", &Options { format: Some(Format::Csv), ..encoded("latin1") }),
        of(b"{\"line\":1,\"reasons\":[],\"row\":{}}\n", &plain),
    ].join("\n"), @"
    CSV (it is text and no JSON), 2 columns between `;` (as it parts the header and the first rows alike), in UTF-8
    gzip of CSV (it is text and no JSON), 2 columns between tabs (as it parts the header and the first rows alike), in UTF-8
    CSV (it is text and no JSON), 2 columns between `;` (by its line `sep=`), in UTF-8
    a JSON list (it begins with `[`), in UTF-8
    NDJSON (its first line is a JSON object), in UTF-8
    JSON objects one after the other (its first object has several lines), in UTF-8
    CSV (it is text and no JSON), one column, in UTF-16LE, by its mark
    a list within a JSON object, whose other members are not read (a path is declared), in UTF-8
    CSV (declared), one column, in windows-1252
    rejected rows (its first line is a rejected row), in UTF-8
    ");
}
