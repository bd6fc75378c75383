//! A server as a process: its listeners, its store, its operations side, its end by signal.
//!
//! Whatever is wrong at the start is reported before any call is answered: configuration, model,
//! addresses, the database file. A PostgreSQL that is away is no such mistake: the server waits for
//! it, and says `NOT_SERVING` meanwhile.
//!
//! [`signals`] has the effect of each signal, [`reload`] that of SIGHUP.

mod reload;
mod signals;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::reload::Reload;
use self::signals::{Hangup, Signals};
use super::setup;
use crate::clock::GuardedClock;
use crate::config::{self, Config, ConfigArgs};
use crate::grpc::CallLog;
use crate::memory;
use crate::server;
use crate::telemetry::http::{OperationsPort, Readiness};
use crate::telemetry::{self, Telemetry};
use crate::transport::listen;

/// A server that listens, and does not answer yet.
pub(super) struct Process {
    parts: server::Parts,
    telemetry: Telemetry,
    grpc: TcpListener,
    operations: TcpListener,
    ready: watch::Receiver<Readiness>,
    stop: CancellationToken,
    /// Whether the server has stopped: nothing is left that a second signal could end sooner.
    stopped: Arc<AtomicBool>,
}

/// The action on SIGHUP.
pub(super) enum OnHangup {
    /// It reads its configuration again, from these arguments.
    Reload(ConfigArgs),
    /// It ends, like a command at a terminal that is closed.
    Stop,
}

impl Process {
    /// Prepares a server. From here on it ends when `stop` is cancelled, by the caller or by a
    /// signal.
    pub(super) async fn prepare(
        config: Config,
        hangup: OnHangup,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let signals = Signals::new()?;
        let model = setup::model(config.model.path.as_deref())?;
        let telemetry = telemetry::start(&config)?;
        let grpc = listen("gRPC", config.grpc.address, "--grpc-address")?;
        let operations = listen(
            "operations",
            config.operations.address,
            "--operations-address",
        )?;
        let limit = memory::container_limit();
        telemetry.metrics.observe_process(limit);
        for warning in config
            .warnings()
            .into_iter()
            .chain(config.memory_warning(limit))
        {
            tracing::warn!("{warning}");
        }
        let without_effect = config::without_effect(std::env::vars_os());
        if !without_effect.is_empty() {
            tracing::warn!(
                variables = without_effect.join(" "),
                "OpenTelemetry variables have no effect on this program; docs/configuration.md lists those that have"
            );
        }
        let (metrics, clock) = (telemetry.metrics.clone(), Arc::new(GuardedClock::default()));
        metrics.observe_episode(clock.episode());
        let call_log = Arc::new(CallLog::new(&config.log, &metrics));
        let hangup = match hangup {
            OnHangup::Reload(args) => Hangup::Reload(Box::new(Reload::new(
                args,
                config.clone(),
                call_log.clone(),
            ))),
            OnHangup::Stop => Hangup::Stop,
        };
        let stopped = Arc::<AtomicBool>::default();
        tokio::spawn(signals.watch(stop.clone(), stopped.clone(), hangup));
        let store = tokio::select! {
            store = setup::store(&config.database) => Arc::new(store?),
            () = stop.cancelled() => bail!("stopped before the database was open"),
        };
        let (say_ready, ready) = watch::channel(Readiness::NotReady("starting".into()));
        let parts = server::Parts {
            config,
            store,
            model,
            clock,
            metrics,
            call_log,
            ready: say_ready,
        };
        Ok(Self {
            parts,
            telemetry,
            grpc,
            operations,
            ready,
            stop,
            stopped,
        })
    }

    /// Where gRPC listens: the real port, also when any was asked for.
    pub(super) fn grpc_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.local_addr()?)
    }

    /// Tells when the server is ready.
    pub(super) fn readiness(&self) -> watch::Receiver<Readiness> {
        self.ready.clone()
    }

    /// Serves until it is stopped.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self {
            parts,
            telemetry,
            grpc,
            operations,
            ready,
            stop,
            stopped,
        } = self;
        let Telemetry {
            registry, guard, ..
        } = telemetry;
        let (address, database) = (grpc.local_addr()?, parts.config.database.url.clone());
        let operations_address = operations.local_addr()?;
        let zones = profile_core::time_zone::database();
        tracing::info!(
            version = zones.version,
            directory = ?zones.directory,
            machine_version = ?zones.machine_version,
            "time zones: the newer of the compiled-in database and the machine's"
        );
        tracing::info!(grpc = %address, operations = %operations_address, %database, "listening");
        // Probes and metrics are answered until the last call has been.
        let stop_operations = CancellationToken::new();
        let port = OperationsPort {
            listener: operations,
            registry,
            readiness: ready,
            options: parts.config.operations.clone(),
            metrics: parts.metrics.clone(),
        };
        let operations = tokio::spawn(port.serve(stop_operations.clone()));
        let served = server::serve(parts, grpc, stop.cancelled_owned()).await;
        stop_operations.cancel();
        let operations = operations.await;
        stopped.store(true, Ordering::Release);
        tracing::info!("stopped");
        guard.shutdown().await;
        served?;
        operations.context("the operations port failed")
    }
}

fn listen(what: &str, address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = listen::listen(address);
    listener.with_context(|| {
        format!("{what} cannot listen on {address} (choose another address with {flag})")
    })
}
