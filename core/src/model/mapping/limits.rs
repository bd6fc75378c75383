//! Limits of the company are kept, whatever else of their payload is wrong.
//!
//! **The problem.** One payload says when somebody was born, in a form that cannot be read, and
//! that they are not to be contacted. Refused as a whole, it leaves them open to contact until
//! somebody has mended the payload.
//!
//! **The choice.** Of a payload of which something is wrong, refusals, withdrawals and limiting
//! preferences are made all the same. Everything else waits until the payload is mended and said
//! again: half of a record or a grant whose time cannot be read is worse than none. The limits are
//! read before all else, so that an expensive expression leaves them their share of the budget.
//!
//! A word whose version or time cannot be read counts from its receipt, as the latest. A statement
//! whose condition cannot be read is kept where the payload itself says the word: a constant of the
//! mapping is nobody's word.

use serde_json::Value as Json;

use super::{Kind, Mapped, NotedDraft, Run};
use crate::model::expression::{Expression, Payload};
use crate::model::{Model, NoteReason, Notes};
use crate::records::{Draft, Reason, Violation};

/// The statements of a payload of which a part may be wrong.
#[derive(Debug, Clone, Default)]
pub struct PartlyMapped {
    /// The statements. Where there are violations, only those that limit the company.
    pub mapped: Mapped,
    /// The mistakes; empty where all of the payload fits.
    pub violations: Vec<Violation>,
}

impl PartlyMapped {
    /// The statements of a payload that fits as a whole.
    ///
    /// # Errors
    /// Everything that does not fit.
    pub fn whole(self) -> Result<Mapped, Vec<Violation>> {
        if self.violations.is_empty() {
            Ok(self.mapped)
        } else {
            Err(self.violations)
        }
    }

    fn refused(violation: Violation) -> Self {
        let violations = vec![violation];
        Self {
            violations,
            ..Self::default()
        }
    }
}

impl Model {
    /// Makes the statements that a payload stands for, as [`map`](Self::map) does, with notes and
    /// with what the mapping makes no statement of. Of a payload that does not fit as a whole it
    /// makes those that limit the company, and tells what is wrong. The payload is to be reported
    /// as refused then, and can be said again when it is mended: what was kept of it is then said a
    /// second time and changes nothing.
    #[must_use]
    pub fn map_in_part(&self, source: &str, kind: &str, payload: &Json) -> PartlyMapped {
        let mapping = match self.kind(source, kind) {
            Ok(mapping) => mapping,
            Err(violation) => return PartlyMapped::refused(violation),
        };
        if !payload.is_object() {
            let (field, what) = ("payload", "is not a JSON object");
            return PartlyMapped::refused(Violation::new(Reason::MappingFailed, field, what));
        }
        let evaluated = Payload::of_zones(payload, self.zones(source));
        let mut run = Run {
            model: self,
            source,
            payload: &evaluated,
            path: String::new(),
            violations: Vec::new(),
            omissions: Vec::new(),
            notes: Notes::default(),
            in_doubt: false,
        };
        let mut drafts = run.all(mapping, kind, payload);
        let (violations, omissions) = (run.violations, run.omissions);
        if !violations.is_empty() {
            drafts = self.limits_of(drafts);
        }
        PartlyMapped {
            mapped: Mapped { drafts, omissions },
            violations,
        }
    }

    /// The statements that limit the company, as far as they do. Notes go over to the next that is
    /// kept.
    fn limits_of(&self, drafts: Vec<NotedDraft>) -> Vec<NotedDraft> {
        let (mut kept, mut notes) = (Vec::new(), Notes::default());
        for made in drafts {
            notes.extend(made.notes);
            let draft = self.limit_of(made.draft);
            kept.extend(draft.map(|draft| NotedDraft {
                draft,
                notes: std::mem::take(&mut notes),
            }));
        }
        kept
    }

    /// A statement as far as it limits the company.
    pub(super) fn limit_of(&self, draft: Draft) -> Option<Draft> {
        if draft.record().is_none_or(|record| record.key.is_empty()) {
            return None;
        }
        match draft {
            Draft::Preferences(mut said) => {
                said.preferences
                    .retain(|name, value| self.is_limit(name, value.as_ref()));
                (!said.preferences.is_empty()).then_some(Draft::Preferences(said))
            }
            Draft::Consent(said) if super::consent::refuses(&said.fields) => {
                Some(Draft::Consent(said))
            }
            _ => None,
        }
    }
}

impl Run<'_> {
    fn all(&mut self, mapping: &Kind, kind: &str, payload: &Json) -> Vec<NotedDraft> {
        let mut drafts = Vec::with_capacity(2);
        if let Some(record) = &mapping.record {
            self.path = format!("records.{kind}");
            let made = self.record(record);
            drafts.extend(self.noted(made));
        }
        for (index, event) in mapping.events.iter().enumerate() {
            self.path = match mapping.events.len() {
                1 => format!("events.{kind}"),
                _ => format!("events.{kind}[{index}]"),
            };
            drafts.extend(self.events(event, payload));
        }
        drafts
    }

    /// Whether a word is nobody's: a constant of the mapping, where its condition is not known to
    /// hold.
    pub(super) fn is_nobodys(&self, word: &Expression) -> bool {
        self.in_doubt && word.fields_read().is_empty()
    }

    /// Notes what is wrong in place of refusing the payload for it.
    pub(super) fn note_violations(&mut self, which: std::ops::Range<usize>) {
        let prefix = format!("{}.", self.path);
        for violation in self.violations.drain(which) {
            let field = violation.field.strip_prefix(&prefix);
            let field = field.unwrap_or(&violation.field).to_owned();
            let description = violation.description.into();
            self.notes.remark(field, NoteReason::Malformed, description);
        }
    }
}
