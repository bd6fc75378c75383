//! Who is who: which records are one person, and what their profile is called.
//!
//! Pure: a function of the records, the model and (for names only) of what was called how before.
//! In the order in which data passes through:
//!
//! - [`Features`]: what a record says of a person, in the form in which it is compared;
//!   [`BlockingKey`]s find the records that may be of the same one.
//! - [`Context`]: identifiers and keys that so many hold that they tell nothing.
//! - [`compare()`]: two records side by side, field by field, with a score and a verdict;
//!   [`pairs()`] of a whole set.
//! - [`cluster()`]: a partition of the records, with the reason for each, and what guards refused.
//!   It looks at the set of records alone, so the order in which they came cannot matter, and
//!   taking one away can split what it joined. [`Decision`]s of people come first.
//! - [`Spelling`]: the words that may be meant by another one, for searches.
//! - [`assign()`]: gives the clusters their profile ids, so that names stay through merges and
//!   splits.

mod assign;
mod cluster;
mod compare;
mod context;
mod decision;
mod features;
mod given_names;
mod keys;
mod nicknames;
mod pairs;
mod scripts;
mod spelling;
#[cfg(test)]
mod tests;
mod text;
mod train;

pub use assign::{Assignment, Before, assign};
pub use cluster::{
    Cluster, Clustering, Evidence, Guard, Member, Reason, Refusal, cluster, cluster_pairs,
    objection,
};
pub use compare::{
    Classification, Comparison, FieldComparison, MatchDecision, Veto, compare, judge,
};
pub use context::{Context, held_by_too_many_people, is_generic};
pub use decision::{Decision, DecisionKind, Separations};
pub use features::{Features, unread};
pub use keys::BlockingKey;
pub use pairs::{Pair, candidates, pairs};
pub use spelling::{Likeness, Slips, Spelling, sound};

pub use train::{Progress, Report, Trained, train};
