//! The gRPC port: its connections within their bounds, until the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

use crate::config::Config;
use crate::grpc::CallService;
use crate::telemetry::Metrics;
use crate::transport::{Acceptor, Stops, Tally, descriptors, http2};

/// How long what was cut off may take to end. It only has to be noticed.
const CUT_BOUND: Duration = Duration::from_secs(1);

/// Accepts connections until the drain begins. Then the port is closed.
pub(super) async fn accept(
    listener: TcpListener,
    config: Config,
    metrics: Arc<Metrics>,
    service: CallService<Routes>,
    stops: Stops,
) {
    let limit = limit(&config);
    let tally = Arc::new(Tally::default());
    metrics.observe_connections("grpc", limit, &tally);
    let options = Arc::new(options(&config));
    let mut acceptor = Acceptor::new(listener, ("grpc", limit), http2::GOODBYE, tally.clone());
    loop {
        let accepted = tokio::select! {
            () = stops.draining.cancelled() => return,
            accepted = acceptor.next() => accepted,
        };
        let (stream, counted) = accepted.into_parts();
        let (service, options) = (service.clone(), options.clone());
        let (ends, tally) = (stops.clone(), tally.clone());
        stops.tasks.spawn(async move {
            let handle = |request: http::Request<hyper::body::Incoming>| {
                service.clone().call(request.map(Body::new))
            };
            http2::serve(stream, options, (ends, tally), handle).await;
            drop(counted);
        });
    }
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
