//! Statuses of failed reads and explanations, and of names that nothing answers to.

use profile_core::records::{ProfileId, Reason, Violation};
use tonic::{Code, Status};

use super::{failure, invalid, store};
use crate::grpc::call_context::CallContext;
use crate::grpc::names::profile_name;
use crate::grpc::v1::ErrorReason;
use crate::{explain, reader};

/// A read failed.
pub(super) fn read(error: reader::Error, context: &CallContext) -> Status {
    match error {
        reader::Error::NotFound => failure(
            Code::NotFound,
            ErrorReason::ProfileNotFound,
            "no profile answers to the key",
            &[],
        ),
        reader::Error::Ambiguous(profiles) => {
            let message = "several profiles hold the identifier; SearchProfiles lists them";
            let metadata = several(&profiles);
            failure(
                Code::FailedPrecondition,
                ErrorReason::IdentifierAmbiguous,
                message,
                &metadata,
            )
        }
        reader::Error::ObjectNotFound => failure(
            Code::NotFound,
            ErrorReason::ObjectNotFound,
            "object: no event names it",
            &[],
        ),
        reader::Error::ObjectAmbiguous(profiles) => {
            let message = "several profiles have an object of this kind and id; name one in `key`";
            let metadata = several(&profiles);
            failure(
                Code::FailedPrecondition,
                ErrorReason::ObjectAmbiguous,
                message,
                &metadata,
            )
        }
        reader::Error::UnknownIdentifierType(name) => {
            let name: String = name
                .chars()
                .filter(|letter| !letter.is_control())
                .take(64)
                .collect();
            let description = format!("the model declares no identifier type `{name}`");
            invalid(&[Violation::new(
                Reason::NotDeclared,
                "key.identifier.type",
                description,
            )])
        }
        reader::Error::Store(error) => store::store(&error, context),
    }
}

/// The first of several profiles, as many as an error has room for, and how many there are.
fn several(profiles: &[ProfileId]) -> [(&'static str, String); 2] {
    const MAX_NAMES: usize = 4;
    let names: Vec<String> = profiles.iter().take(MAX_NAMES).map(profile_name).collect();
    [
        ("profiles", names.join(",")),
        ("profile_count", profiles.len().to_string()),
    ]
}

/// There is no explanation.
pub(super) fn explain(error: explain::Error, context: &CallContext) -> Status {
    match error {
        explain::Error::NotFound => read(reader::Error::NotFound, context),
        explain::Error::OneRecord => invalid(&[Violation::new(
            Reason::Malformed,
            "right",
            "must be another record than `left`",
        )]),
        explain::Error::Store(error) => store::store(&error, context),
    }
}

/// There is no such version of the model, or none in force.
pub(super) fn no_model(version: Option<i64>) -> Status {
    let message = match version {
        Some(version) => format!("the model has no version {version}"),
        None => "nothing was written yet, so no model is in force".to_owned(),
    };
    failure(Code::NotFound, ErrorReason::ModelNotFound, message, &[])
}

/// There is no such publication.
pub(super) fn no_publication(name: &str) -> Status {
    let message =
        format!("publication: there is none of the name `{name}`; ListPublications lists them");
    failure(
        Code::NotFound,
        ErrorReason::PublicationNotFound,
        message,
        &[],
    )
}

/// An export cannot go on.
pub(super) fn export_changed() -> Status {
    failure(
        Code::Aborted,
        ErrorReason::ExportChanged,
        "resume_token: something of the customer has changed since; begin without a token",
        &[],
    )
}

/// The audit log is not what was written.
pub(super) fn audit_changed() -> Status {
    failure(
        Code::DataLoss,
        ErrorReason::AuditChanged,
        "the audit log was changed; `customer-profile audit verify` says where",
        &[],
    )
}
