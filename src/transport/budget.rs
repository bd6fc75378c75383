//! A number of bytes that all callers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes, of which parts are held and given back.
///
/// Whoever finds too little left is refused at once: a queue would hold what its callers have
/// already sent.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
        })
    }

    /// The number of bytes that there are.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The part that is held.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// A part of a budget; given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Held {
    /// Takes nothing yet.
    #[must_use]
    pub fn nothing(budget: &Arc<Budget>) -> Self {
        Self {
            budget: budget.clone(),
            bytes: 0,
        }
    }

    /// The number of bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds at least this many bytes; returns whether the budget had room.
    #[must_use]
    pub fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let limit = self.budget.limit;
        let room = |used: usize| used.checked_add(more).filter(|sum| *sum <= limit);
        let taken = self
            .budget
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok();
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// Holds no more than this many bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.budget.used.fetch_sub(less, Ordering::Relaxed);
        self.bytes -= less;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_exceeded_and_all_of_it_comes_back() {
        let budget = Budget::new(10);
        let (mut a, mut b) = (Held::nothing(&budget), Held::nothing(&budget));
        assert!(
            a.grow_to(6) && a.grow_to(3),
            "a smaller part is already held"
        );
        assert!(!b.grow_to(5) && b.grow_to(4));
        assert_eq!((budget.used(), a.bytes(), b.bytes()), (10, 6, 4));
        a.shrink_to(1);
        assert!(b.grow_to(9) && !a.grow_to(2));
        drop((a, b));
        assert_eq!(budget.used(), 0);
    }
}
