//! The tour of the README and of the pages under docs, by the clients that people have: grpcurl and
//! buf by reflection, Python and Node from the proto files.
//!
//! The commands and the Python program are those of the pages themselves, run against a demo of
//! this test's own. What they need is installed by `tests/run`; where it is missing these tests
//! fail and say so.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::program::command;

/// A demo that has imported its sample. Dropped, it ends, and so does its data.
struct Demo {
    child: Child,
    dir: tempfile::TempDir,
    /// `127.0.0.1:PORT`.
    address: String,
}

impl Demo {
    fn start() -> Self {
        let dir = tempfile::TempDir::with_prefix("cp-tour-").expect("a temporary directory");
        let args = [
            "demo",
            "--grpc-address",
            "127.0.0.1:0",
            "--operations-address",
            "127.0.0.1:0",
        ];
        let mut demo = command(dir.path(), args);
        let mut child = demo
            .env("TMPDIR", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"))
            .lines()
            .map_while(Result::ok);
        let address = lines.find_map(|line| {
            Some(
                line.strip_prefix("ready: gRPC on ")?
                    .split('.')
                    .take(4)
                    .collect::<Vec<_>>()
                    .join("."),
            )
        });
        // The rest is read away, so that the demo never meets a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            dir,
            address: address.expect("a demo that is ready"),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // The directory goes away whatever becomes of the process.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where `tests/run` has put the tools.
pub(crate) fn tools() -> PathBuf {
    let tools = std::env::var_os("CUSTOMER_PROFILE_TOOLS");
    let tools = tools.expect(
        "CUSTOMER_PROFILE_TOOLS names the directory of grpcurl, buf and python: run tests/run",
    );
    assert!(
        Path::new(&tools).join("grpcurl").exists(),
        "no grpcurl in {}: run tests/run",
        tools.display()
    );
    tools.into()
}

/// README.md and the pages under docs.
fn pages() -> Vec<String> {
    let docs = fs::read_dir(repository().join("docs"))
        .expect("docs")
        .flatten()
        .map(|entry| entry.path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let all = std::iter::once(repository().join("README.md")).chain(pages);
    all.map(|path| fs::read_to_string(path).expect("a page"))
        .collect()
}

/// The fenced blocks of a language in the section of this title: a chapter of the README, or a page
/// or chapter of docs.
fn blocks(title: &str, language: &str) -> Vec<String> {
    let pages = pages();
    let sections = pages.iter().flat_map(|page| page.split("\n## "));
    let mut found = sections.filter(|text| {
        text.trim_start_matches("# ")
            .starts_with(&format!("{title}\n"))
    });
    let section = found.next().expect("the section");
    assert!(
        found.next().is_none(),
        "{title} is the title of two sections"
    );
    let fence = format!("```{language}\n");
    section
        .split(&fence)
        .skip(1)
        .map(|text| text.split("```").next().expect("a block").to_owned())
        .collect()
}

/// Runs a program to its end; what it prints, when it succeeds.
#[track_caller]
fn output(command: &mut Command) -> String {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{command:?}: {error}: run tests/run, which installs what is missing");
        });
    let mut out = String::new();
    child
        .stdout
        .take()
        .expect("its output")
        .read_to_string(&mut out)
        .expect("text");
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "{command:?}\n{out}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    out
}

/// Runs a block of the README's shell against a demo.
fn shell(block: &str, demo: &Demo) -> String {
    let path = std::env::join_paths([
        tools(),
        "/usr/local/bin".into(),
        "/usr/bin".into(),
        "/bin".into(),
    ])
    .expect("a path");
    let block = block.replace("127.0.0.1:50051", &demo.address);
    output(
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block])
            .env("PATH", path)
            .current_dir(repository()),
    )
}

#[test]
fn grpcurl_and_buf_run_the_readmes_tour_by_reflection() {
    let demo = Demo::start();
    let tour = [
        blocks("Five minutes with grpcurl", "sh"),
        blocks("The tour goes on", "sh"),
    ]
    .concat();
    let told: Vec<String> = tour.iter().map(|block| shell(block, &demo)).collect();
    let expected: [&[&str]; 7] = [
        &[
            "customer.profile.v1.IngestService",
            "customer.profile.v1.ProfileService",
            "grpc.health.v1.Health",
        ],
        &[
            "\"recordCount\": 6",
            "\"stringValue\": \"Viana\"",
            "\"READ_SOURCE_CACHE\"",
        ],
        &[
            "\"order_placed\"",
            "\"conversation_started\"",
            "\"38.98\"",
            "\"nextPageToken\"",
        ],
        &[
            "STATEMENT_OUTCOME_STORED",
            "STATEMENT_OUTCOME_REJECTED",
            "no source `shpo`",
            "\"readToken\"",
        ],
        &["\"family_name\"", "\"recordCount\": 7"],
        &["\"recordCount\": 7"],
        &["SERVING"],
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        // Some printers vary their blanks on purpose.
        let told: String = told.split_whitespace().collect();
        for part in expected {
            assert!(told.contains(&part.replace(' ', "")), "{part}:\n{told}");
        }
    }
}

#[test]
fn grpcurl_says_how_a_customer_wants_to_be_treated_and_asks_what_all_adds_up_to() {
    let demo = Demo::start();
    treats_a_customer_as_they_want(&demo);
    asks_what_it_adds_up_to(&demo);
}

fn treats_a_customer_as_they_want(demo: &Demo) {
    let [block] = &blocks("Preferences, needs and consent", "sh")[..] else {
        panic!("one block")
    };
    let told: String = shell(block, demo).split_whitespace().collect();
    for part in [
        r#""language":"es-US""#,
        r#""largePrint":true"#,
        r#""status":"CONSENT_STATUS_GRANTED""#,
        // By night it is a quiet hour.
        r#""reason":"CONTACT_REASON_"#,
        r#""rule":""#,
        r#""field":"traits.family_name","reason":"WITHHELD_REASON_NOT_FOR_PURPOSE""#,
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
}

fn asks_what_it_adds_up_to(demo: &Demo) {
    let [block] = &blocks("Computed traits, segments and context", "sh")[..] else {
        panic!("one block")
    };
    let told: String = shell(block, demo).split_whitespace().collect();
    for part in [
        r#""orders":{"value":{"int64Value":"#,
        r#""completeness":"COMPLETENESS_COMPLETE""#,
        r#""segments":["repeat_customers","gold"]"#,
        r#""section":"shopping""#,
        "Givenname:",
        r#""kind":"order""#,
        r#""enterTime":""#,
        r#""memberCount":""#,
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
}

#[test]
fn the_readmes_python_program_runs_with_code_generated_from_the_proto_files() {
    let program =
        fs::read_to_string(repository().join("tests/clients/python/tour.py")).expect("the tour");
    assert_eq!(
        blocks("A client in Python", "python"),
        [program],
        "the README shows what is run"
    );
    let demo = Demo::start();
    let (python, generated) = (tools().join("python"), demo.dir.path().join("client"));
    fs::create_dir(&generated).expect("a directory");
    let mut generate = Command::new(&python);
    generate.args(["-m", "grpc_tools.protoc", "-I", "proto"]);
    for kind in ["--python_out", "--grpc_python_out"] {
        generate.arg(format!("{kind}={}", generated.display()));
    }
    output(generate.args(proto_files()).current_dir(repository()));
    let tour = repository().join("tests/clients/python/tour.py");
    let told = output(
        Command::new(&python)
            .arg(tour)
            .arg(&demo.address)
            .env("PYTHONPATH", &generated),
    );
    let told: Vec<&str> = told.lines().map(str::trim_start).collect();
    let name = told[0]
        .strip_suffix(" is made of 6 records")
        .expect(told[0]);
    // The days are shifted to the present, and begin at four or five o'clock of UTC by the season.
    let undated = told.iter().map(|line| match line.split_at_checked(10) {
        Some((date, time)) if date.parse::<jiff::civil::Date>().is_ok() => time
            .strip_prefix("T04:")
            .or_else(|| time.strip_prefix("T05:"))
            .unwrap_or(time),
        _ => line,
    });
    let told: Vec<&str> = undated.collect();
    for line in [
        "family_name: Viana (loyalty/r005064)",
        "00:00Z order_placed web 01722-52",
        "T14:05:00Z conversation_started helpdesk 9019",
        "1 found by ['display_name', 'family_name', 'given_name']",
        &format!("STATEMENT_OUTCOME_STORED {name} []"),
        &format!("{name} is made of 7 records now"),
        "['STATEMENT_OUTCOME_DUPLICATE', 'STATEMENT_OUTCOME_DUPLICATE', 'STATEMENT_OUTCOME_REJECTED']",
        "NOT_FOUND no profile answers to the key",
    ] {
        assert!(told.contains(&line), "{line}:\n{}", told.join("\n"));
    }
    let refused = told
        .iter()
        .find(|line| line.starts_with("STATEMENT_OUTCOME_REJECTED"))
        .expect("a refusal");
    assert!(
        refused.contains("the model declares no source `shpo`"),
        "{refused}"
    );
}

#[test]
fn a_node_client_runs_the_tour_with_the_proto_files() {
    let demo = Demo::start();
    let tour = repository().join("tests/clients/node/tour.mjs");
    let told = output(
        Command::new("node")
            .arg(tour)
            .arg(&demo.address)
            .arg(repository().join("proto")),
    );
    assert_eq!(told, "the tour is done\n");
}

#[test]
fn the_readmes_model_has_no_mistakes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [
        model,
        placeholders,
        groups,
        mappings,
        events,
        following,
        corrections,
    ] = &blocks("The model file", "yaml")[..]
    else {
        panic!("a model, placeholders, groups, mappings, event types, following and corrections")
    };
    let parts = "sources: { s: }\ntraits: { street: , postcode: , city: , country: , billing_street: , \
                 billing_postcode: , billing_city: }\n";
    let model = model.clone() + events + following;
    let [publish] = &blocks("Publishing", "yaml")[..] else {
        panic!("one section")
    };
    let counts = "1 sources, 1 identifier types, 1 traits";
    for (text, found) in [
        (
            format!("{parts}{placeholders}{groups}"),
            "1 sources, 2 identifier types, 7 traits".to_owned(),
        ),
        (
            mappings.clone(),
            "1 sources, 0 identifier types, 0 traits".to_owned(),
        ),
        (model.clone(), counts.to_owned()),
        (
            corrections.clone(),
            "1 sources, 0 identifier types, 0 traits".to_owned(),
        ),
        (model.clone() + publish, format!("{counts}, 3 publications")),
    ] {
        fs::write(dir.path().join("model.yaml"), text).expect("a file is written");
        let told = output(&mut command(dir.path(), ["model", "check", "model.yaml"]));
        assert_eq!(told, format!("model.yaml: no mistakes: {found}\n"));
    }
}

/// Every proto file, relative to the repository.
fn proto_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("proto")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(repository().join(&folder))
            .expect("a directory")
            .flatten()
        {
            let path = folder.join(entry.file_name());
            match path.extension() {
                Some(ending) if ending == "proto" => files.push(path),
                _ if entry.path().is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    files
}
