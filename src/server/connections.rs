//! The gRPC port: its connections within their bounds, until the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::either::Either;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

use crate::config::Config;
use crate::grpc::CallService;
use crate::telemetry::Metrics;
use crate::transport::tls::Tls;
use crate::transport::{Acceptor, Closed, Stops, Tally, descriptors, http2};

/// How long what was cut off may take to end. It only has to be noticed.
const CUT_BOUND: Duration = Duration::from_secs(1);

/// Accepts connections until the drain begins. Then the port is closed.
pub(super) async fn accept(
    (listener, tls): (TcpListener, Option<Arc<Tls>>),
    config: Config,
    metrics: Arc<Metrics>,
    service: CallService<Routes>,
    stops: Stops,
) {
    let limit = limit(&config);
    let tally = Arc::new(Tally::default());
    metrics.observe_connections("grpc", limit, &tally);
    let options = Arc::new(options(&config));
    // A client that expects TLS could not read it.
    let goodbye = if tls.is_some() { &[] } else { http2::GOODBYE };
    let mut acceptor = Acceptor::new(listener, ("grpc", limit), goodbye, tally.clone());
    loop {
        let accepted = tokio::select! {
            () = stops.draining.cancelled() => return,
            accepted = acceptor.next() => accepted,
        };
        let (stream, counted) = accepted.into_parts();
        let (service, options) = (service.clone(), options.clone());
        let (ends, tally, tls) = (stops.clone(), tally.clone(), tls.clone());
        stops.tasks.spawn(async move {
            let bound = options.handshake_timeout;
            let Some(stream) = secured(stream, tls, bound, (&ends, &tally)).await else {
                return;
            };
            let handle = |request: http::Request<hyper::body::Incoming>| {
                service.clone().call(request.map(Body::new))
            };
            http2::serve(stream, options, (ends, tally), handle).await;
            drop(counted);
        });
    }
}

/// The stream of a connection, after its TLS handshake where there is one. `None`: it failed, or
/// the server ends.
async fn secured(
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    bound: Duration,
    (stops, tally): (&Stops, &Tally),
) -> Option<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let Some(tls) = tls else {
        return Some(Either::Left(stream));
    };
    let handshake = tokio::time::timeout(bound, tls.acceptor().accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = stops.draining.cancelled() => return None,
    };
    match shaken {
        Ok(Ok(stream)) => return Some(Either::Right(stream)),
        Ok(Err(error)) => {
            tally.count(Closed::Handshake);
            // The log bounds the lines of one place.
            tracing::info!(%error, "a TLS handshake failed");
        }
        Err(_) => tally.count(Closed::Silent),
    }
    None
}

/// The number of connections, within the process's limit of descriptors.
fn limit(config: &Config) -> usize {
    let (wanted, others) = (
        config.grpc.max_connections,
        config.operations.max_connections,
    );
    let descriptors = descriptors::raise_limit();
    let limit = descriptors::connections_within(descriptors, wanted, others);
    if limit < wanted {
        tracing::warn!(
            descriptors,
            limit,
            "the limit of file descriptors allows fewer connections than `grpc.max_connections` ({wanted})"
        );
    }
    limit
}

fn options(config: &Config) -> http2::Options {
    let grpc = &config.grpc;
    http2::Options {
        handshake_timeout: grpc.handshake_timeout,
        max_idle: grpc.max_connection_idle,
        max_age: grpc.max_connection_age,
        age_grace: grpc.connection_age_grace,
        send_timeout: grpc.send_timeout,
        keep_alive_interval: grpc.keep_alive_interval,
        keep_alive_timeout: grpc.keep_alive_timeout,
        max_streams: grpc.max_streams_per_connection,
        max_header_bytes: grpc.max_header_bytes,
        stream_window_bytes: grpc.stream_window_bytes,
        connection_window_bytes: grpc.connection_window_bytes,
    }
}

/// Asks all connections to go, and cuts off what is left after a while.
pub(super) async fn drain(stops: &Stops, bound: Duration) {
    stops.draining.cancel();
    stops.tasks.close();
    if tokio::time::timeout(bound, stops.tasks.wait())
        .await
        .is_ok()
    {
        return;
    }
    let tasks = stops.tasks.len();
    tracing::warn!(
        ?bound,
        tasks,
        "connections or calls were left at the end of the drain; they are cut off"
    );
    stops.cut.cancel();
    if tokio::time::timeout(CUT_BOUND, stops.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            tasks = stops.tasks.len(),
            "calls are busy and cannot be cut off; they end with the process"
        );
    }
}
