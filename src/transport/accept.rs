//! Accepting connections: counted, bounded, and without spinning when there is no descriptor left.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};

use super::tally::{Closed, Tally};
use crate::episode::Episode;

/// The first pause after `accept` failed; it doubles up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Descriptors that must be free before connections are accepted again on a port that is not
/// urgent.
const HEADROOM: usize = 8;
/// A trouble is over when it has not been seen for this long.
const CALM: Duration = Duration::from_secs(2);

/// Accepts the connections of one port.
pub struct Acceptor {
    listener: TcpListener,
    limit: usize,
    goodbye: &'static [u8],
    tally: Arc<Tally>,
    /// Whether connections are accepted as long as there is one descriptor.
    urgent: bool,
    /// A descriptor to give up when there is none left, so that an urgent connection can be
    /// accepted all the same.
    spare: Option<File>,
    pause: Duration,
    failing: Episode,
    full: Episode,
}

/// An accepted connection; counted until it is dropped.
pub struct Accepted {
    /// Bytes of the connection.
    pub stream: TcpStream,
    counted: Counted,
}

struct Counted(Arc<Tally>);

impl Accepted {
    /// The connection, and what counts it as long as it is kept.
    pub fn into_parts(self) -> (TcpStream, impl Send + 'static) {
        (self.stream, self.counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.gone();
    }
}

impl Acceptor {
    /// Accepts at most `limit` connections at a time; `goodbye` is written to those beyond it.
    /// `port` names it in the log.
    #[must_use]
    pub fn new(
        listener: TcpListener,
        (port, limit): (&'static str, usize),
        goodbye: &'static [u8],
        tally: Arc<Tally>,
    ) -> Self {
        let failing = Episode::named(format!("accepting connections on the {port} port"), CALM);
        let full = Episode::named(format!("room for connections on the {port} port"), CALM);
        Self {
            listener,
            limit,
            goodbye,
            tally,
            urgent: false,
            spare: None,
            pause: MIN_PAUSE,
            failing,
            full,
        }
    }

    /// Accepts connections also when there are hardly any descriptors left, which other ports leave
    /// to this one.
    #[must_use]
    pub fn urgent(self) -> Self {
        Self {
            urgent: true,
            spare: spare(),
            ..self
        }
    }

    /// Waits for the next connection that there is room for.
    ///
    /// # Cancel safety
    /// No connection is lost.
    pub async fn next(&mut self) -> Accepted {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    self.accepted();
                    if let Some(accepted) = self.admit(stream) {
                        return accepted;
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => self.rest(&error).await,
            }
        }
    }

    fn admit(&mut self, stream: TcpStream) -> Option<Accepted> {
        if self.tally.open() >= self.limit as u64 {
            self.tally.count(Closed::Refused);
            self.full.failed(&format_args!(
                "{} connections are open, the maximum; more are refused",
                self.limit
            ));
            // A courtesy: a client that cannot take it at once learns by the closed connection.
            let _ = stream
                .into_std()
                .and_then(|mut stream| stream.write(self.goodbye));
            return None;
        }
        self.full.succeeded();
        // Small answers are not held back to be sent with the next one.
        let _ = stream.set_nodelay(true);
        self.tally.opened();
        Some(Accepted {
            stream,
            counted: Counted(self.tally.clone()),
        })
    }

    fn accepted(&mut self) {
        self.pause = MIN_PAUSE;
        if self.urgent && self.spare.is_none() {
            self.spare = spare();
        }
        if self.urgent == self.spare.is_some() {
            self.failing.succeeded();
        }
    }

    /// `accept` failed for want of something that every connection needs: says so once, and waits.
    async fn rest(&mut self, error: &io::Error) {
        self.tally.failed();
        self.failing.failed(error);
        if is_out_of_descriptors(error) && self.spare.take().is_some() {
            return;
        }
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(MAX_PAUSE);
            if self.urgent || has_headroom() {
                return;
            }
        }
    }
}

/// Whether there are more descriptors than those that are left to urgent ports.
fn has_headroom() -> bool {
    let files: Vec<_> = (0..HEADROOM).map_while(|_| spare()).collect();
    files.len() == HEADROOM
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Whether the error concerns one connection that was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_connection_too_many_is_refused_and_a_free_place_is_given_again() {
        use tokio::io::AsyncReadExt;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tally = Arc::new(Tally::default());
        let mut acceptor = Acceptor::new(listener, ("test", 1), b"full", tally.clone());
        let _first = TcpStream::connect(address).await.unwrap();
        let accepted = acceptor.next().await;
        let mut refused = TcpStream::connect(address).await.unwrap();
        let next = tokio::spawn(async move { acceptor.next().await });
        let mut text = String::new();
        refused.read_to_string(&mut text).await.unwrap();
        assert_eq!(
            (text.as_str(), tally.open(), tally.closed(Closed::Refused)),
            ("full", 1, 1)
        );
        drop(accepted);
        let _third = TcpStream::connect(address).await.unwrap();
        drop(next.await.unwrap());
        assert_eq!(tally.open(), 0);
    }
}
