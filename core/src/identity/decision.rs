//! What people decided about records: these are one person, these are not.
//!
//! A decision binds every record that it names, and no rule outweighs it. A later decision
//! outweighs an earlier one that says otherwise: decisions are taken newest first, and of an
//! earlier one holds what can be kept beside the newer ones. (It has full effect again when the
//! newer one is taken back.)

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::records::{RecordKey, Timestamp};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// All live records of both sides are one person, whatever guards say.
    MustLink,
    /// No record of one side is the same person as one of the other.
    CannotLink,
}

/// A decision by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Names it; of two at the same time the greater id is the newer.
    pub id: String,
    /// What was decided.
    pub kind: DecisionKind,
    /// The records of one side, in order.
    pub left: Vec<RecordKey>,
    /// The records of the other.
    pub right: Vec<RecordKey>,
    /// When.
    pub time: Timestamp,
}

impl Decision {
    /// Whether it says that a record of one group is not the same person as a record of another.
    pub fn separates(
        &self,
        in_one: impl Fn(&RecordKey) -> bool,
        in_other: impl Fn(&RecordKey) -> bool,
    ) -> bool {
        let (left, right) = (&self.left, &self.right);
        self.kind == DecisionKind::CannotLink
            && ((left.iter().any(&in_one) && right.iter().any(&in_other))
                || (left.iter().any(&in_other) && right.iter().any(&in_one)))
    }
}

/// The decisions that separate records, to be asked for many pairs.
#[derive(Debug, Default)]
pub struct Separations<'a>(BTreeMap<&'a RecordKey, Vec<(usize, bool)>>);

impl<'a> Separations<'a> {
    /// Those among some decisions.
    pub fn of(decisions: impl IntoIterator<Item = &'a Decision>) -> Self {
        let mut sides: BTreeMap<&RecordKey, Vec<(usize, bool)>> = BTreeMap::new();
        let separating = decisions
            .into_iter()
            .filter(|decision| decision.kind == DecisionKind::CannotLink);
        for (number, decision) in separating.enumerate() {
            let left = decision.left.iter().map(|key| (key, true));
            for (key, is_left) in left.chain(decision.right.iter().map(|key| (key, false))) {
                sides.entry(key).or_default().push((number, is_left));
            }
        }
        Self(sides)
    }

    /// Whether two records are decided to be of different people. As [`Decision::separates`] for
    /// two groups of one record.
    #[must_use]
    pub fn separate(&self, a: &RecordKey, b: &RecordKey) -> bool {
        let (Some(of_a), Some(of_b)) = (self.0.get(a), self.0.get(b)) else {
            return false;
        };
        of_a.iter()
            .any(|(number, is_left)| of_b.contains(&(*number, !is_left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_separates_across_its_sides_and_never_within_one() {
        let keys = ["a", "b", "c", "d"].map(|key| RecordKey::new("web", key));
        let decision = |kind, left: &[usize], right: &[usize]| Decision {
            id: String::new(),
            kind,
            left: left.iter().map(|index| keys[*index].clone()).collect(),
            right: right.iter().map(|index| keys[*index].clone()).collect(),
            time: Timestamp::from_micros(0),
        };
        let decisions = [
            decision(DecisionKind::CannotLink, &[0, 1], &[2]),
            decision(DecisionKind::MustLink, &[0], &[3]),
        ];
        let separations = Separations::of(&decisions);
        for (a, b, expected) in [
            (0, 2, true),
            (2, 1, true),
            (0, 1, false),
            (0, 3, false),
            (2, 2, false),
        ] {
            let (a, b) = (&keys[a], &keys[b]);
            assert_eq!(separations.separate(a, b), expected, "{a:?} and {b:?}");
            let any = decisions
                .iter()
                .any(|decision| decision.separates(|key| key == a, |key| key == b));
            assert_eq!(any, expected, "{a:?} and {b:?}");
        }
    }
}
