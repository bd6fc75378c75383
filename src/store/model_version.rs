//! The versions of a tenant's model, as they are stored.

use profile_core::model::matching::LearnedFrom;
use profile_core::records::{Sequence, Timestamp};

/// A version of a tenant's model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// From 1.
    pub version: i64,
    /// The model file, as it was written.
    pub file: String,
    /// Weights that were trained, as JSON; empty: those that are compiled in.
    pub weights: String,
    /// When it was stored.
    pub create_time: Timestamp,
    /// Where it came from.
    pub note: String,
}

impl ModelVersion {
    /// The origin of its weights; `None`: they come with the program, or it is unknown.
    #[must_use]
    pub fn learned_from(&self) -> Option<LearnedFrom> {
        #[derive(serde::Deserialize)]
        struct Origin {
            learned_from: Option<LearnedFrom>,
        }
        let origin: Origin = serde_json::from_str(&self.weights).ok()?;
        origin.learned_from
    }
}

/// The one time that a version of the model came into force. Each later one has a greater version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    /// Which version.
    pub version: i64,
    /// By which write.
    pub sequence: Sequence,
    /// When.
    pub time: Timestamp,
}

/// A version of a tenant's model, and when it came into force, if it ever did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// The version.
    pub model: ModelVersion,
    /// It is, or was, in force since.
    pub activation: Option<Activation>,
}
