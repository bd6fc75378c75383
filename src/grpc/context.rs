//! What every request brings along: who asks, under which id, until when.

use std::sync::Arc;

use tonic::{Request, Status};

use super::status;
use crate::profile::{Reason, TenantId, Violation};
use crate::transport::Connection;

/// The metadata key that names the tenant.
pub const TENANT_KEY: &str = "x-tenant";
/// The metadata key that names the request; taken over from the caller, and given back.
pub const REQUEST_ID_KEY: &str = "x-request-id";

/// The context of a request. The layers make it, in one place; credentials will be checked there too.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// Whose customers.
    pub tenant: TenantId,
    /// For the log and the caller.
    pub request_id: String,
    /// When the caller stops waiting.
    pub deadline: Option<tokio::time::Instant>,
    /// The connection it came by.
    pub connection: Option<Arc<Connection>>,
}

impl Context {
    /// The context of a request that came through the layers.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        request.extensions().get::<Self>().cloned().ok_or_else(status::draining)
    }

    /// Waits until the call's stream is to end, because the server stops or its connection has reached its age.
    pub(super) async fn ended(&self) -> Status {
        match &self.connection {
            Some(connection) => status::ended(connection.ended().await),
            None => std::future::pending().await,
        }
    }

    /// The tenant of a request.
    pub(super) fn tenant(headers: &http::HeaderMap) -> Result<TenantId, Status> {
        let Some(name) = headers.get(TENANT_KEY) else { return Ok(TenantId::default()) };
        name.to_str().ok().and_then(TenantId::new).ok_or_else(|| {
            let rule = "must be 1 to 63 characters of a-z 0-9 - _, beginning with a letter or digit";
            status::invalid(&[Violation::new(Reason::Malformed, TENANT_KEY, rule)])
        })
    }
}
