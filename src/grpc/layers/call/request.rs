//! The request of a call: its metadata, its message, and its place among the calls.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use profile_core::records::TenantId;
use tonic::Status;
use tonic::body::Body;

use super::CallGuard;
use crate::auth::Scope;
use crate::grpc::call_context::CallContext;
use crate::grpc::lane::lane;
use crate::grpc::layers::HURRY;
use crate::grpc::layers::activity::Activity;
use crate::grpc::layers::decoded::Shape;
use crate::grpc::layers::message::Messages;
use crate::grpc::layers::places::{Kind, Permit};
use crate::grpc::methods::Class;
use crate::grpc::{protocol, status};
use crate::lanes::{self, Caller, Entered};
use crate::transport::{Connection, Held};

impl CallGuard {
    /// Looks at the metadata: which tenant the call names, and until when it waits.
    pub(in crate::grpc::layers) fn look<B>(
        &mut self,
        request: &Request<B>,
    ) -> Result<Option<TenantId>, Response<Body>> {
        let protocol::Metadata {
            tenant,
            timeout: asked,
        } = protocol::check(request)?;
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

    /// The context of the call, for the service.
    pub(in crate::grpc::layers) fn context(&self, tenant: TenantId) -> CallContext {
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
            purpose: self
                .credential
                .as_ref()
                .and_then(|shown| shown.purpose.clone()),
            reads_customers: self.method.scope().is_none_or(Scope::reads_customers),
            roles: (self.credential.as_ref())
                .map_or_else(Arc::default, |shown| shown.roles.clone()),
            clearance: None,
            audit: self.audit.clone(),
            models: self.shared.models.clone(),
            metrics: self.shared.metrics.clone(),
        }
    }

    fn caller(&self) -> Caller {
        Caller::new(&self.tenant, self.connection.as_deref().map(Connection::id))
    }

    /// Takes in the request: all of it, or, of a caller that sends a stream, one message after the
    /// other.
    pub(in crate::grpc::layers) async fn receive(
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
    pub(in crate::grpc::layers) fn admit(&mut self) -> Result<(), Status> {
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

    pub(super) fn enter(&self, kind: Kind) -> Result<Permit, Status> {
        self.shared.places.enter(kind).ok_or_else(|| {
            self.bounded(kind.name());
            status::too_many_waiting(self.shared.places.limit())
        })
    }
}
