//! `tenant`: the register of tenants, in the database.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use profile_core::records::{TenantId, Timestamp};

use super::client::tenant;
use super::{output, setup};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigArgs};
use crate::store::sql::SqlStore;
use crate::store::{Store, TenantRegister};

/// Create, list and delete tenants
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Servers that ask for credentials serve the tenants of the register alone, so that a mistyped name is refused. `default` is there from \
the beginning. On PostgreSQL that may be done while servers run; a SQLite file belongs to its server, so stop it first.

Examples:
  customer-profile tenant create acme
  customer-profile tenant list
  customer-profile tenant delete acme --confirm acme     All that is known of its customers")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a tenant; also one whose name was deleted
    Create {
        /// The name of the tenant
        #[arg(value_parser = tenant)]
        name: TenantId,

        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List all tenants, deleted ones too
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Delete a tenant with all that is known of its customers and its models; nothing brings it
    /// back. Its audit log stays
    Delete {
        /// The name of the tenant
        #[arg(value_parser = tenant)]
        name: TenantId,

        /// The name once more
        #[arg(long, value_name = "NAME")]
        confirm: String,

        #[command(flatten)]
        config: ConfigArgs,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (Command::Create { config, .. }
    | Command::List { config }
    | Command::Delete { config, .. }) = &args.command;
    let config = setup::config(config)?;
    let store = setup::store(&config.database).await?;
    let done = async {
        store.check().await?;
        match args.command {
            Command::Create { name, .. } => create(&store, &name).await,
            Command::List { .. } => list(&store).await,
            Command::Delete { name, confirm, .. } => {
                delete(&store, &name, &confirm, wait(&config, &store)).await
            }
        }
    };
    let done = done.await;
    store.close().await;
    done.with_context(|| config.database.url.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// The time after which no server has a call of a deleted tenant in work.
fn wait(config: &Config, store: &SqlStore) -> Duration {
    if store.is_shared() {
        config.auth.key_refresh_interval + config.grpc.max_deadline
    } else {
        Duration::ZERO
    }
}

async fn create(store: &SqlStore, name: &TenantId) -> anyhow::Result<()> {
    if !store.create_tenant(name, SystemClock.now()).await? {
        bail!("there is a tenant `{}` already", name.as_str());
    }
    output::print(&format!(
        "tenant `{}` is there; servers take it up within `auth.key_refresh_interval`",
        name.as_str()
    ))
}

async fn list(store: &SqlStore) -> anyhow::Result<()> {
    let mut table = output::table(&["name", "created", "deleted"]);
    for tenant in store.list_registered_tenants().await? {
        table.add_row([
            tenant.id.as_str().to_owned(),
            created(tenant.create_time),
            tenant.delete_time.map(output::minute).unwrap_or_default(),
        ]);
    }
    output::print(&table.to_string())
}

async fn delete(
    store: &SqlStore,
    name: &TenantId,
    confirm: &str,
    wait: Duration,
) -> anyhow::Result<()> {
    if confirm != name.as_str() {
        bail!(
            "--confirm must be the name of the tenant, `{}`",
            name.as_str()
        );
    }
    let is_marked = store.mark_tenant_deleted(name, SystemClock.now()).await?;
    let register = store.list_registered_tenants().await?;
    if !is_marked && !register.iter().any(|known| known.id == *name) {
        bail!("there is no tenant `{}`", name.as_str());
    }
    if is_marked && !wait.is_zero() {
        eprintln!(
            "servers refuse the tenant's calls from now on; waiting {} s for those in work",
            wait.as_secs()
        );
        tokio::time::sleep(wait).await;
    }
    let mut gone: BTreeMap<String, u64> = BTreeMap::new();
    while let Some((table, rows)) = store.purge_tenant(name).await? {
        *gone.entry(table).or_default() += rows;
    }
    let mut table = output::table(&["table", "rows deleted"]);
    for (name, rows) in &gone {
        table.add_row([name.clone(), rows.to_string()]);
    }
    output::print(&table.to_string())
}

/// The tenant that comes with the database has no time.
fn created(time: Timestamp) -> String {
    if time == Timestamp::default() {
        "with the database".to_owned()
    } else {
        output::minute(time)
    }
}
