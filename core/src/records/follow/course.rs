//! The statuses of an object over time.

use super::amounts::Amounts;
use super::{Follow, Which};
use crate::records::{Event, Timestamp};

/// The statuses of an object in order of time, each another one than before.
pub(super) type Course<'a> = Vec<Step<'a>>;
/// When a rule begins (true) and ends (false) to hold, in order of time.
pub(super) type Turns = Vec<(Timestamp, bool)>;

/// A status that an object comes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step<'a> {
    pub(super) time: Timestamp,
    /// `None`: it has none any more.
    pub(super) status: Option<&'a str>,
    /// The place among the statuses of such objects.
    rank: u32,
}

/// Something that may change a status.
enum Change<'a> {
    Own(Step<'a>),
    Rule { index: usize, holds: bool },
}

/// The course that an object's own events tell, which are in order.
pub(super) fn own<'a>(events: &[&'a Event]) -> Course<'a> {
    let mut course = Course::new();
    for event in events {
        let Some(status) = event.meaning.status.as_deref() else {
            continue;
        };
        let time = event.sort_time;
        if course.last().is_some_and(|last| last.time == time) {
            course.pop();
        }
        let step = Step {
            time,
            status: Some(status),
            rank: event.meaning.rank,
        };
        push(&mut course, step);
    }
    course
}

/// Adds a step, unless nothing changes by it.
fn push<'a>(course: &mut Course<'a>, step: Step<'a>) {
    if course.last().and_then(|last| last.status) != step.status {
        course.push(step);
    }
}

/// When a rule holds, by the courses of the objects that count and their amounts.
pub(super) fn turns(rule: &Follow, courses: &[&[Step<'_>]], mut amounts: Amounts) -> Turns {
    let mut changes: Vec<(Timestamp, usize, bool)> = Vec::new();
    for (index, course) in courses.iter().enumerate() {
        let steps = course.iter();
        changes.extend(steps.map(|step| (step.time, index, rule.fits(step.status))));
    }
    changes.sort_unstable();
    let (mut fitting, mut count) = (vec![false; courses.len()], 0);
    let mut turns = Turns::new();
    for at_once in changes.chunk_by(|left, right| left.0 == right.0) {
        for (_, index, fits) in at_once {
            if fitting[*index] != *fits {
                fitting[*index] = *fits;
                amounts.count(*index, *fits);
                count = if *fits { count + 1 } else { count - 1 };
            }
        }
        let holds = match rule.which {
            Which::All | Which::Latest => count == courses.len(),
            Which::Any => count > 0,
        };
        let holds = holds && amounts.are(rule.share);
        if holds != turns.last().is_some_and(|(_, held)| *held) {
            turns.push((at_once[0].0, holds));
        }
    }
    turns
}

/// The course of an object by its own events and its rules: at each time the status that it came
/// into last.
pub(super) fn with<'a>(own: Course<'a>, rules: &[(&'a Follow, Turns)]) -> Course<'a> {
    if rules.is_empty() {
        return own;
    }
    let own = own.into_iter();
    let mut changes: Vec<(Timestamp, Change<'a>)> =
        own.map(|step| (step.time, Change::Own(step))).collect();
    for (index, (_, turns)) in rules.iter().enumerate() {
        let turns = turns.iter();
        changes.extend(turns.map(|&(time, holds)| (time, Change::Rule { index, holds })));
    }
    changes.sort_by_key(|(time, _)| *time);
    let (mut own, mut since) = (None, vec![None; rules.len()]);
    let mut course = Course::new();
    for at_once in changes.chunk_by(|left, right| left.0 == right.0) {
        let time = at_once[0].0;
        for (_, change) in at_once {
            match change {
                Change::Own(step) => own = Some(*step),
                Change::Rule { index, holds } => since[*index] = holds.then_some(time),
            }
        }
        let held = since.iter().zip(rules);
        let held = held.filter_map(|(since, (rule, _))| Some(((*since)?, *rule)));
        let status = latest(own, held);
        push(&mut course, Step { time, ..status });
    }
    course
}

/// The status that was come into last. At one time the one with the greater rank, or that of the
/// later rule.
fn latest<'a>(
    own: Option<Step<'a>>,
    held: impl Iterator<Item = (Timestamp, &'a Follow)>,
) -> Step<'a> {
    let step = |(time, rule): (Timestamp, &'a Follow)| Step {
        time,
        status: Some(&rule.status),
        rank: rule.rank,
    };
    let held = held.map(step).max_by_key(|step| step.time);
    let nothing = Step {
        time: Timestamp::default(),
        status: None,
        rank: 0,
    };
    match (own, held) {
        (Some(own), Some(held)) if (own.time, own.rank) > (held.time, held.rank) => own,
        (_, Some(held)) => held,
        (own, None) => own.unwrap_or(nothing),
    }
}
