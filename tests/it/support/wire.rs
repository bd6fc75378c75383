//! Clients of HTTP/2 and TCP that do what well-behaved ones do not.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::Request;
use http::request::Builder as RequestBuilder;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// An HTTP/2 connection, frame by frame.
pub(crate) struct Wire {
    send: SendRequest<Bytes>,
    connection: JoinHandle<()>,
}

/// A call on it.
pub(crate) struct WireCall {
    pub(crate) answer: ResponseFuture,
    pub(crate) body: SendStream<Bytes>,
}

impl Wire {
    /// Connects; the server may send `window` bytes of each answer before this client takes any.
    pub(crate) async fn connect(address: SocketAddr, window: u32) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an open connection");
        let (send, connection) = Builder::new()
            .initial_window_size(window)
            .handshake(stream)
            .await
            .expect("a handshake");
        let connection = tokio::spawn(async move {
            // How it ends is seen by its calls.
            drop(connection.await);
        });
        Self { send, connection }
    }

    /// Begins a call and sends nothing but its head.
    pub(crate) async fn begin(&mut self, path: &str) -> WireCall {
        self.begin_within(path, "1H").await
    }

    /// The same, with more headers.
    pub(crate) async fn begin_with(
        &mut self,
        path: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> WireCall {
        self.begin_as(path, "1H", more).await
    }

    /// The same, with a timeout as gRPC writes it.
    pub(crate) async fn begin_within(&mut self, path: &str, timeout: &str) -> WireCall {
        self.begin_as(path, timeout, |request| request).await
    }

    async fn begin_as(
        &mut self,
        path: &str,
        timeout: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> WireCall {
        let request = Request::post(format!("http://server/{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", timeout);
        let request = more(request).body(()).expect("a request");
        std::future::poll_fn(|context| self.send.poll_ready(context))
            .await
            .expect("room for a call");
        let (answer, body) = self.send.send_request(request, false).expect("a call");
        WireCall { answer, body }
    }

    /// Begins a call with its whole request.
    pub(crate) async fn call(&mut self, path: &str, message: &impl Message) -> WireCall {
        let mut call = self.begin(path).await;
        call.body
            .send_data(framed(message), true)
            .expect("a request");
        call
    }

    /// Waits until the server has closed the connection.
    pub(crate) async fn closed(self) {
        self.connection.await.expect("the connection ends");
    }
}

/// A message as gRPC sends it.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let content = message.encode_to_vec();
    let length = u32::try_from(content.len())
        .expect("a length")
        .to_be_bytes();
    [&[0], &length[..], &content].concat().into()
}

/// Reads an answer to its end: its bytes and the code of its status; an error is that of a reset
/// stream.
pub(crate) async fn read(answer: ResponseFuture) -> Result<(usize, i32), h2::Error> {
    let (head, mut body) = answer.await?.into_parts();
    if let Some(code) = code(&head.headers) {
        return Ok((0, code));
    }
    let mut bytes = 0;
    while let Some(data) = body.data().await {
        let data = data?;
        bytes += data.len();
        body.flow_control().release_capacity(data.len())?;
    }
    Ok((bytes, trailers(&mut body).await?))
}

async fn trailers(body: &mut RecvStream) -> Result<i32, h2::Error> {
    let trailers = body.trailers().await?.expect("a status");
    Ok(code(&trailers).expect("a status"))
}

fn code(headers: &http::HeaderMap) -> Option<i32> {
    headers
        .get("grpc-status")
        .map(|code| code.to_str().expect("text").parse().expect("a number"))
}

/// Reads whatever comes until the other side closes the connection.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    drop(stream.read_to_end(&mut bytes).await);
    bytes
}

/// Connects and sends these bytes, whatever they are.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("bytes are sent");
    stream
}
