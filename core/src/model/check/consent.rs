//! Checks what is said about purposes.
//!
//! A grant that is read off a list takes a fixed place: the time from which it holds, or before
//! everything else. So the list can be said again and again, and a withdrawal stays.

use super::preferences::{language, text};
use super::{Check, MAX_IDENTIFIER_BYTES, shown};
use crate::choices::Listed;
use crate::model::expression::Conversion;
use crate::records::{
    Change, Consent, ConsentNotes, ConsentStatus, ContentHash, Draft, DraftConsent, Identifier,
    LegalBasis, Reason, RecordStatement, Statement, Timestamp, Value, Violation, plausible_time,
};

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
        "`granted`, `denied`, `withdrawn` or `pending`. No value: nothing is said.",
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
        self.about(path, &draft.record, draft.version, draft.source_time);
        let path = format!("{path}.consent");
        self.purpose(format!("{path}.purpose"), &draft.purpose);
        let contact_point = draft
            .contact_point
            .as_ref()
            .and_then(|point| self.contact_point(&path, point, &draft.record.source));
        self.known_fields(&path, &draft);
        let status = self.one_of(&path, &draft, "status", &ConsentStatus::ALL);
        if !draft.fields.contains_key("status") {
            self.violations
                .push(Violation::required(format!("{path}.status")));
        }
        let effective_time = self.instant(&path, &draft, "effective_time");
        let consent = Consent {
            purpose: draft.purpose.clone(),
            contact_point,
            status: status.unwrap_or(ConsentStatus::Denied),
            effective_time: effective_time
                .unwrap_or_else(|| plausible_time(draft.source_time, receive_time)),
            expire_time: self.instant(&path, &draft, "expire_time"),
            legal_basis: self.one_of(&path, &draft, "legal_basis", LegalBasis::ALL),
            gpc: self.gpc(&path, &draft),
            notes: Box::new(self.notes(&path, &draft)),
        };
        if consent
            .expire_time
            .is_some_and(|expires| expires <= consent.effective_time)
        {
            self.add(
                Reason::Malformed,
                format!("{path}.expire_time"),
                "must be after effective_time",
            );
        }
        let dated = draft.version > 0 || draft.source_time.is_some();
        let (order, source_time) = if draft.from_list && permits(consent.status) {
            // The time of the row is not the time of the customer's word.
            let listed = effective_time.filter(|time| *time <= receive_time);
            (Some((0, listed.unwrap_or_default())), None)
        } else {
            let order = dated.then(|| (draft.version, draft.source_time.unwrap_or_default()));
            (order, draft.source_time)
        };
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

    fn purpose(&mut self, field: String, purpose: &str) {
        if purpose.is_empty() {
            self.violations.push(Violation::required(field));
        } else if !self.model.purposes.contains_key(purpose) {
            self.not_declared(field, "purpose", purpose, self.model.purposes.keys());
        }
    }

    fn known_fields(&mut self, path: &str, draft: &DraftConsent) {
        let known = FIELDS.map(|field| field.key);
        for name in draft.fields.keys() {
            if !known.contains(&name.as_str()) {
                let rule = format!("is no field of a consent; there are {}", known.join(", "));
                self.add(Reason::Malformed, format!("{path}.{}", shown(name)), rule);
            }
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

    fn one_of<T: Copy>(
        &mut self,
        path: &str,
        draft: &DraftConsent,
        name: &str,
        all: &[(&str, T)],
    ) -> Option<T> {
        let said = draft.fields.get(name)?;
        let found = said
            .as_str()
            .and_then(|said| all.iter().find(|(name, _)| *name == said));
        if found.is_none() {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.add(
                Reason::Malformed,
                format!("{path}.{name}"),
                format!("must be one of {}", names.join(", ")),
            );
        }
        found.map(|(_, value)| *value)
    }

    fn instant(&mut self, path: &str, draft: &DraftConsent, name: &str) -> Option<Timestamp> {
        let field = format!("{path}.{name}");
        let Value::Time(time) = draft.fields.get(name)? else {
            self.add(Reason::Malformed, field, "must be a time");
            return None;
        };
        self.time(&field, Some(*time));
        Some(*time)
    }

    fn gpc(&mut self, path: &str, draft: &DraftConsent) -> Option<bool> {
        let Value::Bool(signal) = draft.fields.get("gpc")? else {
            self.add(
                Reason::Malformed,
                format!("{path}.gpc"),
                "must be true or false",
            );
            return None;
        };
        Some(*signal)
    }

    fn notes(&mut self, path: &str, draft: &DraftConsent) -> ConsentNotes {
        let mut note = |name: &str, max_bytes| {
            let said = draft.fields.get(name).map(|value| text(value, max_bytes));
            said.transpose().unwrap_or_else(|rule| {
                self.add(Reason::Malformed, format!("{path}.{name}"), rule);
                None
            })
        };
        let mut notes = ConsentNotes {
            jurisdiction: note("jurisdiction", MAX_TEXT_BYTES).unwrap_or_default(),
            policy_version: note("policy_version", MAX_TEXT_BYTES).unwrap_or_default(),
            notice: note("notice", MAX_REFERENCE_BYTES).unwrap_or_default(),
            collection_method: note("collection_method", MAX_TEXT_BYTES).unwrap_or_default(),
            proof: note("proof", MAX_REFERENCE_BYTES).unwrap_or_default(),
            receipt_id: note("receipt_id", MAX_TEXT_BYTES).unwrap_or_default(),
            language: note("language", MAX_TEXT_BYTES).unwrap_or_default(),
            tcf_string: note("tcf_string", MAX_TCF_BYTES).unwrap_or_default(),
        };
        if !notes.jurisdiction.is_empty() && !is_jurisdiction(&notes.jurisdiction) {
            let rule = "must be a country or a part of one by ISO 3166, such as DE or US-CA";
            self.add(Reason::Malformed, format!("{path}.jurisdiction"), rule);
        }
        if !notes.language.is_empty() {
            match language(&notes.language) {
                Ok(tag) => notes.language = tag,
                Err(rule) => self.add(Reason::Malformed, format!("{path}.language"), rule),
            }
        }
        notes
    }
}

/// Whether it lets a purpose go on, or may.
fn permits(status: ConsentStatus) -> bool {
    matches!(status, ConsentStatus::Granted | ConsentStatus::Pending)
}

/// `DE`, `US-CA`: the form, not the list, which changes.
fn is_jurisdiction(code: &str) -> bool {
    let (country, part) = code
        .split_once('-')
        .map_or((code, None), |(country, part)| (country, Some(part)));
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && part.is_none_or(|part| {
            (1..=3).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
}
