//! How much of an object's amount its related objects come to together: an order of 100 of which
//! 20 are given back is not refunded.
//!
//! The object's amount is its `total`, or else its `amount`, as it was before the first of the
//! related objects: a shop may lower it with a refund. Theirs is `amount`. Where one of them says
//! none, or the object does not, nothing shows that it is only a part. An amount in another
//! currency than the object's is a part of it.

use super::Share;
use crate::records::rollup::Amount;
use crate::records::{Event, Timestamp};

const OWN: [&str; 2] = ["total", "amount"];
const THEIRS: &str = "amount";
const CURRENCY: &str = "currency";

/// An amount in millionths, with its currency where one is said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sum {
    micros: i128,
    currency: Option<String>,
}

/// An object's amount and those of related objects, of which some count at a time.
#[derive(Debug, Default)]
pub(super) struct Amounts {
    whole: Option<Sum>,
    each: Vec<Option<Sum>>,
    /// The sum of those that count.
    sum: i128,
    /// Number of those that count and do not say theirs.
    unknown: usize,
}

impl Amounts {
    /// Those of an object and of related ones, each by its own events in order.
    pub(super) fn of(own: &[&Event], begin: Option<Timestamp>, related: &[Vec<&Event>]) -> Self {
        let is_before = |event: &&&Event| begin.is_none_or(|begin| event.sort_time < begin);
        let name = OWN.into_iter().find(|name| {
            let mut said = own.iter();
            said.any(|event| event.properties.contains_key(*name))
        });
        let whole = name.and_then(|name| {
            let mut before = own.iter().filter(is_before).rev();
            let said = before.find_map(|event| amount(event, name));
            said.or_else(|| own.iter().find_map(|event| amount(event, name)))
        });
        let currency = currency(own);
        let each = related.iter().map(|events| {
            let micros = events.iter().rev().find_map(|event| amount(event, THEIRS));
            micros.map(|micros| Sum {
                micros: micros.abs(),
                currency: self::currency(events),
            })
        });
        Self {
            whole: whole.map(|micros| Sum { micros, currency }),
            each: each.collect(),
            sum: 0,
            unknown: 0,
        }
    }

    /// Makes a related object count, or count no longer.
    pub(super) fn count(&mut self, index: usize, counts: bool) {
        let Some(Some(one)) = self.each.get(index) else {
            self.unknown = if counts {
                self.unknown + 1
            } else {
                self.unknown - 1
            };
            return;
        };
        let of_whole = self.whole.as_ref().and_then(|it| it.currency.as_ref());
        let is_foreign = one.currency.as_ref().zip(of_whole);
        if is_foreign.is_none_or(|(one, whole)| one == whole) {
            self.sum += if counts { one.micros } else { -one.micros };
        }
    }

    /// Whether those that count come to as much as a rule wants.
    pub(super) fn are(&self, share: Share) -> bool {
        let whole = self.whole.as_ref();
        let is_part = self.unknown == 0 && whole.is_some_and(|whole| self.sum < whole.micros);
        match share {
            Share::Any => true,
            Share::Whole => !is_part,
            Share::Part => is_part,
        }
    }
}

fn amount(event: &Event, name: &str) -> Option<i128> {
    let said = event.properties.get(name)?;
    Amount::of(said).map(Amount::millionths)
}

/// The latest word on the currency.
fn currency(events: &[&Event]) -> Option<String> {
    let mut said = events.iter().rev();
    said.find_map(|event| {
        let code = event.properties.get(CURRENCY)?.as_str()?.trim();
        (!code.is_empty()).then(|| code.to_ascii_uppercase())
    })
}
