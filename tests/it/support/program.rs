//! The program as a user runs it, to its end.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

/// The program: the one that was built with the tests, unless another one is named, such as one
/// that is optimised.
fn program() -> OsString {
    std::env::var_os("CUSTOMER_PROFILE_PROGRAM")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_customer-profile").into())
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program with these arguments in a directory.
pub(crate) fn run<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> Run {
    let output = command(dir, args).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The program with these arguments, of which nothing comes from the environment of the tests.
pub(crate) fn command<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program());
    command.args(args).current_dir(dir).stdin(Stdio::null());
    for (name, _) in std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("CUSTOMER_PROFILE_"))
    {
        command.env_remove(name);
    }
    // The test's own PostgreSQL does without: see `postgres.rs`.
    command.env("CUSTOMER_PROFILE_DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
    command
}

/// Runs words of a command line; `'…'` is not known here.
pub(crate) fn say(dir: &Path, line: &str) -> Run {
    run(dir, line.split_whitespace())
}

impl Run {
    /// Its answer, when it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }

    /// Its error, when it failed with this code.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self.err
    }
}
