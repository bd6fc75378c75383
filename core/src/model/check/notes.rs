//! Values of a statement that are kept as they were said, because they cannot be read.

use std::fmt;

use super::draft_traits;
use crate::model::{Date, Model, Role};
use crate::records::{Draft, DraftRecord, Value};

/// A value that is kept and shown, and counts for nothing when records are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The path of the field: `traits.birth_date`.
    pub field: String,
    /// Why the value is not read, and what would help. Never quotes personal data.
    pub description: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}

impl Model {
    /// What of a statement is not read: e-mail addresses, telephone numbers and dates of birth.
    /// They are no violations: the statement is taken.
    #[must_use]
    pub fn notes(&self, draft: &Draft) -> Vec<Note> {
        match draft {
            Draft::Upsert(record) | Draft::Patch(record) => self.notes_of_record(record),
            _ => Vec::new(),
        }
    }

    fn notes_of_record(&self, draft: &DraftRecord) -> Vec<Note> {
        let home = self.home(&draft.record.source, draft_traits(draft));
        let form = self.date_form(&draft.record.source);
        let identifiers = draft.identifiers.iter().enumerate();
        let mut notes: Vec<Note> = identifiers
            .filter_map(|(index, identifier)| {
                let kind = self.identifiers.get(&identifier.kind)?;
                let unread = kind.read(&identifier.value, home).unread?;
                Some(Note {
                    field: format!("identifiers[{index}].{}", identifier.kind),
                    description: unread.to_string(),
                })
            })
            .collect();
        for (name, value) in draft_traits(draft) {
            let role = self.traits.get(name).and_then(|kind| kind.role);
            let unread = match role {
                Some(Role::BirthDate) => texts(value)
                    .into_iter()
                    .find_map(|text| Date::parse(&text, form, home).err())
                    .map(|unread| unread.to_string()),
                Some(Role::Country) => value
                    .as_str()
                    .filter(|text| crate::model::Home::said(text) == crate::model::Home::Unknown)
                    .map(|_| {
                        "is no country that is known by its ISO 3166 code or its name".to_owned()
                    }),
                _ => None,
            };
            notes.extend(unread.map(|description| Note {
                field: format!("traits.{name}"),
                description,
            }));
        }
        notes
    }
}

/// The texts of a value that may be dates.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::List(values) => values.iter().flat_map(texts).collect(),
        Value::Time(_) | Value::Int(_) | Value::Decimal(_) => vec![value.to_string()],
        Value::Bool(_) | Value::Map(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Identifier, RecordKey};

    fn model(source: &str) -> Model {
        let yaml = format!(
            "identifiers:\n  phone: {{ priority: 1, normalize: e164, default_region: US }}\n  \
             email: {{ priority: 2, normalize: email }}\ntraits:\n  born: {{ match: birth_date }}\n  \
             country: {{ match: country }}\nsources:\n  s: {source}\n"
        );
        Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    fn draft(country: Option<&str>, born: &str, phone: &str) -> DraftRecord {
        let mut draft = DraftRecord::new(RecordKey::new("s", "1"));
        draft.identifiers.push(Identifier::new("phone", phone));
        draft
            .traits
            .insert("born".to_owned(), Value::String(born.to_owned()));
        let country = country.map(|text| Value::String(text.to_owned()));
        draft
            .traits
            .extend(country.map(|country| ("country".to_owned(), country)));
        draft
    }

    fn told(model: &Model, draft: DraftRecord) -> Vec<String> {
        let notes = model.notes(&Draft::Upsert(draft));
        notes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_not_read_is_told_with_its_field_and_without_its_value() {
        let all = told(
            &model("{}"),
            draft(Some("Atlantis"), "03/04/1990", "0151 21234567"),
        )
        .join("\n");
        assert!(
            all.contains("identifiers[0].phone: has no country code"),
            "{all}"
        );
        assert!(
            all.contains("traits.born: can be read with the day or the month first"),
            "{all}"
        );
        assert!(all.contains("traits.country: is no country"), "{all}");
        assert!(!all.contains("1990") && !all.contains("Atlantis") && !all.contains("0151"));
    }

    #[test]
    fn the_country_of_the_row_or_of_the_source_reads_dates_and_numbers() {
        let german = draft(Some("Deutschland"), "03/04/1990", "0151 21234567");
        assert_eq!(told(&model("{}"), german), Vec::<String>::new());
        let silent = draft(None, "03/04/1990", "0151 21234567");
        assert_eq!(
            told(&model("{ country: DE }"), silent.clone()),
            Vec::<String>::new()
        );
        assert_eq!(told(&model("{}"), silent).len(), 2);
        let declared = draft(None, "03/04/1990", "+49 151 21234567");
        assert_eq!(
            told(&model("{ dates: { order: month_first } }"), declared),
            Vec::<String>::new()
        );
    }

    #[test]
    fn both_numbers_of_a_field_are_values_of_the_record() {
        let model = model("{ country: DE }");
        let said = draft(None, "1990-05-17", "0151 21234567 / 0152 98765432");
        let statement = model
            .check(Draft::Upsert(said), crate::records::Timestamp::default())
            .unwrap_or_else(|violations| panic!("{violations:?}"));
        let text = format!("{statement:?}");
        assert!(text.contains("+4915121234567") && text.contains("+4915298765432"));
    }
}
