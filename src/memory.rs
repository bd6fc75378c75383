//! How much memory values take, and how much there is.
//!
//! What is bounded in bytes (the cache, the write queue) is bounded in bytes that the process really has: [`HeapSize`] counts
//! allocations as the allocator hands them out, rounded up to its size classes, with the spare capacity of vectors and whole
//! nodes of trees. Estimates that count only the content of values are too low by half for small ones.
//!
//! Trees are counted as packed, that is with full nodes, which is how they are when they are collected from an iterator.
//! What was inserted one by one leaves half of each node empty; [`pack_map`] and [`pack_set`] mend that before a value is
//! kept for long.
//!
//! [`container_limit`] and [`resident_bytes`] tell the limit and the size of the process.

mod process;
mod size;

pub use process::{container_limit, resident_bytes};
pub use size::{HeapSize, allocated, pack_map, pack_set, shared_bytes};
pub(crate) use size::{heap_size, plain_size};
