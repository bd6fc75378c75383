//! A large write in pieces: each of one set of rows, small enough for one statement.

use super::Changes;

impl Changes {
    /// These changes in pieces of at most so many rows; in any order, since no row is in two sets.
    /// What brings a version of the model in force is in the last one.
    #[must_use]
    pub fn pieces(self, rows: usize) -> Vec<Self> {
        // Taken apart by name, so that a set that is added here cannot be forgotten.
        let Self {
            statements,
            added_records,
            records,
            rollups,
            removed_identifiers,
            added_identifiers,
            removed_terms,
            added_terms,
            events,
            added_profiles,
            profiles,
            memberships,
            models,
            activation,
            removed_keys,
            added_keys,
            removed_pairs,
            pairs,
            added_decisions,
            withdrawn_decisions,
            requests,
            identity_changes,
            recount,
            mut log,
        } = self;
        let mut pieces = Vec::new();
        cut(&mut pieces, rows, statements, |piece| &mut piece.statements);
        cut(&mut pieces, rows, added_records, |piece| {
            &mut piece.added_records
        });
        cut(&mut pieces, rows, records, |piece| &mut piece.records);
        cut(&mut pieces, rows, rollups, |piece| &mut piece.rollups);
        cut(&mut pieces, rows, removed_identifiers, |piece| {
            &mut piece.removed_identifiers
        });
        cut(&mut pieces, rows, added_identifiers, |piece| {
            &mut piece.added_identifiers
        });
        cut(&mut pieces, rows, removed_terms, |piece| {
            &mut piece.removed_terms
        });
        cut(&mut pieces, rows, added_terms, |piece| {
            &mut piece.added_terms
        });
        cut(&mut pieces, rows, events, |piece| &mut piece.events);
        cut(&mut pieces, rows, added_profiles, |piece| {
            &mut piece.added_profiles
        });
        cut(&mut pieces, rows, profiles, |piece| &mut piece.profiles);
        cut(&mut pieces, rows, memberships, |piece| {
            &mut piece.memberships
        });
        cut(&mut pieces, rows, removed_keys, |piece| {
            &mut piece.removed_keys
        });
        cut(&mut pieces, rows, added_keys, |piece| &mut piece.added_keys);
        cut(&mut pieces, rows, removed_pairs, |piece| {
            &mut piece.removed_pairs
        });
        cut(&mut pieces, rows, pairs, |piece| &mut piece.pairs);
        cut(&mut pieces, rows, added_decisions, |piece| {
            &mut piece.added_decisions
        });
        cut(&mut pieces, rows, withdrawn_decisions, |piece| {
            &mut piece.withdrawn_decisions
        });
        cut(&mut pieces, rows, identity_changes, |piece| {
            &mut piece.identity_changes
        });
        let end = log.split_off(log.len().saturating_sub(1));
        cut(&mut pieces, 1, log, |piece| &mut piece.log);
        pieces.push(Self {
            models,
            activation,
            requests,
            recount,
            log: end,
            ..Self::default()
        });
        pieces
    }
}

fn cut<T>(
    pieces: &mut Vec<Changes>,
    rows: usize,
    set: Vec<T>,
    field: fn(&mut Changes) -> &mut Vec<T>,
) {
    let mut set = set.into_iter();
    loop {
        let taken: Vec<T> = set.by_ref().take(rows.max(1)).collect();
        if taken.is_empty() {
            return;
        }
        let mut piece = Changes::default();
        *field(&mut piece) = taken;
        pieces.push(piece);
    }
}
