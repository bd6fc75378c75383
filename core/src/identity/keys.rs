//! Match keys: short ways to find the records that may be of the same person.
//!
//! Two records are compared only if they have a key in common. Each key is a combination that few
//! share even among a million people (a family name alone is none), and together they find a person
//! in spite of any single slip: a mistyped name is found by birth date and the other name, a new
//! address by e-mail, swapped names because pairs of names are sorted. A key that more records hold
//! than the model allows is generic and finds nobody.
//!
//! A record without e-mail address and telephone number has more keys ([`rich`]): one name, given
//! or family, with the town, the postal code, the day or the year of birth. They do not tell which
//! of the two names it is, so that a name in the wrong field and a former family name are found.
//!
//! Keys are stored: [`BlockingKey`] is the same for the same values for ever.

mod rich;

use super::features::{Date, Features, Name, Street};
use super::nicknames;
use super::text;
use crate::hash::Hash;
use crate::model::Matching;
use crate::model::matching::Field;
use crate::records::Identifier;

/// A record has no more keys than this; those of identifiers come first.
const MAX_KEYS: usize = 64;

/// Under a name alone there may be fewer than under other keys, by this factor. Of ten namesakes
/// each is the right one in fewer than one of ten cases, and where there is more to say than the
/// name, there are keys of both. Namesakes grow with the population: without this a record would be
/// compared with ever more of them.
const NAME_ALONE: usize = 6;

/// The same for one name with a place or a part of the date of birth.
const ONE_NAME: usize = 3;
/// Marks the keys of which only records without any contact have some.
const RICH: FieldSet = 1 << 15;

/// Shorter halves of numbers tell too little.
const MIN_HALF: usize = 3;

/// The hash of what two records have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockingKey(pub i64);

impl BlockingKey {
    /// The key of all who hold an identifier.
    #[must_use]
    pub fn of(identifier: &Identifier) -> Self {
        Self::of_value(&identifier.kind, &identifier.value)
    }

    /// The same by type and value.
    pub(super) fn of_value(kind: &str, value: &str) -> Self {
        Self::new("identifier", &[kind, value])
    }

    fn new(kind: &str, parts: &[&str]) -> Self {
        let hash = parts
            .iter()
            .fold(Hash::new().part(kind), |hash, part| hash.part(part));
        Self(hash.finish().cast_signed())
    }
}

/// The fields that a key is made of, as bits.
pub(super) type FieldSet = u16;

pub(super) const fn bit(field: Field) -> FieldSet {
    1 << field as u16
}

const GIVEN: FieldSet = bit(Field::GivenName);
const FAMILY: FieldSet = bit(Field::FamilyName);
const BIRTH: FieldSet = bit(Field::BirthDate);
const STREET: FieldSet = bit(Field::Street);

impl Features {
    /// The keys by which a record is found, ascending: those besides identifiers, which are looked
    /// up as such.
    #[must_use]
    pub fn match_keys(&self) -> Vec<BlockingKey> {
        self.besides_identifiers().map(|(key, _)| key).collect()
    }

    /// The same, each with how many records may be under it before it finds nobody.
    #[must_use]
    pub fn bounded_keys(&self, matching: &Matching) -> Vec<(BlockingKey, usize)> {
        self.besides_identifiers()
            .map(|(key, fields)| (key, most(fields, matching)))
            .collect()
    }

    fn besides_identifiers(&self) -> impl Iterator<Item = (BlockingKey, FieldSet)> {
        let mut keys = self.keys_with_fields();
        keys.dedup_by_key(|(key, _)| *key);
        keys.retain(|(key, _)| !self.ids.iter().any(|id| id.key == *key));
        keys.into_iter()
    }

    /// Keys with the fields that they are made of, ascending.
    pub(super) fn keys_with_fields(&self) -> Vec<(BlockingKey, FieldSet)> {
        let mut keys = Keys(Vec::with_capacity(16));
        self.contact_keys(&mut keys);
        for name in &self.names {
            self.name_keys(name, &mut keys);
        }
        if self.emails.is_empty() && self.phones.is_empty() {
            self.rich_keys(&mut keys);
        }
        for birth in &self.births {
            let birth = birth.to_string();
            for place in self.cities.iter().chain(&self.postcodes) {
                keys.add(
                    BIRTH | bit(Field::City) | bit(Field::Postcode),
                    "birth+place",
                    &[&birth, &place.text],
                );
            }
        }
        let Keys(mut keys) = keys;
        keys.truncate(MAX_KEYS);
        keys.sort_unstable();
        keys
    }

    fn contact_keys(&self, keys: &mut Keys) {
        for id in &self.ids {
            let field = if id.contact {
                Field::Email
            } else {
                Field::PersonalId
            };
            let field = if self.phones.iter().any(|phone| phone.key == id.key) {
                Field::Phone
            } else {
                field
            };
            keys.0.push((id.key, bit(field)));
        }
        for email in &self.emails {
            if email.is_telling() {
                keys.add(bit(Field::Email), "email local", &[&email.local]);
            }
            if let Some(number) = email.number() {
                for initial in self.initials() {
                    keys.add(
                        bit(Field::Email) | GIVEN | FAMILY,
                        "email number",
                        &[number, initial.encode_utf8(&mut [0; 4])],
                    );
                }
            }
        }
        for phone in &self.phones {
            let digits = &phone.digits.text;
            keys.add(
                bit(Field::Phone),
                "phone end",
                &[&digits[digits.len().saturating_sub(7)..]],
            );
        }
    }

    /// The halves of numbers of which a person has one, as on a passport, with the family name:
    /// whoever mistypes such a number leaves one half of it right. Numbers of other kinds are
    /// seldom typed.
    fn number_keys(&self, name: &Name, keys: &mut Keys) {
        let Some(family) = &name.family else { return };
        for id in self.ids.iter().filter(|id| id.exclusive && !id.contact) {
            let number = &id.value.text;
            let half = number
                .char_indices()
                .map(|(place, _)| place)
                .nth(number.chars().count() / 2)
                .unwrap_or(0);
            if half >= MIN_HALF {
                let (first, second) = number.split_at(half);
                keys.add(
                    FAMILY | bit(Field::PersonalId),
                    "number begins",
                    &[first, &family.sound],
                );
                keys.add(
                    FAMILY | bit(Field::PersonalId),
                    "number ends",
                    &[second, &family.sound],
                );
            }
        }
    }

    /// What the names sound like where they begin, given or family.
    fn initials(&self) -> Vec<char> {
        let first = |sound: &str| sound.chars().next().filter(char::is_ascii);
        let given = |name: &Name| {
            let given = name.given.as_ref()?;
            first(&text::sound(nicknames::canonical(&given.word.text)))
        };
        let family = |name: &Name| first(&name.family.as_ref()?.sound);
        let names = self.names.iter();
        let initials = names.flat_map(|name| [given(name), family(name)]);
        let mut initials: Vec<char> = initials.flatten().collect();
        initials.sort_unstable();
        initials.dedup();
        initials
    }

    fn name_keys(&self, name: &Name, keys: &mut Keys) {
        let given = name.given.as_ref().filter(|given| !given.word.is_initial());
        let family = name
            .family
            .as_ref()
            .filter(|family| !family.word.is_initial());
        let canonical = given.map(|given| nicknames::canonical(&given.word.text));
        let sound = canonical.map(text::sound);
        for birth in &self.births {
            let birth = birth.to_string();
            if let Some(sound) = &sound {
                keys.add(GIVEN | BIRTH, "name+birth", &[sound, &birth]);
            }
            if let Some(family) = family {
                keys.add(FAMILY | BIRTH, "name+birth", &[&family.sound, &birth]);
            }
        }
        if let (Some(canonical), Some(sound), Some(family)) = (canonical, &sound, family) {
            let [first, second] = sorted(canonical, &family.word.text);
            keys.add(GIVEN | FAMILY, "names", &[first, second]);
            let [first, second] = sorted(sound, &family.sound);
            keys.add(GIVEN | FAMILY, "sounds", &[first, second]);
            for birth in &self.births {
                keys.add(
                    GIVEN | FAMILY | BIRTH,
                    "sounds+month",
                    &[first, second, &month_day(*birth)],
                );
            }
            for city in &self.cities {
                keys.add(
                    GIVEN | FAMILY | bit(Field::City),
                    "sounds+place",
                    &[first, second, &city.text],
                );
            }
            for postcode in &self.postcodes {
                keys.add(
                    GIVEN | FAMILY | bit(Field::Postcode),
                    "sounds+place",
                    &[first, second, &postcode.text],
                );
            }
        }
        if let (Some(canonical), Some(family)) = (canonical, family) {
            let [first, second] = sorted(canonical, &family.word.text);
            for email in self.emails.iter().filter(|email| email.shared) {
                keys.add(
                    GIVEN | FAMILY | bit(Field::Email),
                    "names+mailbox",
                    &[first, second, &email.whole.text],
                );
            }
        }
        if let (Some(given), Some(family)) = (&name.given, family) {
            let initial = &given.word.text[..1];
            keys.add(GIVEN | FAMILY, "initial", &[initial, &family.word.text]);
        }
        for street in &self.streets {
            street_keys(street, name, keys);
        }
        self.other_script_keys(name, keys);
        self.number_keys(name, keys);
    }
}

fn street_keys(street: &Street, name: &Name, keys: &mut Keys) {
    let number = street.number.as_deref().unwrap_or_default();
    let sound = street
        .words
        .first()
        .map(|word| text::sound(&word.text))
        .unwrap_or_default();
    if let Some(given) = &name.given {
        keys.add(
            GIVEN | STREET,
            "street+given",
            &[number, &sound, &given.word.text[..1]],
        );
    }
    if let Some(family) = &name.family {
        keys.add(
            FAMILY | STREET,
            "street+family",
            &[number, &sound, &family.sound],
        );
    }
}

/// How many records may be under a key that is made of some fields before it finds nobody.
pub(super) fn most(fields: FieldSet, matching: &Matching) -> usize {
    let most = matching.max_key_records;
    let share = match fields {
        fields if fields & RICH != 0 => ONE_NAME,
        fields if fields == GIVEN | FAMILY => NAME_ALONE,
        _ => return most,
    };
    most.min((most / share).max(2))
}

struct Keys(Vec<(BlockingKey, FieldSet)>);

impl Keys {
    fn add(&mut self, fields: FieldSet, kind: &str, parts: &[&str]) {
        let key = (BlockingKey::new(kind, parts), fields);
        if !self.0.contains(&key) {
            self.0.push(key);
        }
    }
}

fn sorted<'a>(a: &'a str, b: &'a str) -> [&'a str; 2] {
    if a <= b { [a, b] } else { [b, a] }
}

/// Month and day in one order, as they may be swapped.
fn month_day(date: Date) -> String {
    format!(
        "{:02}{:02}",
        date.month.min(date.day),
        date.month.max(date.day)
    )
}
