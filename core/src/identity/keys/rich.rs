//! Keys of records without any contact, and of names that are written in two scripts.

use std::collections::BTreeSet;

use super::{BIRTH, FAMILY, FieldSet, GIVEN, Keys, MIN_HALF, RICH, STREET, bit, month_day};
use crate::identity::features::{Features, Name, OtherScript};
use crate::identity::{nicknames, scripts, text};
use crate::model::matching::Field;

/// One of the two names, whichever it is.
const NAME: FieldSet = RICH | GIVEN | FAMILY;
const PLACE: FieldSet = bit(Field::City) | bit(Field::Postcode);
const ID: FieldSet = bit(Field::PersonalId);
/// A given name may be a form of several; no more are looked under.
const MOST_FORMS: usize = 4;

impl Features {
    /// One name with a place or a part of the date of birth; and, where no name is right, the parts
    /// of the date, the house and the number that are.
    pub(super) fn rich_keys(&self, keys: &mut Keys) {
        let sounds: BTreeSet<String> = self.names.iter().flat_map(sounds).collect();
        for sound in &sounds {
            for place in self.cities.iter().chain(&self.postcodes) {
                keys.add(NAME | PLACE, "one name+place", &[sound, &place.text]);
            }
            for birth in &self.births {
                let (day, year) = (month_day(*birth), birth.year.to_string());
                keys.add(NAME | BIRTH, "one name+day", &[sound, &day]);
                keys.add(NAME | BIRTH, "one name+year", &[sound, &year]);
            }
        }
        self.keys_without_names(keys);
    }

    fn keys_without_names(&self, keys: &mut Keys) {
        let houses: BTreeSet<&str> = self
            .streets
            .iter()
            .filter_map(|street| street.number.as_deref())
            .collect();
        let days: BTreeSet<String> = self.births.iter().map(|birth| month_day(*birth)).collect();
        for postcode in &self.postcodes {
            for day in &days {
                keys.add(RICH | BIRTH | PLACE, "day+place", &[day, &postcode.text]);
            }
            for house in &houses {
                keys.add(
                    RICH | STREET | PLACE,
                    "house+place",
                    &[house, &postcode.text],
                );
            }
        }
        for half in self.halves() {
            for day in &days {
                keys.add(RICH | ID | BIRTH, "number+day", &[&half, day]);
            }
            for house in &houses {
                keys.add(RICH | ID | STREET, "number+house", &[&half, house]);
            }
            for postcode in &self.postcodes {
                keys.add(RICH | ID | PLACE, "number+place", &[&half, &postcode.text]);
            }
        }
    }

    /// The halves of numbers of which a person has one, marked which.
    fn halves(&self) -> Vec<String> {
        let numbers = self.ids.iter().filter(|id| id.exclusive && !id.contact);
        let halves = numbers.flat_map(|id| {
            let number = &id.value.text;
            let half = number.len() / 2;
            (half >= MIN_HALF && number.is_ascii())
                .then(|| {
                    [
                        format!("{}-", &number[..half]),
                        format!("-{}", &number[half..]),
                    ]
                })
                .into_iter()
                .flatten()
        });
        halves.collect()
    }

    /// Names that may be written in another script, by what is left of them in both.
    pub(super) fn other_script_keys(&self, name: &Name, keys: &mut Keys) {
        let Some(script) = name.other_script else {
            return;
        };
        let form = |word: &str| match script {
            OtherScript::WithoutVowels => scripts::loose_consonants(word),
            OtherScript::Hangul => scripts::korean(word),
        };
        let given = name
            .given
            .as_ref()
            .map(|given| form(&given.whole(&name.middle)));
        let family = name.family.as_ref().map(|family| form(&family.word.text));
        for birth in &self.births {
            let birth = birth.to_string();
            for (fields, one) in [(GIVEN, &given), (FAMILY, &family)] {
                if let Some(one) = one {
                    keys.add(fields | BIRTH, "script+birth", &[one, &birth]);
                }
            }
        }
        if let (Some(given), Some(family)) = (given, family) {
            keys.add(GIVEN | FAMILY, "scripts", &[&given, &family]);
            for place in &self.postcodes {
                keys.add(
                    GIVEN | FAMILY | PLACE,
                    "scripts+place",
                    &[&given, &family, &place.text],
                );
            }
        }
    }
}

/// The sounds of the words of a name; of a given name, those of all names that it may be a form of.
fn sounds(name: &Name) -> Vec<String> {
    let mut sounds = Vec::new();
    if let Some(given) = name.given.as_ref().filter(|given| !given.word.is_initial()) {
        let forms = given.forms.iter().map(|form| nicknames::head(*form));
        let canonical = nicknames::canonical(&given.word.text);
        let forms = std::iter::once(canonical).chain(forms);
        sounds.extend(forms.take(MOST_FORMS).map(text::sound));
    }
    if let Some(family) = name.family.as_ref().filter(|name| !name.word.is_initial()) {
        sounds.push(family.sound.clone());
        sounds.extend(family.parts.iter().map(|part| text::sound(&part.text)));
    }
    sounds.retain(|sound| sound.len() >= LEAST_SOUND);
    sounds
}

/// A shorter sound is that of many names.
const LEAST_SOUND: usize = 2;
