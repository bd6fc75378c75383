//! Field access: answers without what the caller's roles do not see.
//!
//! One place restricts the finished answers of all methods
//! ([`CallContext::answer`](super::call_context::CallContext::answer)), so no method can forget it,
//! and the compiler refuses an answer that cannot be restricted. Each field declares in the proto
//! files (`content.proto`) how it relates to customers; `build.rs` makes the code for it. Some
//! messages are seen or not as a whole, by what they are about: they have a [gate](gates).
//!
//! Nothing vanishes in silence: the field `withheld` of the answer names what is withheld or
//! masked, and where there is none its metadata do ([`WITHHELD_KEY`]).

mod gates;

use std::collections::BTreeMap;
use std::fmt;

use profile_core::permission::clearance::{Clarity, Clearance, mask};

use super::v1::{self, value::Kind};

/// The metadata key of answers that have no field for what is withheld: names, separated by commas.
pub(super) const WITHHELD_KEY: &str = "x-withheld";
/// So many names are in the metadata; `*` stands for those that are left out.
const MAX_NAMES: usize = 50;

/// A message of an answer.
pub(super) trait Restrict: Fields {
    /// Takes away what may not be seen. Answers whether anything of the message is seen.
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool;
}

/// The fields of a message of an answer.
pub(super) trait Fields {
    /// Takes away what may not be seen of the fields, by what they declare.
    fn restrict_fields(&mut self, by: &mut Restriction<'_>);
}

/// The generated code.
#[expect(
    clippy::match_same_arms,
    clippy::match_wildcard_for_single_variants,
    reason = "it is made field by field"
)]
mod contents {
    use super::{Fields, Restrict, Restriction};
    use crate::grpc::v1;

    include!(concat!(env!("OUT_DIR"), "/contents.rs"));
}

/// The restriction of one answer, with an account of what it took away.
pub(super) struct Restriction<'a> {
    clearance: &'a Clearance,
    /// Fields that were withheld or masked and are not in the answer yet.
    withheld: BTreeMap<String, Clarity>,
    /// Those that are.
    told: Vec<String>,
}

impl<'a> Restriction<'a> {
    pub(super) fn new(clearance: &'a Clearance) -> Self {
        Self {
            clearance,
            withheld: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// Takes away what may not be seen of an answer.
    pub(super) fn restrict(&mut self, answer: &mut impl Restrict) {
        answer.restrict(self);
    }

    /// Notes that something is not seen, or not all of it. Answers whether it is seen.
    fn note(&mut self, field: impl fmt::Display, clarity: Clarity) -> bool {
        if clarity < Clarity::Clear {
            let least = self.withheld.entry(field.to_string()).or_insert(clarity);
            *least = clarity.min(*least);
        }
        clarity > Clarity::Hidden
    }

    fn sees(&mut self, field: impl fmt::Display, is_seen: bool) -> bool {
        let clarity = if is_seen {
            Clarity::Clear
        } else {
            Clarity::Hidden
        };
        self.note(field, clarity)
    }

    /// Something that only those see who see everything; these callers do not.
    fn hide(&mut self, field: &str) -> bool {
        self.note(field, Clarity::Hidden)
    }

    fn clear<T: Default + PartialEq>(&mut self, field: &str, value: &mut T) {
        if *value != T::default() {
            *value = T::default();
            self.hide(field);
        }
    }

    fn traits<T: Valued, M: Entries<T>>(&mut self, traits: &mut M) {
        traits.keep(|name, found| {
            let clarity = self.clearance.of_trait(name);
            self.valued(format_args!("traits.{name}"), clarity, found)
        });
    }

    fn properties<M: Entries<v1::Value>>(&mut self, properties: &mut M) {
        properties.keep(|name, found| {
            let clarity = self.clearance.of_property(name);
            self.valued(format_args!("properties.{name}"), clarity, found)
        });
    }

    fn computed<T, M: Entries<T>>(&mut self, computed: &mut M) {
        computed.keep(|name, _| {
            self.sees(
                format_args!("computed.{name}"),
                self.clearance.sees_computed(name),
            )
        });
    }

    /// Which segment is not told: that would say that the customer is in it.
    fn segments(&mut self, names: &mut Vec<String>) {
        names.retain(|name| self.sees("segments", self.clearance.sees_segment(name)));
    }

    fn event_types(&mut self, types: &mut Vec<String>) {
        types.retain(|kind| {
            self.sees(
                format_args!("events.{kind}"),
                self.clearance.sees_event(kind),
            )
        });
    }

    fn changed_fields(&mut self, fields: &mut Vec<String>) {
        fields.retain(|field| {
            let sees = self.clearance;
            let is_seen = match field.split_once('.') {
                None if field == "consents" => sees.sees_preferences(),
                Some(("traits", name)) => sees.of_trait(name) > Clarity::Hidden,
                Some(("identifiers", kind)) => sees.of_identifier(kind) > Clarity::Hidden,
                Some(("computed", name)) => sees.sees_computed(name),
                Some(("segments", name)) => sees.sees_segment(name),
                Some(("preferences", _)) => sees.sees_preferences(),
                Some(("accessibility", _)) => sees.sees_accessibility(),
                _ => true,
            };
            self.sees(of_segment(field), is_seen)
        });
    }

    fn valued<T: Valued>(
        &mut self,
        field: impl fmt::Display,
        clarity: Clarity,
        found: &mut T,
    ) -> bool {
        if clarity == Clarity::Masked {
            found.mask();
        }
        found.rest(self);
        self.note(field, clarity)
    }

    /// Puts what was withheld into the field of an answer.
    fn tell(&mut self, withheld: &mut Vec<v1::Withheld>) {
        if self.withheld.is_empty() {
            return;
        }
        let rule = self.clearance.rule();
        for (field, clarity) in std::mem::take(&mut self.withheld) {
            self.told.push(field.clone());
            if withheld.iter().any(|told| told.field == field) {
                continue;
            }
            let reason = match clarity {
                Clarity::Masked => v1::WithheldReason::Masked,
                Clarity::Hidden | Clarity::Clear => v1::WithheldReason::NotForRole,
            };
            withheld.push(v1::Withheld {
                field,
                reason: reason.into(),
                rule: rule.clone(),
            });
        }
    }

    /// The names of all that was withheld or masked.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.told.iter().chain(self.withheld.keys());
        let mut names: Vec<String> = names.cloned().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names of what was withheld and is not told yet, for the metadata.
    pub(super) fn into_names(self) -> Option<String> {
        let count = self.withheld.len();
        let names = self.withheld.into_keys().take(MAX_NAMES);
        let names = names.chain((count > MAX_NAMES).then(|| "*".to_owned()));
        let names: Vec<String> = names.collect();
        // Sources name properties in any script; metadata are ASCII.
        (!names.is_empty()).then(|| names.join(",").escape_default().to_string())
    }
}

/// The name of a changed field in an answer: not which segment.
fn of_segment(field: &str) -> &str {
    if field.starts_with("segments.") {
        "segments"
    } else {
        field
    }
}

/// Entries by name.
trait Entries<T> {
    fn keep(&mut self, is_kept: impl FnMut(&str, &mut T) -> bool);
}

impl<T> Entries<T> for BTreeMap<String, T> {
    fn keep(&mut self, mut is_kept: impl FnMut(&str, &mut T) -> bool) {
        self.retain(|name, found| is_kept(name, found));
    }
}

/// Something with a value that may be masked.
trait Valued {
    fn mask(&mut self);

    /// Takes away what may not be seen beside the value.
    fn rest(&mut self, _: &mut Restriction<'_>) {}
}

impl Valued for v1::Value {
    fn mask(&mut self) {
        match &mut self.kind {
            None => {}
            Some(Kind::StringValue(text) | Kind::DecimalValue(text)) => {
                self.kind = Some(Kind::StringValue(mask(text)));
            }
            Some(Kind::Int64Value(number)) => {
                self.kind = Some(Kind::StringValue(mask(&number.to_string())));
            }
            Some(Kind::ListValue(list)) => list.values.iter_mut().for_each(Valued::mask),
            Some(Kind::MapValue(map)) => map.entries.values_mut().for_each(Valued::mask),
            Some(Kind::BoolValue(_) | Kind::TimeValue(_)) => {
                self.kind = Some(Kind::StringValue(mask("")));
            }
        }
    }
}

impl Valued for v1::Trait {
    fn mask(&mut self) {
        self.value.iter_mut().for_each(Valued::mask);
    }

    fn rest(&mut self, by: &mut Restriction<'_>) {
        self.restrict_fields(by);
    }
}

#[cfg(test)]
mod tests;
