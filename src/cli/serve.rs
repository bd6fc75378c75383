//! `serve`: the server.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::process::{OnHangup, Process};
use super::setup;
use crate::config::{ConfigArgs, Setting};

/// Run the server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It ends by SIGTERM, SIGQUIT or Ctrl-C: no longer ready, calls still taken for `grpc.lame_duck`, calls in work ended, \
then gone. A second signal ends it at once; what was answered is stored all the same. SIGHUP reloads the settings of the \
log and opens the log file again.

Examples:
  customer-profile serve --insecure        To try it: without credentials, on this machine alone
  customer-profile serve                   With customer-profile.db in this directory
  customer-profile serve --database-url sqlite:///var/lib/cp/cp.db --grpc-address '[::]:50051'
  CUSTOMER_PROFILE_DATABASE__URL=postgres://cp:secret@db/cp customer-profile serve
  customer-profile serve --config customer-profile.toml --model model.yaml")]
pub(super) struct Args {
    /// Ask for no credential: everybody who reaches the port may do everything. On this machine
    /// alone (`auth.insecure`)
    #[arg(long)]
    insecure: bool,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(mut args: Args) -> anyhow::Result<ExitCode> {
    if args.insecure {
        args.config.set.push(Setting {
            key: "auth.insecure".to_owned(),
            value: "true".to_owned(),
        });
    }
    let (config, hangup) = (setup::config(&args.config)?, OnHangup::Reload(args.config));
    Process::prepare(config, hangup, CancellationToken::new())
        .await?
        .run()
        .await?;
    Ok(ExitCode::SUCCESS)
}
