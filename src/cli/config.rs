//! `config`: the manual of the configuration.

use std::process::ExitCode;

use super::output;
use crate::config::reference;

/// Print a configuration file with every key, its meaning, range and default
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile config > customer-profile.toml
  customer-profile serve --config customer-profile.toml
  CUSTOMER_PROFILE_CACHE__MAX_BYTES=1GiB customer-profile serve    A variable goes over the file
  customer-profile serve --set cache.max_bytes=1GiB                A flag goes over both")]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> anyhow::Result<ExitCode> {
    output::print(&reference())?;
    Ok(ExitCode::SUCCESS)
}
