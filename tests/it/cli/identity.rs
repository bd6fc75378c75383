//! Who is who and why, on the command line.

use tempfile::TempDir;

use super::{HEADER, database, dir, import, write};
use crate::support::program::say;
use crate::support::server::TestServer;

/// A server that knows Ann by two records, which became one when the second took her address, and
/// Eve.
fn server() -> (TempDir, TestServer) {
    let dir = dir();
    let rows = [
        "w1,Ann,Müller,ann@shop.com,,,,Bonn,,\nw3,Eve,Stone,eve@shop.com,,,,,,\n",
        "w2,Ann,Miller,bob@shop.com,,,,,,\n",
        "w2,Ann,Miller,Ann@shop.com,,,,,,\n",
    ];
    for (number, rows) in rows.into_iter().enumerate() {
        let file = format!("{number}.csv");
        write(dir.path(), &file, format!("{HEADER}{rows}"));
        import(dir.path(), &file, &[]).ok();
    }
    let server = TestServer::start(&database(dir.path()));
    (dir, server)
}

/// Whether a text has a line with all these parts, in this order.
#[track_caller]
fn assert_line(text: &str, parts: &[&str]) {
    let has = |line: &str| {
        let mut rest = Some(line);
        parts.iter().all(|part| {
            rest = rest
                .and_then(|text| text.split_once(part))
                .map(|(_, after)| after);
            rest.is_some()
        })
    };
    assert!(text.lines().any(has), "no line with {parts:?}:\n{text}");
}

#[test]
fn explain_shows_what_ties_the_records_and_who_won() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = say(
        dir.path(),
        &format!("explain email:ANN@shop.com --server {at}"),
    )
    .ok();
    let name = shown.split(',').next().expect("a name");
    assert_line(&shown, &[name, ", revision ", ", 2 records, by model 1"]);
    assert_line(
        &shown,
        &["web/w1", "web/w2", "the same email: ann@shop.com"],
    );
    assert_line(
        &shown,
        &[
            "family_name",
            "✓",
            "Müller",
            "web/w1",
            "70",
            "most_frequent",
        ],
    );
    assert_line(&shown, &["Miller", "web/w2", "70"]);
    assert_eq!(
        say(dir.path(), &format!("explain {name} --server {at}")).ok(),
        shown
    );
    let json = say(
        dir.path(),
        &format!("explain record:web/w2 --output json --server {at}"),
    )
    .ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        json["records"][1]["link"]["sharedIdentifier"]["values"][0],
        "ann@shop.com"
    );
    let told = say(
        dir.path(),
        &format!("explain email:nobody@shop.com --server {at}"),
    )
    .failed(1);
    assert!(told.contains("NOT_FOUND, PROFILE_NOT_FOUND"), "{told}");
}

#[test]
fn explain_shows_two_beside_each_other_with_bars() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = say(
        dir.path(),
        &format!("explain record:web/w1 record:web/w2 --server {at}"),
    )
    .ok();
    assert_line(&shown, &["web/w1 and web/w2 are one profile"]);
    assert_line(
        &shown,
        &["web/w1", "web/w2", "the same email: ann@shop.com"],
    );
    assert_line(
        &shown,
        &[
            "email",
            "exact",
            "ann@shop.com",
            "ann@shop.com",
            "+",
            "####",
        ],
    );
    let apart = say(
        dir.path(),
        &format!("explain email:ann@shop.com email:eve@shop.com --server {at}"),
    )
    .ok();
    assert_line(&apart, &["are two profiles"]);
    assert_line(&apart, &["email", "different", "eve@shop.com", "-", "--"]);
    assert_line(&apart, &["no link", "bits below a link"]);
    let told = say(
        dir.path(),
        &format!("explain record:web/w1 record:web/w1 --server {at}"),
    )
    .failed(1);
    assert_eq!(
        told,
        "error: right: must be another record than `left` (INVALID_ARGUMENT, MALFORMED)\n"
    );
}

#[test]
fn candidates_and_history_show_what_waits_and_what_was_done() {
    let (dir, server) = server();
    let at = &server.address;
    assert_eq!(
        say(
            dir.path(),
            &format!("candidates --of email:eve@shop.com --server {at}")
        )
        .ok(),
        "no candidates\n"
    );
    let told = say(dir.path(), &format!("candidates --min 2 --server {at}")).failed(1);
    assert!(
        told.contains("min_probability: must lie between 0 and 1"),
        "{told}"
    );
    let shown = say(
        dir.path(),
        &format!("history email:ann@shop.com --server {at}"),
    )
    .ok();
    assert_line(
        &shown,
        &[
            "profiles/",
            " merged into profiles/",
            "web/w2 (shared:email)",
            "statements about web/w2",
        ],
    );
    assert_eq!(
        say(dir.path(), &format!("history --server {at}")).ok(),
        shown
    );
    let nothing = say(dir.path(), &format!("history record:web/w3 --server {at}")).ok();
    assert_eq!(nothing, "no merges or splits\n");
    let json = say(dir.path(), &format!("history --output json --server {at}")).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["changes"][0]["kind"], "IDENTITY_CHANGE_KIND_MERGE");
}
