//! The audit log: who read and who changed what is known of customers.
//!
//! Each call that a credential may make or may not becomes an [`Entry`] of the log of its tenant.
//! Calls do not wait for the database: they leave their entries in the [`Journal`], and the
//! [`Keeper`] appends what is there every `audit.flush_interval`, all servers of a database to the
//! same log. While the database takes no entries the journal fills, and when it is full calls are
//! refused: nothing is read that nobody knows of.
//!
//! A log is append-only, and a change of it is found. Its entries are the leaves of a Merkle tree
//! ([`Tree`]; RFC 6962), kept as tiles of 256 hashes (c2sp.org/tlog-tiles). Each append ends in a
//! [`Checkpoint`]: the size and the tree hash, signed by a key that the database does not have
//! (c2sp.org/tlog-checkpoint). [`Verification`] reads a log and says where it is not what was
//! written. Only those who kept a checkpoint elsewhere can prove its state: a log that was cut off
//! together with its checkpoint is sound by itself.
//!
//! No entry holds a value that is known of a customer: customers are named by their profiles.

mod batch;
mod checkpoint;
mod entry;
mod export;
mod journal;
mod keeper;
mod search;
mod tree;
mod verify;

pub use batch::BatchError;
pub use checkpoint::{Checkpoint, CheckpointError, KeyError, Keys, new_keys, origin};
pub use entry::Entry;
pub use export::{LeafTile, read_tile};
pub use journal::Journal;
pub use keeper::{Keeper, KeeperError, sign};
pub use search::{Found, Period, Query, SearchError, search};
pub use tree::{LeafHash, Tree, TreeError, leaf_hash};
pub use verify::{Finding, Leaf, Verification};
