//! A stream of bytes that notes whether its client speaks, and fails when its client takes nothing,
//! or too little, for too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::arrears::Arrears;

/// State of a client, as its bytes show it.
#[derive(Debug, Default)]
pub struct Heard {
    bytes: AtomicU64,
    deaf: AtomicBool,
}

impl Heard {
    /// The number of bytes that came from the client.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the client took nothing for too long.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.deaf.load(Ordering::Relaxed)
    }
}

/// A stream under watch: TCP, or TLS over it.
#[derive(Debug)]
pub struct Guarded<S = TcpStream> {
    stream: S,
    heard: Arc<Heard>,
    patience: Duration,
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    arrears: Arrears,
}

impl<S> Guarded<S> {
    /// Fails writes that wait for longer than `patience`, in one piece or by dripping.
    #[must_use]
    pub fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            heard: Arc::default(),
            patience,
            stalled: None,
            arrears: Arrears::default(),
        }
    }

    /// State of the client.
    #[must_use]
    pub fn heard(&self) -> Arc<Heard> {
        self.heard.clone()
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = &result {
            let waited = self
                .stalled
                .take()
                .map_or(Duration::ZERO, |(since, _)| since.elapsed());
            self.arrears
                .took(written.as_ref().map_or(0, |bytes| *bytes), waited);
            return result;
        }
        let left = self.patience.saturating_sub(self.arrears.owed());
        let (_, stalled) = self
            .stalled
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        ready!(stalled.as_mut().poll(context));
        self.heard.deaf.store(true, Ordering::Relaxed);
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes nothing",
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(context, buf));
        let more = buf.filled().len() - before;
        self.heard.bytes.fetch_add(more as u64, Ordering::Relaxed);
        Poll::Ready(result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
