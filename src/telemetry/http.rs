//! The HTTP side for operators: `/metrics`, `/livez`, `/readyz`.
//!
//! `/livez` says that the process runs and asks nothing of anybody: a database that is away must
//! not get every server killed. `/readyz` says what the server last found out; it does no work of
//! its own, so that asking often costs nothing.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus::{Registry, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Metrics;
use crate::config;
use crate::transport::{Acceptor, Closed, Guarded, Tally, descriptors};

/// How long open requests may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the server takes calls, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It answers calls.
    Ready,
    /// It does not; the text is for an operator and names no data.
    NotReady(Cow<'static, str>),
}

#[derive(Clone)]
struct Operations {
    registry: Registry,
    readiness: watch::Receiver<Readiness>,
}

/// Serves probes and metrics on a port of its own.
pub struct OperationsPort {
    /// Where it listens.
    pub listener: TcpListener,
    /// The registry that `/metrics` prints.
    pub registry: Registry,
    /// The answer of `/readyz`.
    pub readiness: watch::Receiver<Readiness>,
    /// Limits of its connections.
    pub options: config::Operations,
    /// Metrics sink.
    pub metrics: Arc<Metrics>,
}

impl OperationsPort {
    /// Serves until `stop` is cancelled; then open requests have a second to end.
    ///
    /// A connection one too many takes the place of the oldest, so that probes are answered whoever
    /// else holds connections.
    ///
    /// # Cancel safety
    /// Dropped, it ends at once.
    pub async fn serve(self, stop: CancellationToken) {
        let Self {
            listener,
            registry,
            readiness,
            options,
            metrics,
        } = self;
        let app = Router::new()
            .route("/metrics", get(print_metrics))
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(readyz))
            .with_state(Operations {
                registry,
                readiness,
            });
        let limit =
            descriptors::operations_within(descriptors::raise_limit(), options.max_connections);
        let tally = Arc::new(Tally::default());
        metrics.observe_connections("operations", limit, &tally);
        // Accepted without a bound: the oldest makes room.
        let mut acceptor =
            Acceptor::new(listener, ("operations", usize::MAX), b"", tally.clone()).urgent();
        let mut tasks = JoinSet::new();
        let mut open: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = tasks.join_next() => continue,
                accepted = acceptor.next() => accepted,
            };
            open.retain(|task| !task.is_finished());
            if open.len() >= limit
                && let Some(oldest) = open.pop_front()
            {
                oldest.abort();
                tally.count(Closed::Displaced);
            }
            let (stream, counted) = accepted.into_parts();
            let (app, timeout, stop) = (app.clone(), options.timeout, stop.clone());
            open.push_back(tasks.spawn(async move {
                serve_connection(stream, app, timeout, stop).await;
                drop(counted);
            }));
        }
        let ended = async { while tasks.join_next().await.is_some() {} };
        // The rest is aborted with the set.
        let _ = tokio::time::timeout(GRACE, ended).await;
    }
}

/// Serves a connection until it ends by itself, sends no request in time, or the end was asked for.
async fn serve_connection(
    stream: TcpStream,
    app: Router,
    timeout: Duration,
    stop: CancellationToken,
) {
    let io = TokioIo::new(Guarded::new(stream, timeout));
    let mut http = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(timeout)
            .serve_connection(io, TowerToHyperService::new(app))
    );
    tokio::select! {
        // Failures are the client's, and told to it.
        _ = &mut http => {}
        () = stop.cancelled() => {
            http.as_mut().graceful_shutdown();
            let _ = http.await;
        }
    }
}

async fn readyz(State(operations): State<Operations>) -> Response {
    let readiness = operations.readiness.borrow().clone();
    match readiness {
        Readiness::Ready => "ready\n".into_response(),
        Readiness::NotReady(why) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
        }
    }
}

async fn print_metrics(State(operations): State<Operations>) -> Response {
    match TextEncoder::new().encode_to_string(&operations.registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be printed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;
    use crate::{config::Config, telemetry::Telemetry};

    async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }

    #[tokio::test]
    async fn it_tells_life_readiness_and_metrics_until_it_is_stopped() {
        let telemetry = Telemetry::collect(&Config::defaults()).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (say, readiness) = watch::channel(Readiness::NotReady("starting".into()));
        let stop = CancellationToken::new();
        let port = OperationsPort {
            listener,
            registry: telemetry.registry.clone(),
            readiness,
            options: Config::defaults().operations,
            metrics: telemetry.metrics.clone(),
        };
        let server = tokio::spawn(port.serve(stop.clone()));

        assert_eq!(get(address, "/livez").await, (200, "alive\n".to_owned()));
        assert_eq!(
            get(address, "/readyz").await,
            (503, "starting\n".to_owned())
        );
        say.send(Readiness::Ready).unwrap();
        assert_eq!(get(address, "/readyz").await, (200, "ready\n".to_owned()));
        assert_eq!(get(address, "/").await.0, 404);
        let (status, text) = get(address, "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("customer_profile_ingest_queue 0\n"), "{text}");

        // A client that never finishes its request does not hold the server up.
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET /livez HT").await.unwrap();
        stop.cancel();
        server.await.unwrap();
    }
}
