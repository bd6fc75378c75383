//! The command line, as a user has it: real processes on real databases.

mod commands;
mod demo;
mod identity;
mod import;
mod resume;
mod start;
mod watch;

use std::path::Path;

use tempfile::TempDir;

use crate::support::program::{Run, run};

/// A directory for one test.
fn dir() -> TempDir {
    TempDir::with_prefix("cp-cli-").expect("a temporary directory")
}

/// The URL of a database in a directory.
fn database(dir: &Path) -> String {
    format!("sqlite://{}", dir.join("cp.db").display())
}

/// Imports a file into the directory's own database.
fn import(dir: &Path, file: &str, more: &[&str]) -> Run {
    let url = database(dir);
    let mut args = vec![
        "import",
        file,
        "--source",
        "web",
        "--kind",
        "customers",
        "--database-url",
        &url,
    ];
    args.extend(more);
    run(dir, args)
}

/// Writes a file of the test's.
fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(dir.join(name), content).expect("a file is written");
}

/// Reads a file of the test's.
fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).expect("a file to read")
}

/// The columns of the built-in model's `web` `customers`.
const HEADER: &str =
    "record_id,first_name,last_name,email,phone,date_of_birth,address,city,state,postcode\n";

/// So many good rows.
fn customers(count: u32) -> String {
    let rows = (1..=count).map(|n| format!("w{n},Ann{n},Miller{n},ann{n}@shop.com,,,,,,\n"));
    HEADER.to_owned() + &rows.collect::<String>()
}
