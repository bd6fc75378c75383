//! Statuses of calls that are refused for who calls. A caller learns whether to show another
//! credential or to ask for less; never whether a tenant or a key exists.

use profile_core::records::{Reason, Violation};
use tonic::{Code, Status};

use super::{failure, invalid};
use crate::auth::{Answer, Failure, Scope};
use crate::grpc::call_context::TENANT_KEY;
use crate::grpc::v1::ErrorReason;

/// A call is refused. `scope` is the one that its method needs.
pub(in crate::grpc) fn refused(why: Failure, scope: Option<Scope>) -> Status {
    let scope = scope.map(|scope| ("scope", scope.name().to_owned()));
    let (code, reason, message) = match why.answer() {
        Answer::Missing => (
            Code::Unauthenticated,
            ErrorReason::CredentialMissing,
            "the call shows no credential; it needs the metadata `authorization: Bearer CREDENTIAL`",
        ),
        Answer::Invalid => (
            Code::Unauthenticated,
            ErrorReason::CredentialInvalid,
            "the credential is not valid",
        ),
        Answer::Unavailable => (
            Code::Unavailable,
            ErrorReason::CredentialUnverified,
            "the credential cannot be verified now; try again",
        ),
        Answer::Scope => {
            return failure(
                Code::PermissionDenied,
                ErrorReason::ScopeMissing,
                "the credential lacks the scope of the method",
                scope.as_slice(),
            );
        }
        Answer::Tenant => (
            Code::PermissionDenied,
            ErrorReason::TenantDenied,
            "the credential is not of the tenant that `x-tenant` names",
        ),
        Answer::TenantMissing => (
            Code::NotFound,
            ErrorReason::TenantNotFound,
            "the tenant does not exist; `customer-profile tenant create` makes one",
        ),
        Answer::Purpose => (
            Code::PermissionDenied,
            ErrorReason::PurposeDenied,
            "the credential reads for some purposes, and the call is for another one or for none",
        ),
        Answer::Role => (
            Code::PermissionDenied,
            ErrorReason::RoleUnknown,
            "the model of the tenant does not declare a role of the credential",
        ),
        Answer::Lookup => (
            Code::PermissionDenied,
            ErrorReason::LookupDenied,
            "the roles of the credential may not look customers up by this",
        ),
        Answer::Fields => (
            Code::PermissionDenied,
            ErrorReason::FieldsDenied,
            "the method answers everything or nothing, and the roles of the credential do not see everything",
        ),
        Answer::TenantRequired => {
            let rule = "must name one of the tenants of the credential, which has several";
            return invalid(&[Violation::new(Reason::Required, TENANT_KEY, rule)]);
        }
    };
    failure(code, reason, message, &[])
}
