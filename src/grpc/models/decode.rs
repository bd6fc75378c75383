//! Model candidates from the wire.

use profile_core::model::file::MAX_FILE_BYTES;
use profile_core::records::{Reason, Violation};

use crate::grpc::checked::Checked;
use crate::grpc::v1::{self, model_candidate};
use crate::rollout::{Candidate, Content, Weights};

/// The candidate of a request: a file or a stored version, with the weights to use.
pub(super) fn candidate(message: Option<v1::ModelCandidate>) -> Checked<Candidate> {
    use model_candidate::{Content as WireContent, Weights as WireWeights};
    let message = message.unwrap_or_default();
    let content = match message.content {
        Some(WireContent::File(file)) if file.len() > MAX_FILE_BYTES => {
            return Err(vec![Violation::limit(
                "candidate.file",
                file.len(),
                MAX_FILE_BYTES,
                "bytes",
            )]);
        }
        Some(WireContent::File(file)) if file.contains('\0') => {
            return Err(vec![Violation::new(
                Reason::Malformed,
                "candidate.file",
                "must not contain U+0000",
            )]);
        }
        Some(WireContent::File(file)) => Content::File(file),
        Some(WireContent::Version(version)) => Content::Version(version),
        None => return Err(vec![Violation::required("candidate.content")]),
    };
    let weights = match message.weights {
        None | Some(WireWeights::ShippedWeights(false)) => Weights::Own,
        Some(WireWeights::ShippedWeights(true)) => Weights::Shipped,
        Some(WireWeights::WeightsOfVersion(version)) => Weights::Of(version),
    };
    Ok(Candidate { content, weights })
}
