//! How well customers are served.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Day, Share, ratio};

/// A contact that another follows within so many days has not resolved what it was about.
const FOLLOW_UP_DAYS: u32 = 7;

/// Contacts for each order; none without orders.
#[must_use]
pub fn contacts_per_order(contacts: u64, orders: u64) -> Option<f64> {
    ratio(contacts, orders)
}

/// First-contact resolution: the share of contacts that no other contact of the same customer
/// follows within 7 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstContact {
    /// The contacts that were not followed by another, of those that are decided.
    pub resolved: Share,
    /// Contacts younger than 7 days: another may still follow. They are left out of the share.
    pub undecided: u64,
}

impl FirstContact {
    /// Of one customer by day, from the number of contacts by day, up to and with today. Contacts
    /// of one day count as following each other.
    pub fn by_day(contacts: &BTreeMap<Day, u64>, today: Day) -> impl Iterator<Item = (Day, Self)> {
        let mut days = contacts
            .range(..=today)
            .filter(|(_, count)| **count > 0)
            .peekable();
        std::iter::from_fn(move || {
            let (day, count) = days.next()?;
            if today.abs_diff(*day) < FOLLOW_UP_DAYS {
                return Some((
                    *day,
                    Self {
                        undecided: *count,
                        ..Self::default()
                    },
                ));
            }
            let followed = *count > 1
                || days
                    .peek()
                    .is_some_and(|(next, _)| next.abs_diff(*day) <= FOLLOW_UP_DAYS);
            let resolved = Share {
                part: u64::from(!followed),
                whole: *count,
            };
            Some((
                *day,
                Self {
                    resolved,
                    undecided: 0,
                },
            ))
        })
    }

    /// Of one customer, of all days.
    #[must_use]
    pub fn of(contacts: &BTreeMap<Day, u64>, today: Day) -> Self {
        Self::by_day(contacts, today).fold(Self::default(), |sum, (_, day)| sum + day)
    }
}

impl std::ops::Add for FirstContact {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            resolved: self.resolved + other.resolved,
            undecided: self.undecided.saturating_add(other.undecided),
        }
    }
}
