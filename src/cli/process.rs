//! A server as a process: its listeners, its store, its operations side, its end by signal.
//!
//! Whatever can be wrong at the start is told before anything is answered: configuration, model, addresses, the database
//! file. A PostgreSQL that is away is no such mistake: the server waits for it, and says `NOT_SERVING` meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::setup;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::server;
use crate::telemetry::http::{OperationsPort, Readiness};
use crate::telemetry::{self, Telemetry};
use crate::transport::listen;

/// Exit code of a process that was interrupted, by the convention of shells.
const INTERRUPTED: i32 = 130;

/// A server that listens, and does not answer yet.
pub(super) struct Process {
    parts: server::Parts,
    telemetry: Telemetry,
    grpc: TcpListener,
    operations: TcpListener,
    ready: watch::Receiver<Readiness>,
    signals: Signals,
}

impl Process {
    /// Prepares a server.
    pub(super) async fn prepare(config: Config) -> anyhow::Result<Self> {
        let signals = Signals::new()?;
        let model = setup::model(config.model.path.as_deref())?;
        let telemetry = telemetry::start(&config)?;
        let grpc = listen("gRPC", config.grpc.address, "--grpc-address")?;
        let operations = listen("operations", config.operations.address, "--operations-address")?;
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let store = Arc::new(setup::store(&config.database).await?);
        let (say_ready, ready) = watch::channel(Readiness::NotReady("starting"));
        let metrics = telemetry.metrics.clone();
        let clock = Arc::new(SystemClock);
        let parts = server::Parts { config, store, model, clock, metrics, ready: say_ready };
        Ok(Self { parts, telemetry, grpc, operations, ready, signals })
    }

    /// Where gRPC listens: the real port, also when any was asked for.
    pub(super) fn grpc_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.local_addr()?)
    }

    /// Tells when the server is ready.
    pub(super) fn readiness(&self) -> watch::Receiver<Readiness> {
        self.ready.clone()
    }

    /// Serves until `stop` is cancelled, by a signal or by the caller.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { parts, telemetry, grpc, operations, ready, signals } = self;
        let Telemetry { registry, guard, .. } = telemetry;
        let (address, database) = (grpc.local_addr()?, parts.config.database.url.clone());
        let operations_address = operations.local_addr()?;
        tracing::info!(grpc = %address, operations = %operations_address, %database, "listening");
        let watching = tokio::spawn(signals.watch(stop.clone()));
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
        watching.abort();
        tracing::info!("stopped");
        guard.shutdown().await;
        served?;
        operations.context("the operations port failed")
    }
}

fn listen(what: &str, address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = listen::listen(address);
    listener.with_context(|| format!("{what} cannot listen on {address} (choose another address with {flag})"))
}

/// What ends a process: Ctrl-C, or whoever runs it.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// The first signal ends in peace. The second ends at once: what was answered is stored all the same.
    async fn watch(mut self, stop: CancellationToken) {
        self.next().await;
        stop.cancel();
        self.next().await;
        eprintln!("stopped at once, by a second signal");
        std::process::exit(INTERRUPTED);
    }
}
