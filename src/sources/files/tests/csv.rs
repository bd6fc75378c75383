//! CSV as it is in the wild: what is read, and what is wrong with the rest.

use super::*;
use crate::sources::files::options::{Quote, Separator};

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_kinds_of_the_public_collections_are_read_whole() {
    for (csv, row) in [
        (
            "first,last,address\nJohn,Doe,\"120 Any St., Rome, WW\"\n",
            r#"{"first":"John","last":"Doe","address":"120 Any St., Rome, WW"}"#,
        ),
        ("a,b,c\n1,\"\",\"\"\n", r#"{"a":"1","b":"","c":""}"#),
        ("a,b,c\r\n1,\"\",\"\"\r\n", r#"{"a":"1","b":"","c":""}"#),
        (
            "a,b\n1,\"ha \"\"ha\"\" ha\"\n",
            r#"{"a":"1","b":"ha \"ha\" ha"}"#,
        ),
        (
            "key,val\n1,\"{\"\"type\"\": \"\"Point\"\", \"\"at\"\": [102.0, 0.5]}\"\n",
            r#"{"key":"1","val":"{\"type\": \"Point\", \"at\": [102.0, 0.5]}"}"#,
        ),
        (
            "a,b,c\n\"Once upon \na time\",5,6\n",
            r#"{"a":"Once upon \na time","b":"5","c":"6"}"#,
        ),
        (
            "a,b\n1,\"ha \n\"\"ha\"\" \nha\"\n",
            r#"{"a":"1","b":"ha \n\"ha\" \nha"}"#,
        ),
        (
            "a,b,c\n1,2,\u{2603}\n",
            "{\"a\":\"1\",\"b\":\"2\",\"c\":\"\u{2603}\"}",
        ),
        ("a,b\n1,2", r#"{"a":"1","b":"2"}"#),
        ("a,b\r1,2\r", r#"{"a":"1","b":"2"}"#),
        ("\n\na,b\n\n1,2\n\n", r#"{"a":"1","b":"2"}"#),
        ("a,b\n 1 ,2\u{a0}\n", "{\"a\":\" 1 \",\"b\":\"2\u{a0}\"}"),
        ("id,card\n1,=\"00123\"\n", r#"{"id":"1","card":"00123"}"#),
        (
            "id,card\n1,\"=\"\"00123\"\"\"\n",
            r#"{"id":"1","card":"00123"}"#,
        ),
        ("id,note\n1,'5\n", r#"{"id":"1","note":"'5"}"#),
        (
            "id\u{a0},\u{200b}name \n1,Ann\n",
            r#"{"id":"1","name":"Ann"}"#,
        ),
        ("id,pipe\n1,5\" wide\n", r#"{"id":"1","pipe":"5\" wide"}"#),
        ("sep=;\nid;a\n1;2,5\n", r#"{"id":"1","a":"2,5"}"#),
    ] {
        let told = told(csv);
        let rows: Vec<&str> = told.lines().collect();
        assert_eq!(rows.len(), 1, "{csv}: {told}");
        let read = rows[0].split_once(' ').expect("a row").1;
        assert_eq!(json(read), json(row), "{csv}");
    }
}

#[test]
fn columns_without_a_name_or_with_the_same_are_told_and_never_taken_by_chance() {
    for (csv, row, note) in [
        (
            "id,name,\n1,Ann,\n",
            r#"{"id":"1","name":"Ann"}"#,
            "column 3 has no name",
        ),
        (
            ",id,name\n0,1,Ann\n",
            r#"{"id":"1","name":"Ann"}"#,
            "column 1 has no name",
        ),
        (
            "id,,,\n1,,,\n",
            r#"{"id":"1"}"#,
            "columns 2, 3, 4 have no name",
        ),
        (
            "id,x,id\n1,a,2\n",
            r#"{"id (1)":"1","x":"a","id (2)":"2"}"#,
            "`id` comes 2 times",
        ),
    ] {
        let mut reader = reader(csv, Position::START).expect("opens");
        let notes: Vec<String> = reader.notes().map(str::to_owned).collect();
        assert!(
            notes.len() == 1 && notes[0].contains(note),
            "{csv}: {notes:?}"
        );
        let payload = reader.next().expect("a row").expect("reads").payload;
        assert_eq!(payload.expect("a payload"), json(row));
    }
    assert!(told(",,\n1,2,3\n").contains("names no column"));
}

#[test]
fn rows_that_would_be_read_wrongly_are_refused() {
    for (row, part) in [
        ("1,\"Ann \\\"Lee\\\"\"", "--escape"),
        ("1,\"Ann\" Lee", "after a closing quote"),
        ("1, \"Ann\"", "a blank before an opening quote"),
        ("id,name", "repeats the header"),
        ("\u{FEFF}id,name", "repeats the header"),
        ("1,2,3", "has 3 fields, and the header has 2"),
    ] {
        let told = told(format!("id,name\n0,Bob\n{row}\n2,Cyd\n"));
        let rows: Vec<&str> = told.lines().collect();
        assert!(
            rows[1].starts_with("3 ! ") && rows[1].contains(part),
            "{row}: {told}"
        );
        assert_eq!(rows.len(), 3, "{told}");
    }
}

#[test]
fn declarations_are_followed() {
    let escaped = Options {
        escape: Some(b'\\'),
        ..Options::default()
    };
    assert_eq!(
        told_by("id,name\n1,\"Ann \\\"Lee\\\"\"\n", &escaped),
        r#"2 {"id":"1","name":"Ann \"Lee\""}"#
    );
    let unquoted = Options {
        quote: Some(Quote::None),
        ..Options::default()
    };
    assert_eq!(
        told_by("id,name\n1,\"Ann\n2,5\" pipe\n", &unquoted),
        "2 {\"id\":\"1\",\"name\":\"\\\"Ann\"}\n3 {\"id\":\"2\",\"name\":\"5\\\" pipe\"}"
    );
    let single = Options {
        quote: Some(Quote::Byte(b'\'')),
        separator: Some(Separator::Byte(b':')),
        ..Options::default()
    };
    assert_eq!(
        told_by("id:name\n1:'Ann: it''s'\n", &single),
        r#"2 {"id":"1","name":"Ann: it's"}"#
    );
    let titled = Options {
        skip_lines: 2,
        ..Options::default()
    };
    assert_eq!(
        told_by(
            "Customers of May\nprinted, today\nid,name\n1,Ann\n",
            &titled
        ),
        r#"4 {"id":"1","name":"Ann"}"#
    );
    let many = Options {
        skip_lines: 5,
        ..Options::default()
    };
    assert!(told_by("a\nb\n", &many).contains("no more than 5 lines"));
    // The original form of CDNOW's purchases: no header, and blanks between columns.
    let blanks = Options {
        separator: Some(Separator::Blanks),
        columns: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        ..Options::default()
    };
    assert_eq!(
        told_by(
            " 00001 19970101  1   11.77\n 00002 19970112  5   77.00\n",
            &blanks
        ),
        "1 {\"a\":\"00001\",\"b\":\"19970101\",\"c\":\"1\",\"d\":\"11.77\"}\n\
         2 {\"a\":\"00002\",\"b\":\"19970112\",\"c\":\"5\",\"d\":\"77.00\"}"
    );
}

#[test]
fn a_quote_that_is_left_open_spoils_its_own_line_alone() {
    let rows = "x".repeat(64) + ",y\n";
    let file = format!("id,name\n1,\"Ann\n{}last,z\n", rows.repeat(40_000));
    let told: Vec<Row> = reader(file, Position::START)
        .expect("opens")
        .map(|row| row.expect("reads"))
        .collect();
    assert_eq!(
        told.len(),
        40_002,
        "more than a row may have, and each line is read"
    );
    assert!(told[0].payload.is_err() && told[1..].iter().all(|row| row.payload.is_ok()));
    assert_eq!(
        told[0].content.as_ref().and_then(|c| c.text.as_deref()),
        Some("1,\"Ann")
    );
    assert_eq!(told[40_001].line, 40_003);
}

#[test]
fn the_hash_tells_whether_a_file_has_changed_before_a_position() {
    let rows: Vec<String> = (0..30_000).map(|n| format!("{n},a{n}\n")).collect();
    let file = format!("id,name\n{}", rows.concat());
    let mut whole = reader(file.clone(), Position::START).expect("opens");
    let at = whole
        .by_ref()
        .take(20_000)
        .last()
        .expect("a row")
        .expect("reads")
        .end;
    let digest = whole.digest();
    let resumed = |file: String| reader(file, at).expect("opens").digest();
    assert_eq!(resumed(file.clone()), digest);
    assert_eq!(resumed(file.clone() + "30000,b\n"), digest, "it has grown");
    let late = file.replacen("19000,a19000", "19000,b19000", 1);
    assert_ne!(resumed(late), digest, "a change far behind the beginning");
    let after = file.replacen("29000,a29000", "29000,b29000", 1);
    assert_eq!(resumed(after), digest, "a change behind the position");
}

#[test]
fn what_was_refused_can_be_mended_and_read_again() {
    let file = b"id,name\n1\n2,J\xF6rg\n3,\"Cyd\n4,Dan\n".to_vec();
    let reject = |row: &Row| {
        let content = serde_json::to_value(row.content.as_ref().expect("content"));
        let mut line = json!({"line": row.line, "reasons": [], "row": null});
        let object = line.as_object_mut().expect("an object");
        object.extend(
            content
                .expect("JSON")
                .as_object()
                .expect("an object")
                .clone(),
        );
        line
    };
    let rows = reader(file, Position::START)
        .expect("opens")
        .map(|row| row.expect("reads"));
    let refused: Vec<Row> = rows.filter(|row| row.payload.is_err()).collect();
    let mut rejects: Vec<Json> = refused.iter().map(reject).collect();
    let written = |rejects: &[Json]| {
        let lines: Vec<String> = rejects.iter().map(Json::to_string).collect();
        lines.join("\n")
    };
    assert_eq!(rejects[0]["fields"], json!(["1"]));
    assert_eq!(rejects[1]["fields"], json!(["2", "J\u{FFFD}rg"]));
    assert_eq!(
        rejects[1]["bytes"],
        json!("MixK9nJn"),
        "the bytes as they are"
    );
    assert_eq!(rejects[2]["text"], json!("3,\"Cyd"));
    insta::assert_snapshot!(told(written(&rejects)), @"
    1 ! row: `fields` has 1 and `columns` 2: mend them to as many
    2 ! row: `fields` has characters that could not be read, shown as U+FFFD
    3 ! row: `text` is not JSON: error in column 2
    ");
    let again = reader(written(&rejects), Position::START).expect("opens");
    let kept: Vec<Option<Content>> = again.map(|row| row.expect("reads").content).collect();
    let before: Vec<Option<Content>> = refused.into_iter().map(|row| row.content).collect();
    assert_eq!(kept, before, "what is refused again is kept as it was");

    rejects[0]["fields"] = json!(["1", "Ann"]);
    rejects[1]["fields"][1] = json!("Jörg");
    rejects[2]["row"] = json!({"id": "3", "name": "Cyd"});
    insta::assert_snapshot!(told(written(&rejects)), @r#"
    1 {"id":"1","name":"Ann"}
    2 {"id":"2","name":"Jörg"}
    3 {"id":"3","name":"Cyd"}
    "#);
}
