//! `key`: API keys, in the database.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use profile_core::model::check::is_snake_case;
use profile_core::records::{TenantId, Timestamp};

use super::client::tenant;
use super::{output, setup};
use crate::auth::{ApiKey, Scope};
use crate::clock::{Clock, SystemClock};
use crate::config::ConfigArgs;
use crate::store::sql::SqlStore;
use crate::store::{ApiKeys, RegisteredTenant, Store, StoredApiKey, TenantRegister as _};

/// Instead of the names of all scopes.
const ALL: &str = "all";
const MAX_NAME_BYTES: usize = 100;
/// Keys that are neither revoked nor expired: each server holds them all.
const MAX_KEYS: usize = 1000;

/// Make, list and revoke API keys
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A key is shown once, when it is made; the database keeps a hash of it. Servers take up a new key and let go of a revoked one within \
`auth.key_refresh_interval` (2 s). On PostgreSQL that may be done while servers run; a SQLite file belongs to its server, so stop it first.

Examples:
  customer-profile key create --name crm --tenant default --scope profiles.read,profiles.search
  customer-profile key create --name shop --tenant default --scope statements.write --expires 90d
  customer-profile key create --name mail --tenant acme --scope profiles.read --purpose marketing
  customer-profile key create --name desk --tenant acme --scope profiles.read --role agent
  customer-profile key list
  customer-profile key revoke 3f9ac41b07d2e865")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, and show it once
    Create(Create),
    /// List all keys, without their secrets
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Revoke a key for ever
    Revoke {
        /// Id of the key, as `key list` has it
        id: String,

        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// For people: who uses the key
    #[arg(long)]
    name: String,

    /// Tenant whose customers it may reach; may be repeated
    #[arg(long, value_name = "NAME", required = true, value_parser = tenant)]
    tenant: Vec<TenantId>,

    /// What it may do, such as profiles.read; `all` for everything that there is today; may be
    /// repeated, or separated by commas
    #[arg(long, required = true, value_delimiter = ',')]
    scope: Vec<String>,

    /// The one purpose for which it may read
    #[arg(long)]
    purpose: Option<String>,

    /// A role of the tenant's model, which says what of customers the key sees; may be repeated, or
    /// separated by commas. Without one it sees everything
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    role: Vec<String>,

    /// How long it holds, such as 90d or 12h; without it until it is revoked
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<Duration>,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (Command::Create(Create { config, .. })
    | Command::List { config }
    | Command::Revoke { config, .. }) = &args.command;
    let database = setup::config(config)?.database;
    let store = setup::store(&database).await?;
    let done = async {
        store.check().await?;
        match args.command {
            Command::Create(create) => create.run(&store).await,
            Command::List { .. } => list(&store).await,
            Command::Revoke { id, .. } => revoke(&store, &id).await,
        }
    };
    let done = done.await;
    store.close().await;
    done.with_context(|| database.url.to_string())?;
    Ok(ExitCode::SUCCESS)
}

impl Create {
    async fn run(self, store: &SqlStore) -> anyhow::Result<()> {
        let (scopes, now) = (scopes(&self.scope)?, SystemClock.now());
        let is_shown = |letter: char| !letter.is_control();
        if self.name.is_empty()
            || self.name.len() > MAX_NAME_BYTES
            || !self.name.chars().all(is_shown)
        {
            bail!("--name must have 1 to {MAX_NAME_BYTES} bytes without control characters");
        }
        if self.purpose.as_deref() == Some("") {
            bail!("--purpose must not be empty");
        }
        if let Some(wrong) = self.role.iter().find(|name| !is_snake_case(name)) {
            bail!(
                "--role: `{}` is no name of a role: lower snake case, 1 to 64 bytes",
                output::plain(wrong)
            );
        }
        let register = store.list_registered_tenants().await?;
        let served = |name: &&TenantId| {
            let known = register.iter().find(|known| known.id == **name);
            known.is_some_and(RegisteredTenant::is_served)
        };
        if let Some(missing) = self.tenant.iter().find(|name| !served(name)) {
            let missing = missing.as_str();
            bail!(
                "--tenant: there is no tenant `{missing}`; `customer-profile tenant create {missing}` makes it"
            );
        }
        let used = store.list_api_keys().await?;
        if used
            .iter()
            .filter(|key| state(key, now) == "active")
            .count()
            >= MAX_KEYS
        {
            bail!("there are {MAX_KEYS} active keys already, the maximum; revoke one");
        }
        let key = ApiKey::random().map_err(|_| anyhow!("the system has no random bytes"))?;
        let stored = StoredApiKey {
            id: key.id.clone(),
            name: self.name,
            hash: key.hash(),
            tenants: self.tenant,
            scopes: scopes.iter().map(|scope| scope.name().to_owned()).collect(),
            purpose: self.purpose,
            roles: self.role,
            create_time: now,
            expire_time: self.expires.map(|time| later(now, time)),
            revoke_time: None,
        };
        if !store.record_api_key(&stored).await? {
            bail!("the random id is taken; try again");
        }
        eprintln!(
            "key {}: this is the only time that it is shown; keep it in a secret store",
            key.id
        );
        output::print(&key.expose())
    }
}

async fn list(store: &SqlStore) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut table = output::table(&[
        "id", "name", "state", "tenants", "scopes", "purpose", "roles", "created", "expires",
    ]);
    for key in store.list_api_keys().await? {
        let tenants: Vec<&str> = key.tenants.iter().map(TenantId::as_str).collect();
        table.add_row([
            key.id.clone(),
            output::plain(&key.name),
            state(&key, now).to_owned(),
            tenants.join(" "),
            key.scopes.join(" "),
            output::plain(key.purpose.as_deref().unwrap_or_default()),
            key.roles.join(" "),
            output::minute(key.create_time),
            key.expire_time.map(output::minute).unwrap_or_default(),
        ]);
    }
    output::print(&table.to_string())
}

async fn revoke(store: &SqlStore, id: &str) -> anyhow::Result<()> {
    if !store.revoke_api_key(id, SystemClock.now()).await? {
        bail!("no key has the id {id}; `customer-profile key list` lists them");
    }
    output::print(&format!(
        "key {id} is revoked; servers refuse it within `auth.key_refresh_interval`"
    ))
}

fn state(key: &StoredApiKey, now: Timestamp) -> &'static str {
    if key.revoke_time.is_some() {
        "revoked"
    } else if key.expire_time.is_some_and(|end| end <= now) {
        "expired"
    } else {
        "active"
    }
}

fn scopes(names: &[String]) -> anyhow::Result<Vec<Scope>> {
    if names == [ALL] {
        return Ok(Scope::ALL.to_vec());
    }
    let scope = |name: &String| {
        Scope::of_name(name).ok_or_else(|| {
            let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
            anyhow!(
                "`{name}` is no scope; there are {}, and `{ALL}`",
                known.join(", ")
            )
        })
    };
    names.iter().map(scope).collect()
}

fn later(now: Timestamp, time: Duration) -> Timestamp {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_add(micros))
}

/// `90d`, `12h`, `30m`: whole days, hours or minutes.
fn lifetime(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a whole number of days, hours or minutes, such as 90d".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let minutes = match unit {
        "d" => u64::from(number) * 24 * 60,
        "h" => u64::from(number) * 60,
        "m" => u64::from(number),
        _ => return Err(wrong()),
    };
    if minutes == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_mins(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_a_unit_and_is_not_nothing() {
        assert_eq!(lifetime("90d"), Ok(Duration::from_hours(90 * 24)));
        assert_eq!(lifetime("12h"), Ok(Duration::from_hours(12)));
        for wrong in ["", "90", "d", "0d", "-1d", "1.5h", "1w", "ä"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_scope_that_there_is_not_is_refused_with_those_that_there_are() {
        let of = |name: &str| scopes(&[name.to_owned()]);
        assert_eq!(of("all").expect("all"), Scope::ALL);
        assert_eq!(of("profiles.read").expect("one"), [Scope::ProfilesRead]);
        let error = of("profiles.*").expect_err("none").to_string();
        assert!(error.contains("profiles.search"), "{error}");
    }
}
