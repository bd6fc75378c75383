//! What every request brings along: who asks, under which id, until when.

use std::sync::Arc;

use profile_core::records::TenantId;
use tonic::{Request, Status};

use super::status;
use crate::lanes;
use crate::transport::Connection;

/// The metadata key that names the tenant. At most once, like all metadata that decides on
/// something; see `protocol`.
pub const TENANT_KEY: &str = "x-tenant";
/// The metadata key that names the request; taken over from the caller, and given back. One that
/// cannot be taken over is refused.
pub const REQUEST_ID_KEY: &str = "x-request-id";

/// The context of a request. The layers make it, in one place; credentials will be checked there
/// too.
#[derive(Debug, Clone)]
pub(super) struct CallContext {
    /// Whose customers.
    pub tenant: TenantId,
    /// For the log and the caller.
    pub request_id: String,
    /// When the caller stops waiting.
    pub deadline: Option<tokio::time::Instant>,
    /// For what waits in lanes. Tasks that outlive the handler are put into its scope.
    pub call: Arc<lanes::Call>,
    /// The connection it came by.
    pub connection: Option<Arc<Connection>>,
}

impl CallContext {
    /// The context of a request that came through the layers.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        request
            .extensions()
            .get::<Self>()
            .cloned()
            .ok_or_else(status::draining)
    }

    /// Waits until the call's stream is to end, because the server stops or its connection has
    /// reached its age.
    pub(super) async fn ended(&self) -> Status {
        match &self.connection {
            Some(connection) => status::ended(connection.ended().await),
            None => std::future::pending().await,
        }
    }
}
