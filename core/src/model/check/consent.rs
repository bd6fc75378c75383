//! Checks what is said about purposes.
//!
//! A field that only describes a consent (language, notice, proof, …) does not take the customer's
//! word with it: where it cannot be read, it is left out and noted. So is what would bound a denial
//! or a withdrawal; a grant that may be bounded in a way that is not understood is refused. A
//! denial or a withdrawal whose source dates it ahead of its receipt holds at once: a clock that is
//! fast, or a zone that was read wrongly, must not let the company go on for hours.
//!
//! A grant that is read off a list takes a fixed place: the time from which it holds, or before
//! everything else. So the list can be said again and again, and a withdrawal stays.

mod remarks;

use super::{Check, MAX_IDENTIFIER_BYTES, TIMES};
use crate::choices::Listed;
use crate::model::NoteReason;
use crate::model::expression::Conversion;
use crate::records::{
    Change, Consent, ConsentStatus, ContentHash, Draft, DraftConsent, Identifier, Reason,
    RecordStatement, Statement, Timestamp, Value, Violation, plausible_time,
};
use remarks::Remarked;

/// The longest of most texts, in bytes.
const MAX_TEXT_BYTES: usize = 256;
/// The longest reference, in bytes.
const MAX_REFERENCE_BYTES: usize = 1_024;
/// The longest string of the Transparency and Consent Framework, in bytes.
const MAX_TCF_BYTES: usize = 8 * 1_024;

/// The fields of a consent beside its purpose and its contact point, and what a mapped value is
/// converted to; `None` is a text.
pub(crate) const FIELDS: [Listed<Option<Conversion>>; 13] = [
    Listed::required(
        "status",
        None,
        "`granted`, `denied`, `withdrawn` or `pending`, or a word that means one of them, such as \
         `unsubscribed`. No value: nothing is said.",
    ),
    Listed::optional(
        "effective_time",
        Some(Conversion::Time),
        "From when on it holds. Default: when the source said so.",
    ),
    Listed::optional(
        "expire_time",
        Some(Conversion::Time),
        "From when on it holds no longer.",
    ),
    Listed::optional("legal_basis", None, "As in `purposes`."),
    Listed::optional(
        "gpc",
        Some(Conversion::Bool),
        "The Global Privacy Control signal that came with it.",
    ),
    Listed::optional(
        "jurisdiction",
        None,
        "Under which law: ISO 3166, `DE`, `US-CA`.",
    ),
    Listed::optional(
        "policy_version",
        None,
        "Which version of the policy was agreed to.",
    ),
    Listed::optional("notice", None, "The notice that was shown."),
    Listed::optional("collection_method", None, "How it was collected."),
    Listed::optional("proof", None, "What proves it."),
    Listed::optional("receipt_id", None, "The id of the customer's receipt."),
    Listed::optional("language", None, "The language it was asked in: BCP 47."),
    Listed::optional(
        "tcf_string",
        None,
        "The raw string of the IAB Transparency and Consent Framework that came with it.",
    ),
];

impl Check<'_> {
    pub(super) fn consent(
        &mut self,
        path: &str,
        draft: DraftConsent,
        receive_time: Timestamp,
    ) -> Statement {
        let order = (draft.version, draft.source_time);
        self.about(path, &draft.record, order, receive_time);
        let path = format!("{path}.consent");
        self.purpose(format!("{path}.purpose"), &draft.purpose);
        let contact_point = draft
            .contact_point
            .as_ref()
            .and_then(|point| self.contact_point(&path, point, &draft.record.source));
        let status = self.status(&path, &draft);
        let mut remarks = Remarked::default();
        remarks.known_fields(&draft);
        let said_time = plausible_time(draft.source_time, receive_time);
        let (effective_time, expire_time) =
            self.times(&path, &draft, (status, said_time), &mut remarks);
        let effective_time = if permits(status) || self.strict {
            effective_time
        } else {
            remarks.not_ahead(effective_time, receive_time)
        };
        let consent = Consent {
            purpose: draft.purpose.clone(),
            contact_point,
            status,
            effective_time: effective_time.unwrap_or(said_time),
            expire_time,
            legal_basis: remarks.legal_basis(&draft),
            gpc: remarks.gpc(&draft),
            notes: Box::new(remarks.notes(&draft)),
        };
        self.remarks(path.trim_end_matches(".consent"), remarks.0, true);
        let (order, source_time) = place(&draft, status, effective_time, receive_time);
        Statement::Record(RecordStatement {
            record: draft.record.clone(),
            change: Change::Consent(Box::new(consent)),
            order,
            source_time,
            receive_time,
            content: ContentHash::of(&(
                "consent",
                &draft.purpose,
                &draft.contact_point,
                &draft.fields,
            )),
            draft: Draft::Consent(draft),
        })
    }

    /// The status that is said, and a denial where none is understood.
    fn status(&mut self, path: &str, draft: &DraftConsent) -> ConsentStatus {
        let field = || format!("{path}.status");
        match draft.fields.get("status") {
            None => self.violations.push(Violation::required(field())),
            Some(said) => {
                if let Some(status) = said.as_str().and_then(ConsentStatus::read) {
                    return status;
                }
                let names = ConsentStatus::ALL.map(|(name, _)| name).join(", ");
                let rule = format!("must be one of {names}");
                self.add(Reason::Malformed, field(), rule);
            }
        }
        ConsentStatus::Denied
    }

    fn purpose(&mut self, field: String, purpose: &str) {
        if purpose.is_empty() {
            self.violations.push(Violation::required(field));
        } else if !self.model.purposes.contains_key(purpose) {
            self.not_declared(field, "purpose", purpose, self.model.purposes.keys());
        }
    }

    fn contact_point(&mut self, path: &str, said: &Identifier, source: &str) -> Option<Identifier> {
        let Some(kind) = self.model.identifiers.get(&said.kind) else {
            let field = format!("{path}.contact_point.type");
            self.not_declared(
                field,
                "identifier type",
                &said.kind,
                self.model.identifiers.keys(),
            );
            return None;
        };
        let field = format!("{path}.contact_point.value");
        let home = self.model.home(source, []);
        let value = kind.normalize_at(&said.value, home);
        if self.text(&field, &said.value, MAX_IDENTIFIER_BYTES) && value.is_empty() {
            self.violations.push(Violation::required(field));
        }
        Some(Identifier::new(&said.kind, value))
    }

    /// From when on it holds, and until when. Of a word that permits nothing what cannot be read is
    /// left out, so that it holds at once and does not end; of one that permits it is a violation.
    fn times(
        &mut self,
        path: &str,
        draft: &DraftConsent,
        (status, said_time): (ConsentStatus, Timestamp),
        remarks: &mut Remarked,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let mut wrong = |name: &str, rule: &str, counts: &str| {
            if permits(status) {
                self.add(Reason::Malformed, format!("{path}.{name}"), rule);
            } else {
                remarks.add(name, NoteReason::Strictest, format!("{rule}; {counts}"));
            }
        };
        let mut instant = |name: &str, counts: &str| match draft.fields.get(name)? {
            Value::Time(time) if TIMES.contains(&time.as_micros()) => Some(*time),
            Value::Time(_) => {
                wrong(name, "must lie between the years 1 and 9999", counts);
                None
            }
            _ => {
                wrong(name, "must be a time", counts);
                None
            }
        };
        let effective_time = instant("effective_time", "it counts from when it was said");
        let for_ever = "it counts for ever";
        let expire_time = instant("expire_time", for_ever);
        let is_after = |expires: &Timestamp| *expires > effective_time.unwrap_or(said_time);
        if expire_time.is_some_and(|expires| !is_after(&expires)) {
            wrong("expire_time", "must be after effective_time", for_ever);
        }
        (effective_time, expire_time.filter(is_after))
    }
}

/// The place of a word among those of its record, and the time at which its source said it. A no of
/// a time that cannot be right has neither: as the oldest word it would be lost.
fn place(
    draft: &DraftConsent,
    status: ConsentStatus,
    effective_time: Option<Timestamp>,
    receive_time: Timestamp,
) -> (Option<(i64, Timestamp)>, Option<Timestamp>) {
    if draft.from_list && permits(status) {
        // The time of the row is not the time of the customer's word.
        let listed = effective_time.filter(|time| *time <= receive_time);
        return (Some((0, listed.unwrap_or_default())), None);
    }
    let is_right = |time: &Timestamp| permits(status) || *time >= Timestamp::FIRST_PLAUSIBLE;
    let source_time = draft.source_time.filter(is_right);
    let dated = draft.version > 0 || source_time.is_some();
    let order = dated.then(|| (draft.version, source_time.unwrap_or_default()));
    (order, source_time)
}

/// Whether it lets a purpose go on, or may.
fn permits(status: ConsentStatus) -> bool {
    matches!(status, ConsentStatus::Granted | ConsentStatus::Pending)
}

#[cfg(test)]
mod tests;
