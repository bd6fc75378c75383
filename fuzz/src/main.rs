//! The long form: `cargo run --release -p profile-fuzz -- --cases 1000000`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use profile_fuzz::harness::{self, Options};
use profile_fuzz::targets::{ALL, Target};

/// Fuzz the readers of foreign text
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Targets to run, all if none is named
    targets: Vec<String>,

    /// Number of mutated inputs for each target
    #[arg(long, default_value_t = 100_000)]
    cases: u64,

    /// Seed of the mutations
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one input again
    Replay {
        /// Name of the target
        target: String,
        /// File that holds the input
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    if let Some(Command::Replay { target, file }) = cli.command {
        let input = std::fs::read(&file).with_context(|| file.display().to_string())?;
        return match harness::try_once(find(&target)?, &input) {
            Ok(answer) => {
                println!("{answer}");
                Ok(ExitCode::SUCCESS)
            }
            Err(what) => {
                println!("{target}: {what}");
                Ok(ExitCode::FAILURE)
            }
        };
    }
    let targets: Vec<&Target> = match cli.targets.as_slice() {
        [] => ALL.to_vec(),
        names => names
            .iter()
            .map(|name| find(name))
            .collect::<anyhow::Result<_>>()?,
    };
    let options = Options {
        cases: cli.cases,
        seed: cli.seed,
    };
    let mut failed = 0;
    for target in targets {
        match harness::run(target, options) {
            Ok(summary) => println!(
                "{}: {} cases, {} answers",
                target.name, summary.cases, summary.answers
            ),
            Err(failure) => {
                println!("{failure}");
                failed += 1;
            }
        }
    }
    Ok(if failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn find(name: &str) -> anyhow::Result<&'static Target> {
    let names: Vec<&str> = ALL.iter().map(|target| target.name).collect();
    ALL.into_iter()
        .find(|target| target.name == name)
        .with_context(|| {
            format!(
                "there is no target `{name}`; there are: {}",
                names.join(", ")
            )
        })
}
