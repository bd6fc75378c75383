//! Keys of records without any contact: one name with a place, or with a part of the date of birth.

use std::collections::BTreeSet;

use super::{BIRTH, FieldSet, GIVEN, Keys, RICH, bit, month_day};
use crate::identity::features::{Features, Name};
use crate::identity::{nicknames, text};
use crate::model::matching::Field;

/// One of the two names, whichever it is.
const NAME: FieldSet = RICH | GIVEN | bit(Field::FamilyName);
const PLACE: FieldSet = bit(Field::City) | bit(Field::Postcode);
/// A given name may be a form of several; no more are looked under.
const MOST_FORMS: usize = 4;

impl Features {
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
    }
}

/// What the words of a name sound like; given names in all names that they may be forms of.
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
