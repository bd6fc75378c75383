//! Forms of several values: lists, and mappings whose keys are names.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Form;
use crate::model::Visible;
use crate::model::check::{MAX_NAME_BYTES, is_snake_case};
use crate::model::file::reader::{At, Reader, Section};
use crate::model::file::schema::{Definitions, or_null};
use crate::model::file::tree::Entry;

/// One value, or a list of them.
pub(in crate::model::file) struct List<F> {
    title: &'static str,
    about: &'static str,
    form: F,
    /// What is wrong with an empty one.
    empty: Option<&'static str>,
}

/// A list of texts.
pub(in crate::model::file) fn list<F: Form>(form: F) -> List<F> {
    list_as("OneOrMany", "One text, or several.", form)
}

/// A list with a name of its own in the schema.
pub(in crate::model::file) fn list_as<F: Form>(
    title: &'static str,
    about: &'static str,
    form: F,
) -> List<F> {
    List {
        title,
        about,
        form,
        empty: None,
    }
}

impl<F> List<F> {
    /// Refuses an empty list.
    pub(in crate::model::file) fn not_empty(self, message: &'static str) -> Self {
        Self {
            empty: Some(message),
            ..self
        }
    }
}

impl<F: Form> Form for List<F> {
    type Value = Vec<F::Value>;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Vec<F::Value>> {
        let list = at.list();
        if let Some(message) = self.empty.filter(|_| list.is_empty()) {
            reader.error(at.place(), message);
        }
        Some(
            list.iter()
                .filter_map(|at| self.form.read(at, reader))
                .collect(),
        )
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        definitions.reference(self.title, |definitions| {
            let mut one = self.form.schema(definitions);
            let many = json!({ "type": "array", "items": one, "description": "Several." });
            one["description"] = json!("One.");
            json!({ "description": self.about, "anyOf": [one, many] })
        })
    }
}

/// What of a kind may be seen: `"*"`, or a list of names.
pub(in crate::model::file) struct Seen<F>(List<F>);

pub(in crate::model::file) fn seen<F: Form<Value = String>>(name: F) -> Seen<F> {
    Seen(list(name))
}

impl<F: Form<Value = String>> Form for Seen<F> {
    type Value = Visible;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Visible> {
        if let [only] = at.list().as_slice()
            && only.as_text() == Some("*")
        {
            return Some(Visible::All);
        }
        let names = self.0.read(at, reader)?;
        Some(Visible::Only(names.into_iter().collect()))
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        self.0.schema(definitions)
    }
}

/// Entries under names of the form that the API takes.
pub(in crate::model::file) struct Named<F> {
    noun: &'static str,
    form: F,
    bare: bool,
}

pub(in crate::model::file) fn named<F: Form>(noun: &'static str, form: F) -> Named<F> {
    Named {
        noun,
        form,
        bare: false,
    }
}

impl<F> Named<F> {
    /// Says in the schema that a name may stand alone.
    pub(in crate::model::file) fn or_bare(self) -> Self {
        Self { bare: true, ..self }
    }
}

impl<F: Form> Form for Named<F> {
    type Value = BTreeMap<String, F::Value>;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Self::Value> {
        let mut all = BTreeMap::new();
        for (entry, at) in at.entries(reader) {
            if !is_snake_case(&entry.key) {
                let message = format!(
                    "{} is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes",
                    self.noun
                );
                reader.error(entry.place(at.path.clone()), message);
            }
            if let Some(value) = self.form.read(&at, reader) {
                all.insert(entry.key.clone(), value);
            }
        }
        Some(all)
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        let mut value = self.form.schema(definitions);
        if self.bare {
            value = or_null(value);
        }
        json!({ "type": "object", "additionalProperties": value })
    }
}

/// Entries in the order of the file, under keys that a function reads.
pub(in crate::model::file) struct Entries<K, F> {
    key: K,
    form: F,
    most: Option<usize>,
}

pub(in crate::model::file) fn entries<T, K, F: Form>(key: K, form: F) -> Entries<K, F>
where
    K: Fn(&Entry, &At<'_>, &mut Reader) -> Option<T>,
{
    Entries {
        key,
        form,
        most: None,
    }
}

impl<K, F> Entries<K, F> {
    /// Says in the schema that there are at most this many.
    pub(in crate::model::file) fn at_most(self, most: usize) -> Self {
        Self {
            most: Some(most),
            ..self
        }
    }
}

impl<T, K, F: Form> Form for Entries<K, F>
where
    K: Fn(&Entry, &At<'_>, &mut Reader) -> Option<T>,
{
    type Value = Vec<(T, F::Value)>;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Self::Value> {
        let mut all = Vec::new();
        for (entry, at) in at.entries(reader) {
            let Some(key) = (self.key)(entry, &at, reader) else {
                continue;
            };
            let value = self.form.read(&at, reader);
            all.extend(value.map(|value| (key, value)));
        }
        Some(all)
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        let value = self.form.schema(definitions);
        let mut schema = json!({ "type": "object", "additionalProperties": value });
        if let Some(most) = self.most {
            schema["maxProperties"] = json!(most);
        }
        schema
    }
}

/// Keys that another section declares.
pub(in crate::model::file) fn declared_key(
    section: Section,
) -> impl Fn(&Entry, &At<'_>, &mut Reader) -> Option<String> {
    move |entry, at, reader| {
        reader.check_declared(section, &entry.key, entry.place(at.path.clone()));
        Some(entry.key.clone())
    }
}

/// Keys in lower snake case.
pub(in crate::model::file) fn snake_case_key(
    message: &'static str,
) -> impl Fn(&Entry, &At<'_>, &mut Reader) -> Option<String> {
    move |entry, at, reader| {
        if !is_snake_case(&entry.key) {
            reader.error(entry.place(at.path.clone()), message);
        }
        Some(entry.key.clone())
    }
}

/// Keys that name a property of an event.
pub(in crate::model::file) fn property_name()
-> impl Fn(&Entry, &At<'_>, &mut Reader) -> Option<String> {
    |entry, at, reader| {
        if entry.key.is_empty() || entry.key.len() > MAX_NAME_BYTES {
            let message = format!("a property's name has 1 to {MAX_NAME_BYTES} bytes");
            reader.error(entry.place(at.path.clone()), message);
        }
        Some(entry.key.clone())
    }
}
