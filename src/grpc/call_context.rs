//! The context of every request: its tenant, its id and its deadline.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use profile_core::permission::clearance::Clearance;
use profile_core::records::TenantId;
use tonic::{Request, Response, Status};

use super::asking::Asking;
use super::call_audit::CallAudit;
use super::error::ApiError;
use super::naming::Naming;
use super::restrict::{Restrict, Restriction, WITHHELD_KEY};
use super::{status, v1};
use crate::active_models::ActiveModels;
use crate::auth::Failure;
use crate::lanes;
use crate::telemetry::Metrics;
use crate::transport::{Connection, Ended};

/// The metadata key that names the tenant. At most once, like all metadata that decides on
/// something; see `protocol`.
pub const TENANT_KEY: &str = "x-tenant";
/// The metadata key that names the request; taken over from the caller, and given back. One that
/// cannot be taken over is refused.
pub const REQUEST_ID_KEY: &str = "x-request-id";

/// The messages of a stream.
pub(super) type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The context of a request. The layers make it, in one place.
#[derive(Clone)]
pub(super) struct CallContext {
    /// The tenant whose customers are meant.
    pub tenant: TenantId,
    /// For the log and the caller.
    pub request_id: String,
    /// When the caller stops waiting.
    pub deadline: Option<tokio::time::Instant>,
    /// For what waits in lanes. Tasks that outlive the handler are put into its scope.
    pub call: Arc<lanes::Call>,
    /// The connection it came by.
    pub connection: Option<Arc<Connection>>,
    /// The one purpose for which the credential may read.
    pub purpose: Option<Arc<str>>,
    /// Whether the method answers with what is known of customers.
    pub reads_customers: bool,
    /// The roles of the credential. Without any it sees everything.
    pub roles: Arc<[String]>,
    /// What they see. `None`: everything.
    pub clearance: Option<Clearance>,
    /// The entry of the audit log in the making. `None`: no log is kept, or nobody calls.
    pub audit: Option<Arc<CallAudit>>,
    /// Where roles are declared.
    pub models: Arc<ActiveModels>,
    pub metrics: Arc<Metrics>,
}

impl CallContext {
    /// The message of a request that came through the layers, and its context. Under a credential
    /// that is bound to a purpose the message asks for that purpose.
    pub(super) async fn split<T: Asking>(request: Request<T>) -> Result<(T, Self), Status> {
        let (_, mut extensions, mut message) = request.into_parts();
        let mut context = extensions.remove::<Self>().ok_or_else(status::draining)?;
        context.clearance = context.clearance_now().await?;
        let bound = context.bind(&mut message);
        if let Some(audit) = &context.audit {
            let purpose = message.purpose().cloned();
            let bound = || context.purpose.as_deref().unwrap_or_default();
            audit.asks(purpose.as_deref().unwrap_or_else(bound), &message.parts());
        }
        bound?;
        context.check_keys(&message)?;
        Ok((message, context))
    }

    /// Has the message ask for a purpose for which the caller may read.
    fn bind<T: Asking>(&self, message: &mut T) -> Result<(), Status> {
        let bound = match (&self.purpose, &self.clearance) {
            (Some(bound), _) => Some(BTreeSet::from([&**bound])),
            (None, Some(clearance)) => clearance.purposes(),
            (None, None) => None,
        };
        let Some(bound) = bound else { return Ok(()) };
        match (message.purpose(), bound.first()) {
            (Some(asked), Some(only)) if asked.is_empty() && bound.len() == 1 => {
                (*only).clone_into(asked);
                Ok(())
            }
            (Some(asked), _) if bound.contains(asked.as_str()) => Ok(()),
            (None, _) if !self.reads_customers => Ok(()),
            _ => Err(self.refuse(Failure::PurposeRefused)),
        }
    }

    /// Refuses look-ups by identifiers by which the caller's roles may not look up.
    fn check_keys<T: Asking>(&self, message: &T) -> Result<(), Status> {
        let Some(clearance) = &self.clearance else {
            return Ok(());
        };
        let mut is_allowed = true;
        message.look_ups(&mut |key| {
            if let Some(v1::profile_key::Key::Identifier(identifier)) = &key.key {
                is_allowed &= clearance.looks_up(&identifier.r#type);
            }
        });
        if is_allowed {
            Ok(())
        } else {
            Err(self.refuse(Failure::LookupRefused))
        }
    }

    /// Refuses what answers everything or nothing to callers whose roles do not see everything.
    pub(super) fn needs_all(&self) -> Result<(), Status> {
        self.needs(Clearance::is_whole)
    }

    /// Refuses callers whose roles do not see what a call asks about.
    pub(super) fn needs(&self, sees: impl FnOnce(&Clearance) -> bool) -> Result<(), Status> {
        if self.sees(sees) {
            return Ok(());
        }
        Err(self.refuse(Failure::FieldsRefused))
    }

    /// Whether the caller's roles see something.
    pub(super) fn sees(&self, sees: impl FnOnce(&Clearance) -> bool) -> bool {
        self.clearance.as_ref().is_none_or(sees)
    }

    /// The status of a call that is refused for who calls; counted and logged.
    pub(super) fn refuse(&self, why: Failure) -> Status {
        self.metrics.access_refused(why.name());
        self.audit.iter().for_each(|audit| audit.refused(why));
        let (reason, request_id) = (why.name(), self.request_id.as_str());
        tracing::info!(reason, request_id, "a call was refused");
        status::refused(why, None)
    }

    /// What the caller's roles see by the model in force now. `None`: everything.
    async fn clearance_now(&self) -> Result<Option<Clearance>, Status> {
        if self.roles.is_empty() {
            return Ok(None);
        }
        let running = self.models.of(&self.tenant).await;
        let running = running.map_err(|error| self.status(error.into()))?;
        let clearance = Clearance::new(self.roles.clone(), running.model.clone());
        let clearance = clearance.map_err(|unknown| {
            // The caller learns only that a role is unknown.
            tracing::info!(tenant = self.tenant.as_str(), %unknown, "a credential has an unknown role");
            self.refuse(Failure::RoleUnknown)
        })?;
        Ok(Some(clearance))
    }

    /// The answer of a call, as far as the caller's roles see it. An error becomes its status here.
    pub(super) fn answer<T: Restrict + Naming>(
        &self,
        answer: Result<T, ApiError>,
    ) -> Result<Response<T>, Status> {
        let mut message = answer.map_err(|error| self.status(error))?;
        let names = self.finished(&mut message, self.clearance.as_ref());
        let mut response = Response::new(message);
        if let Some(names) = names.and_then(|names| names.parse().ok()) {
            response.metadata_mut().insert(WITHHELD_KEY, names);
        }
        Ok(response)
    }

    /// Restricts a finished answer, and tells the audit log of whom it speaks. Answers the names of
    /// what is withheld that the answer has no field for.
    fn finished<T: Restrict + Naming>(
        &self,
        message: &mut T,
        clearance: Option<&Clearance>,
    ) -> Option<String> {
        let mut restriction = clearance.map(Restriction::new);
        if let Some(restriction) = &mut restriction {
            restriction.restrict(message);
        }
        if let Some(audit) = &self.audit {
            let withheld = restriction.as_ref().map(Restriction::names);
            audit.answers(message, withheld.unwrap_or_default());
        }
        restriction.and_then(Restriction::into_names)
    }

    /// The stream that answers a call. Each message is restricted by the model in force when it is
    /// sent: a role that sees less from now on sees less from now on.
    pub(super) fn answer_stream<T, S>(
        self,
        stream: Result<S, ApiError>,
    ) -> Result<Response<Messages<T>>, Status>
    where
        T: Restrict + Naming + Send + 'static,
        S: Stream<Item = Result<T, Status>> + Send + 'static,
    {
        let stream = stream.map_err(|error| self.status(error))?;
        if self.roles.is_empty() && self.audit.is_none() {
            return Ok(Response::new(Box::pin(stream)));
        }
        let context = Arc::new(self);
        let restricted = stream.then(move |message| {
            let context = context.clone();
            async move {
                let mut message = message?;
                if context
                    .audit
                    .as_ref()
                    .is_some_and(|audit| audit.is_behind())
                {
                    return Err(status::audit_behind());
                }
                let clearance = context.clearance_now().await?;
                context.finished(&mut message, clearance.as_ref());
                context.audit.iter().for_each(|audit| audit.gave_message());
                Ok(message)
            }
        });
        Ok(Response::new(Box::pin(restricted)))
    }

    /// The status of an error.
    pub(super) fn status(&self, error: ApiError) -> Status {
        status::of(error, self)
    }

    /// The status of an item of a batch that was not answered.
    pub(super) fn item_status(&self, error: ApiError) -> tonic_types::Status {
        status::to_message(&self.status(error))
    }

    /// Waits until the call's stream is to end, because the server stops or its connection has
    /// reached its age.
    pub(super) async fn ended(&self) -> Ended {
        match &self.connection {
            Some(connection) => connection.ended().await,
            None => std::future::pending().await,
        }
    }
}
