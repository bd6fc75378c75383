//! `import`: what is stored, what is refused, and what bad files are told.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{HEADER, customers, database, dir, import, read, write};
use crate::support::program::{run, say};
use crate::support::server::TestServer;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("gzip");
    encoder.finish().expect("gzip")
}

#[test]
fn a_file_said_twice_gives_only_duplicates() {
    let dir = dir();
    write(dir.path(), "a.csv", customers(1200));
    let told = import(dir.path(), "a.csv", &[]).ok();
    assert_eq!(
        told,
        "a.csv: 1,200 rows: 1,200 stored, 0 duplicate, 0 rejected\n"
    );
    write(dir.path(), "a.csv.gz", gzip(&customers(1200)));
    let told = import(dir.path(), "a.csv.gz", &[]).ok();
    assert_eq!(
        told,
        "a.csv.gz: 1,200 rows: 0 stored, 1,200 duplicate, 0 rejected\n"
    );
    let url = database(dir.path());
    let server = TestServer::start(&url);
    let args = [
        "import",
        "a.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--server",
        &server.address,
    ];
    let told = run(dir.path(), args.into_iter().chain(["--output", "json"])).ok();
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (&told["stored"], &told["duplicate"], &told["rejected"]),
        (&0.into(), &1200.into(), &0.into())
    );
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .expect("a directory")
        .flatten()
        .map(|file| file.file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("import.json")),
        "{left:?}"
    );
}

#[test]
fn refused_rows_go_into_a_file_with_line_reasons_and_content() {
    let long = "x".repeat(600);
    let rows = format!(
        "{HEADER}w1,Ann,,ann@shop.com,,,,,,\n,Bob,,bob@shop.com,,,,,,\nw3,Cyd,,{long}@shop.com,,,,,,\nw4,Dan\n"
    );
    let dir = dir();
    write(dir.path(), "a.csv", &rows);
    let url = database(dir.path());
    let server = TestServer::start(&format!("{url}2"));
    let remote = [
        "import",
        "a.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--server",
        &server.address,
    ];
    let mut told = Vec::new();
    for direct in [true, false] {
        let run = if direct {
            import(dir.path(), "a.csv", &[])
        } else {
            run(dir.path(), remote)
        };
        assert_eq!(run.code, Some(1), "{run:?}");
        assert_eq!(
            run.out,
            "a.csv: 4 rows: 1 stored, 0 duplicate, 3 rejected (see a.csv.rejects.ndjson)\n"
        );
        told.push(read(dir.path(), "a.csv.rejects.ndjson").replace(&long, "x…x"));
    }
    assert_eq!(told[0], told[1], "directly and over gRPC");
    insta::assert_snapshot!(told[0]);

    assert_eq!(
        import(
            dir.path(),
            "a.csv",
            &["--allow-rejects", "--rejects", "r.ndjson"]
        )
        .code,
        Some(0)
    );
    assert_eq!(read(dir.path(), "r.ndjson").lines().count(), 3);
    write(dir.path(), "a.csv", customers(1));
    import(dir.path(), "a.csv", &[]).ok();
    assert!(
        !dir.path().join("a.csv.rejects.ndjson").exists(),
        "what an earlier run refused is no longer there"
    );
}

#[test]
fn bad_files_are_told_by_name_and_place() {
    let dir = dir();
    write(dir.path(), "empty.csv", "");
    write(dir.path(), "binary.csv", b"id\n\0\0\0\0");
    let mut cut = gzip(&customers(5000));
    cut.truncate(cut.len() / 2);
    write(dir.path(), "cut.csv.gz", cut);
    write(dir.path(), "not.csv.gz", b"\x1f\x8bnonsense");
    for (file, part) in [
        ("none.csv", "No such file"),
        ("empty.csv", "empty"),
        ("binary.csv", "no text"),
        ("cut.csv.gz", "the gzip data is cut off here"),
        ("not.csv.gz", "the gzip data is broken"),
    ] {
        let told = import(dir.path(), file, &[]).failed(1);
        assert!(
            told.contains(&format!("error: {file}: ")) && told.contains(part),
            "{file}: {told}"
        );
    }
}

#[test]
fn what_can_be_read_of_a_truncated_file_is_stored() {
    let dir = dir();
    let mut cut = gzip(&customers(5000));
    cut.truncate(cut.len() / 2);
    write(dir.path(), "cut.csv.gz", cut);
    let told = import(dir.path(), "cut.csv.gz", &["--output", "json"]);
    assert_eq!(told.code, Some(1));
    let told: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
    assert!(
        told["stored"].as_u64().is_some_and(|stored| stored > 1000),
        "{told}"
    );
    // The whole file comes after all.
    write(dir.path(), "cut.csv.gz", gzip(&customers(5000)));
    let told: serde_json::Value =
        serde_json::from_str(&import(dir.path(), "cut.csv.gz", &["--output", "json"]).ok())
            .expect("JSON");
    assert_eq!(told["rows"], 5000);
}

#[test]
fn rows_that_are_not_text_or_not_json_are_refused_one_by_one() {
    let dir = dir();
    let mut rows = HEADER.as_bytes().to_vec();
    rows.extend_from_slice(b"w1,Ann,,ann@shop.com,,,,,,\nw2,B\xe9a,,,,,,,,\nw3,Cyd,,,,,,,,\n");
    write(dir.path(), "a.csv", rows);
    assert!(
        import(dir.path(), "a.csv", &[])
            .out
            .contains("3 rows: 2 stored, 0 duplicate, 1 rejected")
    );
    write(
        dir.path(),
        "a.ndjson",
        "{\"record_id\": \"w9\"}\n{oops}\n[1]\n{\"record_id\": {}}\n",
    );
    assert!(
        import(dir.path(), "a.ndjson", &[])
            .out
            .contains("4 rows: 1 stored, 0 duplicate, 3 rejected")
    );
    let lines: Vec<serde_json::Value> = read(dir.path(), "a.ndjson.rejects.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(
        lines
            .iter()
            .map(|line| line["line"].as_u64())
            .collect::<Vec<_>>(),
        [Some(2), Some(3), Some(4)]
    );
}

#[test]
fn a_file_without_the_columns_of_the_mapping_is_not_imported() {
    let dir = dir();
    write(dir.path(), "a.csv", "record_id,First Name\n1,Ann\n2,Bob\n");
    let told = import(dir.path(), "a.csv", &[]).failed(1);
    assert!(
        told.contains("lacks columns that the mapping reads: `address`"),
        "{told}"
    );
    assert!(told.contains("it has: `First Name`, `record_id`"), "{told}");
    let url = database(dir.path());
    let server = TestServer::start(&url);
    let remote = "import a.csv --source web --kind customers --server";
    let remote = say(dir.path(), &format!("{remote} {}", server.address)).failed(1);
    assert!(
        remote.contains("lacks columns that the mapping reads"),
        "{remote}"
    );
    drop(server);
    let run = import(
        dir.path(),
        "a.csv",
        &["--allow-missing-columns", "--output", "json"],
    );
    let told: serde_json::Value = serde_json::from_str(&run.ok()).expect("JSON");
    assert_eq!((&told["stored"], &told["rows"]), (&2.into(), &2.into()));
    assert!(
        told["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("`First Name`")),
        "{told}"
    );
}

#[test]
fn files_without_a_row_and_files_of_other_kinds_fail() {
    let dir = dir();
    for (name, content, part) in [
        ("header.csv", HEADER, "has no rows"),
        ("empty.json", "[]", "has no rows"),
        ("null.csv", "null", "lacks columns"),
        ("text.csv", "\"text\"", "lacks columns"),
        (
            "page.csv",
            "<html><body>Sign in</body></html>",
            "an HTML page",
        ),
        (
            "table.parquet",
            "PAR1....",
            "the Parquet file cannot be read",
        ),
        (
            "list.json",
            "[{\"id\":\"1\"},{\"id\":\"2\"}]",
            "`record_id`",
        ),
        ("other.ndjson", "{\"Id\":\"1\"}\n", "`Id`"),
    ] {
        write(dir.path(), name, content);
        let run = import(dir.path(), name, &[]);
        assert_eq!(run.code, Some(1), "{name}: {run:?}");
        assert!(run.err.contains(part), "{name}: {run:?}");
    }
    let run = import(dir.path(), "header.csv", &["--allow-empty"]);
    assert!(
        run.err.contains("header.csv: read as CSV") && run.code == Some(0),
        "{run:?}"
    );
}

#[test]
fn documents_and_declared_files_are_imported() {
    let dir = dir();
    write(
        dir.path(),
        "a.json",
        "{\"data\": {\"customers\": [{\"record_id\": \"w1\", \"first_name\": \"Ann\"}]}}",
    );
    let told = import(dir.path(), "a.json", &["--path", "data.customers"]).ok();
    assert_eq!(told, "a.json: 1 rows: 1 stored, 0 duplicate, 0 rejected\n");
    let rows = format!("Customers of May\n{HEADER}w2,Zo\u{eb},,,,,,,,\n").replace(',', "|");
    let (rows, _, _) = encoding_rs::WINDOWS_1252.encode(&rows);
    write(dir.path(), "b.txt", rows);
    let declared = [
        "--encoding",
        "windows-1252",
        "--skip-lines",
        "1",
        "--separator",
        "|",
    ];
    let told = import(dir.path(), "b.txt", &declared).ok();
    assert_eq!(told, "b.txt: 1 rows: 1 stored, 0 duplicate, 0 rejected\n");
    let url = database(dir.path());
    let got = say(
        dir.path(),
        &format!(
            "import b.txt --source web --kind customers --database-url {url} --encoding klingon"
        ),
    );
    assert!(got.failed(2).contains("WHATWG"), "a usage error");
}

#[test]
fn rejected_rows_are_mended_and_imported_again() {
    let dir = dir();
    let mut rows = HEADER.as_bytes().to_vec();
    rows.extend_from_slice(b"w1,Ann,,,,,,,,\n,Bob,,,,,,,,\nw3,Cyd\nw4,D\xE9a,,,,,,,,\n");
    write(dir.path(), "a.csv", rows);
    let run = import(dir.path(), "a.csv", &[]);
    assert!(
        run.out.contains("1 stored, 0 duplicate, 3 rejected"),
        "{run:?}"
    );
    let unmended = import(dir.path(), "a.csv.rejects.ndjson", &[]);
    assert!(
        unmended.out.contains("0 stored, 0 duplicate, 3 rejected"),
        "{unmended:?}"
    );
    let mended: Vec<String> = read(dir.path(), "a.csv.rejects.ndjson")
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            match line["line"].as_u64() {
                Some(3) => line["row"]["record_id"] = "w2".into(),
                Some(4) => {
                    let fields = line["fields"].as_array_mut().expect("fields");
                    fields.resize(10, "".into());
                }
                _ => line["fields"][1] = "D\u{e9}a".into(),
            }
            line.to_string()
        })
        .collect();
    write(dir.path(), "mended.ndjson", mended.join("\n"));
    let run = import(dir.path(), "mended.ndjson", &[]);
    assert!(run.err.contains("read as rejected rows"), "{run:?}");
    assert_eq!(
        run.ok(),
        "mended.ndjson: 3 rows: 3 stored, 0 duplicate, 0 rejected\n"
    );
}

#[test]
fn unknown_sources_and_kinds_are_told_with_what_there_is() {
    let dir = dir();
    write(dir.path(), "a.csv", customers(1));
    let url = database(dir.path());
    let server = TestServer::start(&url);
    for target in [
        format!("--database-url {url}2"),
        format!("--server {}", server.address),
    ] {
        let told = say(
            dir.path(),
            &format!("import a.csv --source shpo --kind customers {target}"),
        )
        .failed(1);
        assert!(
            told.contains("the model has no source `shpo`; it has: callcentre, helpdesk"),
            "{told}"
        );
        let told = say(
            dir.path(),
            &format!("import a.csv --source web --kind refunds {target}"),
        )
        .failed(1);
        assert!(
            told.contains("has no mapping for the kind `refunds`; it has: customers, orders"),
            "{told}"
        );
    }
    assert!(
        !dir.path().join("cp.db2").exists(),
        "nothing is opened for what cannot be"
    );
}

#[test]
fn a_server_that_has_too_much_to_do_is_asked_again() {
    let dir = dir();
    write(dir.path(), "a.csv", customers(5000));
    let url = database(dir.path());
    // Room for one batch, and four are sent at once.
    let server = TestServer::start_unready(&url, &["--set", "ingest.queue_statements=500"]);
    server.wait_for("ready");
    let args = [
        "import",
        "a.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--server",
        &server.address,
    ];
    let told = run(dir.path(), args).ok();
    assert_eq!(
        told,
        "a.csv: 5,000 rows: 5,000 stored, 0 duplicate, 0 rejected\n"
    );
    let (_, metrics) = server.http("/metrics");
    assert!(
        metrics.contains("RESOURCE_EXHAUSTED"),
        "nothing was refused:\n{metrics}"
    );
}

#[test]
fn an_older_sqlite_finds_the_database_sound() {
    let dir = dir();
    write(dir.path(), "a.csv", customers(300));
    import(dir.path(), "a.csv", &[]).ok();
    // Debian 12 has 3.40, which once called a column behind the key of a table without row ids
    // damage.
    let check = "import sqlite3, sys\n\
        database = sqlite3.connect(sys.argv[1])\n\
        for pragma in ('quick_check', 'integrity_check', 'foreign_key_check'):\n\
        \x20   print(pragma, database.execute('PRAGMA ' + pragma).fetchall())\n\
        print('records', database.execute('SELECT count(*) FROM record').fetchone()[0])";
    let output = std::process::Command::new("python3")
        .args(["-c", check, "cp.db"])
        .current_dir(dir.path())
        .output()
        .expect("python3");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "quick_check [('ok',)]",
            "integrity_check [('ok',)]",
            "foreign_key_check []",
            "records 300"
        ],
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
