//! `model`: the model file checked and explained; the model of a tenant told, planned and applied.

mod activate;
mod change;
mod check;
mod events;
mod show;
mod told;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use profile_core::model::file::{BUILT_IN, schema};

use super::client::{ServerArgs, TenantArgs};
use super::output::{self, Format};
use crate::config::ConfigArgs;

/// Check a model file, see what it would change, put it in force
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The model belongs to the tenant's data: its first write stores the configured file as version 1, and what was applied \
last stays in force, whatever a server is configured with.

Examples:
  customer-profile model example > model.yaml      Begin with the built-in model
  customer-profile model check model.yaml          Every mistake, with line and column
  customer-profile model show > running.yaml       The model in force
  customer-profile model plan model.yaml           What it would change, on the live data
  customer-profile model apply model.yaml          Put it in force; going back: apply the old file
  customer-profile model events                    What may be said of events
  customer-profile model versions                  What was in force when
  customer-profile model activate 3                A stored version, with no server running
  customer-profile model train                     Learn weights; plan and apply them by --version
  customer-profile model schema > model.schema.json")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell every mistake in a model file with its line and column; exit code 1 if there is one
    Check {
        /// The model file (YAML)
        file: PathBuf,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
    },
    /// Print the JSON Schema of the model file, for editors
    Schema,
    /// Print the built-in model, which explains the format by example
    Example,
    /// Print the model file in force, or that of a version
    Show {
        /// Which version
        #[arg(long, value_name = "VERSION")]
        version: Option<i64>,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the event types in force, or what may be said of one
    Events {
        /// Only this type, with its properties
        #[arg(value_name = "TYPE")]
        kind: Option<String>,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the versions of the model, the latest first
    Versions {
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Tell what a model would change on the live data: merges, splits, other winners. Changes
    /// nothing
    Plan {
        #[command(flatten)]
        candidate: change::CandidateArgs,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Put a stored version in force straight in the database, with no server. SQLite: no server
    /// may have the file open
    Activate {
        /// Which version
        version: i64,
        #[command(flatten)]
        tenant: TenantArgs,
        /// Only if this version is in force
        #[arg(long, value_name = "VERSION")]
        expect_version: Option<i64>,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Learn from the live data, without labels, how much agreement tells; stored as a version, not
    /// in force
    Train {
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Put a model in force and bring all data in line with it, at once. Going back is the same
    /// with the old file
    Apply {
        #[command(flatten)]
        candidate: change::CandidateArgs,
        /// Only if this version is in force, as a plan told it
        #[arg(long, value_name = "VERSION")]
        expect_version: Option<i64>,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check { file, output } => return check::run(&file, output),
        Command::Schema => output::print(&serde_json::to_string_pretty(&schema())?)?,
        Command::Example => output::print(BUILT_IN)?,
        Command::Show {
            version,
            output,
            server,
        } => show::file(version, output, &server).await?,
        Command::Events {
            kind,
            output,
            server,
        } => events::run(kind.as_deref(), output, &server).await?,
        Command::Versions { output, server } => show::versions(output, &server).await?,
        Command::Plan {
            candidate,
            output,
            server,
        } => change::plan(candidate, output, &server).await?,
        Command::Activate {
            version,
            tenant,
            expect_version,
            output,
            config,
        } => {
            activate::run(version, &tenant.tenant, expect_version, output, &config).await?;
        }
        Command::Train { output, server } => change::train(output, &server).await?,
        Command::Apply {
            candidate,
            expect_version,
            output,
            server,
        } => {
            change::apply(candidate, expect_version, output, &server).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
