//! Remarks on a consent that is not understood as a whole.

use super::{FIELDS, MAX_REFERENCE_BYTES, MAX_TCF_BYTES, MAX_TEXT_BYTES};
use crate::model::NoteReason;
use crate::model::check::preferences::{language, text};
use crate::model::check::{CLOCKS_DIFFER_MICROS, shown};
use crate::records::{ConsentNotes, DraftConsent, LegalBasis, Timestamp, Value};

/// The value of a field as one of several names, in any case; `None`: nothing is said.
fn one_of<T: Copy>(
    draft: &DraftConsent,
    name: &str,
    all: &[(&str, T)],
) -> Option<Result<T, String>> {
    let said = draft.fields.get(name)?.as_str().map(str::trim);
    let found = said.and_then(|said| all.iter().find(|(name, _)| name.eq_ignore_ascii_case(said)));
    Some(found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        format!("must be one of {}", names.join(", "))
    }))
}

/// Remarks on what of a consent is not understood, by its field.
#[derive(Debug, Default)]
pub(super) struct Remarked(pub(super) Vec<(String, (NoteReason, String))>);

impl Remarked {
    pub(super) fn add(&mut self, name: &str, reason: NoteReason, rule: impl Into<String>) {
        self.0
            .push((format!("consent.{name}"), (reason, rule.into())));
    }

    fn malformed(&mut self, name: &str, rule: impl Into<String>) {
        self.add(name, NoteReason::Malformed, rule);
    }

    pub(super) fn known_fields(&mut self, draft: &DraftConsent) {
        let known = FIELDS.map(|field| field.key);
        for name in draft.fields.keys() {
            if !known.contains(&name.as_str()) {
                let rule = format!("is no field of a consent; there are {}", known.join(", "));
                self.malformed(&shown(name).to_string(), rule);
            }
        }
    }

    /// The time from which a no holds, unless that is ahead of its receipt.
    pub(super) fn not_ahead(
        &mut self,
        effective_time: Option<Timestamp>,
        receive_time: Timestamp,
    ) -> Option<Timestamp> {
        const RULE: &str = "is later than the time of receipt: it counts from when it was said";
        let ahead = effective_time?.as_micros() - receive_time.as_micros();
        if ahead > CLOCKS_DIFFER_MICROS {
            self.add("effective_time", NoteReason::Strictest, RULE);
        }
        effective_time.filter(|_| ahead <= 0)
    }

    pub(super) fn legal_basis(&mut self, draft: &DraftConsent) -> Option<LegalBasis> {
        one_of(draft, "legal_basis", LegalBasis::ALL)?
            .map_err(|rule| self.malformed("legal_basis", rule))
            .ok()
    }

    pub(super) fn gpc(&mut self, draft: &DraftConsent) -> Option<bool> {
        let Value::Bool(signal) = draft.fields.get("gpc")? else {
            self.malformed("gpc", "must be true or false");
            return None;
        };
        Some(*signal)
    }

    pub(super) fn notes(&mut self, draft: &DraftConsent) -> ConsentNotes {
        let mut note = |name: &str, max_bytes| {
            let said = draft.fields.get(name).map(|value| text(value, max_bytes));
            said.transpose().unwrap_or_else(|rule| {
                self.malformed(name, rule);
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
            self.malformed("jurisdiction", rule);
            notes.jurisdiction.clear();
        }
        if !notes.language.is_empty() {
            notes.language = language(&notes.language).unwrap_or_else(|rule| {
                self.malformed("language", rule);
                String::new()
            });
        }
        notes
    }
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
