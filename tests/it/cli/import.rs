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
    write(dir.path(), "utf16.csv", b"\xff\xfei\0d\0");
    let mut cut = gzip(&customers(5000));
    cut.truncate(cut.len() / 2);
    write(dir.path(), "cut.csv.gz", cut);
    write(dir.path(), "not.csv.gz", b"\x1f\x8bnonsense");
    for (file, part) in [
        ("none.csv", "No such file"),
        ("empty.csv", "empty"),
        ("utf16.csv", "UTF-16"),
        ("cut.csv.gz", "the gzip data is cut off here"),
        ("not.csv.gz", "the gzip data is broken"),
    ] {
        let told = import(dir.path(), file, &[]).failed(1);
        assert!(
            told.starts_with(&format!("error: {file}: ")) && told.contains(part),
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
fn wrong_columns_are_told_for_every_row() {
    let dir = dir();
    write(dir.path(), "a.csv", "id,name\n1,Ann\n2,Bob\n");
    let run = import(dir.path(), "a.csv", &[]);
    assert_eq!(run.code, Some(1));
    let line = read(dir.path(), "a.csv.rejects.ndjson");
    assert!(
        line.contains("records.customers.key") && line.contains("record_id"),
        "{line}"
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
