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
            corrected_events,
            corrections,
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
        let mut pieces = Pieces::of(rows);
        pieces.cut(statements, |piece| &mut piece.statements);
        pieces.cut(added_records, |piece| &mut piece.added_records);
        pieces.cut(records, |piece| &mut piece.records);
        pieces.cut(rollups, |piece| &mut piece.rollups);
        pieces.cut(removed_identifiers, |piece| &mut piece.removed_identifiers);
        pieces.cut(added_identifiers, |piece| &mut piece.added_identifiers);
        pieces.cut(removed_terms, |piece| &mut piece.removed_terms);
        pieces.cut(added_terms, |piece| &mut piece.added_terms);
        pieces.cut(events, |piece| &mut piece.events);
        pieces.cut(corrected_events, |piece| &mut piece.corrected_events);
        pieces.cut(corrections, |piece| &mut piece.corrections);
        pieces.cut(added_profiles, |piece| &mut piece.added_profiles);
        pieces.cut(profiles, |piece| &mut piece.profiles);
        pieces.cut(memberships, |piece| &mut piece.memberships);
        pieces.cut(removed_keys, |piece| &mut piece.removed_keys);
        pieces.cut(added_keys, |piece| &mut piece.added_keys);
        pieces.cut(removed_pairs, |piece| &mut piece.removed_pairs);
        pieces.cut(pairs, |piece| &mut piece.pairs);
        pieces.cut(added_decisions, |piece| &mut piece.added_decisions);
        pieces.cut(withdrawn_decisions, |piece| &mut piece.withdrawn_decisions);
        pieces.cut(identity_changes, |piece| &mut piece.identity_changes);
        let end = log.split_off(log.len().saturating_sub(1));
        let mut pieces = pieces.done;
        pieces.extend(log.into_iter().map(|entry| Self {
            log: vec![entry],
            ..Self::default()
        }));
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

/// The pieces that were cut so far.
struct Pieces {
    rows: usize,
    done: Vec<Changes>,
}

impl Pieces {
    fn of(rows: usize) -> Self {
        Self {
            rows: rows.max(1),
            done: Vec::new(),
        }
    }

    fn cut<T>(&mut self, set: Vec<T>, field: fn(&mut Changes) -> &mut Vec<T>) {
        let mut set = set.into_iter();
        loop {
            let taken: Vec<T> = set.by_ref().take(self.rows).collect();
            if taken.is_empty() {
                return;
            }
            let mut piece = Changes::default();
            *field(&mut piece) = taken;
            self.done.push(piece);
        }
    }
}
