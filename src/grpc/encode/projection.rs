//! How much of a profile to answer: the view and the mask that were asked for, and what the purpose
//! may see.

mod message;

use std::collections::BTreeSet;
use std::sync::Arc;

use profile_core::model::{Model, PurposeKind};
use profile_core::permission::view::View;
use profile_core::profile::Profile;
use profile_core::records::{Reason, Timestamp, Violation, listed};
use prost_types::FieldMask;

use super::Sight;
use crate::grpc::checked::Checked;
use crate::grpc::names::profile_name;
use crate::grpc::preferences::encode::withheld;
use crate::grpc::v1;
use message::hide;

/// How much of a profile to answer: the view, the mask and the purpose, checked.
#[derive(Debug, Clone, Default)]
pub(in crate::grpc) struct Projection {
    full: bool,
    /// `None` takes the whole view.
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

    /// The view of the purpose, which was there when it was asked for.
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
    /// Everything that there is, for no purpose.
    pub(in crate::grpc) fn full() -> Self {
        Self {
            full: true,
            ..Self::default()
        }
    }

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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected(paths: &[&str]) -> Result<Projection, Vec<Violation>> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Projection::new(0, Some(FieldMask { paths }))
    }

    #[test]
    fn a_mask_names_fields_whole_traits_or_one_of_them() {
        for (paths, has_name, has_nickname, has_score) in [
            (vec![], true, true, true),
            (vec!["name"], true, false, false),
            (vec!["traits"], false, true, false),
            (vec!["traits.nickname"], false, true, false),
            (vec!["traits.`nickname`"], false, true, false),
            (vec!["traits.other"], false, false, false),
            (vec!["computed"], false, false, true),
            (vec!["computed.score", "name"], true, false, true),
        ] {
            let shape = projected(&paths).expect("a mask");
            assert_eq!(
                (
                    shape.has("name"),
                    shape.has_trait("nickname"),
                    shape.has_computed("score")
                ),
                (has_name, has_nickname, has_score),
                "{paths:?}"
            );
        }
    }

    #[test]
    fn each_unknown_path_is_named_and_the_paths_are_listed_once() {
        let paths = ["nam", "traits.", "timeline", "name.given", "a\u{7}b"];
        let violations = projected(&paths).expect_err("no such paths");
        let fields: Vec<String> = violations
            .iter()
            .map(|violation| violation.field.clone())
            .collect();
        let expected: Vec<String> = (0..paths.len())
            .map(|index| format!("read_mask.paths[{index}]"))
            .collect();
        assert_eq!(fields, expected);
        let lists = violations
            .iter()
            .filter(|violation| violation.description.contains("the paths are"))
            .count();
        assert_eq!(lists, 1, "{violations:?}");
        assert!(violations[4].description.starts_with("`ab`"));
        for path in FIELDS {
            assert!(violations[0].description.contains(path), "{path}");
        }
    }

    #[test]
    fn a_view_of_a_later_version_is_refused_not_replaced() {
        let violations = Projection::new(42, None).expect_err("no such view");
        assert_eq!(violations[0].reason, Reason::UnknownEnumValue);
        assert_eq!(violations[0].field, "view");
    }

    #[test]
    fn a_mask_of_a_watch_also_says_which_changes_matter() {
        let of = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            let (shape, fields) = Projection::of_watch(0, Some(FieldMask { paths }))?;
            Ok::<_, Vec<Violation>>((shape.mask.is_some(), fields))
        };
        assert_eq!(of(&[]), Ok((false, None)));
        let (masked, fields) = of(&["timeline", "consents"]).expect("both are of interest");
        assert!(masked, "nothing of the profile is answered");
        assert_eq!(fields.expect("fields").len(), 2);
        let (masked, fields) = of(&["segments.regulars"]).expect("a segment is of interest");
        assert!(masked, "nothing of the profile is answered");
        assert!(fields.expect("fields").contains("segments.regulars"));
        assert!(of(&["timelines"]).is_err());
    }
}
