//! Values as sentences tell them to a caller with roles.

use profile_core::model::ContextField;
use profile_core::permission::clearance::{Clarity, Clearance, mask};
use profile_core::records::Value;

use super::Telling;

impl Telling<'_> {
    /// A value of a field; `None` where the caller does not see it.
    pub(super) fn spoken(&self, field: &ContextField, value: &Value) -> Option<String> {
        let by_flag = |is_seen| {
            if is_seen {
                Clarity::Clear
            } else {
                Clarity::Hidden
            }
        };
        let clarity = self.clearance.map_or(Clarity::Clear, |sees| match field {
            ContextField::Trait(name) => sees.of_trait(name),
            ContextField::Identifier(kind) => sees.of_identifier(kind),
            ContextField::Computed(name) => by_flag(sees.sees_computed(name)),
            ContextField::Experience(name) => {
                let metric = name.split('.').next().unwrap_or_default();
                by_flag(sees.sees_experience(metric))
            }
        });
        by_clarity(clarity, value)
    }
}

/// Sentences within the bounds of roles.
pub(super) trait Spoken {
    /// A property of an object; `None` where it is not seen.
    fn spoken_property(&self, name: &str, value: &Value) -> Option<String>;
}

impl Spoken for Option<&Clearance> {
    fn spoken_property(&self, name: &str, value: &Value) -> Option<String> {
        let clarity = self.map_or(Clarity::Clear, |sees| sees.of_property(name));
        by_clarity(clarity, value)
    }
}

fn by_clarity(clarity: Clarity, value: &Value) -> Option<String> {
    match (clarity, value) {
        (Clarity::Hidden, _) => None,
        (Clarity::Clear, value) => Some(value.to_string()),
        (Clarity::Masked, Value::List(values)) => {
            let values = values.iter().map(|value| mask(&value.to_string()));
            Some(values.collect::<Vec<_>>().join(", "))
        }
        (Clarity::Masked, Value::Map(_)) => Some(mask("")),
        (Clarity::Masked, value) => Some(mask(&value.to_string())),
    }
}
