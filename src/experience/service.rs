//! How well customers are served.

use std::collections::BTreeMap;

use super::{Day, Share, ratio};

/// A contact that another follows within so many days has not resolved what it was about.
const FOLLOW_UP_DAYS: u32 = 7;

/// Contacts for each order; none without orders.
#[must_use]
pub fn contacts_per_order(contacts: u64, orders: u64) -> Option<f64> {
    ratio(contacts, orders)
}

/// First-contact resolution: the share of contacts that no other contact of the same customer follows within 7 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirstContact {
    /// The contacts that were not followed by another, of those that are decided.
    pub resolved: Share,
    /// Contacts younger than 7 days: another may still follow. They are left out of the share.
    pub undecided: u64,
}

impl FirstContact {
    /// Of one customer, from the number of contacts by day, up to and with today. Contacts of one day count as following each
    /// other.
    #[must_use]
    pub fn of(contacts: &BTreeMap<Day, u64>, today: Day) -> Self {
        let mut days = contacts.range(..=today).filter(|(_, count)| **count > 0).peekable();
        let mut all = Self::default();
        while let Some((day, count)) = days.next() {
            if today.abs_diff(*day) < FOLLOW_UP_DAYS {
                all.undecided += count;
                continue;
            }
            let followed = *count > 1 || days.peek().is_some_and(|(next, _)| next.abs_diff(*day) <= FOLLOW_UP_DAYS);
            all.resolved.whole += count;
            all.resolved.part += u64::from(!followed);
        }
        all
    }
}
