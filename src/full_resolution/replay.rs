//! Records built again from what was said of them, as another model takes it.

use profile_core::model::Model;
use profile_core::records::{Record, Statement, Violation};

use super::Refusal;
use crate::store::StoredStatement;

/// How models differ in what they take of what was said.
#[derive(Debug, Clone, Default)]
pub struct Acceptance {
    /// Statements that the model before takes and the one after refuses.
    pub refused: usize,
    /// Statements that the model before refuses and the one after takes.
    pub accepted: usize,
    /// Some of the refused.
    pub refusals: Vec<Refusal>,
}

/// How many refusals are told.
const MAX_REFUSALS: usize = 10;

/// Whether two models take the same statements, in the same way. What records say is then the same
/// under both.
#[must_use]
pub fn alike(a: &Model, b: &Model) -> bool {
    let forms = |model: &Model| {
        let of = |(name, kind): (&String, &profile_core::model::IdentifierType)| {
            (name.clone(), kind.normalization.clone())
        };
        model.identifiers.iter().map(of).collect::<Vec<_>>()
    };
    let names = |model: &Model| {
        let names = [
            model.sources.keys().cloned().collect::<Vec<_>>(),
            model.traits.keys().cloned().collect(),
        ];
        [
            names,
            [
                model.purposes.keys().cloned().collect(),
                model.channels.keys().cloned().collect(),
            ],
        ]
    };
    names(a) == names(b) && forms(a) == forms(b)
}

/// What a record says under a model, by all statements about it in the order in which they were
/// stored. Who it belongs to, and when it was first heard of, stay.
pub fn replay(
    record: &Record,
    statements: &[StoredStatement],
    (from, to): (&Model, &Model),
    taken: &mut Acceptance,
) -> Record {
    let mut again = record.anew();
    for stored in statements {
        let check = |model: &Model| model.check(stored.draft.clone(), stored.receive_time);
        match (check(to), check(from).is_ok()) {
            (Ok(Statement::Record(statement)), was_taken) => {
                taken.accepted += usize::from(!was_taken);
                again.apply_at(stored.key.stamp, &statement);
            }
            // Events are no part of this history.
            (Ok(Statement::Event(_)), _) | (Err(_), false) => {}
            (Err(violations), true) => {
                taken.refused += 1;
                if taken.refusals.len() < MAX_REFUSALS {
                    let words: Vec<String> = violations.iter().map(Violation::to_string).collect();
                    taken.refusals.push(Refusal {
                        record: record.key.clone(),
                        description: words.join("; "),
                    });
                }
            }
        }
    }
    again
}
