//! The command line: one module a command.
//!
//! Exit codes: 0 success; 1 failure, with one line (or one for each mistake) on standard error; 2
//! usage error. Answers go to standard output, all
//! else to standard error. `anyhow` ends here: the rest of the crate has errors of its own.

mod api_key;
mod audit;
mod backup;
mod candidates;
mod client;
mod config;
mod context;
mod demo;
mod erase;
mod erasures;
mod explain;
mod export;
mod get;
mod history;
mod import;
mod key;
mod metrics;
mod migrate;
mod model;
mod object;
mod output;
mod permission;
mod preferences;
mod process;
mod publish;
mod query;
mod search;
mod segment;
mod serve;
mod setup;
mod tenant;
mod timeline;
mod waiting;
mod watch;

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::telemetry::log;

/// How long what still runs in the background may take to end.
const BACKGROUND: Duration = Duration::from_secs(1);
/// How long the last lines of a server may take to be written: nobody may read them any more.
const LAST_LINES: Duration = Duration::from_secs(1);
/// Exit code of a process that panicked, by Rust's convention.
const PANICKED: u8 = 101;

const EXAMPLES: &str = "\
Examples:
  customer-profile demo                            A server with sample data
  customer-profile serve                           A server with a database in this directory
  customer-profile key create --name crm --tenant default --scope profiles.read   A credential
  customer-profile import web.csv --source web --kind customers --server http://127.0.0.1:50051
  customer-profile get email:ann@shop.com          The profile of a customer
  customer-profile timeline email:ann@shop.com     Their events, newest first
  customer-profile object order 1001               An order with all its events
  customer-profile context email:ann@shop.com --view agent --purpose service   A view for an agent
  customer-profile preferences email:ann@shop.com  Their preferences and consents
  customer-profile metrics email:ann@shop.com      Their value, churn and satisfaction
  customer-profile watch email:ann@shop.com        Changes as they happen
  customer-profile search 'ann mil'                Customers by the beginning of their names
  customer-profile explain email:ann@shop.com      Why their records are one profile
  customer-profile export email:ann@shop.com       All that is known of them
  customer-profile erase email:ann@shop.com        What an erasure of them would take
  customer-profile audit list --customer email:ann@shop.com   Who looked at them
  customer-profile config                          Every setting, with its default";

/// One profile of each customer from what all systems know, answered in real time over gRPC
#[derive(Debug, Parser)]
#[command(name = "customer-profile", version, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Migrate(migrate::Args),
    Tenant(tenant::Args),
    Key(api_key::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Import(import::Args),
    Get(get::Args),
    Timeline(timeline::Args),
    Object(object::Args),
    Context(context::Args),
    Segment(segment::Args),
    Preferences(preferences::Args),
    Permission(permission::Args),
    Metrics(metrics::Args),
    Watch(watch::Args),
    Search(search::Args),
    Explain(explain::Args),
    Candidates(candidates::Args),
    History(history::Args),
    Model(model::Args),
    Waiting(waiting::Args),
    Export(export::Args),
    Erase(erase::Args),
    Erasures(erasures::Args),
    Audit(audit::Args),
    Publish(publish::Args),
    Config(config::Args),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    // A panic has its line already; that line must get out.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(cli.command))));
    runtime.shutdown_timeout(BACKGROUND);
    let code = match result {
        Ok(result) => result.unwrap_or_else(|error| failed(&error)),
        Err(_) => ExitCode::from(PANICKED),
    };
    log::finish(LAST_LINES);
    code
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    take_file_size_signal()?;
    match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Tenant(args) => tenant::run(args).await,
        Command::Key(args) => api_key::run(args).await,
        Command::Backup(args) => backup::backup(args).await,
        Command::Restore(args) => backup::restore(args).await,
        Command::Import(args) => import::run(args).await,
        Command::Get(args) => get::run(args).await,
        Command::Timeline(args) => timeline::run(args).await,
        Command::Object(args) => object::run(args).await,
        Command::Context(args) => context::run(args).await,
        Command::Segment(args) => segment::run(args).await,
        Command::Preferences(args) => preferences::run(args).await,
        Command::Permission(args) => permission::run(args).await,
        Command::Metrics(args) => metrics::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Search(args) => search::run(args).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Candidates(args) => candidates::run(args).await,
        Command::History(args) => history::run(args).await,
        Command::Model(args) => model::run(args).await,
        Command::Waiting(args) => waiting::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Erase(args) => erase::run(args).await,
        Command::Erasures(args) => erasures::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Publish(args) => publish::run(args).await,
        Command::Config(args) => config::run(&args),
    }
}

/// A write beyond the limit on the size of files (`ulimit -f`) ends a process without a word,
/// unless the signal is taken: then the write fails, and the error says so.
fn take_file_size_signal() -> std::io::Result<()> {
    /// `SIGXFSZ` on Linux and macOS.
    const FILE_SIZE: i32 = 25;
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(FILE_SIZE)).map(drop)
}

/// An error with its causes, in one line where it has one. A server does not wait for ever for
/// somebody to read it.
fn failed(error: &anyhow::Error) -> ExitCode {
    let line = format!("error: {error:#}");
    // Nobody is left to tell that standard error does not take it.
    let write = move || drop(writeln!(io::stderr(), "{line}"));
    if log::is_installed() {
        log::finish(LAST_LINES);
        let (done, is_done) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            write();
            drop(done);
        });
        // An error is what this waits for: that the other end is dropped, or the time is over.
        let _ = is_done.recv_timeout(LAST_LINES);
    } else {
        write();
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself_and_its_flags() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            // Help is wrapped at 100 columns where there is no terminal.
            let examples = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            for line in examples.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.chars().count() < 100, "{line}");
            }
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{}: {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
