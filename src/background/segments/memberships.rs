//! Memberships of one profile as time passes, pure.

use std::collections::BTreeMap;

use profile_core::model::Model;
use profile_core::profile::{Derived, Profile};
use profile_core::records::{ProfileId, Timestamp};

use crate::store::SegmentMember;

/// How often time alone changes a membership before the rest is taken as one change: an index that
/// was left for years.
const MAX_TURNS: usize = 1_000;
/// The memberships of a profile after all that time has changed, and when it may change them next.
pub(super) fn memberships_until_now(
    profile: &Profile,
    model: &Model,
    was: Vec<SegmentMember>,
    from: Timestamp,
    now: Timestamp,
) -> (Vec<SegmentMember>, Option<Timestamp>) {
    let known = was
        .into_iter()
        .filter(|member| model.segments.contains_key(&member.segment));
    let mut members: BTreeMap<String, SegmentMember> = known
        .map(|member| (member.segment.clone(), member))
        .collect();
    let (mut time, mut count) = (from, 0);
    loop {
        let derived = Derived::of(profile, model, time);
        advance(profile.id, &mut members, &derived, time);
        count += 1;
        match derived.until() {
            Some(until) if until <= now => time = if count < MAX_TURNS { until } else { now },
            until => return (members.into_values().collect(), until),
        }
    }
}

/// Who is in a segment at a time, and was not, has entered; who was, and is not, has left. Where it
/// cannot be decided, nothing changes.
fn advance(
    id: ProfileId,
    members: &mut BTreeMap<String, SegmentMember>,
    derived: &Derived,
    time: Timestamp,
) {
    for segment in &derived.segments {
        let entered = || SegmentMember {
            profile: id,
            segment: segment.clone(),
            enter_time: time,
            exit_time: None,
        };
        match members.get_mut(segment) {
            Some(member) if member.exit_time.is_none() => {}
            Some(member) => *member = entered(),
            None => drop(members.insert(segment.clone(), entered())),
        }
    }
    let left = members.values_mut().filter(|member| {
        member.exit_time.is_none()
            && !derived.segments.contains(&member.segment)
            && !derived.undecided_segments.contains(&member.segment)
    });
    left.for_each(|member| member.exit_time = Some(time));
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

    /// The enter and exit times of the one segment after each of some steps, a microsecond apart.
    fn times(steps: &[Derived]) -> Vec<(i64, Option<i64>)> {
        let mut members = BTreeMap::new();
        let mut times = Vec::new();
        for (time, derived) in (1..).zip(steps) {
            advance(ID, &mut members, derived, Timestamp::from_micros(time));
            let member: Option<&SegmentMember> = members.get("vip");
            times.extend(member.map(|member| {
                let exit = member.exit_time.map(Timestamp::as_micros);
                (member.enter_time.as_micros(), exit)
            }));
        }
        times
    }

    #[test]
    fn a_customer_enters_and_leaves_when_the_condition_changes() {
        let (inside, outside) = (derived(&["vip"], &[]), derived(&[], &[]));
        let steps = [
            inside.clone(),
            inside.clone(),
            outside.clone(),
            outside,
            inside,
        ];
        assert_eq!(
            times(&steps),
            [(1, None), (1, None), (1, Some(3)), (1, Some(3)), (5, None)]
        );
    }

    #[test]
    fn an_undecided_condition_changes_no_membership() {
        let steps = [derived(&["vip"], &[]), derived(&[], &["vip"])];
        assert_eq!(times(&steps), [(1, None), (1, None)]);
        assert_eq!(times(&[derived(&[], &["vip"])]), []);
    }
}
