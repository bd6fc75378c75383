//! What the model file says of views.

use super::forms::{
    Flag, TextBy, declared, entries, list, seen, snake_case_key, text, text_by, whole,
};
use super::keys::keys;
use super::reader::Section;
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
        /// `computed.NAME` and `identifiers.TYPE`.
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
        /// How large an answer may be, in bytes.
        max_bytes: usize = "16384" as whole(MIN_BYTES, MAX_BYTES);
        /// What it is for, in words.
        description: String = empty as text();
    }
}

fn field() -> TextBy<ContextField> {
    text_by(|text, at, reader| {
        let (section, make): (_, fn(String) -> ContextField) = match text.split_once('.') {
            Some(("traits", _)) => (Section::Traits, ContextField::Trait),
            Some(("computed", _)) => (Section::Computed, ContextField::Computed),
            Some(("identifiers", _)) => (Section::Identifiers, ContextField::Identifier),
            _ => {
                let message = "must be traits.NAME, computed.NAME or identifiers.TYPE";
                reader.error(at.place(), message);
                return None;
            }
        };
        let (_, name) = text.split_once('.')?;
        reader.check_declared(section, name, at.place());
        Some(make(name.to_owned()))
    })
}
