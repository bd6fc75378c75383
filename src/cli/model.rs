//! `model`: checks a model file; shows, plans, applies and trains the model of a tenant.

mod activate;
mod change;
mod check;
mod events;
mod mapping;
mod report;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use profile_core::model::file::{BUILT_IN, schema};

use super::client::TenantArgs;
use super::output::{self, Format};
use super::query::QueryArgs;
use crate::config::ConfigArgs;

/// Check a model file, show what it would change, apply it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The model belongs to the tenant's data: the first write stores the configured file as version 1, and the version that \
was applied last stays active, whatever a server is configured with.

Examples:
  customer-profile model example > model.yaml      The built-in model, to start from
  customer-profile model check model.yaml          Every mistake, with line and column
  customer-profile model show > active.yaml        The active model
  customer-profile model plan model.yaml           What it would change, on the live data
  customer-profile model apply model.yaml          Apply it; to go back, apply the old file
  customer-profile model events                    Event types and their properties
  customer-profile model test-mapping order.json --source shop --kind orders --model model.yaml
  customer-profile model status                    Expressions of the active model that fail
  customer-profile model versions                  Versions and their activation times
  customer-profile model activate 3                Apply a stored version without a server
  customer-profile model train                     Train weights; plan and apply by --version
  customer-profile model schema > model.schema.json")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report every mistake in a model file with its line and column; exit code 1 if there is one
    Check {
        /// Model file (YAML)
        file: PathBuf,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
    },
    /// Print the JSON Schema of the model file, for editors
    Schema,
    /// Print the built-in model, which explains the format by example
    Example,
    /// Print the active model file, or that of a version
    Show {
        /// Version of the model
        #[arg(long, value_name = "VERSION")]
        version: Option<i64>,
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Tell the version of the active model, and which of its expressions fail on values
    Status {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// List the event types of the active model, or the properties of one
    Events {
        /// Only this type, with its properties
        #[arg(value_name = "TYPE")]
        kind: Option<String>,
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Show the statements that a mapping makes of a payload, and every remark. Stores nothing;
    /// exit code 1 if something is refused
    TestMapping {
        /// A JSON object, as the source sends it
        payload: PathBuf,
        /// Source, as the model declares it
        #[arg(long)]
        source: String,
        /// Kind of payload, as the model declares it
        #[arg(long)]
        kind: String,
        /// Model file to test, without a server [default: the active model of the server]
        #[arg(long, value_name = "FILE")]
        model: Option<PathBuf>,
        #[command(flatten)]
        query: QueryArgs,
    },
    /// List the versions of the model, the latest first
    Versions {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Show what a model would change on the live data: merges, splits, other winners. Changes
    /// nothing
    Plan {
        #[command(flatten)]
        candidate: change::CandidateArgs,
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Activate a stored version directly in the database, without a server. No server may have a
    /// SQLite file open
    Activate {
        /// Version of the model
        version: i64,
        #[command(flatten)]
        tenant: TenantArgs,
        /// Only if this version is active
        #[arg(long, value_name = "VERSION")]
        expect_version: Option<i64>,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Train the match weights on the live data, without labels; stores a version and does not
    /// activate it
    Train {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Activate a model and bring all data in line with it, in one transaction. To go back, apply
    /// the old file
    Apply {
        #[command(flatten)]
        candidate: change::CandidateArgs,
        /// Only if this version is active, as a plan names it
        #[arg(long, value_name = "VERSION")]
        expect_version: Option<i64>,
        #[command(flatten)]
        query: QueryArgs,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check { file, output } => return check::run(&file, output),
        Command::Schema => output::print(&serde_json::to_string_pretty(&schema())?)?,
        Command::Example => output::print(BUILT_IN)?,
        Command::Show { version, query } => return show::file(version, &query).await,
        Command::Status { query } => return show::status(&query).await,
        Command::Events { kind, query } => return events::run(kind.as_deref(), &query).await,
        Command::TestMapping {
            payload,
            source,
            kind,
            model,
            query,
        } => return mapping::test(&payload, (source, kind), model.as_deref(), &query).await,
        Command::Versions { query } => return show::versions(&query).await,
        Command::Plan { candidate, query } => return change::plan(candidate, &query).await,
        Command::Activate {
            version,
            tenant,
            expect_version,
            output,
            config,
        } => {
            activate::run(
                version,
                &tenant.or_default(),
                expect_version,
                output,
                &config,
            )
            .await?;
        }
        Command::Train { query } => return change::train(&query).await,
        Command::Apply {
            candidate,
            expect_version,
            query,
        } => return change::apply(candidate, expect_version, &query).await,
    }
    Ok(ExitCode::SUCCESS)
}
