//! The log of merges and splits, from where records were and are.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::records::{ProfileId, ProfileRow, ProfileState, Record, RecordKey};

use super::WriteContext;
use crate::store::{Cause, IdentityChange, IdentityChangeKind};

/// A profile that records leave, and the one that they enter.
type Move = (ProfileId, ProfileId);

/// Merges and splits, from the states of records before and after: a profile that redirects to
/// another was merged into it; any other that records left was split.
pub(crate) fn identity_changes<'a>(
    context: WriteContext<'_>,
    states: impl Iterator<Item = (&'a Record, &'a Record)>,
    rows: &[ProfileRow],
    cause: &dyn Fn(ProfileId) -> Cause,
) -> Vec<IdentityChange> {
    let merges: BTreeSet<Move> = rows.iter().filter_map(merge).collect();
    let mut changes = Vec::new();
    for ((from, into), mut moved) in moved_records(states) {
        let moved_count = moved.len();
        moved.truncate(IdentityChange::MAX_MOVED);
        let kind = if merges.contains(&(from, into)) {
            IdentityChangeKind::Merge
        } else {
            IdentityChangeKind::Split
        };
        changes.push(IdentityChange {
            sequence: context.sequence,
            ordinal: i32::try_from(changes.len()).unwrap_or(i32::MAX),
            kind,
            from,
            into,
            time: context.now,
            moved,
            moved_count,
            cause: cause(from),
        });
    }
    changes
}

/// The records of each move, with the reason for it.
fn moved_records<'a>(
    states: impl Iterator<Item = (&'a Record, &'a Record)>,
) -> BTreeMap<Move, Vec<(RecordKey, String)>> {
    let mut moves: BTreeMap<Move, Vec<(RecordKey, String)>> = BTreeMap::new();
    for (before, after) in states {
        if let (Some(from), Some(into)) = (before.membership.profile, after.membership.profile)
            && from != into
        {
            let record = (after.key.clone(), after.membership.reason.clone());
            moves.entry((from, into)).or_default().push(record);
        }
    }
    moves
}

fn merge(row: &ProfileRow) -> Option<Move> {
    match row.state {
        ProfileState::MergedInto(into) => Some((row.id, into)),
        ProfileState::Live | ProfileState::Deleted => None,
    }
}
