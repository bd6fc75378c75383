//! The change log: what each write changed for those who read profiles, in commit order.
//!
//! A write appends its own part of the log in its own transaction, under the tenant's turn. So the
//! log of a tenant has one entry for each of its writes, without gaps, in the order in which they
//! were committed; whoever has read up to a write has missed nothing before it. An entry may have
//! several parts, where a write changed very much.
//!
//! The log is kept for a while, not for ever. A reader who finds that the entry after the one it
//! read last is not there, although the tenant has gone on, is behind the horizon: it has to begin
//! anew from the profiles themselves.

use std::collections::BTreeSet;

use profile_core::heap_size::{heap_size, plain_size};
use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// A part of what a write changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The write.
    pub sequence: Sequence,
    /// Which part of it, from 0.
    pub part: i32,
    /// Whether it is the last part.
    pub last: bool,
    /// When the write was.
    pub time: Timestamp,
    /// What changed.
    pub body: LogBody,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogBody {
    /// Profile by profile. A profile stands at most once in all parts of an entry.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ProfileChange>,
    /// The cache keys whose answers are old now, as
    /// [`CacheKey::digest`](crate::changes::CacheKey::digest) tells them: numbers, so that no
    /// personal data is in the log.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<u64>,
}

impl LogEntry {
    /// How many changes one part has at most.
    pub const MAX_CHANGES: usize = 1_000;

    /// A write's entry, in parts: at least one, the last of them marked.
    #[must_use]
    pub fn of_write(
        sequence: Sequence,
        time: Timestamp,
        changes: Vec<ProfileChange>,
        keys: Vec<u64>,
    ) -> Vec<Self> {
        let parts = changes
            .len()
            .max(keys.len())
            .div_ceil(Self::MAX_CHANGES)
            .max(1);
        let (mut changes, mut keys) = (changes.into_iter(), keys.into_iter());
        let part = |part: usize| Self {
            sequence,
            part: i32::try_from(part).unwrap_or(i32::MAX),
            last: part + 1 == parts,
            time,
            body: LogBody {
                changes: changes.by_ref().take(Self::MAX_CHANGES).collect(),
                keys: keys.by_ref().take(Self::MAX_CHANGES).collect(),
            },
        };
        (0..parts).map(part).collect()
    }

    /// The place up to which all is read after it.
    #[must_use]
    pub fn end(&self) -> LogPosition {
        if self.last {
            LogPosition::after(self.sequence)
        } else {
            self.position()
        }
    }

    /// Its place.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition {
            sequence: self.sequence,
            part: self.part,
        }
    }
}

/// What a write changed of one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChange {
    /// Which profile.
    #[serde(rename = "p")]
    pub profile: ProfileId,
    /// What became of it.
    #[serde(rename = "s")]
    pub kind: ChangeKind,
    /// Its revision before; 0: there was none.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    pub old_revision: i64,
    /// Its revision now.
    #[serde(rename = "n")]
    pub revision: i64,
    /// What its records say differently, sorted: `identifiers`, `records`, `timeline`,
    /// `traits.{name}`, `preferences.{name}`, `accessibility.{name}`, `consents`. The profile's own
    /// trait may be the same still, where another record has the last word.
    #[serde(rename = "f", default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The types of the events that were added, sorted.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// The types of the events that were taken back or replaced, sorted.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub retracted_events: Vec<String>,
    /// The profiles that went into it.
    #[serde(rename = "mf", default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<ProfileId>,
    /// The profiles out of which its records came, and which live on.
    #[serde(rename = "sf", default, skip_serializing_if = "Vec::is_empty")]
    pub split_from: Vec<ProfileId>,
    /// The profiles to which records went that it had.
    #[serde(rename = "si", default, skip_serializing_if = "Vec::is_empty")]
    pub split_into: Vec<ProfileId>,
    /// The stays in segments that began, and those that ended, in order of segment.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentStay>,
}

/// A stay in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentStay {
    /// Its name in the model.
    #[serde(rename = "s")]
    pub segment: String,
    /// When it began.
    #[serde(rename = "b")]
    pub enter_time: Timestamp,
    /// When it ended. `None` for one that has begun.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub exit_time: Option<Timestamp>,
}

impl ProfileChange {
    /// Of a profile that stays as it is.
    #[must_use]
    pub fn unchanged(profile: ProfileId, revision: i64) -> Self {
        Self {
            profile,
            kind: ChangeKind::Updated,
            old_revision: revision,
            revision,
            fields: Vec::new(),
            events: Vec::new(),
            retracted_events: Vec::new(),
            merged_from: Vec::new(),
            split_from: Vec::new(),
            split_into: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// Whether it concerns someone who cares for these fields: an update of one of them, or
    /// anything that is no update. Segments are fields of a profile too.
    #[must_use]
    pub fn concerns(&self, fields: &BTreeSet<String>) -> bool {
        // All of a group, or one of it: `traits`, `traits.city`.
        let group = |field: &str| {
            field
                .split_once('.')
                .is_some_and(|(group, _)| fields.contains(group))
        };
        let named = |field: &String| fields.contains(field) || group(field);
        !matches!(self.kind, ChangeKind::Updated | ChangeKind::SegmentsChanged)
            || self.changed_nothing_named()
            || self.fields.iter().any(named)
    }

    /// Whether it is not known what changed.
    fn changed_nothing_named(&self) -> bool {
        self.fields.is_empty() && self.merged_from.is_empty() && self.split_into.is_empty()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What became of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new, or lives again.
    Created,
    /// It says something else, or has other records.
    Updated,
    /// It went into another one, to which it redirects.
    Merged(ProfileId),
    /// All of its records are gone.
    Deleted,
    /// It entered or left segments.
    SegmentsChanged,
}

plain_size!(ChangeKind);

heap_size! {
    ProfileChange {
        profile, kind, old_revision, revision, fields, events, retracted_events, merged_from, split_from, split_into, segments,
    }
    SegmentStay { segment, enter_time, exit_time }
}

/// A place in a tenant's log: after this part of this write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogPosition {
    /// The write.
    pub sequence: Sequence,
    /// The part.
    pub part: i32,
}

impl LogPosition {
    /// After all of a write.
    #[must_use]
    pub fn after(sequence: Sequence) -> Self {
        Self {
            sequence,
            part: i32::MAX,
        }
    }
}

/// From where on to read a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCursor {
    /// Whose log.
    pub tenant: TenantId,
    /// What was read before.
    pub after: LogPosition,
}

/// The log of a tenant from a cursor on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogTail {
    /// The tenant's last write.
    pub head: Sequence,
    /// The version of its model in force then.
    pub model_version: i64,
    /// What follows the cursor, in order.
    pub entries: Vec<LogEntry>,
}

impl LogTail {
    /// Whether it goes on right where a reader stopped: if not, what is between has been thrown
    /// away.
    #[must_use]
    pub fn follows(&self, after: LogPosition) -> bool {
        let whole = after.part == i32::MAX;
        match self.entries.first() {
            Some(first) if first.sequence == after.sequence => {
                whole || first.part == after.part + 1
            }
            Some(first) => whole && first.sequence.0 == after.sequence.0 + 1 && first.part == 0,
            None => self.head == after.sequence && whole,
        }
    }
}

/// How long the log is kept: whichever bound is met first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRetention {
    /// Entries of writes before this time may go.
    pub before: Timestamp,
    /// The latest entries that have no more than so many bytes together stay.
    pub max_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: u128) -> ProfileChange {
        ProfileChange {
            kind: ChangeKind::Created,
            ..ProfileChange::unchanged(ProfileId(uuid::Uuid::from_u128(number)), 1)
        }
    }

    #[test]
    fn a_large_write_is_logged_in_parts_and_an_empty_one_in_one() {
        let of = |changes: u128| {
            let changes = (0..changes).map(change).collect();
            LogEntry::of_write(Sequence(7), Timestamp::default(), changes, vec![1, 2])
        };
        let told = |entries: Vec<LogEntry>| -> Vec<(i32, bool, usize, usize)> {
            entries
                .iter()
                .map(|e| (e.part, e.last, e.body.changes.len(), e.body.keys.len()))
                .collect()
        };
        assert_eq!(told(of(0)), [(0, true, 0, 2)]);
        assert_eq!(
            told(of(2_001)),
            [(0, false, 1_000, 2), (1, false, 1_000, 0), (2, true, 1, 0)]
        );
    }

    #[test]
    fn a_tail_that_begins_later_than_the_cursor_tells_of_a_gap() {
        let tail = |head, entries: &[(i64, i32)]| LogTail {
            head: Sequence(head),
            entries: entries
                .iter()
                .flat_map(|(sequence, part)| {
                    let mut entry = LogEntry::of_write(
                        Sequence(*sequence),
                        Timestamp::default(),
                        vec![],
                        vec![],
                    );
                    entry[0].part = *part;
                    entry
                })
                .collect(),
            ..LogTail::default()
        };
        let after = |sequence, part| LogPosition {
            sequence: Sequence(sequence),
            part,
        };
        assert!(tail(3, &[]).follows(LogPosition::after(Sequence(3))));
        assert!(tail(4, &[(4, 0)]).follows(LogPosition::after(Sequence(3))));
        assert!(tail(4, &[(4, 1)]).follows(after(4, 0)));
        assert!(!tail(4, &[]).follows(LogPosition::after(Sequence(3))));
        assert!(!tail(5, &[(5, 0)]).follows(LogPosition::after(Sequence(3))));
        assert!(!tail(4, &[(4, 1)]).follows(LogPosition::after(Sequence(3))));
    }
}
