//! One call, from its arrival to the last byte of its answer.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use opentelemetry::trace::{SpanRef, TraceContextExt};
use profile_core::records::TenantId;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Span;
use tracing::field::Empty;

use super::activity::Activity;
use super::answer::Answer;
use super::decoded::Shape;
use super::message::Messages;
use super::places::{Kind, Permit};
use super::{HURRY, Shared};
use crate::grpc::call_context::{CallContext, REQUEST_ID_KEY};
use crate::grpc::call_log::Answered;
use crate::grpc::lane::lane;
use crate::grpc::methods::{Class, Method};
use crate::grpc::{protocol, status};
use crate::lanes::{self, Caller, Entered};
use crate::spans;
use crate::telemetry::metrics::name_of;
use crate::transport::{Connection, Control, Cut, Ended, Held};

/// One call.
pub(super) struct CallGuard {
    shared: Arc<Shared>,
    pub(super) method: Method,
    request_id: String,
    tenant: String,
    started: Instant,
    pub(super) deadline: Option<tokio::time::Instant>,
    connection: Option<Arc<Connection>>,
    /// What the task of the stream and the call tell each other.
    pub(super) control: Arc<Control>,
    activity: Option<Arc<Activity>>,
    /// The place among calls in work.
    entered: Option<Arc<Entered>>,
    /// The place among those that wait for their callers.
    place: Option<Permit>,
    /// The bytes of the request.
    held: Option<Held>,
    /// The span of the call; none where it is not traced.
    span: Span,
    over: bool,
}

impl CallGuard {
    pub(super) fn new(shared: Arc<Shared>, request: &Request<Body>) -> Self {
        // One that cannot be taken over is refused, under an id of the server's.
        let given = protocol::request_id(request.headers()).ok().flatten();
        let request_id = given.map_or_else(|| shared.request_id(), str::to_owned);
        let method = Method::of_path(request.uri().path());
        Self {
            shared,
            method,
            request_id,
            tenant: String::new(),
            started: Instant::now(),
            deadline: None,
            connection: request.extensions().get().cloned(),
            control: Arc::default(),
            activity: (method.class() == Class::Stream).then(|| Arc::new(Activity::new())),
            entered: None,
            place: None,
            held: None,
            span: Span::none(),
            over: false,
        }
    }

    /// Looks at the metadata: whose call it is, and until when.
    pub(super) fn look<B>(&mut self, request: &Request<B>) -> Result<TenantId, Response<Body>> {
        let protocol::Metadata {
            tenant,
            timeout: asked,
        } = protocol::check(request)?;
        tenant.as_str().clone_into(&mut self.tenant);
        let limits = &self.shared.limits;
        let granted = if self.method.streams {
            asked
        } else {
            Some(
                asked
                    .unwrap_or(limits.default_deadline)
                    .min(limits.max_deadline),
            )
        };
        self.deadline = granted.map(|granted| tokio::time::Instant::now() + granted);
        Ok(tenant)
    }

    /// What the service is to know of the call.
    pub(super) fn context(&self, tenant: TenantId) -> CallContext {
        let deadline = self.deadline.map(tokio::time::Instant::into_std);
        CallContext {
            call: lanes::Call::new(
                lane(self.method),
                self.caller(),
                deadline,
                self.entered.clone(),
            ),
            tenant,
            request_id: self.request_id.clone(),
            deadline: self.deadline,
            connection: self.connection.clone(),
        }
    }

    fn caller(&self) -> Caller {
        Caller::new(&self.tenant, self.connection.as_deref().map(Connection::id))
    }

    /// Takes in the request: all of it, or, of a caller that sends a stream, one message after the
    /// other.
    pub(super) async fn receive(
        &mut self,
        request: Request<Body>,
    ) -> Result<Request<Body>, Status> {
        if self.method.is_unknown() {
            return Ok(request);
        }
        let (parts, body) = request.into_parts();
        let messages = Messages::new(
            body,
            &parts.headers,
            self.shared.messages.clone(),
            Shape::of_method(self.method.name),
        );
        if self.method.sends_stream {
            let activity = self
                .activity
                .clone()
                .unwrap_or_else(|| Arc::new(Activity::new()));
            return Ok(Request::from_parts(
                parts,
                Body::new(messages.noted_by(activity)),
            ));
        }
        let (message, held) = self.whole(messages).await?;
        self.held = Some(held);
        let body = if message.is_empty() {
            Body::empty()
        } else {
            Body::new(Full::new(message))
        };
        Ok(Request::from_parts(parts, body))
    }

    /// The whole request. While it is not there it holds a place of its own kind.
    async fn whole(&self, messages: Messages) -> Result<(Bytes, Held), Status> {
        let mut whole = pin!(messages.only());
        if let Poll::Ready(message) = futures::poll!(&mut whole) {
            return message;
        }
        let kind = if self.method.class() == Class::Health {
            Kind::Health
        } else {
            Kind::Receiving
        };
        let _place = self.enter(kind)?;
        let (began, timeout) = (tokio::time::Instant::now(), self.shared.messages.timeout);
        loop {
            if let Ok(message) = tokio::time::timeout(HURRY.min(timeout), &mut whole).await {
                return message;
            }
            let patience = if self.shared.places.is_pressed(kind) {
                HURRY.min(timeout)
            } else {
                timeout
            };
            if began.elapsed() >= patience {
                self.bounded("message_timeout");
                return Err(status::message_incomplete(patience));
            }
        }
    }

    /// Lets the call in, or says why not. Its request is there: from now on it is worked on.
    pub(super) fn admit(&mut self) -> Result<(), Status> {
        match self.method.class() {
            Class::Work => self.entered = Some(Arc::new(self.enter_lane()?)),
            Class::Stream => self.place = Some(self.enter(Kind::Stream)?),
            Class::Health => self.place = Some(self.enter(Kind::Health)?),
            Class::Watch => {}
        }
        Ok(())
    }

    fn enter_lane(&self) -> Result<Entered, Status> {
        let door = self.shared.doors.of(lane(self.method));
        door.enter(self.caller()).map_err(|refusal| {
            self.shared.metrics.rpc_shed(refusal.queue);
            status::overloaded(&refusal, door.limit())
        })
    }

    fn enter(&self, kind: Kind) -> Result<Permit, Status> {
        self.shared.places.enter(kind).ok_or_else(|| {
            self.bounded(kind.name());
            status::too_many_waiting(self.shared.places.limit())
        })
    }

    /// Gives an answer, and watches it to its end.
    pub(super) fn answer(mut self, response: Response<Body>) -> Response<Body> {
        let mut response = match self.begin_answer(code(response.headers())) {
            Ok(()) => response,
            Err(status) => status.into_http(),
        };
        self.complete(response.headers_mut());
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(REQUEST_ID_KEY, id);
        }
        if let Some(code) = code(response.headers()) {
            self.finish(code);
        }
        let budget = self.shared.answers.clone();
        response.map(|inner| Body::new(Answer::new(inner, self, budget)))
    }

    /// Gives a status of a library the form that all statuses have.
    pub(super) fn complete(&self, headers: &mut HeaderMap) {
        status::complete(headers, &self.request_id);
    }

    /// The work is done: what is left is the caller's part.
    fn begin_answer(&mut self, code: Option<Code>) -> Result<(), Status> {
        if matches!(self.method.class(), Class::Work) {
            self.entered = None;
            if code.is_none() {
                self.place = Some(self.enter(Kind::Answering)?);
            }
        }
        self.control
            .answers(self.shared.patience.clone(), self.deadline);
        Ok(())
    }

    /// A part of the answer goes out.
    pub(super) fn gave(&self, bytes: usize) {
        self.control.gave(bytes);
        self.activity.iter().for_each(|activity| activity.note());
    }

    /// What ends the answer from outside: its deadline, its silence, or the end of its connection
    /// or of the server. Streams of this project's own services notice the latter themselves, so
    /// that they can finish what is begun.
    pub(super) fn interrupted(&self) -> impl Future<Output = Status> + Send + 'static {
        let connection = self.connection.clone().filter(|_| !self.method.is_own());
        let (deadline, activity) = (self.deadline, self.activity.clone());
        let (idle, metrics) = (
            self.shared.limits.stream_idle_timeout,
            self.shared.metrics.clone(),
        );
        async move {
            let ended = async {
                match connection {
                    Some(connection) => connection.ended().await,
                    None => std::future::pending().await,
                }
            };
            let passed = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let silent = async {
                match activity {
                    Some(activity) => activity.idle_for(idle).await,
                    None => std::future::pending().await,
                }
            };
            let (bound, status) = tokio::select! {
                why = ended => match why {
                    Ended::Draining => ("drain", status::ended(why)),
                    Ended::Aged => ("connection_age", status::ended(why)),
                },
                () = passed => ("deadline", status::deadline_exceeded()),
                () = silent => ("stream_idle_timeout", status::stream_idle(idle)),
            };
            metrics.rpc_bounded(bound);
            status
        }
    }

    /// Counts that a bound refused or ended the call.
    pub(super) fn bounded(&self, bound: &'static str) {
        self.shared.metrics.rpc_bounded(bound);
    }

    pub(super) fn finish(&mut self, code: Code) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let took = self.started.elapsed();
        self.entered = None;
        self.place = None;
        self.held = None;
        self.shared
            .metrics
            .rpc_finished(self.method.name, code, took);
        let Self {
            shared,
            method,
            tenant,
            request_id,
            ..
        } = self;
        let answered = Answered {
            method: method.name,
            code,
            took,
            tenant,
            request_id,
        };
        self.span.in_scope(|| shared.log.write(&answered));
        self.end_span(code);
    }

    /// Begins the span of the call, under the caller's if it sends one; none where the call is not
    /// traced. Names: OpenTelemetry, "Semantic conventions for gRPC".
    pub(super) fn begin_span(&mut self, headers: &HeaderMap) -> Span {
        let Some(sampler) = &self.shared.limits.sampler else {
            return Span::none();
        };
        let parent = spans::parent(headers);
        let chosen = {
            let context = parent.as_ref().map(|parent| parent.span());
            sampler.chooses(context.as_ref().map(SpanRef::span_context))
        };
        if !chosen {
            return Span::none();
        }
        self.span = tracing::info_span!(
            "rpc",
            otel.name = self.method.name,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = self.method.name,
            rpc.response.status_code = Empty,
            "error.type" = Empty,
            tenant = self.tenant,
            request_id = self.request_id
        );
        spans::set_parent(&self.span, parent);
        self.span.clone()
    }

    /// Writes the status on the span and lets it end.
    fn end_span(&mut self, code: Code) {
        let span = std::mem::replace(&mut self.span, Span::none());
        if span.is_none() {
            return;
        }
        span.record("rpc.response.status_code", name_of(code));
        if is_fault_of_the_server(code) {
            span.record("error.type", name_of(code));
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// Whether a status is an error of the server. The others are answers to callers' errors. Source:
/// OpenTelemetry, "Semantic conventions for gRPC", `rpc.response.status_code` of servers.
fn is_fault_of_the_server(code: Code) -> bool {
    match code {
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => false,
    }
}

impl Drop for CallGuard {
    /// A call that ends without a status was left by its caller, or cut off.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let code = match self.control.cut() {
            None => Code::Cancelled,
            Some(Cut::NotTaken) => {
                self.bounded("send_timeout");
                Code::Cancelled
            }
            Some(Cut::Deadline) => {
                self.bounded("deadline");
                Code::DeadlineExceeded
            }
            Some(Cut::Connection) => Code::Unavailable,
        };
        self.finish(code);
    }
}

/// The status in headers or trailers.
pub(super) fn code(headers: &HeaderMap) -> Option<Code> {
    headers
        .get("grpc-status")
        .map(|value| Code::from_bytes(value.as_bytes()))
}
