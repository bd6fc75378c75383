//! Models that might be put in force: what they say, and where their weights come from.

use serde::Serialize;

/// A model that might be put in force.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Candidate {
    /// The file or the version that it has.
    pub content: Content,
    /// Where its weights come from.
    pub weights: Weights,
}

/// The content of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Content {
    /// The text of a model file.
    File(String),
    /// The file of a stored version.
    Version(i64),
}

/// Where a candidate's weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Weights {
    /// From the version, or for a file from the model in force.
    Own,
    /// Those that are compiled in.
    Shipped,
    /// From a stored version.
    Of(i64),
}

impl Candidate {
    /// A note on the origin of the version that is made of it.
    pub(super) fn note(&self) -> String {
        let content = match self.content {
            Content::File(_) => "applied from a file".to_owned(),
            Content::Version(version) => format!("version {version}, applied again"),
        };
        match self.weights {
            Weights::Own => content,
            Weights::Shipped => format!("{content}, with the shipped weights"),
            Weights::Of(version) => format!("{content}, with the weights of version {version}"),
        }
    }
}
