//! Who holds how much of something that is limited, and whether more may be given.
//!
//! Whoever comes may take all of it. When all is taken, a quarter more is there for callers that
//! hold less than an equal share: so one caller that takes everything keeps nobody else out. Half
//! of that quarter is for connections, of whatever tenant; the other half only for those of tenants
//! that hold less than an equal share, so that a tenant with many connections does not keep the
//! other tenants out.

use std::collections::HashMap;

use super::Caller;

/// What callers hold.
#[derive(Debug)]
pub(crate) struct Shares {
    limit: usize,
    total: usize,
    tenants: HashMap<u64, usize>,
    connections: HashMap<u64, usize>,
}

impl Shares {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            total: 0,
            tenants: HashMap::new(),
            connections: HashMap::new(),
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Takes an amount for a caller, if there is room for it. What is larger than all of it goes
    /// alone.
    pub(crate) fn try_take(&mut self, caller: Caller, amount: usize) -> bool {
        if self.total > 0 && !self.has_room(caller, amount) {
            return false;
        }
        self.take(caller, amount);
        true
    }

    /// Takes an amount, whether there is room for it or not.
    pub(crate) fn take(&mut self, caller: Caller, amount: usize) {
        self.total += amount;
        *self.tenants.entry(caller.tenant).or_default() += amount;
        *self.connections.entry(caller.connection).or_default() += amount;
    }

    fn has_room(&self, caller: Caller, amount: usize) -> bool {
        let after = self.total.saturating_add(amount);
        if after <= self.limit {
            return true;
        }
        let reserve = (self.limit / 4).max(1);
        let within = |held: &HashMap<u64, usize>, who: u64| {
            let own = held.get(&who).copied().unwrap_or(0);
            let sharers = held.len() + usize::from(own == 0);
            own.saturating_add(amount) <= (self.limit / sharers).max(1)
        };
        // One tenant alone has all of it, and its connections share it.
        let alone = self.tenants.keys().all(|tenant| *tenant == caller.tenant);
        let of_any_tenant = after <= self.limit.saturating_add(reserve / 2);
        after <= self.limit.saturating_add(reserve)
            && within(&self.connections, caller.connection)
            && (alone || of_any_tenant || within(&self.tenants, caller.tenant))
    }

    pub(crate) fn give_back(&mut self, caller: Caller, amount: usize) {
        self.total = self.total.saturating_sub(amount);
        for (held, who) in [
            (&mut self.tenants, caller.tenant),
            (&mut self.connections, caller.connection),
        ] {
            if let Some(own) = held.get_mut(&who) {
                *own = own.saturating_sub(amount);
                if *own == 0 {
                    held.remove(&who);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(tenant: u64, connection: u64) -> Caller {
        Caller { tenant, connection }
    }

    #[test]
    fn one_caller_may_take_all_and_keeps_nobody_else_out() {
        let mut shares = Shares::new(16);
        let flooder = caller(1, 1);
        assert_eq!((0..20).filter(|_| shares.try_take(flooder, 1)).count(), 16);
        for other in [caller(1, 2), caller(2, 3)] {
            assert!(shares.try_take(other, 1), "{other:?}");
            assert!(!shares.try_take(flooder, 1));
        }
        assert!(
            !shares.try_take(caller(1, 4), 1),
            "what is left is for tenants with less than their share"
        );
        for other in [caller(2, 5), caller(3, 6)] {
            assert!(shares.try_take(other, 1), "{other:?}");
        }
        assert!(!shares.try_take(caller(3, 7), 1), "the reserve is used up");
        shares.give_back(caller(2, 5), 1);
        assert!(
            !shares.try_take(flooder, 1),
            "the flooder has more than its share"
        );
        assert!(shares.try_take(caller(3, 7), 1));
    }

    #[test]
    fn what_is_larger_than_all_goes_alone() {
        let mut shares = Shares::new(8);
        assert!(shares.try_take(caller(1, 1), 100));
        assert!(!shares.try_take(caller(1, 2), 1));
        shares.give_back(caller(1, 1), 100);
        assert_eq!(shares.total(), 0);
        assert!(shares.try_take(caller(1, 2), 1));
    }
}
