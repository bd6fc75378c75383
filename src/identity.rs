//! Who is who: which records are one person, and what their profile is called.
//!
//! Pure: a function of the records, the model and (for names only) of what was called how before.
//!
//! - [`cluster()`]: a partition of the records, with the reason for each. It looks at the set of records alone, so the
//!   order in which they came cannot matter, and taking one away can split what it joined.
//! - [`assign()`]: gives the clusters their profile ids, so that names stay through merges and splits.
//!
//! Today's links are shared identifiers. Match scores and people's decisions will be further kinds of [`Evidence`], taken
//! in the same order of strength under the same guards.

mod assign;
mod cluster;
#[cfg(test)]
mod tests;

pub use assign::{Assignment, Before, assign};
pub use cluster::{Cluster, Evidence, Member, cluster};
