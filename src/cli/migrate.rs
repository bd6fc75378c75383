//! `migrate`: the database's schema.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::{output, setup};
use crate::config::{ConfigArgs, Database, DatabaseKind};
use crate::store::Store;
use crate::store::sql::{Migrate, SqlStore};

/// Bring the database's schema up to date
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A server on SQLite does this by itself when it starts. On PostgreSQL it does not: run `migrate` before the new \
version, with a role that may create tables; the server's own role needs to read and write only. Several runs at once are safe.

Examples:
  customer-profile migrate --database-url postgres://owner@db/customers
  customer-profile migrate --restored   After a backup was restored
  customer-profile migrate --check      Changes nothing; exit code 1 if there is something to do")]
pub(super) struct Args {
    /// Only tell whether the schema and the database's settings are right; exit code 1 if they are
    /// not
    #[arg(long)]
    check: bool,

    /// The database was restored from a backup or failed over to a server that was behind: give it
    /// an id of its own, so that tokens that were given out before are refused instead of misread
    #[arg(long, conflicts_with = "check")]
    restored: bool,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let database = setup::config(&args.config)?.database;
    if args.check {
        check(&database).await?;
        output::print(&format!("{}: the schema is up to date", database.url))?;
    } else {
        let migrated = SqlStore::migrate(&setup::store_options(&database)).await;
        migrated.with_context(|| database.url.to_string())?;
        if args.restored {
            let given = SqlStore::give_new_id(&setup::store_options(&database)).await;
            given.with_context(|| database.url.to_string())?;
            output::print(&format!(
                "{}: has a new id; start all servers again",
                database.url
            ))?;
        }
        output::print(&format!(
            "{}: migrated, the schema is up to date",
            database.url
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(database: &Database) -> anyhow::Result<()> {
    // Opening a SQLite database would make the file.
    let path = database
        .url
        .expose()
        .trim_start_matches("sqlite:")
        .trim_start_matches("//");
    if database.url.kind() == DatabaseKind::Sqlite && !Path::new(path).exists() {
        bail!("{}: there is no such database yet", database.url);
    }
    let store = SqlStore::open(&setup::store_options(database), Migrate::Check).await;
    let store = store.with_context(|| database.url.to_string())?;
    let checked = store.check().await;
    store.close().await;
    checked.with_context(|| database.url.to_string())
}
