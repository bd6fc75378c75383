//! Authorization of a call.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use profile_core::records::TenantId;
use tonic::Status;

use super::CallGuard;
use crate::auth::{Credential, Failure};
use crate::grpc::call_audit::CallAudit;
use crate::grpc::methods::Access;
use crate::grpc::status;

impl CallGuard {
    /// Lets a caller pass who may make the call, for the tenant that it names or for their own.
    pub(in crate::grpc::layers) async fn authorize(
        &mut self,
        headers: &HeaderMap,
        named: Option<TenantId>,
    ) -> Result<TenantId, Status> {
        let granted = match self.deadline {
            Some(deadline) => {
                tokio::time::timeout_at(deadline, self.granted(headers, named.as_ref()))
                    .await
                    .map_err(|_| status::deadline_exceeded())?
            }
            None => self.granted(headers, named.as_ref()).await,
        };
        let audit = match &granted {
            Err(Failure::TenantMissing) => None,
            granted => self.audited(granted.as_ref().ok(), named.as_ref()),
        };
        // There is no room for entries then, also not of calls that are refused.
        let is_behind = audit.as_ref().is_some_and(|audit| audit.is_behind());
        self.audit = audit.filter(|_| !is_behind);
        let tenant = granted.map_err(|why| self.refuse(why))?;
        if is_behind {
            self.bounded("audit_behind");
            return Err(status::audit_behind());
        }
        tenant.as_str().clone_into(&mut self.tenant);
        Ok(tenant)
    }

    async fn granted(
        &mut self,
        headers: &HeaderMap,
        named: Option<&TenantId>,
    ) -> Result<TenantId, Failure> {
        let any = || named.cloned().unwrap_or_default();
        let access = self.method.access;
        match access {
            Access::Open => return Ok(any()),
            Access::Nobody => return Err(Failure::ScopeMissing),
            Access::Credential | Access::Scope(_) => {}
        }
        let shown = headers.get(AUTHORIZATION);
        let Some(credential) = self.shared.auth.authenticate(shown).await? else {
            return Ok(any());
        };
        // Kept before it is known whether it suffices: the log names it.
        let credential = self.credential.insert(credential).clone();
        match self.method.scope() {
            Some(scope) => {
                credential.may(scope)?;
                let tenant = credential.tenant(named)?;
                self.shared.auth.serves(&tenant)?;
                Ok(tenant)
            }
            None => Ok(any()),
        }
    }

    /// The entry of the audit log in the making, if the call is of a credential and of a method
    /// with a scope. A call that may not reach the tenant that it names is in the log of the
    /// credential's own.
    fn audited(
        &self,
        tenant: Option<&TenantId>,
        named: Option<&TenantId>,
    ) -> Option<Arc<CallAudit>> {
        let (trail, credential) = (self.shared.audit.clone()?, self.credential.clone()?);
        self.method.scope()?;
        let own = named.filter(|named| credential.tenants.contains(named));
        let tenant = tenant.or(own).or(credential.tenants.first())?.clone();
        let call = (self.method, self.request_id.clone());
        Some(Arc::new(CallAudit::new(trail, tenant, credential, call)))
    }

    /// The status of a call that is refused; counted and logged without the credential.
    fn refuse(&self, why: Failure) -> Status {
        self.shared.metrics.access_refused(why.name());
        self.audit.iter().for_each(|audit| audit.refused(why));
        let credential = self.credential.as_deref().map_or("", |shown| &*shown.name);
        // The log bounds the lines of one place.
        tracing::info!(
            reason = why.name(),
            method = self.method.name,
            credential,
            request_id = self.request_id,
            "a call was refused"
        );
        status::refused(why, self.method.scope())
    }

    /// Waits until the call's credential does not hold any more, and answers the status that ends
    /// its stream.
    pub(super) fn outlived(&self) -> impl Future<Output = Status> + Send + 'static {
        let (auth, metrics) = (self.shared.auth.clone(), self.shared.metrics.clone());
        let credential: Option<Arc<Credential>> = self.credential.clone();
        async move {
            match &credential {
                Some(credential) => auth.ended(credential).await,
                None => std::future::pending().await,
            }
            metrics.access_refused(Failure::Ended.name());
            status::refused(Failure::Ended, None)
        }
    }
}
