//! One HTTP/2 connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::connection::{Connection, Ended, Stops};
use super::io::{Guarded, Heard};
use super::random;
use super::stream::Streams;
use super::tally::{Closed, Tally};

/// Answer to a client that is refused: empty settings, and GOAWAY with `ENHANCE_YOUR_CALM`.
pub const GOODBYE: &[u8] = b"\0\0\0\x04\0\0\0\0\0\
    \0\0\x1c\x07\0\0\0\0\0\
    \0\0\0\0\0\0\0\x0btoo many connections";

/// The bytes of a client that speaks HTTP/2: the preface and the head of its settings.
const SPOKEN_BYTES: u64 = 24 + 9;
/// How long a connection without streams may take to go when it was asked to.
const PARTING: Duration = Duration::from_secs(1);
/// Bytes of a stream's answer that are buffered beyond its client's room.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Streams that a client has reset and that the server has not seen yet; more end the connection
/// (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that the server has reset for a client's mistakes; more end the connection
/// (CVE-2025-8671).
const MAX_LOCAL_RESETS: usize = 1024;

/// The bounds of a connection.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a client may take to speak HTTP/2.
    pub handshake_timeout: Duration,
    /// How long a connection may carry no stream.
    pub max_idle: Duration,
    /// The age at which a connection is asked to go, give or take a tenth.
    pub max_age: Duration,
    /// How long its streams may take to end then.
    pub age_grace: Duration,
    /// How long a client may take nothing of what is written.
    pub send_timeout: Duration,
    /// The interval of pings.
    pub keep_alive_interval: Duration,
    /// How long a ping may go without an answer.
    pub keep_alive_timeout: Duration,
    /// The number of streams at a time.
    pub max_streams: u32,
    /// The size of a request's headers.
    pub max_header_bytes: u32,
    /// The bytes of one stream that a client may send before they are read.
    pub stream_window_bytes: u32,
    /// The bytes of all streams together that a client may send before they are read.
    pub connection_window_bytes: u32,
}

/// Serves a connection until it ends, or is ended. `counted` is dropped with it.
pub async fn serve<S, F, R, B>(
    stream: S,
    options: Arc<Options>,
    (stops, tally): (Stops, Arc<Tally>),
    handle: impl Fn(Request<Incoming>) -> F,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: http_body::Body<Data = bytes::Bytes, Error = R> + Send + 'static,
    R: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = Arc::new(Connection::new(&stops));
    let io = Guarded::new(stream, options.send_timeout);
    let mut life = Life::new(options, connection.clone(), io.heard());
    let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        handle(request)
    });
    let streams = Streams {
        connection: connection.clone(),
        stops: stops.clone(),
    };
    let mut http =
        pin!(builder(streams, &life.options).serve_connection(TokioIo::new(io), service));
    loop {
        let verdict = tokio::select! {
            ended = &mut http => {
                if ended.is_err() && life.heard.is_deaf() {
                    tally.count(Closed::Deaf);
                }
                break;
            }
            () = stops.cut.cancelled() => Verdict::Close(Closed::CutOff),
            () = stops.draining.cancelled(), if life.ending.is_none() => Verdict::End(Ended::Draining),
            () = tokio::time::sleep_until(life.next_look()) => life.look(),
        };
        match verdict {
            Verdict::Wait => {}
            Verdict::End(why) => {
                life.ending = Some(Instant::now());
                http.as_mut().graceful_shutdown();
                connection.end(why);
            }
            Verdict::Leave(reason) => {
                tally.count(reason);
                life.ending = Some(Instant::now());
                http.as_mut().graceful_shutdown();
                connection.end(Ended::Aged);
            }
            Verdict::Close(reason) => {
                tally.count(reason);
                break;
            }
            Verdict::Gone => break,
        }
    }
    // Streams whose connection is gone have nobody to answer.
    connection.cut.cancel();
}

fn builder(streams: Streams, options: &Options) -> Builder<Streams> {
    let mut builder = Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(options.stream_window_bytes)
        .initial_connection_window_size(options.connection_window_bytes)
        .max_concurrent_streams(options.max_streams)
        .keep_alive_interval(options.keep_alive_interval)
        .keep_alive_timeout(options.keep_alive_timeout)
        .max_header_list_size(options.max_header_bytes)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS);
    builder
}

/// The next step of a connection.
enum Verdict {
    /// Nothing yet.
    Wait,
    /// Its streams are to end, for the server's sake.
    End(Ended),
    /// It is asked to go.
    Leave(Closed),
    /// Closes the connection.
    Close(Closed),
    /// It has nothing left to do.
    Gone,
}

/// The clocks of a connection.
struct Life {
    options: Arc<Options>,
    connection: Arc<Connection>,
    heard: Arc<Heard>,
    began: Instant,
    age: Duration,
    /// Since when it has been asked to go.
    ending: Option<Instant>,
}

impl Life {
    fn new(options: Arc<Options>, connection: Arc<Connection>, heard: Arc<Heard>) -> Self {
        let age = spread(options.max_age, random());
        Self {
            options,
            connection,
            heard,
            began: Instant::now(),
            age,
            ending: None,
        }
    }

    fn has_spoken(&self) -> bool {
        self.heard.bytes() >= SPOKEN_BYTES
    }

    /// When something may be due.
    fn next_look(&self) -> Instant {
        let now = Instant::now();
        if self.ending.is_some() {
            return now + PARTING / 4;
        }
        let silence = (!self.has_spoken()).then(|| self.began + self.options.handshake_timeout);
        let idle = self.connection.idle_since().unwrap_or(now) + self.options.max_idle;
        let due = silence
            .into_iter()
            .chain([idle, self.began + self.age])
            .min()
            .unwrap_or(idle);
        due.max(now + Duration::from_millis(1))
    }

    /// The step that is due.
    fn look(&self) -> Verdict {
        let idle = self.connection.idle_since();
        if let Some(since) = self.ending {
            return match idle {
                Some(idle) if idle.max(since).elapsed() >= PARTING => Verdict::Gone,
                None if since.elapsed() >= self.options.age_grace => Verdict::Close(Closed::CutOff),
                _ => Verdict::Wait,
            };
        }
        if !self.has_spoken() && self.began.elapsed() >= self.options.handshake_timeout {
            return Verdict::Close(Closed::Silent);
        }
        if self.began.elapsed() >= self.age {
            return Verdict::Leave(Closed::Aged);
        }
        if idle.is_some_and(|since| since.elapsed() >= self.options.max_idle) {
            return Verdict::Leave(Closed::Idle);
        }
        Verdict::Wait
    }
}

/// A time within a tenth of the given one, by a random number.
fn spread(time: Duration, random: u64) -> Duration {
    let share = f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    time.mul_f64(0.9 + 0.2 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_within_a_tenth_and_differ_between_connections() {
        let age = Duration::from_mins(10);
        assert_eq!(spread(age, 0), Duration::from_mins(9));
        assert_eq!(spread(age, u64::MAX), Duration::from_mins(11));
        let ages: std::collections::BTreeSet<_> = (0..20).map(|_| spread(age, random())).collect();
        assert!(ages.len() > 15, "{ages:?}");
    }

    #[test]
    fn the_goodbye_is_two_whole_frames() {
        let (settings, goaway) = GOODBYE.split_at(9);
        assert_eq!((settings[2], settings[3]), (0, 4));
        assert_eq!(
            (usize::from(goaway[2]), goaway[3], goaway.len()),
            (goaway.len() - 9, 7, 9 + 28)
        );
    }
}
