//! Roles in the model file: the fields of customers that callers see.

use std::collections::BTreeSet;

use super::forms::{Flag, declared, event_type, list, seen, set, snake_case, text};
use super::keys::keys;
use super::purposes::metric;
use super::reader::{Fields, Reader, Section};
use crate::model::Visible;

/// The rule for names of kinds of objects.
const OBJECT_KIND: &str = "must be a kind of object in lower snake case, such as order";

keys! {
    /// A role of callers: the fields of customers that they see. Credentials name roles; with
    /// several, a field is seen that one of them sees. The answer says which fields are withheld.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct AccessRole as "AccessRole" => AccessRole: role {
        /// The purposes of which each read must name one. Default: it may name any, or none.
        purposes: BTreeSet<String> = empty as set(list(declared(Section::Purposes)));
        /// The traits it sees; `"*"`: all. Default none.
        traits: Visible = empty as seen(declared(Section::Traits));
        /// The identifier types it sees; `"*"`: all. Default none.
        identifiers: Visible = empty as seen(declared(Section::Identifiers));
        /// The computed traits it sees; `"*"`: all. Default none.
        computed: Visible = empty as seen(declared(Section::Computed));
        /// The segments it sees; `"*"`: all. Default none.
        segments: Visible = empty as seen(declared(Section::Segments));
        /// The metrics of customer experience it sees, as for purposes; `"*"`: all. Default none.
        experience: Visible = empty as seen(metric());
        /// The event types it sees; `"*"`: all. Default none.
        events: Visible = empty as seen(event_type());
        /// The kinds of objects it sees, such as `order`; `"*"`: all. Default none.
        objects: Visible = empty as seen(snake_case(OBJECT_KIND));
        /// The properties of those events, and fields of those objects, that it sees; `"*"`: all.
        /// Default none.
        properties: Visible = empty as seen(text());
        /// Whether it sees preferences and consents.
        preferences: bool = "false" as Flag;
        /// Whether it sees accessibility needs.
        accessibility: bool = "false" as Flag;
        /// Whether it sees the keys that records have in their sources. Some sources know their
        /// customers by e-mail address.
        record_keys: bool = "false" as Flag;
        /// The traits it sees masked, `***`, also where it sees all.
        masked_traits: Visible = empty as seen(declared(Section::Traits));
        /// The identifier types it sees masked: `a***@example.com`, `***1234`.
        masked_identifiers: Visible = empty as seen(declared(Section::Identifiers));
        /// The properties of events, and fields of objects, that it sees masked.
        masked_properties: Visible = empty as seen(text());
        /// The identifier types by which it may look customers up. Default: those of
        /// `identifiers`.
        lookup_identifiers: Option<Visible> = optional as seen(declared(Section::Identifiers));
        /// The traits in which its searches find words. Default: those of `traits`.
        search_traits: Option<Visible> = optional as seen(declared(Section::Traits));
    }
}

/// A name in both lists is a mistake: one of the two was not meant.
fn role(role: AccessRole, fields: &Fields<'_>, reader: &mut Reader) -> AccessRole {
    for (seen, masked, key) in [
        (&role.traits, &role.masked_traits, "masked_traits"),
        (
            &role.identifiers,
            &role.masked_identifiers,
            "masked_identifiers",
        ),
        (
            &role.properties,
            &role.masked_properties,
            "masked_properties",
        ),
    ] {
        let (Visible::Only(seen), Visible::Only(masked)) = (seen, masked) else {
            continue;
        };
        let both = seen.intersection(masked).next();
        if let (Some(name), Some(place)) = (both, fields.place_of(key)) {
            let message = format!("`{name}` is also among those that are seen as they are");
            reader.error(place, message);
        }
    }
    role
}

#[cfg(test)]
mod tests {
    use crate::model::Model;
    use crate::model::Visible;

    #[test]
    fn a_role_sees_nothing_that_it_does_not_list() {
        let model = Model::parse("sources: { shop: }\nroles: { agent: { traits: '*' }, nobody: }");
        let model = model.expect("a model");
        let nobody = &model.roles["nobody"];
        assert_eq!(nobody.traits, Visible::default());
        assert!(!nobody.preferences && !nobody.record_keys && nobody.lookup_identifiers.is_none());
        assert_eq!(model.roles["agent"].traits, Visible::All);
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let text = "sources: { shop: }
traits: { name: , born: }
roles:
  agent: { traits: [name], masked_traits: [name, born] }
  clerk: { purposes: [service], identifiers: [email], fields: [name] }
  boss: { traits: '*', masked_traits: [born], objects: [Order] }
";
        let mistakes = Model::parse(text).expect_err("mistakes");
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        let told = told.join("\n");
        for part in [
            "roles.agent.masked_traits: `name` is also among those that are seen as they are",
            "roles.clerk.purposes",
            "roles.clerk.identifiers",
            "roles.clerk.fields",
            "roles.boss.objects",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
        assert!(!told.contains("boss.masked_traits"), "{told}");
    }
}
