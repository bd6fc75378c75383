//! Statements that cannot be written as things are when their turn comes: another model is in force
//! than the one that they were checked under, or their records were erased.

use std::borrow::Cow;
use std::collections::BTreeSet;

use profile_core::records::{Reason, RecordKey, Statement, Violation};

use super::Batch;
use crate::active_models::ActiveModel;
use crate::ingest::apply::Outcome;

/// The statements of a batch that fit the model in force: those that were checked under another one
/// are checked again.
pub(super) struct Rechecked<'a> {
    pub(super) statements: Cow<'a, [Statement]>,
    /// What is wrong with each statement of the batch by now; empty when nothing was checked again.
    pub(super) rejected: Vec<Option<Vec<Violation>>>,
}

impl<'a> Rechecked<'a> {
    pub(super) fn new(batch: Batch<'a>, running: &ActiveModel) -> Self {
        if batch.model == Some(running.version) {
            return Self {
                statements: Cow::Borrowed(batch.statements),
                rejected: Vec::new(),
            };
        }
        let (mut statements, mut rejected) = (Vec::new(), Vec::new());
        for statement in batch.statements {
            match running
                .model
                .check(statement.draft(), statement.receive_time())
            {
                Ok(statement) => {
                    statements.push(statement);
                    rejected.push(None);
                }
                Err(violations) => rejected.push(Some(violations)),
            }
        }
        Self {
            statements: Cow::Owned(statements),
            rejected,
        }
    }
}

impl Rechecked<'_> {
    /// The same without what is said of erased records.
    pub(super) fn without(self, erased: &BTreeSet<RecordKey>) -> Self {
        let is_erased =
            |statement: &Statement| statement.record().is_some_and(|it| erased.contains(it));
        if !self.statements.iter().any(is_erased) {
            return self;
        }
        let rejected = if self.rejected.is_empty() {
            vec![None; self.statements.len()]
        } else {
            self.rejected
        };
        let (mut kept, mut outcomes) = (Vec::new(), Vec::new());
        let mut statements = self.statements.into_owned().into_iter();
        for rejected in rejected {
            let Some(violations) = rejected else {
                let statement = statements.next();
                let gone = statement.as_ref().is_some_and(is_erased);
                outcomes.push(gone.then(|| vec![record_erased()]));
                kept.extend(statement.filter(|_| !gone));
                continue;
            };
            outcomes.push(Some(violations));
        }
        Self {
            statements: Cow::Owned(kept),
            rejected: outcomes,
        }
    }
}

fn record_erased() -> Violation {
    Violation::new(
        Reason::RecordErased,
        "record",
        "the record was erased; nothing is stored about it until the erasure is released",
    )
}

/// The outcomes of all statements of a batch, from what was [`rejected`](Rechecked::rejected) and
/// those of the ones that fit.
pub(super) fn merge(rejected: Vec<Option<Vec<Violation>>>, outcomes: Vec<Outcome>) -> Vec<Outcome> {
    if rejected.is_empty() {
        return outcomes;
    }
    let mut outcomes = outcomes.into_iter();
    let all = rejected.into_iter().map(|rejected| match rejected {
        Some(violations) => Some(Outcome::Rejected(violations)),
        None => outcomes.next(),
    });
    all.flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use profile_core::model::Model;

    use super::*;
    use crate::tests::{NOW, key, record};

    #[test]
    fn statements_checked_under_another_model_are_checked_again() {
        let model = Model::parse(crate::tests::MODEL).expect("a model");
        let statement = model.check(record("1", "account", "a"), NOW).expect("fits");
        let batch = Batch {
            statements: &[statement],
            model: Some(1),
        };
        let active = |version, file: &str| ActiveModel {
            version,
            model: Arc::new(Model::parse(file).expect("a model")),
        };
        let other = active(2, "sources: { elsewhere: }");
        let rechecked = Rechecked::new(batch, &other);
        assert!(rechecked.statements.is_empty());
        assert!(rechecked.rejected[0].is_some());
        let same = active(1, "sources: { elsewhere: }");
        assert_eq!(Rechecked::new(batch, &same).statements.len(), 1);
    }

    #[test]
    fn outcomes_keep_the_order_of_the_statements() {
        let rejected = vec![None, Some(Vec::new()), None];
        let outcomes = merge(rejected, vec![Outcome::Stored, Outcome::Duplicate]);
        assert_eq!(
            outcomes,
            [
                Outcome::Stored,
                Outcome::Rejected(Vec::new()),
                Outcome::Duplicate
            ]
        );
    }

    #[test]
    fn what_is_said_of_erased_records_is_rejected_in_its_place() {
        let model = Model::parse(crate::tests::MODEL).expect("a model");
        let said = ["1", "2", "3"].map(|name| {
            model
                .check(record(name, "account", name), NOW)
                .expect("fits")
        });
        let batch = Batch {
            statements: &said,
            model: Some(1),
        };
        let active = ActiveModel {
            version: 1,
            model: Arc::new(model),
        };
        let erased = BTreeSet::from([key("2")]);
        let rechecked = Rechecked::new(batch, &active).without(&erased);
        assert_eq!(rechecked.statements.len(), 2);
        let stored = vec![Outcome::Stored, Outcome::Stored];
        let outcomes = merge(rechecked.rejected, stored);
        let refused = |outcome: &Outcome| match outcome {
            Outcome::Rejected(violations) => violations[0].reason == Reason::RecordErased,
            _ => false,
        };
        assert_eq!(
            outcomes.iter().map(refused).collect::<Vec<_>>(),
            [false, true, false]
        );
        let nobody = Rechecked::new(batch, &active).without(&BTreeSet::from([key("4")]));
        assert!(nobody.rejected.is_empty());
    }
}
