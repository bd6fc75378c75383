//! The section on kinds of objects: statuses that follow related objects.

mod chains;
mod kinds;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::forms::{
    Form, Located, list, list_as, located, mapping, named, one_of, snake_case, text,
};
use super::keys::keys;
use super::reader::{At, Fields, Place, Reader};
use super::schema::Definitions;
use crate::model::check::is_snake_case;
use crate::model::expression::types::near;
use crate::records::{Follow, Follows, Share, Which};
use kinds::{Kind, kinds};

/// Maximum number of rules of a kind.
const MAX_RULES: usize = 16;
/// Objects that give back what others took.
const REFUND_KIND: &str = "refund";
/// Properties that say the amount of an object, and that of a related one.
const OWN_AMOUNTS: [&str; 2] = ["total", "amount"];
const AMOUNT: &str = "amount";
/// The rules for words.
const KIND: &str = "must be a kind of object in lower snake case, such as order";
const STATUS: &str = "a status is named in lower snake case (`in_transit`), in 1 to 64 bytes";

keys! {
    /// A kind of object: what its status follows besides its own events.
    pub(super) struct ObjectKeys as "ObjectKind" {
        /// Statuses that follow from those of related objects. Of two rules that begin to hold at
        /// one time the later one counts.
        follows: Vec<FollowKeys> = empty as
            list_as("Follows", "One rule, or several.", mapping::<FollowKeys>());
    }

    /// A status that follows from those of related objects: of those whose events name the object,
    /// or that its events name.
    pub(super) struct FollowKeys as "Follow" => FollowKeys: follow {
        /// The kind of the related objects, where all must have one of the statuses.
        all: Option<Located<String>> = optional as located(snake_case(KIND));
        /// The kind of the related objects, where one of them must have one of the statuses.
        any: Option<Located<String>> = optional as located(snake_case(KIND));
        /// The kind of the related objects, where the one whose first event is the latest must have
        /// one of the statuses.
        latest: Option<Located<String>> = optional as located(snake_case(KIND));
        /// The statuses that the related objects must have: those of the event types of that kind,
        /// or those that follow.
        are: Vec<Located<String>> = required as
            list(located(text())).not_empty("must name the statuses that related objects have");
        /// The status that the object then has, in lower snake case.
        status: Located<String> = required as located(snake_case(STATUS));
        /// Related objects that name an object of these kinds do not count: `return`, where parcels
        /// that travel back name their return.
        without: Vec<Located<String>> = empty as list(located(snake_case(KIND)));
        /// How much of the object's amount (its `total`, or else its `amount`) the `amount` of the
        /// related objects that have one of the statuses must come to together. Default: `whole` of
        /// refunds, `any` of others.
        amount: Option<Located<Share>> = optional as located(one_of::<Share>());
    }
}

impl ObjectKeys {
    /// The kinds that its rules follow.
    fn followed(&self) -> Vec<&Located<String>> {
        let kinds = self.follows.iter().flat_map(FollowKeys::whiches);
        kinds.map(|(_, kind)| kind).collect()
    }
}

impl FollowKeys {
    /// How much of the object's amount the related objects must come to. A refund may be one of a
    /// part.
    fn share(&self) -> Share {
        let refunds = self.whiches().any(|(_, kind)| kind.value == REFUND_KIND);
        let usual = if refunds { Share::Whole } else { Share::Any };
        self.amount.as_ref().map_or(usual, |said| said.value)
    }

    /// The kinds that it names, with how many of them must be so.
    fn whiches(&self) -> impl Iterator<Item = (Which, &Located<String>)> {
        let said = [
            (Which::All, &self.all),
            (Which::Any, &self.any),
            (Which::Latest, &self.latest),
        ];
        said.into_iter()
            .filter_map(|(which, kind)| Some((which, kind.as_ref()?)))
    }
}

fn follow(keys: FollowKeys, fields: &Fields<'_>, reader: &mut Reader) -> Option<FollowKeys> {
    if keys.whiches().count() == 1 {
        return Some(keys);
    }
    let message = "a rule says one of `all`, `any` and `latest`: the kind of the related objects";
    reader.error(fields.place(), message);
    None
}

/// The form of the section `objects`.
pub(super) struct Kinds;

impl Kinds {
    fn form() -> impl Form<Value = BTreeMap<String, ObjectKeys>> {
        named("a kind of object", mapping::<ObjectKeys>()).or_bare()
    }
}

impl Form for Kinds {
    type Value = Follows;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Follows> {
        let written = Self::form().read(at, reader)?;
        let section = Section {
            kinds: kinds(&reader.declared.events, &written),
            written,
        };
        for (entry, at) in at.entries(&mut Reader::default()) {
            if is_snake_case(&entry.key) {
                section.check_kind(&entry.key, entry.place(at.path.clone()), reader);
            }
        }
        for kind in section.written.keys() {
            section.check_rules(kind, reader);
        }
        chains::check(&section.edges(), reader);
        Some(section.compile())
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        Self::form().schema(definitions)
    }
}

/// The section as it is written, and the kinds of objects that there are.
struct Section {
    written: BTreeMap<String, ObjectKeys>,
    kinds: BTreeMap<String, Kind>,
}

impl Section {
    /// Notes a mistake where no event type names a kind.
    fn check_kind(&self, name: &str, place: Place, reader: &mut Reader) -> bool {
        let is_known = self.kinds.contains_key(name);
        if !is_known {
            let there = self.kinds.keys().map(String::as_str);
            let message = match near(name, there.clone()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are: {}", joined(there)),
            };
            let message = format!("no event type names an object of the kind `{name}`; {message}");
            reader.error(place, message);
        }
        is_known
    }

    /// Notes the mistakes in the rules of a kind.
    fn check_rules(&self, name: &str, reader: &mut Reader) {
        let rules = &self.written[name].follows;
        if let Some(rule) = rules.get(MAX_RULES) {
            let message = format!("a kind of object has at most {MAX_RULES} rules");
            reader.error(rule.status.place.clone(), message);
        }
        for rule in rules {
            for (_, kind) in rule.whiches() {
                if self.check_kind(&kind.value, kind.place.clone(), reader) {
                    self.check_related(name, kind, reader);
                    self.check_amounts(name, kind, rule, reader);
                    for status in &rule.are {
                        self.check_status(&kind.value, status, reader);
                    }
                }
            }
            for kind in &rule.without {
                self.check_kind(&kind.value, kind.place.clone(), reader);
            }
            self.check_own_status(name, &rule.status, reader);
        }
    }

    /// The kinds that each kind follows.
    fn edges(&self) -> chains::Edges<'_> {
        let all = self.written.iter();
        all.map(|(name, keys)| (name.as_str(), keys.followed()))
            .collect()
    }

    /// Notes a mistake where objects of two kinds are never related.
    fn check_related(&self, name: &str, kind: &Located<String>, reader: &mut Reader) {
        let related = self.kinds.get(name).map(|known| &known.related);
        if name != kind.value && related.is_some_and(|related| !related.contains(&kind.value)) {
            let message = format!(
                "no event type of one of the kinds `{name}` and `{}` names the other: the rule \
                 never holds",
                kind.value
            );
            reader.error(kind.place.clone(), message);
        }
    }

    /// Notes a mistake where a rule compares amounts and there are none.
    fn check_amounts(
        &self,
        name: &str,
        kind: &Located<String>,
        rule: &FollowKeys,
        reader: &mut Reader,
    ) {
        let said = rule.amount.as_ref();
        let Some(said) = said.filter(|said| said.value != Share::Any) else {
            return;
        };
        let says = |kind: &str, names: &[&str]| {
            let known = self.kinds.get(kind).map(|known| &known.properties);
            known.is_none_or(|known| names.iter().any(|name| known.contains(*name)))
        };
        let without = if !says(&kind.value, &[AMOUNT]) {
            (kind.value.as_str(), "`amount`")
        } else if !says(name, &OWN_AMOUNTS) {
            (name, "`total` or `amount`")
        } else {
            return;
        };
        let message = format!(
            "no event type of the kind `{}` has the property {}, which the rule compares",
            without.0, without.1
        );
        reader.error(said.place.clone(), message);
    }

    /// Notes a mistake where related objects have no such status.
    fn check_status(&self, kind: &str, status: &Located<String>, reader: &mut Reader) {
        let known = &self.kinds[kind];
        if known.has(&status.value) {
            return;
        }
        let there = known.said.union(&known.following).map(String::as_str);
        let message = match near(&status.value, there.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if there.clone().next().is_none() => "it has none".to_owned(),
            None => format!("there are: {}", joined(there)),
        };
        let message = format!(
            "the kind `{kind}` has no status `{}`; {message} (`states` of its event types adds \
             others)",
            status.value
        );
        reader.error(status.place.clone(), message);
    }

    /// Notes a mistake where a status that follows is nearly one that event types say.
    fn check_own_status(&self, name: &str, status: &Located<String>, reader: &mut Reader) {
        let Some(kind) = self.kinds.get(name) else {
            return;
        };
        if kind.said.contains(&status.value) {
            return;
        }
        if let Some(meant) = near(&status.value, kind.said.iter().map(String::as_str)) {
            let message = format!(
                "the kind `{name}` has no status `{}`; did you mean `{meant}`? (`states` of its \
                 event types adds others)",
                status.value
            );
            reader.error(status.place.clone(), message);
        }
    }

    fn compile(self) -> Follows {
        let Self { written, kinds } = self;
        let rule = |name: &str, keys: &FollowKeys| {
            let (which, kind) = keys.whiches().next()?;
            let values = |all: &[Located<String>]| -> Vec<String> {
                all.iter().map(|one| one.value.clone()).collect()
            };
            let ranks = kinds.get(name).map(|kind| &kind.ranks);
            let rank = ranks.and_then(|ranks| ranks.get(&keys.status.value));
            Some(Follow {
                status: keys.status.value.clone(),
                rank: rank.copied().unwrap_or(u32::MAX),
                which,
                kind: kind.value.clone(),
                are: values(&keys.are),
                without: values(&keys.without).into_iter().collect(),
                share: keys.share(),
            })
        };
        let rules = written.iter().map(|(name, keys)| {
            let follows = keys.follows.iter();
            let follows: Vec<Follow> = follows.filter_map(|keys| rule(name, keys)).collect();
            (name.clone(), follows)
        });
        rules.filter(|(_, follows)| !follows.is_empty()).collect()
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
