//! `model activate`: activates a stored version directly in the database.
//!
//! The way out when no server can do it. It is the same as `model apply --version` on a server: it
//! takes the tenant's write turn, brings all data in line in the same transaction, and running
//! servers learn of it with their next read of the change log. A SQLite file that a server has open
//! is refused: apply it there.

use std::sync::Arc;

use anyhow::Context;
use profile_core::records::TenantId;
use serde_json::json;

use crate::active_models::{ActiveModels, ModelFile};
use crate::changes::{self, LogFollower};
use crate::cli::output::{self, Format};
use crate::cli::setup;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};
use crate::rollout::{Applied, Apply, Candidate, Content, ModelRollout, Progress, Weights};
use crate::store::Store;
use crate::telemetry::Telemetry;

pub(super) async fn run(
    version: i64,
    tenant: &TenantId,
    expected_version: Option<i64>,
    format: Format,
    args: &ConfigArgs,
) -> anyhow::Result<()> {
    let config = setup::config(args)?;
    let store: Arc<dyn Store> = Arc::new(setup::store(&config.database).await?);
    let applied = activate(&config, store.clone(), version, tenant, expected_version).await;
    store.close().await;
    let Applied {
        version: active,
        plan,
        sequence,
    } = applied.with_context(|| {
        format!("version {version} of the model of tenant {tenant} was not activated")
    })?;
    let (before, unchanged, changed) = (plan.base_version, plan.unchanged, plan.difference.changed);
    match format {
        Format::Json => output::print(&serde_json::to_string_pretty(&json!({
            "version": active, "base_version": before, "unchanged": unchanged, "sequence": sequence,
        }))?),
        Format::Table if unchanged => output::print(&format!(
            "version {active} has the same content and stays active"
        )),
        Format::Table => output::print(&format!(
            "version {active} is active, with the content of version {version}; before it, version {before} was\n\
             {changed} profiles changed"
        )),
    }
}

async fn activate(
    config: &Config,
    store: Arc<dyn Store>,
    version: i64,
    tenant: &TenantId,
    expected_version: Option<i64>,
) -> anyhow::Result<Applied> {
    store.check().await?;
    // The configured model does not count: a tenant with versions has a model of its own.
    let models = Arc::new(ActiveModels::new(store.clone(), ModelFile::built_in()));
    let metrics = Telemetry::collect(config)?.metrics;
    let follower = LogFollower::start(
        store.clone(),
        models.clone(),
        metrics,
        changes::Options::from(config),
    );
    let rollout = ModelRollout {
        store,
        models,
        clock: Arc::new(SystemClock),
        follower,
    };
    let candidate = Candidate {
        content: Content::Version(version),
        weights: Weights::Own,
    };
    let apply = Apply {
        candidate,
        expected_version,
        request_id: String::new(),
    };
    let (progress, _) = Progress::new();
    Ok(rollout.apply(tenant, &apply, &progress).await?)
}
