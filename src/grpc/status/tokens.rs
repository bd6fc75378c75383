//! Statuses of tokens that cannot be used.

use tonic::{Code, Status};

use super::failure;
use crate::grpc::token::TokenError;
use crate::grpc::v1::ErrorReason;

/// A token of a request cannot be used.
pub(in crate::grpc) fn token(error: TokenError) -> Status {
    let (code, reason) = match error {
        TokenError::PageInvalid => (Code::InvalidArgument, ErrorReason::PageTokenInvalid),
        TokenError::ReadInvalid => (Code::InvalidArgument, ErrorReason::ReadTokenInvalid),
        TokenError::ReadForeign => (Code::InvalidArgument, ErrorReason::ReadTokenForeign),
        TokenError::ResumeInvalid => (Code::InvalidArgument, ErrorReason::ResumeTokenInvalid),
        TokenError::ResumeExpired => (Code::FailedPrecondition, ErrorReason::ResumeTokenExpired),
    };
    failure(code, reason, error.to_string(), &[])
}
