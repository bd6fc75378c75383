//! The product's own path to better weights: learned without labels from a tenant's data, put in
//! force on them; and taken over into another database, for everything to be resolved by them from
//! the first record on.

use std::collections::HashMap;

use anyhow::Context;
use customer_profile::clock::{Clock, SystemClock};
use customer_profile::store::sql::{Options, SqlStore};
use customer_profile::store::{Activation, Changes, ModelVersion, Store};
use profile_core::records::TenantId;

/// The model in force in a database that no server has open.
pub(crate) async fn model_of(database_url: &str) -> anyhow::Result<ModelVersion> {
    let store = SqlStore::connect(&Options::new(database_url)).await?;
    let stored = store.model(&TenantId::default(), None).await?;
    store.close().await;
    Ok(stored.context("no model is in force")?.model)
}

/// Puts a model in force in an empty database.
pub(crate) async fn begin_with(database_url: &str, model: ModelVersion) -> anyhow::Result<()> {
    let options = Options::new(database_url);
    SqlStore::migrate(&options).await?;
    let store = SqlStore::connect(&options).await?;
    let tx = store.begin(&TenantId::default()).await?;
    let time = SystemClock.now();
    let activation = Some(Activation {
        version: model.version,
        sequence: tx.sequence(),
        time,
    });
    let model = ModelVersion {
        create_time: time,
        ..model
    };
    tx.commit(
        time,
        &Changes {
            models: vec![model],
            activation,
            ..Changes::default()
        },
    )
    .await?;
    store.close().await;
    Ok(())
}

/// How many records are not with the same others in both partitions.
pub(crate) fn differing(one: &[String], other: &[String]) -> usize {
    let members = |clusters: &[String]| {
        let mut members: HashMap<String, Vec<usize>> = HashMap::new();
        for (record, cluster) in clusters.iter().enumerate() {
            members.entry(cluster.clone()).or_default().push(record);
        }
        members
    };
    let (in_one, in_other) = (members(one), members(other));
    one.iter()
        .zip(other)
        .filter(|(one, other)| in_one[*one] != in_other[*other])
        .count()
}
