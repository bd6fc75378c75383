//! The whole service in this process, over a real connection, on a store of the test's choice.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::clock::{Clock, SystemClock};
use customer_profile::config::Config;
use customer_profile::grpc::CallLog;
use customer_profile::grpc::v1::{
    self, context_service_client::ContextServiceClient,
    identity_service_client::IdentityServiceClient, ingest_service_client::IngestServiceClient,
    preference_service_client::PreferenceServiceClient,
    privacy_service_client::PrivacyServiceClient, profile_service_client::ProfileServiceClient,
    segment_service_client::SegmentServiceClient,
};
use customer_profile::server::{Parts, serve};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use customer_profile::telemetry::Telemetry;
use customer_profile::telemetry::http::Readiness;
use profile_core::records::TenantId;
use prost_types::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// A running service. It stops when it is dropped, or by [`stop`](Service::stop).
pub(crate) struct Service {
    pub(crate) channel: Channel,
    pub(crate) address: std::net::SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<()>,
    pub(crate) ready: watch::Receiver<Readiness>,
}

impl Service {
    /// The service with its built-in model and defaults, in memory.
    pub(crate) async fn start() -> Self {
        Self::start_with(Arc::new(MemoryStore::new()), |_| {}).await
    }

    /// The service on a store, with some settings of its own; waits until it is ready.
    pub(crate) async fn start_with(
        store: Arc<dyn Store>,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut service = Self::start_unready(store, configure).await;
        service
            .ready
            .wait_for(|ready| *ready == Readiness::Ready)
            .await
            .expect("a running server");
        service
    }

    /// The service on a store, configured with a model.
    pub(crate) async fn start_by(store: Arc<dyn Store>, model: ModelFile) -> Self {
        Self::start_at(store, model, Arc::new(SystemClock)).await
    }

    /// The service on a store, configured with a model, by a clock of the test's own.
    pub(crate) async fn start_at(
        store: Arc<dyn Store>,
        model: ModelFile,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let differs = |config: &mut Config| {
            config.database.max_clock_difference = std::time::Duration::from_hours(1_000_000);
        };
        let mut service = Self::start_unready_by(store, (model, clock), differs).await;
        service
            .ready
            .wait_for(|ready| *ready == Readiness::Ready)
            .await
            .expect("a running server");
        service
    }

    /// The same, without waiting.
    pub(crate) async fn start_unready(
        store: Arc<dyn Store>,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        Self::start_unready_by(
            store,
            (ModelFile::built_in(), Arc::new(SystemClock)),
            configure,
        )
        .await
    }

    /// The same, by a model and a clock.
    pub(crate) async fn start_unready_by(
        store: Arc<dyn Store>,
        (model, clock): (ModelFile, Arc<dyn Clock>),
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::defaults();
        config.grpc.lame_duck = std::time::Duration::ZERO;
        config.auth.insecure = true;
        configure(&mut config);
        if !config.auth.insecure {
            for name in ["acme", "beta"] {
                let tenant = TenantId::new(name).expect("a name");
                let created = store.create_tenant(&tenant, clock.now()).await;
                created.expect("a register");
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (ready, is_ready) = watch::channel(Readiness::NotReady("starting".into()));
        let metrics = Telemetry::collect(&config).expect("figures").metrics;
        let call_log = Arc::new(CallLog::new(&config.log, &metrics));
        let parts = Parts {
            config,
            store,
            model,
            clock,
            metrics,
            call_log,
            ready,
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server =
            tokio::spawn(async move { serve(parts, listener, stopped).await.expect("a server") });
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .expect("an address")
            .connect_lazy();
        Self {
            channel,
            address,
            stop,
            server,
            ready: is_ready,
        }
    }

    pub(crate) fn ingest(&self) -> IngestServiceClient<Channel> {
        IngestServiceClient::new(self.channel.clone())
    }

    pub(crate) fn profiles(&self) -> ProfileServiceClient<Channel> {
        ProfileServiceClient::new(self.channel.clone())
    }

    pub(crate) fn preferences(&self) -> PreferenceServiceClient<Channel> {
        PreferenceServiceClient::new(self.channel.clone())
    }

    pub(crate) fn contexts(&self) -> ContextServiceClient<Channel> {
        ContextServiceClient::new(self.channel.clone())
    }

    pub(crate) fn segments(&self) -> SegmentServiceClient<Channel> {
        SegmentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn identity(&self) -> IdentityServiceClient<Channel> {
        IdentityServiceClient::new(self.channel.clone())
    }

    pub(crate) fn privacy(&self) -> PrivacyServiceClient<Channel> {
        PrivacyServiceClient::new(self.channel.clone())
    }

    /// Says statements and answers with the results.
    pub(crate) async fn say(&self, statements: Vec<v1::Statement>) -> v1::IngestStatementsResponse {
        let request = v1::IngestStatementsRequest { statements };
        self.ingest()
            .ingest_statements(request)
            .await
            .expect("a receipt")
            .into_inner()
    }

    /// Says raw payloads of a source; none is refused.
    pub(crate) async fn say_payloads(
        &self,
        source: &str,
        kind: &str,
        payloads: &[serde_json::Value],
    ) {
        let payloads = payloads
            .iter()
            .map(|payload| payload.to_string().into())
            .collect();
        let request = v1::IngestPayloadsRequest {
            source: source.to_owned(),
            kind: kind.to_owned(),
            payloads,
        };
        let answer = self
            .ingest()
            .ingest_payloads(request)
            .await
            .expect("a receipt")
            .into_inner();
        for result in answer.results.iter().flat_map(|result| &result.results) {
            assert_eq!(result.outcome(), v1::StatementOutcome::Stored, "{result:?}");
        }
    }

    /// Begins the end, without waiting for it.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops the server and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.server.await.expect("the server ends");
    }
}

/// A text.
pub(crate) fn text(text: &str) -> v1::Value {
    v1::Value {
        kind: Some(v1::value::Kind::StringValue(text.to_owned())),
    }
}

/// A record's name.
pub(crate) fn record(source: &str, key: &str) -> v1::RecordKey {
    v1::RecordKey {
        source: source.to_owned(),
        key: key.to_owned(),
    }
}

/// A whole record with identifiers (type, value) and traits (name, text), of a version.
pub(crate) fn upsert(
    (source, key): (&str, &str),
    identifiers: &[(&str, &str)],
    traits: &[(&str, &str)],
    version: i64,
) -> v1::Statement {
    let identifier = |(kind, value): &(&str, &str)| v1::Identifier {
        r#type: (*kind).into(),
        value: (*value).into(),
        ..Default::default()
    };
    statement(v1::statement::Kind::UpsertRecord(v1::UpsertRecord {
        record: Some(record(source, key)),
        identifiers: identifiers.iter().map(identifier).collect(),
        traits: traits
            .iter()
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect(),
        version,
        source_time: None,
    }))
}

/// What a customer said about a purpose, for a contact point (type, value) if one is named.
pub(crate) fn consent(
    purpose: &str,
    contact_point: Option<(&str, &str)>,
    status: v1::ConsentStatus,
) -> v1::Consent {
    let contact_point = contact_point.map(|(kind, value)| v1::Identifier {
        r#type: kind.to_owned(),
        value: value.to_owned(),
        ..Default::default()
    });
    v1::Consent {
        purpose: purpose.to_owned(),
        contact_point,
        status: status.into(),
        ..v1::Consent::default()
    }
}

/// A record's word on a purpose.
pub(crate) fn record_consent((source, key): (&str, &str), consent: v1::Consent) -> v1::Statement {
    let record = Some(record(source, key));
    let said = v1::RecordConsent {
        record,
        consent: Some(consent),
        ..v1::RecordConsent::default()
    };
    statement(v1::statement::Kind::RecordConsent(said))
}

/// A record is gone, from this version on.
pub(crate) fn delete((source, key): (&str, &str), version: i64) -> v1::Statement {
    let record = Some(record(source, key));
    statement(v1::statement::Kind::DeleteRecord(v1::DeleteRecord {
        record,
        version,
        source_time: None,
    }))
}

/// An event of a record, so many seconds after the beginning of 2025.
pub(crate) fn event(
    (source, key): (&str, &str),
    event_id: &str,
    kind: &str,
    seconds: i64,
) -> v1::Statement {
    statement(v1::statement::Kind::RecordEvent(v1::RecordEvent {
        event: Some(v1::Event {
            record: Some(record(source, key)),
            event_id: event_id.to_owned(),
            r#type: kind.to_owned(),
            event_time: Some(Timestamp {
                seconds: 1_735_689_600 + seconds,
                nanos: 0,
            }),
            ..v1::Event::default()
        }),
    }))
}

pub(crate) fn statement(kind: v1::statement::Kind) -> v1::Statement {
    v1::Statement { kind: Some(kind) }
}

/// The key of an identifier.
pub(crate) fn by_identifier(kind: &str, value: &str) -> v1::ProfileKey {
    let identifier = v1::Identifier {
        r#type: kind.to_owned(),
        value: value.to_owned(),
        ..Default::default()
    };
    v1::ProfileKey {
        key: Some(v1::profile_key::Key::Identifier(identifier)),
    }
}

/// The key of a profile's name.
pub(crate) fn by_name(name: &str) -> v1::ProfileKey {
    v1::ProfileKey {
        key: Some(v1::profile_key::Key::Name(name.to_owned())),
    }
}

/// The key of a record.
pub(crate) fn by_record(source: &str, key: &str) -> v1::ProfileKey {
    v1::ProfileKey {
        key: Some(v1::profile_key::Key::Record(record(source, key))),
    }
}
