//! Where batches go: into the database, or into a running server.

mod remote;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use profile_core::model::{MappedFields, Model};
use profile_core::records::TenantId;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::input::Batch;
use super::position::Place;
use super::rejects::Reason;
use super::unread::Unread;
use crate::active_models::ActiveModels;
use crate::changes::{self, LogFollower};
use crate::cli::client::{Client, answered};
use crate::cli::setup;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};
use crate::grpc::v1;
use crate::ingest::{self, Ingest, Receipt, Ticket};
use crate::sources::files::Row;
use crate::store::Store;
use crate::store::sql::SqlStore;
use crate::telemetry::Telemetry;
use remote::{reason, send};

/// Maximum size of the payloads in one request of an import, in bytes. A single payload may be
/// larger.
const MAX_REQUEST_BYTES: usize = 2 * 1024 * 1024;

/// The target of an import.
pub(crate) enum Sink {
    /// Into the database, by this process's own write path.
    Direct(Box<Direct>),
    /// Into a server, which maps the payloads.
    Remote(Client),
}

pub(crate) struct Direct {
    ingest: Ingest,
    writer: Mutex<Option<JoinHandle<()>>>,
    store: Arc<SqlStore>,
    model: Arc<Model>,
    tenant: TenantId,
}

/// A batch that is acknowledged.
pub(super) struct Done {
    pub(super) rows: Vec<(Row, Outcome)>,
    /// Counts of the values that are stored and not used.
    pub(super) unread: Unread,
    pub(super) end: Place,
    pub(super) bytes_read: u64,
}

/// The outcome of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Stored,
    Duplicate,
    /// By the conditions of its mapping it makes no statement.
    LeftOut,
    Rejected(Vec<Reason>),
}

type Pending = BoxFuture<'static, anyhow::Result<Done>>;

impl Sink {
    /// Into a server.
    pub(crate) fn remote(client: Client) -> Self {
        Self::Remote(client)
    }

    /// Into the database; answers also its name.
    pub(super) async fn direct(
        args: &ConfigArgs,
        tenant: &TenantId,
        source: &str,
        kind: &str,
    ) -> anyhow::Result<(Self, String)> {
        let config = setup::config(args)?;
        let configured = setup::model(config.model.path.as_deref())?;
        let refused = |violation| anyhow::anyhow!("{violation}");
        if config
            .database
            .url
            .file()
            .is_some_and(|file| !file.exists())
        {
            // It has no model of its own yet; and for what cannot be, it is not even made.
            configured
                .model
                .check_mapping(source, kind)
                .map_err(refused)?;
        }
        let store = Arc::new(setup::store(&config.database).await?);
        store.check().await?;
        let models = Arc::new(ActiveModels::new(store.clone(), configured));
        models.compare_with_configured(tenant).await?;
        let model = models.of(tenant).await?.model.clone();
        model.check_mapping(source, kind).map_err(refused)?;
        let name = config.database.url.to_string();
        Ok((
            Self::Direct(Box::new(Direct::start(
                &config,
                store,
                models,
                model,
                tenant.clone(),
            )?)),
            name,
        ))
    }

    /// The fields that the mapping of a kind of rows reads.
    pub(super) async fn mapped_fields(
        &self,
        source: &str,
        kind: &str,
    ) -> anyhow::Result<MappedFields> {
        let client = match self {
            Self::Direct(direct) => {
                let fields = direct.model.mapped_fields(source, kind);
                return fields.map_err(|violation| anyhow::anyhow!("{violation}"));
            }
            Self::Remote(client) => client,
        };
        let request = client.request(v1::GetMappingRequest {
            source: source.to_owned(),
            kind: kind.to_owned(),
        })?;
        let answer = answered(client.models().get_mapping(request).await)?;
        Ok(MappedFields {
            required: answer.required_fields.into_iter().collect(),
            optional: answer.optional_fields.into_iter().collect(),
            whole: answer.reads_payload,
        })
    }

    /// Sends a batch. The batches' order is that of the calls; what is answered waits for the
    /// acknowledgement.
    pub(super) async fn submit(
        &self,
        source: &str,
        kind: &str,
        batch: Batch,
    ) -> anyhow::Result<Pending> {
        match self {
            Self::Direct(direct) => direct.submit(source, kind, batch).await,
            Self::Remote(client) => {
                Ok(send(client.clone(), source.to_owned(), kind.to_owned(), batch).boxed())
            }
        }
    }

    /// Ends what writes.
    pub(super) async fn close(self) {
        let Self::Direct(direct) = self else { return };
        let Direct {
            ingest,
            writer,
            store,
            ..
        } = *direct;
        drop(ingest);
        if let Some(writer) = writer.into_inner() {
            // It ends by itself, now that nobody can say anything more.
            drop(writer.await);
        }
        store.close().await;
    }
}

impl Direct {
    fn start(
        config: &Config,
        store: Arc<SqlStore>,
        models: Arc<ActiveModels>,
        model: Arc<Model>,
        tenant: TenantId,
    ) -> anyhow::Result<Self> {
        let metrics = Telemetry::collect(config)?.metrics;
        let follower = LogFollower::start(
            store.clone(),
            models.clone(),
            metrics.clone(),
            changes::Options::from(config),
        );
        let clock = Arc::new(SystemClock);
        let parts = ingest::Parts {
            store: store.clone(),
            models,
            clock,
            follower,
            metrics,
        };
        let options = ingest::Options::from(config);
        let (ingest, writer) = Ingest::start(parts, options);
        Ok(Self {
            ingest,
            writer: Mutex::new(Some(writer)),
            store,
            model,
            tenant,
        })
    }

    async fn submit(&self, source: &str, kind: &str, batch: Batch) -> anyhow::Result<Pending> {
        let mapped = batch.rows.iter().map(|row| match &row.payload {
            Ok(payload) => ingest::of_payload(self.model.map_in_part(source, kind, payload)),
            Err(violation) => vec![Err(vec![violation.clone()])],
        });
        let mapped: Vec<Vec<ingest::Intake>> = mapped.collect();
        let counts = mapped.iter().map(Vec::len).collect();
        let ticket = self
            .ingest
            .push(&self.tenant, mapped.into_iter().flatten().collect())
            .await?;
        Ok(committed(ticket, counts, batch).boxed())
    }
}

/// Waits for the commit of a batch. `counts` has the number of statements of each row.
async fn committed(ticket: Ticket, counts: Vec<usize>, batch: Batch) -> anyhow::Result<Done> {
    let Receipt { results, .. } = ticket.wait().await?;
    let mut unread = Unread::default();
    let mut results = results.into_iter().map(|result| {
        unread.add(result.notes);
        match result.outcome {
            ingest::Outcome::Stored | ingest::Outcome::StoredWith(_) => Outcome::Stored,
            ingest::Outcome::Duplicate => Outcome::Duplicate,
            ingest::Outcome::Rejected(violations) => {
                Outcome::Rejected(violations.iter().map(reason).collect())
            }
            // Such a batch fails as a whole; see `Ticket::wait`.
            ingest::Outcome::NoRoom => Outcome::Rejected(Vec::new()),
        }
    });
    let rows = batch.rows.into_iter().zip(counts);
    let rows = rows
        .map(|(row, count)| (row, together(results.by_ref().take(count))))
        .collect();
    Ok(Done {
        rows,
        unread,
        end: batch.end,
        bytes_read: batch.bytes_read,
    })
}

/// The outcome of a row, from those of its statements.
fn together(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let (mut stored, mut reasons) = (false, None);
    let mut is_left_out = true;
    for outcome in outcomes {
        is_left_out = false;
        match outcome {
            Outcome::Stored => stored = true,
            Outcome::Duplicate | Outcome::LeftOut => {}
            Outcome::Rejected(more) => reasons.get_or_insert_with(Vec::new).extend(more),
        }
    }
    match reasons {
        Some(reasons) => Outcome::Rejected(reasons),
        None if stored => Outcome::Stored,
        None if is_left_out => Outcome::LeftOut,
        None => Outcome::Duplicate,
    }
}
