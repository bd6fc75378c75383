//! How much memory values take.
//!
//! What is bounded in bytes (the cache, the write queue) is bounded in bytes that the process
//! really has: [`HeapSize`] counts allocations as the allocator hands them out, rounded up to its
//! size classes, with the spare capacity of vectors and whole nodes of trees. Estimates that count
//! only the content of values are too low by half for small ones.
//!
//! Trees are counted as packed, that is with full nodes, which is how they are when they are
//! collected from an iterator. What was inserted one by one leaves half of each node empty;
//! [`pack_map`] and [`pack_set`] mend that before a value is kept for long.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{MaybeUninit, size_of};
use std::ptr::NonNull;

use rust_decimal::Decimal;
use uuid::Uuid;

/// The heap that a value holds.
pub trait HeapSize {
    /// Bytes of all allocations that the value owns, as the allocator hands them out. The value
    /// itself is not counted: its owner does that.
    fn heap_bytes(&self) -> usize;
}

/// What the allocator takes for an allocation: its size class.
///
/// Up to 64 bytes classes are 16 bytes apart, from there on there are four to each doubling; what
/// is larger than 512 KiB has whole pages. Source: `mi_bin` and `mi_good_size` of mimalloc 3.
#[must_use]
pub const fn allocated(bytes: usize) -> usize {
    const LARGEST_CLASS: usize = 512 << 10;
    const PAGE: usize = 4096;
    match bytes {
        0 => 0,
        1..=8 => 8,
        9..=64 => bytes.next_multiple_of(16),
        65..=LARGEST_CLASS => bytes.next_multiple_of(1 << ((bytes - 1).ilog2() - 2)),
        _ => bytes.next_multiple_of(PAGE),
    }
}

/// An `Arc` of a value: the allocation with its two counts, and what the value holds.
#[must_use]
pub fn shared_bytes<T: HeapSize>(value: &T) -> usize {
    allocated(2 * size_of::<usize>() + size_of::<T>()) + value.heap_bytes()
}

/// How many entries a node of a B-tree has room for. Source: `CAPACITY` in the standard library's
/// `btree/node.rs`.
const NODE_ENTRIES: usize = 11;

/// A node of the standard library's B-tree, field by field.
struct Node<K, V> {
    _parent: Option<NonNull<()>>,
    _keys: [MaybeUninit<K>; NODE_ENTRIES],
    _values: [MaybeUninit<V>; NODE_ENTRIES],
    _place: u16,
    _len: u16,
}

/// The nodes of a packed tree.
fn tree_bytes<K, V>(len: usize) -> usize {
    if len == 0 {
        return 0;
    }
    let leaf = size_of::<Node<K, V>>();
    let inner = leaf + (NODE_ENTRIES + 1) * size_of::<usize>();
    // Each full leaf but the last has an entry above it.
    let mut nodes = (len + 1).div_ceil(NODE_ENTRIES + 1);
    let mut bytes = nodes * allocated(leaf);
    while nodes > 1 {
        nodes = nodes.div_ceil(NODE_ENTRIES + 1);
        bytes += nodes * allocated(inner);
    }
    bytes
}

/// Rebuilds a map of more than one node so that its nodes are full.
pub fn pack_map<K: Ord, V>(map: &mut BTreeMap<K, V>) {
    if map.len() > NODE_ENTRIES {
        *map = std::mem::take(map).into_iter().collect();
    }
}

/// Rebuilds a set of more than one node so that its nodes are full.
pub fn pack_set<T: Ord>(set: &mut BTreeSet<T>) {
    if set.len() > NODE_ENTRIES {
        *set = std::mem::take(set).into_iter().collect();
    }
}

/// Values without a heap of their own.
#[macro_export]
macro_rules! plain_size {
    ($($kind:ty),+ $(,)?) => {$(
        impl $crate::heap_size::HeapSize for $kind {
            fn heap_bytes(&self) -> usize {
                0
            }
        }
    )+};
}
pub use plain_size;

/// Structures, by all of their fields: one that is not named does not compile.
#[macro_export]
macro_rules! heap_size {
    ($($kind:ident { $($field:ident),+ $(,)? })+) => {$(
        impl $crate::heap_size::HeapSize for $kind {
            fn heap_bytes(&self) -> usize {
                let Self { $($field),+ } = self;
                0 $(+ $crate::heap_size::HeapSize::heap_bytes($field))+
            }
        }
    )+};
}
pub use heap_size;

plain_size!(bool, u32, u64, i32, i64, usize, Decimal, Uuid);

impl HeapSize for String {
    fn heap_bytes(&self) -> usize {
        allocated(self.capacity())
    }
}

impl<T: HeapSize> HeapSize for Option<T> {
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::heap_bytes)
    }
}

impl<T: HeapSize> HeapSize for Box<T> {
    fn heap_bytes(&self) -> usize {
        allocated(size_of::<T>()) + T::heap_bytes(self)
    }
}

impl<T: HeapSize> HeapSize for Vec<T> {
    fn heap_bytes(&self) -> usize {
        allocated(self.capacity() * size_of::<T>()) + self.iter().map(T::heap_bytes).sum::<usize>()
    }
}

impl<A: HeapSize, B: HeapSize> HeapSize for (A, B) {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes() + self.1.heap_bytes()
    }
}

impl<T: HeapSize> HeapSize for BTreeSet<T> {
    fn heap_bytes(&self) -> usize {
        tree_bytes::<T, ()>(self.len()) + self.iter().map(T::heap_bytes).sum::<usize>()
    }
}

impl<K: HeapSize, V: HeapSize> HeapSize for BTreeMap<K, V> {
    fn heap_bytes(&self) -> usize {
        let entries = self
            .iter()
            .map(|(key, value)| key.heap_bytes() + value.heap_bytes());
        tree_bytes::<K, V>(self.len()) + entries.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_take_their_size_class() {
        let classes = [0, 1, 9, 17, 64, 65, 81, 129, 161, 1000, 1025, 4097, 600_000].map(allocated);
        assert_eq!(
            classes,
            [
                0, 8, 16, 32, 64, 80, 96, 160, 192, 1024, 1280, 5120, 602_112
            ]
        );
    }

    #[test]
    fn a_tree_is_counted_by_whole_nodes() {
        let leaf = allocated(size_of::<Node<u64, u64>>());
        let nodes = |len| tree_bytes::<u64, u64>(len).div_ceil(leaf);
        // 12 entries need two leaves and a root, which is larger than a leaf.
        assert_eq!([nodes(0), nodes(1), nodes(11), nodes(12)], [0, 1, 1, 4]);
    }
}
