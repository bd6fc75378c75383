//! From the tree to a model, with every mistake noted.

use std::collections::BTreeMap;

use regex::Regex;

use super::reader::{At, Fields, Mistakes};
use super::values::{self, providers};
use super::{computed, context, events, experience, publish, purposes};
use crate::model::check::{MAX_NAME_BYTES, is_snake_case};
use crate::model::expression::Expression;
use crate::model::mapping::{EventMapping, EventType, Mode, RecordMapping};
use crate::model::{
    BelongsTo, IdentifierType, Matching, Model, Normalization, Role, Source, Survivorship,
    TraitType, normalize,
};

/// A value of a unique type that more records hold than this is a placeholder that nobody has
/// blocked yet: every write that meets it would read them all.
const UNIQUE_MAX_RECORDS: usize = 1_000;
/// Beyond this, and unless the file says otherwise, a value of a type that is not unique is taken
/// for a shared one.
const DEFAULT_MAX_PROFILES: usize = 10;
const DEFAULT_MAX_RECORDS: usize = 100;
const DEFAULT_MAX_RECORDS_PER_PROFILE: usize = 500;
const DEFAULT_TRUST: u32 = 50;
/// No bound in the file is greater.
const MAX_BOUND: usize = 1_000_000;

/// Reads a whole model.
pub(super) fn model(root: &At<'_>, mistakes: &mut Mistakes) -> Model {
    let mut model = Model {
        max_records_per_profile: DEFAULT_MAX_RECORDS_PER_PROFILE,
        events: events::built_in().clone(),
        ..Model::default()
    };
    let Some(mut fields) = root.fields(mistakes) else {
        return model;
    };
    if let Some(at) = fields.get("max_records_per_profile") {
        let bound = at.number(&(1..=MAX_BOUND), mistakes);
        model.max_records_per_profile = bound.unwrap_or(DEFAULT_MAX_RECORDS_PER_PROFILE);
    }
    if let Some(at) = fields.get("matching") {
        model.matching = matching(&at, mistakes);
    }
    if let Some(at) = fields.get("identifiers") {
        model.identifiers = named(&at, "an identifier type", mistakes, |at, mistakes| {
            identifier(at, mistakes)
        });
    }
    if let Some(at) = fields.get("traits") {
        model.traits = named(&at, "a trait", mistakes, |at, mistakes| {
            Some(trait_type(at, mistakes))
        });
    }
    if let Some(at) = fields.required("sources", mistakes) {
        let declared = Declared {
            identifiers: keys(root, "identifiers"),
            traits: keys(root, "traits"),
            purposes: keys(root, "purposes"),
        };
        model.sources = named(&at, "a source", mistakes, |at, mistakes| {
            Some(source(at, &declared, mistakes))
        });
    }
    if let Some(at) = fields.get("time_zone") {
        model.time_zone = purposes::time_zone(&at, mistakes);
    }
    if let Some(at) = fields.get("computed") {
        model.computed = computed::computed(&at, &model.time_zone, mistakes);
    }
    if let Some(at) = fields.get("segments") {
        model.segments = computed::segments(root, &at, mistakes);
    }
    if let Some(at) = fields.get("views") {
        model.views = context::views(root, &at, mistakes);
    }
    if let Some(at) = fields.get("experience") {
        model.experience = experience::experience(&at, &model.time_zone, mistakes);
    }
    if let Some(at) = fields.get("channels") {
        model.channels = purposes::channels(root, &at, mistakes);
    }
    if let Some(at) = fields.get("purposes") {
        model.purposes = purposes::purposes(root, &at, mistakes);
    }
    if let Some(at) = fields.get("events") {
        model.events = events::catalogue(&at, mistakes);
    }
    if let Some(at) = fields.get("publish") {
        publish::publications(root, &at, &mut model, mistakes);
    }
    fields.finish(mistakes);
    model
}

/// All names of a section, also of what is itself not right: naming it is then no second mistake.
pub(super) fn keys(root: &At<'_>, section: &'static str) -> Vec<String> {
    let ignored = &mut Mistakes::default();
    let section = root
        .fields(ignored)
        .and_then(|mut fields| fields.get(section));
    let entries = section.map(|at| at.entries(ignored)).unwrap_or_default();
    entries
        .into_iter()
        .map(|(entry, _)| entry.key.clone())
        .collect()
}

pub(super) struct Declared {
    pub(super) identifiers: Vec<String>,
    traits: Vec<String>,
    pub(super) purposes: Vec<String>,
}

/// The entries of a section under names of the form that the API takes.
pub(super) fn named<'n, T>(
    at: &At<'n>,
    what: &str,
    mistakes: &mut Mistakes,
    mut read: impl FnMut(&At<'n>, &mut Mistakes) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    for (entry, at) in at.entries(mistakes) {
        if !is_snake_case(&entry.key) {
            let message =
                format!("{what} is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes");
            mistakes.add_at_key(entry, at.path.clone(), message);
        }
        if let Some(value) = read(&at, mistakes) {
            all.insert(entry.key.clone(), value);
        }
    }
    all
}

fn identifier(at: &At<'_>, mistakes: &mut Mistakes) -> Option<IdentifierType> {
    let mut fields = at.fields(mistakes)?;
    let priority = fields
        .required("priority", mistakes)
        .and_then(|at| at.number(&(1..=99), mistakes));
    let unique = fields
        .get("unique")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(false);
    let normalization = normalization(&mut fields, mistakes);
    let owners = [
        ("person", BelongsTo::Person),
        ("household", BelongsTo::Household),
        ("device", BelongsTo::Device),
    ];
    let belongs_to = fields
        .get("belongs_to")
        .and_then(|at| at.choice(&owners, mistakes))
        .unwrap_or_default();
    let exclusive = fields
        .get("exclusive")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(false);
    let blocked = fields
        .get("blocked")
        .map(|at| patterns(&at, mistakes))
        .unwrap_or_default();
    let mut bound = |key: &'static str| {
        let at = fields.get(key)?;
        if unique {
            mistakes.add(
                &at,
                format!(
                    "a unique type has one value a profile and no limits: leave `{key}` or `unique`"
                ),
            );
        }
        at.number(&(1..=MAX_BOUND), mistakes)
    };
    let (max_per_profile, max_profiles, max_records) = (
        bound("max_per_profile"),
        bound("max_profiles"),
        bound("max_records"),
    );
    fields.finish(mistakes);
    Some(IdentifierType {
        priority: priority?,
        normalization,
        max_per_profile: if unique { Some(1) } else { max_per_profile },
        max_profiles: (!unique).then(|| max_profiles.unwrap_or(DEFAULT_MAX_PROFILES)),
        max_records: Some(if unique {
            UNIQUE_MAX_RECORDS
        } else {
            max_records.unwrap_or(DEFAULT_MAX_RECORDS)
        }),
        blocked,
        belongs_to,
        exclusive,
    })
}

fn matching(at: &At<'_>, mistakes: &mut Mistakes) -> Matching {
    let mut matching = Matching::default();
    let Some(mut fields) = at.fields(mistakes) else {
        return matching;
    };
    let mut odds = |key| fields.get(key).and_then(|at| at.probability(mistakes));
    let (link, review) = (odds("link_probability"), odds("review_probability"));
    (matching.link, matching.review) = (
        link.unwrap_or(matching.link),
        review.unwrap_or(matching.review),
    );
    if let (true, Some(at)) = (
        matching.review > matching.link,
        fields.get("review_probability"),
    ) {
        mistakes.add(&at, "must not be greater than `link_probability`");
    }
    let mut bound = |key, default| {
        fields
            .get(key)
            .and_then(|at| at.number(&(1..=MAX_BOUND), mistakes))
            .unwrap_or(default)
    };
    matching.max_key_records = bound("max_key_records", matching.max_key_records);
    matching.max_people = bound("max_people", matching.max_people);
    fields.finish(mistakes);
    matching
}

fn normalization(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Normalization {
    let choices = [
        ("trim", 0),
        ("case_fold", 1),
        ("digits", 2),
        ("email", 3),
        ("e164", 4),
    ];
    let form = fields.get("normalize");
    let chosen = form.as_ref().and_then(|at| at.choice(&choices, mistakes));
    let region = fields.get("default_region");
    let providers_at = fields.get("providers");
    if let Some(at) = providers_at.as_ref().filter(|_| chosen != Some(3)) {
        mistakes.add(at, "goes with `normalize: email` only");
    }
    match (chosen, &form, &region) {
        (Some(4), Some(form), None) => {
            mistakes.add(form, "`e164` needs a `default_region`, such as US");
        }
        (Some(4), _, Some(region)) => {
            let default_region = region.text(mistakes).unwrap_or_default();
            if !normalize::is_region(default_region) {
                mistakes.add(
                    region,
                    "must be a region by ISO 3166 with telephone numbers, such as US",
                );
            }
            return Normalization::E164 {
                default_region: default_region.to_owned(),
            };
        }
        (Some(_), _, Some(region)) | (None, None, Some(region)) => {
            mistakes.add(region, "goes with `normalize: e164` only");
        }
        _ => {}
    }
    match chosen {
        Some(1) => Normalization::CaseFold,
        Some(2) => Normalization::Digits,
        Some(3) => Normalization::Email {
            providers: providers(providers_at.as_ref(), mistakes),
        },
        _ => Normalization::Trim,
    }
}

fn patterns(at: &At<'_>, mistakes: &mut Mistakes) -> Vec<Regex> {
    let mut compiled = Vec::new();
    for at in at.list() {
        let Some(written) = at.text(mistakes) else {
            continue;
        };
        match mistakes.allowance.patterns.compile(written) {
            Ok(pattern) => compiled.push(pattern),
            Err(wrong) => mistakes.add(&at, wrong),
        }
    }
    compiled
}

fn trait_type(at: &At<'_>, mistakes: &mut Mistakes) -> TraitType {
    let mut kind = TraitType {
        keep: Survivorship::default(),
        personal: false,
        searchable: false,
        role: None,
    };
    let Some(mut fields) = at.fields(mistakes) else {
        return kind;
    };
    kind.keep = fields
        .get("keep")
        .and_then(|at| at.choice(&Survivorship::ALL, mistakes))
        .unwrap_or_default();
    kind.personal = fields
        .get("personal")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(false);
    kind.role = fields
        .get("match")
        .and_then(|at| at.choice(&Role::ALL, mistakes));
    kind.searchable = fields
        .get("searchable")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(false);
    fields.finish(mistakes);
    kind
}

fn source(at: &At<'_>, declared: &Declared, mistakes: &mut Mistakes) -> Source {
    let mut source = Source {
        trust: DEFAULT_TRUST,
        ..Source::default()
    };
    let Some(mut fields) = at.fields(mistakes) else {
        return source;
    };
    if let Some(at) = fields.get("trust") {
        source.trust = at.number(&(0..=100), mistakes).unwrap_or(DEFAULT_TRUST);
    }
    if let Some(at) = fields.get("country") {
        source.country = values::country(&at, mistakes);
    }
    if let Some(at) = fields.get("dates") {
        source.dates = values::date_form(&at, mistakes);
    }
    if let Some(at) = fields.get("records") {
        for (kind, mapping) in named(&at, "a kind of payload", mistakes, |at, mistakes| {
            record(at, declared, mistakes)
        }) {
            source.kinds.entry(kind).or_default().record = Some(mapping);
        }
    }
    if let Some(at) = fields.get("events") {
        for (kind, mapping) in named(&at, "a kind of payload", mistakes, event) {
            source.kinds.entry(kind).or_default().event = Some(mapping);
        }
    }
    fields.finish(mistakes);
    source
        .kinds
        .values_mut()
        .for_each(crate::model::mapping::Kind::bind);
    source
}

fn record(at: &At<'_>, declared: &Declared, mistakes: &mut Mistakes) -> Option<RecordMapping> {
    let mut fields = at.fields(mistakes)?;
    let key = fields
        .required("key", mistakes)
        .and_then(|at| expression(&at, mistakes));
    let mut optional = |key| fields.get(key).and_then(|at| expression(&at, mistakes));
    let (version, time, delete_when) = (
        optional("version"),
        optional("time"),
        optional("delete_when"),
    );
    let mut identifiers = Vec::new();
    for (name, at) in mapped(
        &mut fields,
        "identifiers",
        "identifier type",
        &declared.identifiers,
        mistakes,
    ) {
        identifiers.push((
            name,
            at.list()
                .iter()
                .filter_map(|at| expression(at, mistakes))
                .collect(),
        ));
    }
    let mut traits = Vec::new();
    for (name, at) in mapped(&mut fields, "traits", "trait", &declared.traits, mistakes) {
        traits.extend(expression(&at, mistakes).map(|expression| (name, expression)));
    }
    let modes = [("whole", Mode::Whole), ("patch", Mode::Patch)];
    let mode = fields
        .get("mode")
        .and_then(|at| at.choice(&modes, mistakes))
        .unwrap_or_default();
    let preferences = fields
        .get("preferences")
        .map(|at| purposes::preferences(&at, mistakes))
        .unwrap_or_default();
    let consents = fields
        .get("consents")
        .map(|at| purposes::consents(&at, declared, mistakes))
        .unwrap_or_default();
    fields.finish(mistakes);
    Some(RecordMapping {
        key: key?,
        version,
        time,
        identifiers,
        traits,
        mode,
        delete_when,
        preferences,
        consents,
    })
}

/// The entries of a mapping whose keys are declared elsewhere in the file.
pub(super) fn mapped<'n>(
    fields: &mut Fields<'n>,
    key: &'static str,
    what: &str,
    declared: &[String],
    mistakes: &mut Mistakes,
) -> Vec<(String, At<'n>)> {
    let entries = fields
        .get(key)
        .map(|at| at.entries(mistakes))
        .unwrap_or_default();
    for (entry, at) in entries
        .iter()
        .filter(|(entry, _)| !declared.contains(&entry.key))
    {
        let message = format!(
            "the model declares no {what} `{}`; it has: {}",
            entry.key,
            declared.join(", ")
        );
        mistakes.add_at_key(entry, at.path.clone(), message);
    }
    entries
        .into_iter()
        .map(|(entry, at)| (entry.key.clone(), at))
        .collect()
}

fn event(at: &At<'_>, mistakes: &mut Mistakes) -> Option<EventMapping> {
    let mut fields = at.fields(mistakes)?;
    let kind = fields
        .required("type", mistakes)
        .and_then(|at| event_type(&at, mistakes));
    let id = fields
        .required("id", mistakes)
        .and_then(|at| expression(&at, mistakes));
    let record = fields
        .required("record", mistakes)
        .and_then(|at| expression(&at, mistakes));
    let time = fields.get("time").and_then(|at| expression(&at, mistakes));
    let mut properties = Vec::new();
    for (entry, at) in fields
        .get("properties")
        .map(|at| at.entries(mistakes))
        .unwrap_or_default()
    {
        if entry.key.is_empty() || entry.key.len() > MAX_NAME_BYTES {
            mistakes.add_at_key(
                entry,
                at.path.clone(),
                format!("a property's name has 1 to {MAX_NAME_BYTES} bytes"),
            );
        }
        properties
            .extend(expression(&at, mistakes).map(|expression| (entry.key.clone(), expression)));
    }
    fields.finish(mistakes);
    Some(EventMapping {
        kind: kind?,
        id: id?,
        time,
        record: record?,
        properties,
    })
}

/// A name stands for itself; anything more is an expression.
fn event_type(at: &At<'_>, mistakes: &mut Mistakes) -> Option<EventType> {
    let text = at.text(mistakes)?;
    if is_snake_case(text) {
        return Some(EventType::Always(text.to_owned()));
    }
    expression(at, mistakes).map(EventType::From)
}

pub(super) fn expression(at: &At<'_>, mistakes: &mut Mistakes) -> Option<Expression> {
    let source = at.text(mistakes)?;
    match Expression::compile_within(source, &[], &mut mistakes.allowance) {
        Ok(expression) => Some(expression),
        Err(wrong) => {
            for message in wrong {
                mistakes.add(at, message);
            }
            None
        }
    }
}
