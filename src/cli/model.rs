//! `model`: the model file, checked and explained.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::output::{self, Format};
use crate::model::Model;
use crate::model::file::{BUILT_IN, schema};

/// Check a model file, or learn how to write one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile model example > model.yaml      Begin with the built-in model
  customer-profile model check model.yaml          Every mistake, with line and column
  customer-profile model schema > model.schema.json
  customer-profile serve --model model.yaml")]
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
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Check { file, output } => return check(file, *output),
        Command::Schema => output::print(&serde_json::to_string_pretty(&schema())?)?,
        Command::Example => output::print(BUILT_IN)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (model, errors) = match Model::parse(&text) {
        Ok(model) => (model, Vec::new()),
        Err(errors) => (Model::default(), errors),
    };
    match format {
        Format::Json => output::print(&serde_json::to_string_pretty(&serde_json::json!({ "errors": errors }))?)?,
        Format::Table if errors.is_empty() => {
            let Model { sources, identifiers, traits, .. } = &model;
            let (sources, identifiers, traits) = (sources.len(), identifiers.len(), traits.len());
            let found = format!("{sources} sources, {identifiers} identifier types, {traits} traits");
            output::print(&format!("{}: no mistakes: {found}", file.display()))?;
        }
        Format::Table => {
            for error in &errors {
                output::print(&format!("{}:{error}", file.display()))?;
            }
        }
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
