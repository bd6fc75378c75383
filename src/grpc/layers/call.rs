//! One call, from its arrival to the last byte of its answer.

mod access;
mod request;
mod span;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Span;

use super::Shared;
use super::activity::Activity;
use super::answer::Answer;
use super::places::{Kind, Permit};
use crate::auth::Credential;
use crate::grpc::call_audit::CallAudit;
use crate::grpc::call_context::REQUEST_ID_KEY;
use crate::grpc::call_log::Answered;
use crate::grpc::methods::{Class, Method};
use crate::grpc::{protocol, status};
use crate::lanes::Entered;
use crate::transport::{Connection, Control, Cut, Ended, Held};

/// One call.
pub(super) struct CallGuard {
    shared: Arc<Shared>,
    pub(super) method: Method,
    request_id: String,
    tenant: String,
    /// `None`: none is needed, or none was shown that counts.
    credential: Option<Arc<Credential>>,
    started: Instant,
    pub(super) deadline: Option<tokio::time::Instant>,
    connection: Option<Arc<Connection>>,
    /// State that the task of the stream and the call share.
    pub(super) control: Arc<Control>,
    activity: Option<Arc<Activity>>,
    /// The entry of the audit log in the making.
    pub(super) audit: Option<Arc<CallAudit>>,
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
            credential: None,
            started: Instant::now(),
            deadline: None,
            connection: request.extensions().get().cloned(),
            control: Arc::default(),
            activity: (method.class() == Class::Stream).then(|| Arc::new(Activity::new())),
            audit: None,
            entered: None,
            place: None,
            held: None,
            span: Span::none(),
            over: false,
        }
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

    /// Ends the answer from outside: its deadline, its silence, the end of its credential, of its
    /// connection or of the server. Streams of this project's own services notice the last two
    /// themselves, so that they can finish what is begun.
    pub(super) fn interrupted(&self) -> impl Future<Output = Status> + Send + 'static {
        let connection = self.connection.clone().filter(|_| !self.method.is_own());
        let (deadline, activity) = (self.deadline, self.activity.clone());
        let outlived = self.outlived();
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
                status = outlived => return status,
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
        if let Some(audit) = self.audit.take() {
            audit.ended(code);
        }
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
