//! The HTTP side for operators: `/metrics`, `/livez`, `/readyz`.
//!
//! `/livez` says that the process runs and asks nothing of anybody: a database that is away must not get every server
//! killed. `/readyz` says what the server last found out; it does no work of its own, so that asking often costs nothing.

use std::{borrow::Cow, io, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus::{Registry, TextEncoder};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

/// How long open requests may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the server takes calls, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// It does not; the text is for an operator and names no data.
    NotReady(Cow<'static, str>),
}

#[derive(Clone)]
struct Operations {
    registry: Registry,
    readiness: watch::Receiver<Readiness>,
}

/// Serves until `stop` is cancelled; then open requests have a second to end.
///
/// # Errors
/// Those of the listener.
///
/// # Cancel safety
/// Dropped, it ends at once.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    readiness: watch::Receiver<Readiness>,
    stop: CancellationToken,
) -> io::Result<()> {
    let app = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .with_state(Operations { registry, readiness });
    let graceful = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = graceful => served,
        () = late => Ok(()),
    }
}

async fn readyz(State(operations): State<Operations>) -> Response {
    let readiness = operations.readiness.borrow().clone();
    match readiness {
        Readiness::Ready => "ready\n".into_response(),
        Readiness::NotReady(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn metrics(State(operations): State<Operations>) -> Response {
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
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    #[tokio::test]
    async fn it_tells_life_readiness_and_metrics_until_it_is_stopped() {
        let telemetry = Telemetry::collect(&Config::defaults()).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (say, readiness) = watch::channel(Readiness::NotReady("starting".into()));
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, telemetry.registry.clone(), readiness, stop.clone()));

        assert_eq!(get(address, "/livez").await, (200, "alive\n".to_owned()));
        assert_eq!(get(address, "/readyz").await, (503, "starting\n".to_owned()));
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
        server.await.unwrap().unwrap();
    }
}
