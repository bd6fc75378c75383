//! An import that is killed goes on where it was.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{HEADER, database, dir, import, read, write};
use crate::support::program::command;

const ROWS: u32 = 20_000;

/// Many rows, of which every thousandth has no key.
fn rows() -> String {
    let row = |n| {
        if n % 1000 == 0 {
            ",,,,,,,,,\n".replacen(",,", ",Ann,", 1)
        } else {
            format!("w{n},Ann{n},,,,,,,,\n")
        }
    };
    HEADER.to_owned() + &(1..=ROWS).map(row).collect::<String>()
}

/// Imports until the first position is written down, and kills it then.
fn kill_on_the_way(dir: &Path, file: &str) {
    let url = database(dir);
    let args = [
        "import",
        file,
        "--source",
        "web",
        "--kind",
        "customers",
        "--batch-rows",
        "100",
        "--database-url",
        &url,
    ];
    let mut child = command(dir, args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let position = dir.join(format!("{file}.import.json"));
    while !position.exists() {
        assert!(
            child.try_wait().expect("a child's state").is_none(),
            "it ended before it could be killed"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    assert!(position.exists(), "it ended before it was killed");
}

#[test]
fn a_killed_import_goes_on_and_nothing_is_missing_or_told_twice() {
    for compressed in [false, true] {
        let dir = dir();
        let file = if compressed { "a.csv.gz" } else { "a.csv" };
        let content = if compressed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(rows().as_bytes()).expect("gzip");
            encoder.finish().expect("gzip")
        } else {
            rows().into_bytes()
        };
        write(dir.path(), file, content);
        kill_on_the_way(dir.path(), file);

        let resumed = import(
            dir.path(),
            file,
            &["--resume", "--allow-rejects", "--output", "json"],
        )
        .ok();
        let resumed: serde_json::Value = serde_json::from_str(&resumed).expect("JSON");
        let after = resumed["resumed_after_line"].as_u64().expect("a number");
        // The header is a line, too.
        assert!(
            after > 1 && resumed["rows"] == u64::from(ROWS) + 1 - after,
            "{resumed}"
        );
        assert!(!dir.path().join(format!("{file}.import.json")).exists());

        let rejects = read(dir.path(), &format!("{file}.rejects.ndjson"));
        let lines: Vec<u64> = rejects
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON")["line"]
                    .as_u64()
                    .expect("a line")
            })
            .collect();
        assert_eq!(
            lines,
            (1..=u64::from(ROWS) / 1000)
                .map(|n| n * 1000 + 1)
                .collect::<Vec<_>>()
        );

        let again = import(dir.path(), file, &["--allow-rejects", "--output", "json"]).ok();
        let again: serde_json::Value = serde_json::from_str(&again).expect("JSON");
        assert_eq!(
            (&again["stored"], &again["rejected"]),
            (&0.into(), &(ROWS / 1000).into()),
            "{again}"
        );
    }
}

#[test]
fn a_position_of_another_import_is_refused() {
    let dir = dir();
    write(dir.path(), "a.csv", rows());
    kill_on_the_way(dir.path(), "a.csv");
    let told = import(dir.path(), "a.csv", &["--resume", "--tenant", "other"]).failed(1);
    assert!(told.contains("belongs to another import"), "{told}");
    write(dir.path(), "a.csv", rows().replace("Ann", "Bea"));
    let told = import(dir.path(), "a.csv", &["--resume"]).failed(1);
    assert!(told.contains("has changed before the place"), "{told}");
    let told = import(dir.path(), "a.csv", &["--resume", "--separator", ","]).failed(1);
    assert!(told.contains("belongs to another import"), "{told}");
    write(dir.path(), "a.csv.import.json", "{}");
    let told = import(dir.path(), "a.csv", &["--resume"]).failed(1);
    assert!(told.contains("is not the position of an import"), "{told}");
}
