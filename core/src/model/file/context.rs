//! The part of the model file on views.

use std::collections::BTreeMap;

use super::compile::{keys, named};
use super::purposes::{declared, visible};
use super::reader::{At, Mistakes};
use crate::model::check::is_snake_case;
use crate::model::{ContextField, ContextView, Visible};

/// The least that `max_bytes` may be.
pub const MIN_BYTES: usize = 256;
/// The most that `max_bytes` may be.
pub const MAX_BYTES: usize = 1 << 20;
const DEFAULT_BYTES: usize = 16 << 10;
/// How many objects of a kind are told at most.
const MAX_OBJECTS: usize = 50;

/// What a view may name.
struct Names {
    identifiers: Vec<String>,
    traits: Vec<String>,
    computed: Vec<String>,
    segments: Vec<String>,
}

/// Reads the section `views`.
pub(super) fn views(
    root: &At<'_>,
    at: &At<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, ContextView> {
    let names = Names {
        identifiers: keys(root, "identifiers"),
        traits: keys(root, "traits"),
        computed: keys(root, "computed"),
        segments: keys(root, "segments"),
    };
    named(at, "a view", mistakes, |at, mistakes| {
        Some(view(at, &names, mistakes))
    })
}

fn view(at: &At<'_>, names: &Names, mistakes: &mut Mistakes) -> ContextView {
    let mut view = ContextView {
        description: String::new(),
        sections: Vec::new(),
        segments: Visible::default(),
        preferences: true,
        accessibility: true,
        objects: Vec::new(),
        max_bytes: DEFAULT_BYTES,
    };
    let Some(mut fields) = at.fields(mistakes) else {
        return view;
    };
    for (entry, at) in fields
        .get("sections")
        .map(|at| at.entries(mistakes))
        .unwrap_or_default()
    {
        if !is_snake_case(&entry.key) {
            let message = "a section is named in lower snake case (`loyalty`), in 1 to 64 bytes";
            mistakes.add_at_key(entry, at.path.clone(), message);
        }
        let found = at
            .list()
            .iter()
            .filter_map(|at| field(at, names, mistakes))
            .collect();
        view.sections.push((entry.key.clone(), found));
    }
    view.segments = visible(&mut fields, "segments", mistakes, |at, mistakes| {
        declared(at, "segment", &names.segments, mistakes)
    });
    view.preferences = fields
        .get("preferences")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(true);
    view.accessibility = fields
        .get("accessibility")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(true);
    for (entry, at) in fields
        .get("objects")
        .map(|at| at.entries(mistakes))
        .unwrap_or_default()
    {
        if !is_snake_case(&entry.key) {
            mistakes.add_at_key(
                entry,
                at.path.clone(),
                "must be a kind of object in lower snake case, such as order",
            );
        }
        view.objects.extend(
            at.number(&(1..=MAX_OBJECTS), mistakes)
                .map(|most| (entry.key.clone(), most)),
        );
    }
    let most = fields
        .get("max_bytes")
        .and_then(|at| at.number(&(MIN_BYTES..=MAX_BYTES), mistakes));
    view.max_bytes = most.unwrap_or(DEFAULT_BYTES);
    if let Some(text) = fields.get("description").and_then(|at| at.text(mistakes)) {
        text.clone_into(&mut view.description);
    }
    fields.finish(mistakes);
    view
}

fn field(at: &At<'_>, names: &Names, mistakes: &mut Mistakes) -> Option<ContextField> {
    let text = at.text(mistakes)?;
    let (what, declared, make): (_, _, fn(String) -> ContextField) = match text.split_once('.') {
        Some(("traits", _)) => ("trait", &names.traits, ContextField::Trait),
        Some(("computed", _)) => ("computed trait", &names.computed, ContextField::Computed),
        Some(("identifiers", _)) => (
            "identifier type",
            &names.identifiers,
            ContextField::Identifier,
        ),
        _ => {
            mistakes.add(at, "must be traits.NAME, computed.NAME or identifiers.TYPE");
            return None;
        }
    };
    let name = text.split_once('.').map(|(_, name)| name)?;
    if !declared.iter().any(|known| known == name) {
        mistakes.add(
            at,
            format!(
                "the model declares no {what} `{name}`; it has: {}",
                declared.join(", ")
            ),
        );
    }
    Some(make(name.to_owned()))
}
