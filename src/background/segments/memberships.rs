//! The stays of one profile in segments, as time passes, as writes come, and as merges are taken
//! back. Pure.

use std::collections::BTreeMap;

use profile_core::model::Model;
use profile_core::profile::{Derived, Profile};
use profile_core::records::{ProfileId, Timestamp};

use crate::store::{SegmentMember, SegmentStay};

/// How often time alone changes a membership before the rest is taken as one change: an index that
/// was left for years.
const MAX_TURNS: usize = 1_000;
/// Maximum number of stays in one segment that are kept; the oldest goes.
const MAX_STAYS: usize = 20;

/// The stays of a profile: by segment, in order of time. At most the last one of each is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stays {
    profile: ProfileId,
    by_segment: BTreeMap<String, Vec<SegmentMember>>,
}

impl Stays {
    /// No stays.
    pub(super) fn none(profile: ProfileId) -> Self {
        Self {
            profile,
            by_segment: BTreeMap::new(),
        }
    }

    /// Those that are known of the segments of a model.
    pub(super) fn new(profile: ProfileId, known: Vec<SegmentMember>, model: &Model) -> Self {
        let mut by_segment: BTreeMap<String, Vec<SegmentMember>> = BTreeMap::new();
        for stay in known {
            if model.segments.contains_key(&stay.segment) {
                by_segment
                    .entry(stay.segment.clone())
                    .or_default()
                    .push(stay);
            }
        }
        Self {
            profile,
            by_segment,
        }
    }

    /// All of them, in order of segment and time.
    pub(super) fn into_members(self) -> impl Iterator<Item = SegmentMember> {
        self.by_segment.into_values().flatten()
    }

    /// The last time at which something changed: nothing that comes now was before it.
    pub(super) fn last_time(&self) -> Option<Timestamp> {
        let stays = self.by_segment.values().flatten();
        stays
            .map(|stay| stay.exit_time.unwrap_or(stay.enter_time))
            .max()
    }

    /// Takes a merge back, if one was, and goes on as [`pass`](Self::pass) does.
    pub(super) fn unmerge_and_pass(
        &mut self,
        profile: &Profile,
        model: &Model,
        (merged, (from, to)): (Option<Timestamp>, (Timestamp, Timestamp)),
    ) -> Option<Timestamp> {
        if let Some(merged) = merged {
            self.unmerge(&Derived::of(profile, model, from), merged);
        }
        self.pass(profile, model, (from, to))
    }

    /// Goes on with a profile from a time on, through all that time alone changes up to another
    /// time. Answers when time may change something next.
    fn pass(
        &mut self,
        profile: &Profile,
        model: &Model,
        (from, to): (Timestamp, Timestamp),
    ) -> Option<Timestamp> {
        let from = self.last_time().map_or(from, |last| last.max(from));
        let (mut time, mut count) = (from, 0);
        loop {
            let derived = Derived::of(profile, model, time);
            self.advance(&derived, time);
            count += 1;
            match derived.until() {
                Some(until) if until <= to => time = if count < MAX_TURNS { until } else { to },
                until => return until,
            }
        }
    }

    /// A profile that is in a segment and was not has entered; one that was and is not has left.
    /// Where it cannot be decided, nothing changes.
    fn advance(&mut self, derived: &Derived, time: Timestamp) {
        for segment in &derived.segments {
            let stays = self.by_segment.entry(segment.clone()).or_default();
            if stays.last().is_some_and(|last| last.exit_time.is_none()) {
                continue;
            }
            if stays.len() >= MAX_STAYS {
                stays.remove(0);
            }
            // Out and in again at one time is a stay that goes on.
            match stays.last_mut() {
                Some(last) if last.exit_time == Some(time) => last.exit_time = None,
                _ => stays.push(SegmentMember {
                    profile: self.profile,
                    segment: segment.clone(),
                    enter_time: time,
                    exit_time: None,
                }),
            }
        }
        for (segment, stays) in &mut self.by_segment {
            let stays_in =
                derived.segments.contains(segment) || derived.undecided_segments.contains(segment);
            if let Some(last) = stays.last_mut().filter(|_| !stays_in) {
                last.exit_time.get_or_insert(time);
            }
        }
    }

    /// Takes a merge back that was made at a time, for a profile of which it is known what holds
    /// now: who is in a segment only by the merge never was; who was before it, and is, always was.
    fn unmerge(&mut self, derived: &Derived, merged: Timestamp) {
        for (segment, stays) in &mut self.by_segment {
            let is_in = derived.segments.contains(segment);
            let since = stays.partition_point(|stay| stay.enter_time < merged);
            let was_in = since.checked_sub(1).is_some_and(|last| {
                let exit = stays[last].exit_time;
                exit.is_none_or(|exit| exit >= merged)
            });
            if is_in && was_in {
                stays.truncate(since);
                stays[since - 1].exit_time = None;
            } else if !is_in && !derived.undecided_segments.contains(segment) {
                stays.truncate(since);
            }
        }
        self.by_segment.retain(|_, stays| !stays.is_empty());
    }

    /// The stays that began or ended since others, in order of segment. One that is gone without
    /// trace has ended at `time`.
    pub(super) fn turned_since(&self, before: &Self, time: Timestamp) -> Vec<SegmentStay> {
        let all = |stays: &Self| -> BTreeMap<(String, Timestamp), Option<Timestamp>> {
            let stays = stays.by_segment.values().flatten();
            let keyed = stays.map(|stay| ((stay.segment.clone(), stay.enter_time), stay.exit_time));
            keyed.collect()
        };
        let (was, is) = (all(before), all(self));
        let mut turned = is.clone();
        turned.retain(|key, exit| was.get(key) != Some(exit));
        for ((segment, enter_time), exit_time) in was {
            let key = (segment, enter_time);
            if exit_time.is_none() && !is.contains_key(&key) {
                turned.insert(key, Some(time.max(enter_time)));
            }
        }
        let stay = |((segment, enter_time), exit_time)| SegmentStay {
            segment,
            enter_time,
            exit_time,
        };
        turned.into_iter().map(stay).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ID: ProfileId = ProfileId(uuid::Uuid::nil());

    fn derived(segments: &[&str], undecided: &[&str]) -> Derived {
        let names = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let mut derived = Derived::default();
        derived.segments = names(segments);
        derived.undecided_segments = names(undecided);
        derived
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn nothing() -> Stays {
        Stays::none(ID)
    }

    /// The stays in the one segment after some steps, one every ten microseconds.
    fn after(steps: &[Derived]) -> Stays {
        let mut stays = nothing();
        for (step, derived) in (1..).zip(steps) {
            stays.advance(derived, at(step * 10));
        }
        stays
    }

    fn times(stays: &Stays) -> Vec<(i64, Option<i64>)> {
        let stays = stays.by_segment.get("vip").into_iter().flatten();
        let times = stays.map(|stay| {
            let exit = stay.exit_time.map(Timestamp::as_micros);
            (stay.enter_time.as_micros(), exit)
        });
        times.collect()
    }

    fn inside() -> Derived {
        derived(&["vip"], &[])
    }

    fn outside() -> Derived {
        derived(&[], &[])
    }

    #[test]
    fn a_customer_enters_and_leaves_when_the_condition_changes() {
        let steps = [inside(), inside(), outside(), outside(), inside()];
        assert_eq!(times(&after(&steps)), [(10, Some(30)), (50, None)]);
    }

    #[test]
    fn an_undecided_condition_changes_no_membership() {
        let undecided = || derived(&[], &["vip"]);
        assert_eq!(times(&after(&[inside(), undecided()])), [(10, None)]);
        assert_eq!(times(&after(&[undecided()])), []);
    }

    #[test]
    fn only_the_latest_stays_are_kept() {
        let steps: Vec<Derived> = (0..25).flat_map(|_| [inside(), outside()]).collect();
        let stays = times(&after(&steps));
        assert_eq!((stays.len(), stays[0]), (20, (110, Some(120))));
    }

    #[test]
    fn what_a_merge_that_is_taken_back_brought_about_never_was() {
        let back = |steps: &[Derived], now: &Derived| {
            let mut stays = after(steps);
            stays.unmerge(now, at(25));
            stays.advance(now, at(90));
            times(&stays)
        };
        // Never a member, but for the merge.
        let by_merge = [outside(), outside(), inside()];
        assert_eq!(back(&by_merge, &outside()), []);
        // A member before, during and after it.
        assert_eq!(
            back(&[inside(), inside(), inside()], &inside()),
            [(10, None)]
        );
        // A member before and after it, and not meanwhile.
        let not_meanwhile = [inside(), inside(), outside(), inside(), outside()];
        assert_eq!(back(&not_meanwhile, &inside()), [(10, None)]);
        // A member by itself since a write that came after the merge.
        assert_eq!(back(&by_merge, &inside()), [(30, None)]);
        // Left before the merge: that stays.
        let left = [inside(), outside(), inside()];
        assert_eq!(back(&left, &outside()), [(10, Some(20))]);
        // A member before the merge, who is none any more.
        assert_eq!(back(&[inside(), inside()], &outside()), [(10, Some(90))]);
    }

    #[test]
    fn what_turned_is_told_once() {
        let told = |was: &Stays, is: &Stays| -> Vec<(i64, Option<i64>)> {
            let turned = is.turned_since(was, at(99)).into_iter();
            let times = turned.map(|stay| {
                let exit = stay.exit_time.map(Timestamp::as_micros);
                (stay.enter_time.as_micros(), exit)
            });
            times.collect()
        };
        let (entered, left) = (after(&[inside()]), after(&[inside(), outside()]));
        assert_eq!(told(&nothing(), &entered), [(10, None)]);
        assert_eq!(told(&entered, &entered), []);
        assert_eq!(told(&entered, &left), [(10, Some(20))]);
        assert_eq!(told(&nothing(), &left), [(10, Some(20))], "in and out");
        assert_eq!(told(&entered, &nothing()), [(10, Some(99))]);
        assert_eq!(told(&left, &nothing()), [], "over before");
    }
}
