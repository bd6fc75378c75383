//! What every call passes through, outermost first:
//!
//! 1. *protocol and metadata*: what is not gRPC, or has metadata twice or malformed, is refused; see `protocol`;
//! 2. *overload*: a bounded number of calls run at once, over all connections; more are refused at once, since a queue
//!    would only make all of them late. Watches have a bound of their own; health checks are exempt, or an overloaded server would be restarted;
//! 3. *deadline*: the caller's `grpc-timeout` or the server's bound, whichever is shorter, answered `DEADLINE_EXCEEDED`.
//!    (tonic itself would answer `CANCELLED`. It has the same timer further out, so this one ends a millisecond earlier);
//! 4. *observation*: one log line, the figures and the span of the call, when the last byte of its answer is out.
//!
//! Credentials will be checked between 1 and 2.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context as Poller, Poll, ready};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use super::context::{Context, REQUEST_ID_KEY};
use super::methods::Method;
use super::{protocol, status};
use crate::telemetry::metrics::name_of;
use crate::telemetry::{Metrics, accept_parent};

/// What tonic's own timer, one level out, is given to lose by.
const DEADLINE_MARGIN: Duration = Duration::from_millis(1);

/// The bounds of calls.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// How many calls run at once.
    pub max_concurrent: usize,
    /// The deadline of a call that has none. Streams have only their own.
    pub default_deadline: Duration,
    /// The longest deadline that is granted.
    pub max_deadline: Duration,
    /// Whether each call gets a span, for traces.
    pub spans: bool,
}

/// Puts the layers around a service.
#[derive(Clone)]
pub struct Calls {
    shared: Arc<Shared>,
}

struct Shared {
    limits: CallLimits,
    running: Arc<AtomicUsize>,
    /// Request ids are this process's start and a count: unique without randomness on the way of each call.
    instance: u64,
    count: AtomicU64,
    metrics: Arc<Metrics>,
}

impl Calls {
    /// The layers; `instance` tells this process from others in request ids.
    #[must_use]
    pub fn new(limits: CallLimits, instance: u64, metrics: Arc<Metrics>) -> Self {
        let running = Arc::new(AtomicUsize::new(0));
        let active = running.clone();
        metrics.observe_calls(move || active.load(Ordering::Relaxed) as u64);
        let shared = Shared { limits, running, instance, count: AtomicU64::new(0), metrics };
        Self { shared: Arc::new(shared) }
    }
}

impl<S> Layer<S> for Calls {
    type Service = CallService<S>;
    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner, shared: self.shared.clone() }
    }
}

/// A service with the layers around it.
#[derive(Clone)]
pub struct CallService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for CallService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, poller: &mut Poller<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(poller)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let mut call = Call::new(self.shared.clone(), &request);
        let admitted = call.admit(&request);
        let span = call.span(request.headers());
        // The service that was polled ready is the one to call; its clone waits for the next call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let context = match admitted {
                Ok(context) => context,
                Err(refusal) => return Ok(call.watch(refusal)),
            };
            let (streams, deadline) = (call.method.streams, context.deadline);
            request.extensions_mut().insert(context);
            let answer = inner.call(request).instrument(span);
            let response = match deadline {
                Some(deadline) if !streams => match tokio::time::timeout_at(deadline, answer).await {
                    Ok(response) => response?,
                    Err(_) => status::deadline_exceeded().into_http(),
                },
                _ => answer.await?,
            };
            Ok(call.watch(response))
        })
    }
}

/// One call, from its arrival to the last byte of its answer.
struct Call {
    shared: Arc<Shared>,
    method: Method,
    request_id: String,
    tenant: String,
    started: Instant,
    /// 1, or 0 for health checks and watches, which are not among the calls that are bounded.
    counts: usize,
    over: bool,
}

impl Call {
    fn new(shared: Arc<Shared>, request: &Request<Body>) -> Self {
        // One that cannot be taken over is refused, under an id of the server's.
        let given = protocol::request_id(request.headers()).ok().flatten();
        let request_id = given.map_or_else(
            || format!("{:08x}-{:x}", shared.instance, shared.count.fetch_add(1, Ordering::Relaxed)),
            str::to_owned,
        );
        let method = Method::of_path(request.uri().path());
        let counts = usize::from(method.is_limited());
        shared.running.fetch_add(counts, Ordering::Relaxed);
        Self { shared, method, request_id, tenant: String::new(), started: Instant::now(), counts, over: false }
    }

    /// Lets the call in, or says why not.
    #[expect(clippy::result_large_err, reason = "as large as any answer; made only for refusals")]
    fn admit(&mut self, request: &Request<Body>) -> Result<Context, Response<Body>> {
        let protocol::Metadata { tenant, timeout: asked } = protocol::check(request)?;
        tenant.as_str().clone_into(&mut self.tenant);
        let limits = self.shared.limits;
        if self.counts == 1 && self.shared.running.load(Ordering::Relaxed) > limits.max_concurrent {
            self.shared.metrics.rpc_shed();
            return Err(status::overloaded(limits.max_concurrent).into_http());
        }
        let granted = if self.method.streams {
            asked
        } else {
            Some(asked.unwrap_or(limits.default_deadline).min(limits.max_deadline))
        };
        let deadline = granted.map(|granted| tokio::time::Instant::now() + granted.saturating_sub(DEADLINE_MARGIN));
        Ok(Context { tenant, request_id: self.request_id.clone(), deadline })
    }

    /// Watches an answer to its end.
    fn watch(self, mut response: Response<Body>) -> Response<Body> {
        status::complete(response.headers_mut(), &self.request_id);
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(REQUEST_ID_KEY, id);
        }
        let code = code(response.headers());
        let mut watched = Watched { call: self, inner: Body::empty() };
        if let Some(code) = code {
            watched.call.finish(code);
        }
        response.map(|inner| {
            watched.inner = inner;
            Body::new(watched)
        })
    }

    fn finish(&mut self, code: Code) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let took = self.started.elapsed();
        self.shared.running.fetch_sub(self.counts, Ordering::Relaxed);
        self.shared.metrics.rpc_finished(self.method.name, code, took);
        self.log(code, took);
    }

    fn log(&self, code: Code, took: Duration) {
        tracing::info!(
            target: "customer_profile::requests",
            method = self.method.name,
            code = name_of(code),
            duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            tenant = self.tenant,
            request_id = self.request_id,
        );
    }

    /// The span of the call, under the caller's if it sends one.
    fn span(&self, headers: &HeaderMap) -> Span {
        if !self.shared.limits.spans {
            return Span::none();
        }
        let span = tracing::info_span!(
            "rpc",
            otel.name = self.method.name,
            otel.kind = "server",
            tenant = self.tenant,
            request_id = self.request_id
        );
        accept_parent(&span, headers);
        span
    }
}

impl Drop for Call {
    /// A call that ends without a status was left by its caller.
    fn drop(&mut self) {
        self.finish(Code::Cancelled);
    }
}

/// The status in headers or trailers.
fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

pin_project_lite::pin_project! {
    /// An answer's body that tells its call how it ended.
    struct Watched {
        #[pin]
        inner: Body,
        call: Call,
    }
}

impl http_body::Body for Watched {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        poller: &mut Poller<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let mut frame = ready!(this.inner.poll_frame(poller));
        if let Some(trailers) = frame.as_mut().and_then(|frame| frame.as_mut().ok()?.trailers_mut()) {
            status::complete(trailers, &this.call.request_id);
        }
        if let Some(Ok(frame)) = &frame
            && let Some(code) = frame.trailers_ref().and_then(code)
        {
            this.call.finish(code);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}
