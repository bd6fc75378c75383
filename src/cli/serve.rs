//! `serve`: the server.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::process::{OnHangup, Process};
use super::setup;
use crate::config::ConfigArgs;

/// Run the server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It ends by SIGTERM, SIGQUIT or Ctrl-C: no longer ready, calls still taken for `grpc.lame_duck`, calls in work ended, \
then gone. A second signal ends it at once; what was answered is stored all the same. SIGHUP reloads the settings of the \
log and opens the log file again.

Examples:
  customer-profile serve                   With customer-profile.db in this directory
  customer-profile serve --database-url sqlite:///var/lib/cp/cp.db --grpc-address '[::]:50051'
  CUSTOMER_PROFILE_DATABASE__URL=postgres://cp:secret@db/cp customer-profile serve
  customer-profile serve --config customer-profile.toml --model model.yaml")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (config, hangup) = (setup::config(&args.config)?, OnHangup::Reload(args.config));
    Process::prepare(config, hangup, CancellationToken::new())
        .await?
        .run()
        .await?;
    Ok(ExitCode::SUCCESS)
}
