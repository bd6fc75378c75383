//! Search terms, and what is asked of them: profiles by their terms.

use std::collections::BTreeSet;

use profile_core::records::{ProfileId, RecordKey};
use serde::{Deserialize, Serialize};

/// A search term of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchTerm {
    /// A folded word.
    pub term: String,
    /// The trait it stands in.
    pub kind: String,
    /// The record that says it.
    pub record: RecordKey,
}

/// How a word is found, from the surest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Match {
    /// As it is.
    Exact,
    /// As the beginning of one.
    Prefix,
    /// By one that sounds like it.
    Phonetic,
    /// By one that is it but for a typing mistake.
    Typo,
}

impl Match {
    /// All, the surest first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::Prefix, Self::Phonetic, Self::Typo];
}

/// A way in which a word may stand in a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// How the word is found by it.
    pub found: Match,
    /// The term; of [`Match::Prefix`] its beginning.
    pub text: String,
}

/// Which profiles to find by their terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermQuery {
    /// The ways in which each word may be found.
    pub words: Vec<Vec<Way>>,
    /// Only those of which some word is found in no surer way than this.
    pub least: Match,
    /// Only those after this one.
    pub after: Option<ProfileId>,
    /// At most so many.
    pub limit: usize,
    /// Only words of these traits; `None`: of all.
    pub traits: Option<BTreeSet<String>>,
}

/// A profile found by its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermHit {
    /// Which.
    pub profile: ProfileId,
    /// In which traits words were found, and how: for each word the surest way of each trait. In
    /// order, each once.
    pub found: Vec<(String, Match)>,
}
