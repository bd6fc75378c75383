//! The section on groups of traits.

use super::forms::{declared, list, one_of};
use super::keys::keys;
use super::reader::{Fields, Reader, Section};
use super::sections::Model;
use crate::model::Survivorship;

keys! {
    /// A group of traits whose values survive together, from one record: a postal address.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct TraitGroup as "Group" => TraitGroup: group {
        /// The traits, the telling one first: only records that have a value for it compete, or, if
        /// none has one, those that have a value for the next.
        traits: Vec<String> = required as
            list(declared(Section::Traits)).not_empty("must name the traits of the group");
        /// Which record's values survive. All but `union`.
        keep: Survivorship = "most_recent" as one_of::<Survivorship>();
    }
}

fn group(keys: TraitGroup, fields: &Fields<'_>, reader: &mut Reader) -> TraitGroup {
    if let (Survivorship::Union, Some(place)) = (keys.keep, fields.place_of("keep")) {
        let message = "must choose one record: `union` is for single traits";
        reader.error(place, message);
    }
    keys
}

/// Checks that a trait is in one group at most, whose `keep` is its own.
pub(super) fn check(model: Model, fields: &Fields<'_>, reader: &mut Reader) -> Model {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (name, group) in &model.groups {
        for member in &group.traits {
            let first = seen.iter().find(|(known, _)| known == member);
            if let (Some((_, first)), Some(place)) = (first, fields.place_at(&["groups", name])) {
                let message = format!("`{member}` is in the group `{first}` already");
                reader.error(place, message);
            }
            if let Some(place) = fields.place_at(&["traits", member, "keep"]) {
                let message =
                    format!("`{member}` survives with its group: set `groups.{name}.keep` instead");
                reader.error(place, message);
            }
            seen.push((member, name));
        }
    }
    model
}

#[cfg(test)]
mod tests {
    use crate::model::{Model, Survivorship};

    fn mistakes(groups: &str) -> String {
        let traits = "street: , city: , phone_note: { keep: longest }, zip:";
        let yaml = format!("traits: {{ {traits} }}\nsources: {{ s: }}\ngroups: {{ {groups} }}\n");
        let errors = Model::parse(&yaml).err().unwrap_or_default();
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn a_group_names_traits_that_survive_by_its_rule() {
        let yaml = "traits: { street: , city: }\nsources: { s: }\n\
                    groups: { address: { traits: [street, city], keep: source_trust } }";
        let model = Model::parse(yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(model.groups["address"].traits, ["street", "city"]);
        assert_eq!(model.survivorship("city"), Survivorship::SourceTrust);
    }

    #[test]
    fn what_cannot_survive_together_is_a_mistake() {
        insta::assert_snapshot!(mistakes("a: { traits: [street, town] }"), @"3:33: groups.a.traits[1]: the model declares no trait `town`; it has: street, city, phone_note, zip");
        insta::assert_snapshot!(mistakes("a: { traits: [] }"), @"3:24: groups.a.traits: must name the traits of the group");
        insta::assert_snapshot!(mistakes("a: { traits: [street], keep: union }"), @"3:40: groups.a.keep: must choose one record: `union` is for single traits");
        insta::assert_snapshot!(mistakes("a: { traits: [street] }, b: { traits: [city, street] }"), @"3:39: groups.b: `street` is in the group `a` already");
        insta::assert_snapshot!(mistakes("a: { traits: [street, phone_note] }"), @"1:49: traits.phone_note.keep: `phone_note` survives with its group: set `groups.a.keep` instead");
    }
}
