//! Files that users report as misread, row by row.

use super::*;
use crate::sources::files::options::{Quote, Separator, encoding};

/// Rows of a file as `line payload`, each on a line of its own. `!` begins what is wrong.
struct Case {
    name: &'static str,
    file: &'static str,
    options: Options,
    told: &'static [&'static str],
}

fn case(name: &'static str, file: &'static str, told: &'static [&'static str]) -> Case {
    Case {
        name,
        file,
        options: Options::default(),
        told,
    }
}

/// Runs all cases, and fails with all that differ. Expected texts may be cut.
fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        let told = told_by(case.file, &case.options);
        let lines: Vec<&str> = told.lines().collect();
        let fits = lines.len() == case.told.len()
            && lines
                .iter()
                .zip(case.told)
                .all(|(line, expected)| line.starts_with(expected));
        if !fits {
            wrong.push(format!("{}: {lines:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const ANN: &str = r#"2 {"id":"1","name":"Ann"}"#;
const ONE: &str = r#"1 {"id":1}"#;

#[test]
fn a_header_within_a_file_is_no_customer_and_swaps_no_columns() {
    check(&[
        case(
            "in another case",
            "id,name\n1,Ann\nID,Name\n2,Bob\n",
            &[ANN, "3 ! row: repeats the header", r#"4 {"id":"2""#],
        ),
        case(
            "with a column without a name",
            "id,name,\n1,Ann,\nid,name,\n",
            &[ANN, "3 ! row: repeats the header"],
        ),
        case(
            "with two columns of one name",
            "id,name,id\n1,Ann,2\nid,name,id\n",
            &[
                r#"2 {"id (1)":"1","id (2)":"2","name":"Ann"}"#,
                "3 ! row: repeats the header",
            ],
        ),
        case(
            "in another order",
            "id,name\n1,Ann\nname,id\nBob,2\n",
            &[
                ANN,
                "! line 3, after 14 bytes: names the columns in another way",
            ],
        ),
        case(
            "with other columns",
            "id,name,city\n1,Ann,Rome\nid,name,email\n2,Bob,b@example.com\n",
            &[
                r#"2 {"city":"Rome","id":"1","name":"Ann"}"#,
                "! line 3, after 24 bytes: names the columns in another way",
            ],
        ),
        case(
            "with more columns",
            "id,name\n1,Ann\nid,name,email\n2,Bob,b@example.com\n",
            &[
                ANN,
                "! line 3, after 14 bytes: names the columns in another way",
            ],
        ),
        case(
            "after a mark of byte order and within quotes",
            "\u{FEFF}\"id\",\"name\"\n\"1\",\"Ann\"\n\u{FEFF}\"id\",\"name\"\n\u{FEFF}\"2\",\"Bob\"\n",
            &[
                ANN,
                "3 ! row: repeats the header",
                r#"4 {"id":"2","name":"Bob"}"#,
            ],
        ),
        case(
            "letters that are names of columns are data",
            "a,b,c\nb,c,a\na,b,x\n",
            &[
                r#"2 {"a":"b","b":"c","c":"a"}"#,
                r#"3 {"a":"a","b":"b","c":"x"}"#,
            ],
        ),
        case(
            "words that are names of columns are data",
            "id,email,sms\n1,email,sms\n2,sms,email\nid,no,no\n",
            &[
                r#"2 {"email":"email","id":"1","sms":"sms"}"#,
                r#"3 {"email":"sms","id":"2","sms":"email"}"#,
                r#"4 {"email":"no","id":"id","sms":"no"}"#,
            ],
        ),
    ]);
}

#[test]
fn quotes_that_are_not_declared_become_no_part_of_a_value() {
    let declared = |quote| Options {
        quote: Some(quote),
        ..Options::default()
    };
    check(&[
        case(
            "apostrophes around all names",
            "'id','name'\n'1','Ann'\n",
            &["! line 1, after 0 bytes: the header's names are within ': declare --quote \"'\""],
        ),
        case(
            "apostrophes around all fields",
            "id,name\n'1','Ann'\n2,Bob\n",
            &[
                "2 ! row: its fields are within ': declare --quote \"'\"",
                r#"3 {"id":"2""#,
            ],
        ),
        case(
            "typographic quotes",
            "id,name\n\u{201C}1\u{201D},\u{201C}Ann\u{201D}\n",
            &["2 ! row: its fields are within typographic quotes"],
        ),
        case(
            "an apostrophe that is a letter",
            "id,name\n1,'Ann'\n'2,Bob\n",
            &[r#"2 {"id":"1","name":"'Ann'"}"#, r#"3 {"id":"'2""#],
        ),
        Case {
            options: declared(Quote::None),
            ..case(
                "declared to be letters",
                "id,name\n'1','Ann'\n",
                &[r#"2 {"id":"'1'","name":"'Ann'"}"#],
            )
        },
        Case {
            options: declared(Quote::Byte(b'\'')),
            ..case("declared", "'id','name'\n'1','Ann'\n", &[ANN])
        },
    ]);
}

#[test]
fn a_line_under_the_header_is_told_and_is_no_customer() {
    for file in [
        "id,name\n--,----\n1,Ann\n",
        "id,name\r\n--,----\r\n1,Ann\r\n",
        "id|name\n--+----\n1|Ann\n",
        "id\tname\n==\t====\n1\tAnn\n",
    ] {
        let rows = reader(file, Position::START).expect("opens");
        let notes: Vec<String> = rows.notes().map(str::to_owned).collect();
        assert_eq!(
            notes,
            ["line 2 underlines the header and is not read"],
            "{file}"
        );
        assert_eq!(told(file), r#"3 {"id":"1","name":"Ann"}"#, "{file}");
    }
    check(&[case(
        "dashes within the rows are data",
        "id,name\n1,Ann\n--,----\n",
        &[ANN, r#"3 {"id":"--","name":"----"}"#],
    )]);
}

#[test]
fn lines_may_end_with_a_carriage_return_alone() {
    let by = |separator, skip_lines| Options {
        separator,
        skip_lines,
        ..Options::default()
    };
    check(&[
        case(
            "each row has its line",
            "id,name\r1,Ann\r2,Bob,x\r3,Cyd\r",
            &[ANN, "3 ! row: has 3 fields", r#"4 {"id":"3""#],
        ),
        case(
            "an open quote spoils its own line",
            "id,name\r1,\"Ann\r2,Bob\r3,Cyd\r",
            &[
                "2 ! row: has a quote that is left open",
                r#"3 {"id":"2""#,
                r#"4 {"id":"3""#,
            ],
        ),
        case(
            "sep=",
            "sep=;\rid;name\r1;Ann\r",
            &[r#"3 {"id":"1","name":"Ann"}"#],
        ),
        Case {
            options: by(None, 1),
            ..case("a title", "Title\rid,name\r1,Ann\r", &[r#"3 {"id":"1""#])
        },
        Case {
            options: by(Some(Separator::Blanks), 0),
            ..case(
                "blanks",
                "id name\r1 Ann\r2 Bob\r",
                &[ANN, r#"3 {"id":"2""#],
            )
        },
        case(
            "JSON objects",
            "{\"id\":\"1\"}\r{\"id\":\"2\"}\r",
            &[r#"1 {"id":"1"}"#, r#"2 {"id":"2"}"#],
        ),
        case(
            "a JSON object over several lines",
            "{\r \"id\": \"1\"\r}\r",
            &[r#"1 {"id":"1"}"#],
        ),
        case(
            "both within one file",
            "id,name\r\n1,Ann\r2,Bob\n3,Cyd",
            &[ANN, r#"3 {"id":"2""#, r#"4 {"id":"3""#],
        ),
    ]);
}

#[test]
fn pages_of_an_interface_are_read_one_after_the_other() {
    let path = |path: &str| Options {
        path: path.split('.').map(str::to_owned).collect(),
        ..Options::default()
    };
    let of = |name, file, told| Case {
        options: path("data.rows"),
        ..case(name, file, told)
    };
    check(&[
        of(
            "in lines",
            "{\"data\":{\"rows\":[{\"id\":1}]},\"next\":\"x\"}\n\
             {\"data\":{\"rows\":[]}}\n{\"data\":{\"rows\":[{\"id\":2}],\"more\":{\"a\":[1]}}}\n",
            &[ONE, r#"3 {"id":2}"#],
        ),
        of(
            "a page without the list",
            "{\"data\":{\"rows\":[{\"id\":1}]}}{\"error\":\"too many requests\"}",
            &[
                ONE,
                "! line 1, after 56 bytes: there is no `data`; there are: error",
            ],
        ),
        of(
            "an object that is cut off after the list",
            "{\"data\":{\"rows\":[{\"id\":1}]},\"next\":",
            &[ONE, "! line 1"],
        ),
        of(
            "an object that is not closed",
            "{\"data\":{\"rows\":[{\"id\":1}]}",
            &[ONE, "! line 1, after 27 bytes: the file is cut off"],
        ),
        of(
            "something else after it",
            "{\"data\":{\"rows\":[{\"id\":1}]}}\n<html>",
            &[ONE, "! line 2, after 29 bytes: something follows the end"],
        ),
    ]);
}

#[test]
fn a_row_that_says_two_values_of_one_key_is_refused() {
    check(&[
        case(
            "in a line",
            "{\"id\":\"1\",\"id\":\"2\"}\n{\"id\":\"3\",\"id\":\"3\"}\n",
            &[
                "1 ! row: has a key twice, with two values",
                r#"2 {"id":"3"}"#,
            ],
        ),
        case(
            "in a document",
            "[{\"id\":\"1\",\"a\":{\"b\":1,\"b\":2}},{\"id\":\"2\"}]",
            &[
                "1 ! row: has a key twice, with two values",
                r#"1 {"id":"2"}"#,
            ],
        ),
    ]);
}

#[test]
fn an_encoding_that_is_declared_wrongly_is_told() {
    for (label, file, told) in [
        ("windows-1252", "id,name\n1,Jos\u{e9}\n".as_bytes(), true),
        ("windows-1252", b"id,name\n1,Jos\xE9\n", false),
        ("windows-1252", b"id,name\n1,Ann\n", false),
        ("utf-8", "id,name\n1,Jos\u{e9}\n".as_bytes(), false),
    ] {
        let options = Options {
            encoding: Some(encoding(label).expect("a label")),
            ..Options::default()
        };
        let rows = reader_by(file, &options, Position::START).expect("opens");
        let notes: Vec<&str> = rows.notes().collect();
        assert_eq!(
            notes.len(),
            usize::from(told),
            "{label} {file:?}: {notes:?}"
        );
    }
}
