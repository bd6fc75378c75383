//! Why a call has no answer.
//!
//! Handlers return [`ApiError`] by `?`. [`CallContext::answer`] turns it into a `Status`, once, at
//! the edge; streams and batches use [`CallContext::status`] and [`CallContext::item_status`] for
//! their messages and items. [`super::status`] has the code, the reason and the words of each.
//!
//! [`CallContext::answer`]: super::call_context::CallContext::answer
//! [`CallContext::status`]: super::call_context::CallContext::status
//! [`CallContext::item_status`]: super::call_context::CallContext::item_status

use profile_core::records::Violation;
use tonic::Status;

use super::token::TokenError;
use crate::background::segments::PreviewError;
use crate::ingest::{self, DecideError, EraseError};
use crate::rollout::RolloutError;
use crate::transport::Ended;
use crate::{compute, explain, reader, store};

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The request can never succeed as it is.
    Invalid(Vec<Violation>),
    /// A token of the request cannot be used.
    Token(TokenError),
    /// A read failed.
    Read(reader::Error),
    /// There is no explanation.
    Explain(explain::Error),
    /// A decision was not made.
    Decide(DecideError),
    /// Nobody was erased.
    Erase(EraseError),
    /// A write failed as a whole.
    Ingest(ingest::Error),
    /// A model was not planned, applied or trained.
    Rollout(RolloutError),
    /// The store failed.
    Store(store::Error),
    /// A computation was not done.
    Compute(compute::Error),
    /// The model has no such version. `None`: no version is active.
    NoModel(Option<i64>),
    /// There is no publication of this name.
    NoPublication(String),
    /// Something has changed since an export began.
    ExportChanged,
    /// The audit log was changed.
    AuditChanged,
    /// There is no such erasure.
    NoErasure,
    /// One source of a merge does not exist.
    SourceNotFound,
    /// A rule refuses one source of a merge.
    RuleRefused(String),
    /// As many clients watch as may; the limit.
    TooManyWatchers(usize),
    /// A client takes its changes too slowly; the limit of waiting changes.
    WatcherTooSlow(usize),
    /// The caller's deadline passed.
    DeadlineExceeded,
    /// The stream ends with its connection or with the server.
    Ended(Ended),
    /// The stream of the request failed before its message reached the handler.
    Received(Status),
}

/// Converts an error into the variant that holds it.
macro_rules! from {
    ($($error:ty => $variant:ident),* $(,)?) => {$(
        impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    Vec<Violation> => Invalid,
    TokenError => Token,
    reader::Error => Read,
    explain::Error => Explain,
    DecideError => Decide,
    EraseError => Erase,
    ingest::Error => Ingest,
    RolloutError => Rollout,
    store::Error => Store,
    compute::Error => Compute,
    Ended => Ended,
}

impl From<PreviewError> for ApiError {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::Store(error) => error.into(),
            PreviewError::Compute(error) => error.into(),
            PreviewError::OverBudget(what) => vec![Violation::new(
                profile_core::records::Reason::LimitExceeded,
                "condition",
                what,
            )]
            .into(),
        }
    }
}
