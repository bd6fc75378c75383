//! The context of every request: its tenant, its id and its deadline.

use std::sync::Arc;

use profile_core::records::TenantId;
use tonic::{Request, Response, Status};

use super::error::ApiError;
use super::purposes::Purposed;
use super::status;
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

/// The context of a request. The layers make it, in one place.
#[derive(Debug, Clone)]
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
    pub metrics: Arc<Metrics>,
}

impl CallContext {
    /// The message of a request that came through the layers, and its context. Under a credential
    /// that is bound to a purpose the message asks for that purpose.
    pub(super) fn split<T: Purposed>(request: Request<T>) -> Result<(T, Self), Status> {
        let (_, mut extensions, mut message) = request.into_parts();
        let context = extensions.remove::<Self>().ok_or_else(status::draining)?;
        if let Some(bound) = &context.purpose {
            match message.purpose() {
                Some(asked) if asked.is_empty() => (**bound).clone_into(asked),
                Some(asked) if **asked == **bound => {}
                None if !context.reads_customers => {}
                _ => {
                    let why = Failure::PurposeRefused;
                    context.metrics.access_refused(why.name());
                    return Err(status::refused(why, None));
                }
            }
        }
        Ok((message, context))
    }

    /// The answer of a call. An error becomes its status here.
    pub(super) fn answer<T>(&self, answer: Result<T, ApiError>) -> Result<Response<T>, Status> {
        match answer {
            Ok(message) => Ok(Response::new(message)),
            Err(error) => Err(self.status(error)),
        }
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
