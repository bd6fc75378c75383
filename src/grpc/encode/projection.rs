//! How much of a profile to answer: the view and the mask that were asked for, and what the purpose
//! may see.

use std::collections::BTreeSet;
use std::sync::Arc;

use profile_core::model::{Model, PurposeKind};
use profile_core::permission::view::View;
use profile_core::profile::{Derived, Profile};
use profile_core::records::{PreferenceKey, Reason, Timestamp, Violation, listed};
use prost_types::FieldMask;

use super::{Sight, computed_trait, held, record, time, unified};
use crate::grpc::checked::Checked;
use crate::grpc::names::profile_name;
use crate::grpc::preferences::encode::{accessibility, preferences, withheld};
use crate::grpc::v1;

/// How much of a profile to answer: the view, the mask and the purpose, checked.
#[derive(Debug, Clone, Default)]
pub(in crate::grpc) struct Projection {
    full: bool,
    /// None: all of the view.
    mask: Option<Mask>,
    bound: Option<PurposeScope>,
}

#[derive(Debug, Clone, Default)]
struct Mask {
    fields: BTreeSet<String>,
    traits: BTreeSet<String>,
    computed: BTreeSet<String>,
}

/// A purpose of a model.
#[derive(Debug, Clone)]
pub(in crate::grpc) struct PurposeScope {
    name: String,
    model: Arc<Model>,
}

/// The fields that a mask may name.
const FIELDS: [&str; 12] = [
    "name",
    "revision",
    "accessibility",
    "preferences",
    "create_time",
    "update_time",
    "traits",
    "computed",
    "segments",
    "identifiers",
    "record_count",
    "records",
];

impl PurposeScope {
    /// A purpose of a model; none where none is named.
    pub(in crate::grpc) fn new(name: String, model: &Arc<Model>) -> Checked<Option<Self>> {
        if name.is_empty() {
            return Ok(None);
        }
        if model.purposes.contains_key(&name) {
            return Ok(Some(Self {
                name,
                model: model.clone(),
            }));
        }
        Err(vec![undeclared(
            "purpose",
            "purpose",
            &name,
            model.purposes.keys(),
        )])
    }

    /// What it may see; none: the purpose was there when it was asked for, so never.
    pub(in crate::grpc) fn view(&self) -> Option<View<'_>> {
        Some(View {
            name: &self.name,
            purpose: self.model.purposes.get(&self.name)?,
            model: &self.model,
        })
    }
}

/// Something that a model does not declare.
pub(in crate::grpc) fn undeclared<'n>(
    field: &str,
    what: &str,
    name: &str,
    declared: impl Iterator<Item = &'n String>,
) -> Violation {
    let shown: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(64)
        .collect();
    let declared = listed(declared.map(String::as_str));
    let description = format!("the model declares no {what} `{shown}`; it has: {declared}");
    Violation::new(Reason::NotDeclared, field, description)
}

/// A path that no profile has. The first violation lists those that there are.
fn unknown_path(index: usize, path: &str, first: bool) -> Violation {
    let shown: String = path
        .chars()
        .filter(|letter| !letter.is_control())
        .take(64)
        .collect();
    let paths = format!(
        "; the paths are {}, `traits.{{name}}` and `computed.{{name}}`",
        FIELDS.join(", ")
    );
    let description = format!(
        "`{shown}` is not a path of a profile{}",
        if first { &paths } else { "" }
    );
    Violation::new(
        Reason::Malformed,
        format!("read_mask.paths[{index}]"),
        description,
    )
}

impl Projection {
    /// Checks a view and a mask.
    pub(in crate::grpc) fn new(view: i32, mask: Option<FieldMask>) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let view = v1::ProfileView::try_from(view).unwrap_or_else(|_| {
            let description = format!("{view} is not a view of this version");
            violations.push(Violation::new(
                Reason::UnknownEnumValue,
                "view",
                description,
            ));
            v1::ProfileView::Unspecified
        });
        let mask = mask.filter(|mask| !mask.paths.is_empty()).map(|mask| {
            let mut parsed = Mask::default();
            for (index, path) in mask.paths.into_iter().enumerate() {
                let name = |name: &str| name.trim_matches('`').to_owned();
                match path.split_once('.') {
                    Some(("traits", of)) if !of.is_empty() => parsed.traits.insert(name(of)),
                    Some(("computed", of)) if !of.is_empty() => parsed.computed.insert(name(of)),
                    _ if FIELDS.contains(&path.as_str()) => parsed.fields.insert(path),
                    _ => {
                        violations.push(unknown_path(index, &path, violations.is_empty()));
                        false
                    }
                };
            }
            parsed
        });
        if !violations.is_empty() {
            return Err(violations);
        }
        Ok(Self {
            full: view == v1::ProfileView::Full,
            mask,
            bound: None,
        })
    }

    /// Checks the view and the mask of a watch, whose mask also says which changes are of interest.
    pub(in crate::grpc) fn of_watch(
        view: i32,
        mask: Option<FieldMask>,
    ) -> Result<(Self, Option<BTreeSet<String>>), Vec<Violation>> {
        let paths = mask.map(|mask| mask.paths).unwrap_or_default();
        let fields: BTreeSet<String> = paths.iter().cloned().collect();
        let of_changes =
            |path: &str| path == "timeline" || path == "consents" || path.starts_with("segments.");
        let mut paths = paths;
        paths.retain(|path| !of_changes(path));
        let mut shape = Self::new(view, Some(FieldMask { paths }))?;
        if fields.is_empty() {
            return Ok((shape, None));
        }
        shape.mask.get_or_insert_default();
        Ok((shape, Some(fields)))
    }

    /// Only what a purpose may see. Needs are refused to those that sell, not just withheld.
    pub(in crate::grpc) fn bound_to(self, bound: Option<PurposeScope>) -> Checked<Self> {
        let named = self
            .mask
            .as_ref()
            .is_some_and(|mask| mask.fields.contains("accessibility"));
        let sells = bound
            .as_ref()
            .and_then(PurposeScope::view)
            .is_some_and(|view| view.purpose.kind == PurposeKind::Marketing);
        if named && sells {
            let rule = "accessibility needs are never used for marketing";
            return Err(vec![Violation::new(
                Reason::NotForPurpose,
                "read_mask",
                rule,
            )]);
        }
        Ok(Self { bound, ..self })
    }

    /// Whether computed traits or segments are shown.
    pub(in crate::grpc) fn wants_derived(&self) -> bool {
        let named = |mask: &Mask| !mask.computed.is_empty();
        self.has("computed") || self.has("segments") || self.mask.as_ref().is_some_and(named)
    }

    fn has(&self, field: &str) -> bool {
        self.mask
            .as_ref()
            .is_none_or(|mask| mask.fields.contains(field))
    }

    fn has_trait(&self, name: &str) -> bool {
        self.mask
            .as_ref()
            .is_none_or(|mask| mask.fields.contains("traits") || mask.traits.contains(name))
    }

    fn has_computed(&self, name: &str) -> bool {
        self.mask
            .as_ref()
            .is_none_or(|mask| mask.fields.contains("computed") || mask.computed.contains(name))
    }

    /// A profile in this shape, and what is withheld of it at a time.
    pub(in crate::grpc) fn of(
        &self,
        profile: &Profile,
        now: Timestamp,
    ) -> (v1::Profile, Vec<v1::Withheld>) {
        let view = self.bound.as_ref().and_then(PurposeScope::view);
        if let Some(Err(everything)) = view.map(|view| view.admits(profile, now)) {
            let name = profile_name(&profile.id);
            let empty = v1::Profile {
                name,
                revision: profile.revision,
                ..v1::Profile::default()
            };
            return (empty, vec![withheld(everything)]);
        }
        let mut sight = Sight::new(view);
        let mut message = self.message(profile, &mut sight);
        hide(&mut message, &sight.hidden_keys(profile));
        (
            message,
            sight.into_withheld().into_iter().map(withheld).collect(),
        )
    }

    fn message(&self, profile: &Profile, sight: &mut Sight<'_>) -> v1::Profile {
        let mut message = v1::Profile {
            name: profile_name(&profile.id),
            revision: profile.revision,
            traits: profile
                .traits
                .iter()
                .filter(|(name, _)| self.has_trait(name) && sight.sees_trait(name))
                .map(|(name, found)| (name.clone(), unified(found)))
                .collect(),
            ..v1::Profile::default()
        };
        self.treatment(profile, sight, &mut message);
        self.derived(profile, sight, &mut message);
        if self.has("create_time") {
            message.create_time = Some(time(profile.create_time));
        }
        if self.has("update_time") {
            message.update_time = Some(time(profile.update_time));
        }
        if self.has("identifiers") {
            let seen = profile
                .identifiers
                .iter()
                .filter(|held| sight.sees_identifier(&held.identifier.kind));
            message.identifiers = seen.map(held).collect();
        }
        if self.has("record_count") {
            message.record_count = i32::try_from(profile.records.len()).unwrap_or(i32::MAX);
        }
        if self.full && self.has("records") {
            message.records = profile.records.iter().map(record).collect();
            if sight.is_bound() {
                for record in &mut message.records {
                    record.traits.retain(|name, _| sight.sees_trait(name));
                    record
                        .identifiers
                        .retain(|held| sight.sees_identifier(&held.r#type));
                }
            }
        }
        message
    }

    /// What follows from all the rest.
    fn derived(&self, profile: &Profile, sight: &mut Sight<'_>, message: &mut v1::Profile) {
        let Derived {
            computed,
            segments,
            undecided_segments,
            ..
        } = &profile.derived;
        let seen = computed
            .iter()
            .filter(|(name, _)| self.has_computed(name) && sight.sees_computed(name));
        message.computed = seen
            .map(|(name, found)| (name.clone(), computed_trait(found)))
            .collect();
        if self.has("segments") {
            message.segments = segments
                .iter()
                .filter(|name| sight.sees_segment(name))
                .cloned()
                .collect();
            let undecided = undecided_segments
                .iter()
                .filter(|name| sight.sees_segment(name));
            message.undecided_segments = undecided.cloned().collect();
        }
    }

    /// How the customer wants to be treated.
    fn treatment(&self, profile: &Profile, sight: &mut Sight<'_>, message: &mut v1::Profile) {
        let stated = sight.preferences(&profile.preferences);
        if stated.is_empty() {
            return;
        }
        let has = |needs: bool| {
            stated
                .keys()
                .any(|key| PreferenceKey::is_accessibility(key) == needs)
        };
        if self.has("accessibility") && has(true) && sight.sees_accessibility() {
            message.accessibility = accessibility(&stated);
        }
        if self.has("preferences") && has(false) && sight.sees_preferences() {
            message.preferences = preferences(&stated);
        }
    }
}

/// Takes the keys of records out of a message that are not to be told.
fn hide(message: &mut v1::Profile, hidden: &BTreeSet<String>) {
    if hidden.is_empty() {
        return;
    }
    let of_traits = message
        .traits
        .values_mut()
        .flat_map(|found| &mut found.origins);
    let of_identifiers = message
        .identifiers
        .iter_mut()
        .filter_map(|held| held.origin.as_mut());
    let of_records = message
        .records
        .iter_mut()
        .filter_map(|record| record.record.as_mut());
    let keys = of_traits
        .chain(of_identifiers)
        .filter_map(|origin| origin.record.as_mut())
        .chain(of_records);
    for record in keys.filter(|record| hidden.contains(&record.key)) {
        record.key.clear();
    }
}
