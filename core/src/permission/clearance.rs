//! Field access by the roles of a caller, the same for all customers.
//!
//! A purpose is the reason for a read; a role is who reads. Each bounds by itself what is seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::matching::Field;
use crate::model::{AccessRole, BelongsTo, IdentifierType, Model, Normalization, Role, Visible};

mod mask;

pub use mask::mask;

/// The parts of a name: any of them may be read from another one.
const NAMES: [Role; 6] = [
    Role::GivenName,
    Role::MiddleName,
    Role::FamilyName,
    Role::FullName,
    Role::OtherNames,
    Role::Suffix,
];
/// The parts of an address: a street may be all of it in one line.
const HOME: [Role; 4] = [Role::Street, Role::City, Role::Postcode, Role::Country];

/// How much of a value is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clarity {
    /// Nothing of it is seen.
    Hidden,
    /// It is seen that there is one, and little of it: see [`mask`].
    Masked,
    /// It is seen as it is.
    Clear,
}

/// The roles of a caller, at least one. The caller sees whatever one of them sees.
#[derive(Debug, Clone)]
pub struct Clearance {
    names: Arc<[String]>,
    model: Arc<Model>,
}

/// A role that the model does not declare.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model declares no role `{0}`")]
pub struct UnknownRole(pub String);

impl Clearance {
    /// The access that roles of a model give.
    ///
    /// # Errors
    /// The model does not declare one of them.
    pub fn new(names: Arc<[String]>, model: Arc<Model>) -> Result<Self, UnknownRole> {
        let unknown = names.iter().find(|name| !model.roles.contains_key(*name));
        match unknown {
            Some(name) => Err(UnknownRole(name.clone())),
            None => Ok(Self { names, model }),
        }
    }

    /// The model that declares the roles.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The rule by which something is withheld, in words: `role agent`.
    #[must_use]
    pub fn rule(&self) -> String {
        match &*self.names {
            [only] => format!("role {only}"),
            several => format!("roles {}", several.join(", ")),
        }
    }

    /// The purposes of which each read must name one. `None`: it may name any, or none.
    #[must_use]
    pub fn purposes(&self) -> Option<BTreeSet<&str>> {
        let is_bound = |role: &AccessRole| !role.purposes.is_empty();
        let names = self.roles().flat_map(|role| &role.purposes);
        self.roles()
            .all(is_bound)
            .then(|| names.map(String::as_str).collect())
    }

    /// Whether nothing is withheld or masked.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.any(is_whole)
    }

    /// How much of a trait is seen.
    #[must_use]
    pub fn of_trait(&self, name: &str) -> Clarity {
        self.clarity(name, |role| (&role.traits, &role.masked_traits))
    }

    /// How much of identifiers of a type is seen.
    #[must_use]
    pub fn of_identifier(&self, kind: &str) -> Clarity {
        self.clarity(kind, |role| (&role.identifiers, &role.masked_identifiers))
    }

    /// How much of a property of events, or a field of objects, is seen.
    #[must_use]
    pub fn of_property(&self, name: &str) -> Clarity {
        self.clarity(name, |role| (&role.properties, &role.masked_properties))
    }

    /// Whether a computed trait is seen.
    #[must_use]
    pub fn sees_computed(&self, name: &str) -> bool {
        self.any(|role| role.computed.has(name))
    }

    /// Whether a segment is seen.
    #[must_use]
    pub fn sees_segment(&self, name: &str) -> bool {
        self.any(|role| role.segments.has(name))
    }

    /// Whether a metric of customer experience is seen.
    #[must_use]
    pub fn sees_experience(&self, metric: &str) -> bool {
        self.any(|role| role.experience.has(metric))
    }

    /// Whether events of a type are seen.
    #[must_use]
    pub fn sees_event(&self, kind: &str) -> bool {
        self.any(|role| role.events.has(kind))
    }

    /// Whether objects of a kind are seen.
    #[must_use]
    pub fn sees_object(&self, kind: &str) -> bool {
        self.any(|role| role.objects.has(kind))
    }

    /// Whether all properties of events are seen as they are.
    #[must_use]
    pub fn sees_all_properties(&self) -> bool {
        self.any(|role| all(&role.properties, &role.masked_properties))
    }

    /// Whether preferences and consents are seen.
    #[must_use]
    pub fn sees_preferences(&self) -> bool {
        self.any(|role| role.preferences)
    }

    /// Whether accessibility needs are seen.
    #[must_use]
    pub fn sees_accessibility(&self) -> bool {
        self.any(|role| role.accessibility)
    }

    /// Whether the keys of records are seen.
    #[must_use]
    pub fn sees_record_keys(&self) -> bool {
        self.any(|role| role.record_keys)
    }

    /// Whether customers may be looked up by an identifier of a type.
    #[must_use]
    pub fn looks_up(&self, kind: &str) -> bool {
        self.any(|role| match &role.lookup_identifiers {
            Some(named) => named.has(kind),
            None => clarity(kind, &role.identifiers, &role.masked_identifiers) == Clarity::Clear,
        })
    }

    /// The traits in which searches find words. A search that found words in others would tell what
    /// they are.
    #[must_use]
    pub fn searched_traits(&self) -> BTreeSet<String> {
        let is_searched = |name: &String| {
            self.any(|role| match &role.search_traits {
                Some(named) => named.has(name),
                None => clarity(name, &role.traits, &role.masked_traits) == Clarity::Clear,
            })
        };
        let names = self.model.traits.keys().filter(|name| is_searched(name));
        names.cloned().collect()
    }

    /// Whether the values of a comparison of two records are seen, by the name of its field: those
    /// of all traits and identifier types that it may have come from.
    #[must_use]
    pub fn sees_comparison(&self, field: &str) -> bool {
        let model = &self.model;
        let sees_identifiers = |is_meant: &dyn Fn(&IdentifierType) -> bool| {
            let mut kinds = model.identifiers.iter().filter(|(_, kind)| is_meant(kind));
            kinds.all(|(name, _)| self.of_identifier(name) == Clarity::Clear)
        };
        let sees_traits = |roles: &[Role]| {
            let is_meant = |role: Role| roles.contains(&role);
            let mut traits = model.traits.iter();
            traits.all(|(name, kind)| {
                !kind.role.is_some_and(is_meant) || self.of_trait(name) == Clarity::Clear
            })
        };
        match Field::ALL.into_iter().find(|known| known.name() == field) {
            Some(Field::GivenName | Field::MiddleName | Field::FamilyName) => sees_traits(&NAMES),
            Some(Field::BirthDate) => sees_traits(&[Role::BirthDate]),
            Some(Field::Gender) => sees_traits(&[Role::Gender]) && sees_traits(&NAMES),
            Some(Field::Street | Field::City | Field::Postcode) => sees_traits(&HOME),
            Some(Field::Email) => {
                sees_identifiers(&|kind| matches!(kind.normalization, Normalization::Email { .. }))
            }
            Some(Field::Phone) => {
                sees_identifiers(&|kind| matches!(kind.normalization, Normalization::E164 { .. }))
            }
            Some(Field::PersonalId) => {
                sees_identifiers(&|kind| kind.belongs_to == BelongsTo::Person)
            }
            None => self.is_whole(),
        }
    }

    fn roles(&self) -> impl Iterator<Item = &AccessRole> {
        let roles = self.names.iter();
        roles.filter_map(|name| self.model.roles.get(name))
    }

    fn any(&self, sees: impl Fn(&AccessRole) -> bool) -> bool {
        self.roles().any(sees)
    }

    fn clarity(&self, name: &str, lists: impl Fn(&AccessRole) -> (&Visible, &Visible)) -> Clarity {
        let of_role = |role| {
            let (seen, masked) = lists(role);
            clarity(name, seen, masked)
        };
        let most = self.roles().map(of_role).max();
        most.unwrap_or(Clarity::Hidden)
    }
}

/// How much one role sees: a name says more than `*`.
fn clarity(name: &str, seen: &Visible, masked: &Visible) -> Clarity {
    let named = |list: &Visible| matches!(list, Visible::Only(_)) && list.has(name);
    if named(seen) {
        Clarity::Clear
    } else if named(masked) {
        Clarity::Masked
    } else if *seen == Visible::All {
        Clarity::Clear
    } else if *masked == Visible::All {
        Clarity::Masked
    } else {
        Clarity::Hidden
    }
}

/// Whether everything of a kind is seen as it is.
fn all(seen: &Visible, masked: &Visible) -> bool {
    *seen == Visible::All && (*masked == Visible::All || *masked == Visible::default())
}

fn is_whole(role: &AccessRole) -> bool {
    let lists = [
        &role.computed,
        &role.segments,
        &role.experience,
        &role.events,
        &role.objects,
    ];
    all(&role.traits, &role.masked_traits)
        && all(&role.identifiers, &role.masked_identifiers)
        && all(&role.properties, &role.masked_properties)
        && lists.into_iter().all(|list| *list == Visible::All)
        && role.preferences
        && role.accessibility
        && role.record_keys
}

#[cfg(test)]
mod tests;
