//! The layers that every call passes through, outermost first:
//!
//! 1. *protocol and metadata*: what is not gRPC, or has metadata twice or malformed, is refused;
//!    see `protocol`;
//! 2. *access*: who calls, whose customers they may reach, and whether they may do this; see
//!    [`auth`](crate::auth);
//! 3. *request*: the whole message, within a bound of time and of bytes over all callers. A call
//!    whose request is not there holds no place of those that work;
//! 4. *overload*: a bounded number of calls of each [lane](crate::lanes) is in work at once, over
//!    all connections; more are refused at once. What they wait for has queues of its own. Streams,
//!    health calls, incomplete requests and untaken answers are counted each by themselves; watches
//!    have a bound of their own;
//! 5. *deadline*: the caller's `grpc-timeout` or the server's bound, whichever is shorter, answered
//!    `DEADLINE_EXCEEDED`. It covers the whole answer;
//! 6. *observation*: the log line (if the call [gets one](CallLog)), the figures and the span of
//!    the call, when the last byte of its answer is out.

mod activity;
mod answer;
mod call;
pub(super) mod decoded;
mod message;
mod places;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument;

use super::call_audit::AuditTrail;
use super::call_log::CallLog;
use super::status;
use crate::active_models::ActiveModels;
use crate::auth::Authenticator;
use crate::config;
use crate::lanes::{Doors, Lane};
use crate::spans::Sampler;
use crate::telemetry::Metrics;
use crate::transport::{Budget, Control, Patience, random};
use call::CallGuard;
use message::MessageLimits;
use places::{Kind, Permits};

/// The time that is left to those who let others wait, when half of their places are taken.
const HURRY: Duration = Duration::from_secs(1);

/// The bounds of calls.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// How many calls of each lane are in work at once.
    pub max_concurrent: usize,
    /// The same of the heavy lane, where most of them wait.
    pub max_heavy: usize,
    /// How many calls of each kind wait for their callers.
    pub max_waiting: usize,
    /// The deadline of a call that has none. Streams have only their own.
    pub default_deadline: Duration,
    /// The longest deadline that is granted.
    pub max_deadline: Duration,
    /// The time of one message of a request.
    pub message_timeout: Duration,
    /// The time in which a client takes nothing of its answer.
    pub send_timeout: Duration,
    /// The time of a stream without a message.
    pub stream_idle_timeout: Duration,
    /// The largest message of a request.
    pub max_receive_bytes: usize,
    /// The memory of one message once it is decoded.
    pub max_decoded_bytes: usize,
    /// Bytes of all requests.
    pub max_request_bytes_in_flight: usize,
    /// Bytes of all answers.
    pub max_answer_bytes_in_flight: usize,
    /// Chooses the calls that are traced. `None`: nothing is.
    pub sampler: Option<Sampler>,
}

impl CallLimits {
    /// The bounds of a configuration.
    #[must_use]
    pub fn of(config: &config::Config) -> Self {
        let grpc = &config.grpc;
        Self {
            max_concurrent: grpc.max_concurrent_requests,
            max_heavy: grpc.max_heavy_requests,
            max_waiting: grpc.max_waiting_calls,
            default_deadline: grpc.default_deadline,
            max_deadline: grpc.max_deadline,
            message_timeout: grpc.message_timeout,
            send_timeout: grpc.send_timeout,
            stream_idle_timeout: grpc.stream_idle_timeout,
            max_receive_bytes: grpc.max_receive_bytes,
            max_decoded_bytes: grpc.max_decoded_bytes,
            max_request_bytes_in_flight: grpc.max_request_bytes_in_flight,
            max_answer_bytes_in_flight: grpc.max_answer_bytes_in_flight,
            sampler: Sampler::of(&config.telemetry),
        }
    }
}

/// Puts the layers around a service.
#[derive(Clone)]
pub struct CallLayer {
    shared: Arc<Shared>,
}

struct Shared {
    limits: CallLimits,
    doors: Doors,
    places: Arc<Permits>,
    messages: MessageLimits,
    answers: Arc<Budget>,
    patience: Patience,
    /// Request ids are a random number of this start of the process, and a count.
    instance: u64,
    count: AtomicU64,
    metrics: Arc<Metrics>,
    log: Arc<CallLog>,
    auth: Arc<Authenticator>,
    models: Arc<ActiveModels>,
    /// `None`: no audit log is kept.
    audit: Option<AuditTrail>,
}

impl CallLayer {
    /// All layers, around a service.
    #[must_use]
    pub fn new(
        limits: CallLimits,
        metrics: Arc<Metrics>,
        log: Arc<CallLog>,
        (auth, audit): (Arc<Authenticator>, Option<AuditTrail>),
        models: Arc<ActiveModels>,
    ) -> Self {
        let doors = Doors::new(|lane| match lane {
            Lane::Read | Lane::Write => limits.max_concurrent,
            Lane::Heavy => limits.max_heavy,
        });
        let active = Lane::ALL.map(|lane| (lane.name(), doors.of(lane).clone()));
        metrics.observe_calls(move || {
            active
                .iter()
                .map(|(lane, door)| (*lane, door.in_use() as u64))
                .collect()
        });
        let places = Permits::new(limits.max_waiting, &metrics);
        let (requests, answers) = (
            Budget::new(limits.max_request_bytes_in_flight),
            Budget::new(limits.max_answer_bytes_in_flight),
        );
        for (direction, budget) in [("requests", requests.clone()), ("answers", answers.clone())] {
            metrics.observe_bytes_in_flight(direction, move || budget.used() as u64);
        }
        decoded::prepare();
        let messages = MessageLimits {
            budget: requests,
            max_bytes: limits.max_receive_bytes,
            max_decoded_bytes: limits.max_decoded_bytes,
            timeout: limits.message_timeout,
        };
        let pressed = places.clone();
        let patience: Patience = Arc::new(move || {
            if pressed.is_pressed(Kind::Answering) {
                HURRY.min(limits.send_timeout)
            } else {
                limits.send_timeout
            }
        });
        let (instance, count) = (random(), AtomicU64::new(0));
        Self {
            shared: Arc::new(Shared {
                limits,
                doors,
                places,
                messages,
                answers,
                patience,
                instance,
                count,
                metrics,
                log,
                auth,
                models,
                audit,
            }),
        }
    }
}

impl Shared {
    /// A request id that no other process and no other start of this one gives out.
    fn request_id(&self) -> String {
        format!(
            "{:016x}-{:x}",
            self.instance,
            self.count.fetch_add(1, Ordering::Relaxed)
        )
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;
    fn layer(&self, inner: S) -> CallService<S> {
        CallService {
            inner,
            shared: self.shared.clone(),
        }
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
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, poller: &mut Poller<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(poller)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut call = CallGuard::new(self.shared.clone(), &request);
        let looked = call.look(&request);
        // The service that was polled ready is the one to call; its clone waits for the next call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            call.control = Control::current();
            let granted = match looked {
                Ok(named) => call
                    .authorize(request.headers(), named)
                    .await
                    .map_err(Status::into_http),
                Err(refusal) => Err(refusal),
            };
            let span = call.begin_span(request.headers());
            let tenant = match granted {
                Ok(tenant) => tenant,
                Err(refusal) => return Ok(call.answer(refusal)),
            };
            let deadline = call.deadline;
            let answer = async {
                // A stream is let in as such; any other call when its request is there.
                if call.method.streams {
                    call.admit()?;
                }
                let mut request = call.receive(request).await?;
                if !call.method.streams {
                    call.admit()?;
                }
                let context = call.context(tenant);
                let lane = context.call.clone();
                request.extensions_mut().insert(context);
                Ok::<_, Status>(lane.scope(inner.call(request).instrument(span)).await)
            };
            let answer = match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline, answer)
                    .await
                    .unwrap_or_else(|_| Err(status::deadline_exceeded())),
                None => answer.await,
            };
            match answer {
                Ok(response) => Ok(call.answer(response?)),
                Err(status) => Ok(call.answer(status.into_http())),
            }
        })
    }
}
