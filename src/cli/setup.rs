//! The first steps of several commands: configuration, model, store; and their errors.

use std::fmt::Display;
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::active_models::ModelFile;
use crate::config::{Config, ConfigArgs, Database};
use crate::store::sql::{Migrate, Options, SqlStore};

/// Reads the configuration.
pub(super) fn config(args: &ConfigArgs) -> anyhow::Result<Config> {
    Config::load(args).map_err(|errors| listed("the configuration", &errors))
}

/// Compiles the model that is configured.
pub(super) fn model(path: Option<&Path>) -> anyhow::Result<ModelFile> {
    let Some(path) = path else {
        return Ok(ModelFile::built_in());
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the model file {}", path.display()))?;
    ModelFile::parse(&text).map_err(|errors| {
        let errors: Vec<String> = errors
            .iter()
            .map(|error| format!("{}:{error}", path.display()))
            .collect();
        listed("the model file", &errors)
    })
}

/// Opens the database. SQLite is migrated, PostgreSQL is not.
pub(super) async fn store(database: &Database) -> anyhow::Result<SqlStore> {
    let store = SqlStore::open(&store_options(database), Migrate::Auto).await;
    store.with_context(|| database.url.to_string())
}

/// The settings of the store.
pub(super) fn store_options(database: &Database) -> Options {
    Options {
        max_connections: u32::try_from(database.max_connections).unwrap_or(u32::MAX),
        page_cache_bytes: database.page_cache_bytes,
        acquire_timeout: database.acquire_timeout,
        statement_timeout: database.statement_timeout,
        password_file: database.password_file.clone(),
        max_connection_lifetime: database.max_connection_lifetime,
        idle_timeout: database.idle_timeout,
        allow_unsafe_durability: database.allow_unsafe_durability,
        ..Options::new(database.url.expose())
    }
}

/// All that is wrong, one a line.
fn listed(what: &str, errors: &[impl Display]) -> anyhow::Error {
    match errors {
        [error] => anyhow!("{what} is wrong: {error}"),
        errors => {
            let lines: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
            anyhow!("{what} has {} mistakes:{}", errors.len(), lines.concat())
        }
    }
}
