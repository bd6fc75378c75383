//! `backup` and `restore`: a SQLite database as one file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::{output, setup};
use crate::config::ConfigArgs;
use crate::store::sql::SqlStore;

/// Write a SQLite database into a backup file, also while a server runs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The backup is one state of the database, checked before it gets its name. Run this on the machine of the database, as the \
user of the server. For PostgreSQL use pg_dump or a base backup.

Examples:
  customer-profile backup --to /backup/customers-2026-11-28.db
  customer-profile backup --to b.db --database-url sqlite:///var/lib/customers.db")]
pub(super) struct BackupArgs {
    /// File to write; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    #[command(flatten)]
    config: ConfigArgs,
}

/// Put a backup in the place of a SQLite database
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stop the server and move the old database away first: the file, and those with -wal and -shm at the end of its name. The \
restored database gets an id of its own, so that tokens that were given out before are refused instead of misread.

Examples:
  customer-profile restore --from /backup/customers-2026-11-28.db
  customer-profile restore --from b.db --database-url sqlite:///var/lib/customers.db")]
pub(super) struct RestoreArgs {
    /// Backup to read
    #[arg(long, value_name = "FILE")]
    from: PathBuf,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn backup(args: BackupArgs) -> anyhow::Result<ExitCode> {
    let database = setup::config(&args.config)?.database;
    let written = SqlStore::backup(&setup::store_options(&database), &args.to).await;
    written.with_context(|| database.url.to_string())?;
    output::print(&format!(
        "{}: backed up to {}",
        database.url,
        args.to.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(args: RestoreArgs) -> anyhow::Result<ExitCode> {
    let database = setup::config(&args.config)?.database;
    let restored = SqlStore::restore(&setup::store_options(&database), &args.from).await;
    restored.with_context(|| database.url.to_string())?;
    output::print(&format!(
        "{}: restored from {}",
        database.url,
        args.from.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
