//! What the model file says of views.

use super::forms::{
    Flag, TextBy, declared, entries, list, seen, snake_case_key, text, text_by, whole,
};
use super::keys::keys;
use super::reader::{At, Reader, Section};
use super::tree::Entry;
use crate::model::experience::{MEASURES, PREDICTIONS};
use crate::model::{ContextField, Visible};

/// Least value of `max_bytes`.
pub const MIN_BYTES: usize = 256;
/// Greatest value of `max_bytes`.
pub const MAX_BYTES: usize = 1 << 20;
/// Maximum number of objects of a kind in an answer.
const MAX_OBJECTS: usize = 50;
/// What keys must be.
const SECTION_NAME: &str = "a section is named in lower snake case (`loyalty`), in 1 to 64 bytes";
const OBJECT_KIND: &str = "must be a kind of object in lower snake case, such as order";

keys! {
    /// A view of customers, for `GetContext`: what is told of them in one call. What the purpose
    /// may not see is withheld all the same.
    #[derive(Debug, Clone)]
    pub struct ContextView as "View" {
        /// Groups of fields by name, in lower snake case, in order:
        /// `loyalty: [traits.loyalty_tier, computed.orders_365d]`. Fields are `traits.NAME`,
        /// `computed.NAME`, `identifiers.TYPE` and `experience.METRIC.VALUE`, such as
        /// `experience.nps.last` and `experience.lifetime_value.predicted`.
        sections: Vec<(String, Vec<ContextField>)> = empty as entries(snake_case_key(SECTION_NAME), list(field()));
        /// The segments of which is told whether the customer is in them; `"*"`: all. Default none.
        segments: Visible = empty as seen(declared(Section::Segments));
        /// Whether preferences are told.
        preferences: bool = "true" as Flag;
        /// Whether accessibility needs are told.
        accessibility: bool = "true" as Flag;
        /// How many of the latest objects of each kind are told: `{ order: 3, conversation: 1 }`.
        /// Default none.
        objects: Vec<(String, usize)> = empty as entries(snake_case_key(OBJECT_KIND), whole(1, MAX_OBJECTS));
        /// Whether objects come with their lists and maps, such as the lines of an order.
        object_lists: bool = "false" as Flag;
        /// Purposes and channels for which the answer says whether the customer may be contacted
        /// now: `{ newsletter: [email, sms] }`. Default none.
        permissions: Vec<(String, Vec<String>)> = empty as
            entries(purpose(), list(declared(Section::Channels)));
        /// How large an answer may be, in bytes.
        max_bytes: usize = "16384" as whole(MIN_BYTES, MAX_BYTES);
        /// What it is for, in words.
        description: String = empty as text();
    }
}

/// Keys that name a purpose.
fn purpose() -> impl Fn(&Entry, &At<'_>, &mut Reader) -> Option<String> {
    |entry, at, reader| {
        let place = entry.place(at.path.clone());
        reader.check_declared(Section::Purposes, &entry.key, place);
        Some(entry.key.clone())
    }
}

fn field() -> TextBy<ContextField> {
    text_by(|text, at, reader| {
        let (section, make): (_, fn(String) -> ContextField) = match text.split_once('.') {
            Some(("traits", _)) => (Section::Traits, ContextField::Trait),
            Some(("computed", _)) => (Section::Computed, ContextField::Computed),
            Some(("identifiers", _)) => (Section::Identifiers, ContextField::Identifier),
            Some(("experience", name)) => return metric(name, at, reader),
            _ => {
                let message = "must be traits.NAME, computed.NAME, identifiers.TYPE or \
                               experience.METRIC.VALUE";
                reader.error(at.place(), message);
                return None;
            }
        };
        let (_, name) = text.split_once('.')?;
        reader.check_declared(section, name, at.place());
        Some(make(name.to_owned()))
    })
}

/// A value of a metric.
fn metric(name: &str, at: &At<'_>, reader: &mut Reader) -> Option<ContextField> {
    if !reader.declared.is_measured {
        let message = "the model has no section `experience`, so there is no metric";
        reader.error(at.place(), message);
        return None;
    }
    let mut known = MEASURES.iter().chain(&PREDICTIONS);
    if known.any(|known| *known == name) {
        return Some(ContextField::Experience(name.to_owned()));
    }
    let known: Vec<&str> = MEASURES.iter().chain(&PREDICTIONS).copied().collect();
    let message = format!(
        "there is no metric `{name}`; there are: {}",
        known.join(", ")
    );
    reader.error(at.place(), message);
    None
}
