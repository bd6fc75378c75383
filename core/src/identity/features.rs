//! What a record says of a person, in the form in which it is compared.
//!
//! Made once for each record: names cut, folded and with their forms, dates parsed, addresses in
//! tokens. All values count, not only the first of each. What says nothing (a blocked value, a date
//! that cannot be) is left out here, so that whoever compares need not ask.
//!
//! Features are good for the model that they were made with.

mod address;
mod contact;
mod date;
mod gender;
mod name;
mod postcode;
mod unread;

pub(super) use address::Street;
pub(super) use contact::{Email, Id, Phone};
pub(super) use date::Date;
pub(super) use gender::{is_of_sex, same as same_gender, sign_of};
pub(super) use name::{Family, Given, Name, Native, OtherScript, Script, Word};
pub use unread::unread;

use super::keys::BlockingKey;
use super::text;
use crate::model::matching::{Field, Weights};
use crate::model::placeholder::Sort;
use crate::model::{BelongsTo, DateForm, Home, Model, Normalization, Role, TraitType};
use crate::records::{Identifier, Record, Value};

/// How many values of one kind are compared; more are not a person's.
const MAX_VALUES: usize = 16;

/// What a record says of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Features {
    pub(super) names: Vec<Name>,
    /// Generation suffixes, as numbers: Sr is 1, Jr is 2.
    pub(super) suffixes: Vec<u8>,
    pub(super) genders: Vec<char>,
    pub(super) births: Vec<Date>,
    pub(super) streets: Vec<Street>,
    pub(super) cities: Vec<Word>,
    pub(super) postcodes: Vec<Word>,
    pub(super) emails: Vec<Email>,
    pub(super) phones: Vec<Phone>,
    pub(super) ids: Vec<Id>,
}

impl Features {
    /// Reads a record.
    #[must_use]
    pub fn of(record: &Record, model: &Model) -> Self {
        let mut features = Self::default();
        let source = &record.key.source;
        let dates = Dates {
            form: model.date_form(source),
            home: model.home(
                source,
                record.traits().map(|(name, value, _)| (name, value)),
            ),
        };
        let mut parts = name::Parts::new(dates.home);
        for (name, value, _) in record.traits() {
            let Some(kind) = model.traits.get(name) else {
                continue;
            };
            let Some(role) = kind.role else { continue };
            each_text(value, &mut |text| {
                features.take_trait((role, kind), text, &dates, &mut parts);
            });
        }
        (features.names, features.suffixes) = parts.into_names();
        features.genders = gender::of_all(features.genders);
        for (kind, held) in record.identifier_values() {
            features.take_identifier((kind, &held.value), model);
        }
        features.drop_placeholders(&model.matching.weights);
        features
    }

    fn take_trait(
        &mut self,
        (role, kind): (Role, &TraitType),
        text: &str,
        dates: &Dates,
        parts: &mut name::Parts,
    ) {
        let text = &*text::unmangled(text);
        match role {
            Role::GivenName
            | Role::MiddleName
            | Role::FamilyName
            | Role::FullName
            | Role::OtherNames
            | Role::Suffix => parts.take(role, text),
            Role::Gender => add(&mut self.genders, gender::read(text, dates.home).ok()),
            Role::Street | Role::City | Role::Postcode
                if kind.placeholders.has(Sort::Place, text) => {}
            Role::BirthDate => add(
                &mut self.births,
                Date::parse(text, dates.form, dates.home, &kind.placeholders).ok(),
            ),
            Role::Street => add(&mut self.streets, Street::parse(text)),
            Role::City => add(&mut self.cities, Word::of_place(text)),
            Role::Postcode => add(&mut self.postcodes, postcode::word(text, dates.home)),
            Role::Country => {}
        }
    }

    fn take_identifier(&mut self, (name, value): (&str, &str), model: &Model) {
        let Some((index, (_, kind))) = model
            .identifiers
            .iter()
            .enumerate()
            .find(|(_, (known, _))| *known == name)
        else {
            return;
        };
        let links = kind.links(value);
        let key = BlockingKey::of_value(name, value);
        match &kind.normalization {
            Normalization::Email { .. } if !links => {
                let is_shared = kind.is_shared(value) && kind.is_somebodys(value);
                let email = if is_shared {
                    Some(Email::shared(value, key))
                } else {
                    Email::malformed(value, key)
                };
                add(&mut self.emails, email);
            }
            Normalization::Email { .. } => add(&mut self.emails, Some(Email::new(value, key))),
            Normalization::E164 { .. } if !links => {
                add(&mut self.phones, Phone::malformed(value, key, kind));
            }
            Normalization::E164 { .. } => add(&mut self.phones, Some(Phone::new(value, key))),
            _ => {}
        }
        if links {
            let id = Id {
                kind: u16::try_from(index).unwrap_or(u16::MAX),
                belongs_to: kind.belongs_to,
                exclusive: kind.exclusive,
                contact: matches!(
                    kind.normalization,
                    Normalization::Email { .. } | Normalization::E164 { .. }
                ),
                key,
                value: contact::comparable(value),
            };
            add(&mut self.ids, Some(id));
        }
    }

    /// Whether an identifier by itself says something of who holds it.
    pub(super) fn tell(identifier: &Identifier, model: &Model) -> bool {
        let mut alone = Self::default();
        alone.take_identifier((&identifier.kind, &identifier.value), model);
        alone.drop_placeholders(&model.matching.weights);
        !alone.ids.is_empty()
    }

    /// Takes out what has been learned to stand for nothing.
    fn drop_placeholders(&mut self, weights: &Weights) {
        if !weights.knows_placeholders() {
            return;
        }
        let is = |field, hash| weights.is_placeholder(field, hash);
        self.births
            .retain(|date| !is(Field::BirthDate, crate::hash::hash(&date.to_string())));
        let emails = self
            .emails
            .iter()
            .filter(|email| is(Field::Email, email.whole.hash))
            .map(|email| email.key);
        let phones = self
            .phones
            .iter()
            .filter(|phone| is(Field::Phone, phone.digits.hash))
            .map(|phone| phone.key);
        let gone: Vec<BlockingKey> = emails.chain(phones).collect();
        if !gone.is_empty() {
            self.emails.retain(|email| !gone.contains(&email.key));
            self.phones.retain(|phone| !gone.contains(&phone.key));
            self.ids.retain(|id| !gone.contains(&id.key));
        }
    }

    /// Whether the record says who it is: by a name, or by an identifier that is not a device's.
    #[must_use]
    pub fn says_who(&self) -> bool {
        self.has_name() || self.ids.iter().any(|id| id.belongs_to != BelongsTo::Device)
    }

    /// Whether the record has a name.
    #[must_use]
    pub fn has_name(&self) -> bool {
        self.names
            .iter()
            .any(|name| name.given.is_some() || name.family.is_some())
    }
}

/// How the dates of one record are read.
struct Dates {
    form: DateForm,
    home: Home,
}

fn add<T: PartialEq>(values: &mut Vec<T>, value: Option<T>) {
    if let Some(value) = value.filter(|value| values.len() < MAX_VALUES && !values.contains(value))
    {
        values.push(value);
    }
}

/// Takes the texts of a value: lists hold several.
fn each_text(value: &Value, take: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => take(text),
        Value::List(values) => {
            for value in values.iter().take(MAX_VALUES) {
                each_text(value, take);
            }
        }
        Value::Time(_) | Value::Int(_) | Value::Decimal(_) => take(&value.to_string()),
        Value::Bool(_) | Value::Map(_) => {}
    }
}
