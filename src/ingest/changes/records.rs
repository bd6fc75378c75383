//! The rows that change with a record: itself, its identifiers, blocking keys, search terms, its
//! membership. The one place that compares two states of a record for the store.

use std::collections::BTreeSet;

use profile_core::identity::{BlockingKey, Features};
use profile_core::model::Model;
use profile_core::records::{Identifier, Record, words};

use super::WriteContext;
use crate::neighbourhood::Neighbourhood;
use crate::store::{Changes, MembershipChange, SearchTerm};

/// Compares records before and after a write.
#[derive(Clone, Copy)]
pub(crate) struct RecordDiff<'a> {
    context: WriteContext<'a>,
    /// The model that the records are stored by, if it is another than `model`.
    former_model: Option<&'a Model>,
    model: &'a Model,
    /// Those whose keys are known already.
    neighbourhood: Option<&'a Neighbourhood>,
}

impl<'a> RecordDiff<'a> {
    /// The difference of records under one model.
    pub(crate) fn under(context: WriteContext<'a>, model: &'a Model) -> Self {
        Self {
            context,
            former_model: None,
            model,
            neighbourhood: None,
        }
    }

    /// The difference of the records of a neighbourhood.
    pub(super) fn within(
        context: WriteContext<'a>,
        model: &'a Model,
        neighbourhood: &'a Neighbourhood,
    ) -> Self {
        Self {
            neighbourhood: Some(neighbourhood),
            ..Self::under(context, model)
        }
    }

    /// The difference of records that one model stored and another one takes over.
    pub(crate) fn between(context: WriteContext<'a>, from: &'a Model, to: &'a Model) -> Self {
        Self {
            former_model: Some(from),
            ..Self::under(context, to)
        }
    }

    /// Adds to `changes` what differs between two states of a record; `None` before for a new one.
    pub(crate) fn add(&self, changes: &mut Changes, before: Option<&Record>, after: &Record) {
        let same_statements = before.is_some_and(|before| before.says_the_same(after));
        if self.former_model.is_some() || !same_statements {
            self.add_terms(changes, before, after);
            self.add_keys(changes, before, after);
        }
        if let Some(before) = before
            && before.is_kept_as(after)
        {
            if before.rollup != after.rollup {
                let rollup = (after.key.clone(), after.rollup.clone());
                changes.rollups.push(rollup);
            }
            return;
        }
        let records = if before.is_some() {
            &mut changes.records
        } else {
            &mut changes.added_records
        };
        records.push(after.clone());
        add_identifiers(changes, before, after);
        self.add_membership(changes, before, after);
    }

    fn add_terms(&self, changes: &mut Changes, before: Option<&Record>, after: &Record) {
        let former_model = self.former_model.unwrap_or(self.model);
        let had: BTreeSet<SearchTerm> = before
            .into_iter()
            .flat_map(|record| terms(record, former_model))
            .collect();
        let has: BTreeSet<SearchTerm> = terms(after, self.model).collect();
        changes.removed_terms.extend(had.difference(&has).cloned());
        changes.added_terms.extend(has.difference(&had).cloned());
    }

    fn add_keys(&self, changes: &mut Changes, before: Option<&Record>, after: &Record) {
        let former_model = self.former_model.unwrap_or(self.model);
        let had = before.map(|record| blocking_keys(record, former_model));
        let known = self.neighbourhood;
        let known = known.and_then(|known| known.blocking_keys(&after.key));
        let has = known.map_or_else(
            || blocking_keys(after, self.model),
            |keys| keys.iter().copied().collect(),
        );
        let had = had.unwrap_or_default();
        let with_record = |key: &BlockingKey| (*key, after.key.clone());
        let removed = had.difference(&has).map(with_record);
        changes.removed_keys.extend(removed);
        let added = has.difference(&had).map(with_record);
        changes.added_keys.extend(added);
    }

    fn add_membership(&self, changes: &mut Changes, before: Option<&Record>, after: &Record) {
        let from = before.and_then(|record| record.membership.profile);
        if from != after.membership.profile {
            changes.memberships.push(MembershipChange {
                record: after.key.clone(),
                sequence: self.context.sequence,
                profile: after.membership.profile,
                time: self.context.now,
                reason: after.membership.reason.clone(),
            });
        }
    }
}

fn add_identifiers(changes: &mut Changes, before: Option<&Record>, after: &Record) {
    let had: BTreeSet<Identifier> = before.into_iter().flat_map(Record::postings).collect();
    let has: BTreeSet<Identifier> = after.postings().collect();
    let with_record = |identifier: &Identifier| (identifier.clone(), after.key.clone());
    let removed = had.difference(&has).map(with_record);
    changes.removed_identifiers.extend(removed);
    let added = has.difference(&had).map(with_record);
    changes.added_identifiers.extend(added);
}

fn blocking_keys(record: &Record, model: &Model) -> BTreeSet<BlockingKey> {
    Features::of(record, model)
        .match_keys()
        .into_iter()
        .collect()
}

/// The search terms of a record: the words of its searchable traits.
fn terms<'a>(record: &'a Record, model: &'a Model) -> impl Iterator<Item = SearchTerm> + 'a {
    record
        .traits()
        .filter(|(name, ..)| model.traits.get(*name).is_some_and(|kind| kind.searchable))
        .flat_map(|(name, value, _)| {
            words(&value.to_string())
                .into_iter()
                .map(move |word| (name, word))
        })
        .map(|(name, term)| SearchTerm {
            term,
            kind: name.to_owned(),
            record: record.key.clone(),
        })
}
