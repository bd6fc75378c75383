//! Records built again from their statements, as another model accepts them.

use profile_core::model::{Model, Normalization};
use profile_core::records::rollup::Rollup;
use profile_core::records::{Record, RecordKey, Statement, Violation};

use super::{ModelChange, Refusal};
use crate::store::StoredStatement;

/// How two models differ in the statements that they accept.
#[derive(Debug, Clone, Default)]
pub struct Acceptance {
    /// Statements that only the model before accepts.
    pub refused: usize,
    /// Statements that only the model after accepts.
    pub accepted: usize,
    /// Some of the refused statements.
    pub refusals: Vec<Refusal>,
}

/// Maximum number of sampled refusals.
const MAX_REFUSALS: usize = 10;

/// Whether two models accept the same statements, in the same way. Records are then the same under
/// both.
#[must_use]
pub fn same_acceptance(models: ModelChange<'_>) -> bool {
    names(models.from) == names(models.to)
        && normalizations(models.from) == normalizations(models.to)
}

/// The names that statements may use.
fn names(model: &Model) -> [Vec<&String>; 4] {
    [
        model.sources.keys().collect(),
        model.traits.keys().collect(),
        model.purposes.keys().collect(),
        model.channels.keys().collect(),
    ]
}

fn normalizations(model: &Model) -> Vec<(&String, &Normalization)> {
    let identifiers = model.identifiers.iter();
    identifiers
        .map(|(name, kind)| (name, &kind.normalization))
        .collect()
}

/// A record as another model accepts its statements, which are in the order in which they were
/// stored. Its membership and the time it was first seen stay. If its events are another holder's
/// now, the background counts them again.
pub fn replay(
    record: &Record,
    statements: &[StoredStatement],
    models: ModelChange<'_>,
    acceptance: &mut Acceptance,
) -> Record {
    let mut replayed = record.anew();
    for stored in statements {
        let check = |model: &Model| model.check(stored.draft.clone(), stored.receive_time);
        let was_accepted = check(models.from).is_ok();
        match check(models.to) {
            Ok(Statement::Record(statement)) => {
                acceptance.accepted += usize::from(!was_accepted);
                replayed.apply_at(stored.key.stamp, &statement);
            }
            Err(violations) if was_accepted => acceptance.refuse(&record.key, &violations),
            // Events are no part of this history.
            Ok(Statement::Event(_) | Statement::Correction(_)) | Err(_) => {}
        }
    }
    if replayed.reused_since() != record.reused_since() {
        replayed.rollup = Rollup::default();
    }
    replayed
}

impl Acceptance {
    fn refuse(&mut self, record: &RecordKey, violations: &[Violation]) {
        self.refused += 1;
        if self.refusals.len() < MAX_REFUSALS {
            let words: Vec<String> = violations.iter().map(Violation::to_string).collect();
            self.refusals.push(Refusal {
                record: record.clone(),
                description: words.join("; "),
            });
        }
    }
}
