//! Values of a person that are not compared.
//!
//! Their source gets a note. Most values are read, which takes no allocation where they are in
//! plain letters.

use super::{address, gender, name, postcode};
use crate::model::{Home, Role, UnreadTrait};

/// Why a value of a role is not compared. Dates of birth and countries have reasons of their own.
#[must_use]
pub fn unread(role: Role, raw: &str, home: Home) -> Option<UnreadTrait> {
    match role {
        Role::GivenName
        | Role::MiddleName
        | Role::FamilyName
        | Role::FullName
        | Role::OtherNames
        | Role::Suffix => name::unread(role, raw, home),
        Role::Gender => gender::read(raw, home).err(),
        Role::Street => is_no_street(raw).then_some(UnreadTrait::NoPlace),
        Role::City => is_no_place(raw).then_some(UnreadTrait::NoPlace),
        Role::Postcode => {
            let is_plain = raw.contains(|letter: char| letter.is_ascii_alphanumeric());
            let is_read = is_plain || postcode::word(raw, home).is_some();
            (!is_read).then_some(UnreadTrait::NoPlace)
        }
        Role::BirthDate | Role::Country => None,
    }
}

fn is_no_place(raw: &str) -> bool {
    !raw.contains(char::is_alphanumeric)
}

/// A word with as many letters names a street, unless it names a side of a house.
const LONG_WORD: usize = 5;
/// A longer word is looked at in full.
const MAX_WORD: usize = 24;

fn is_no_street(raw: &str) -> bool {
    let mut buffer = [0; MAX_WORD];
    let mut words = raw.split(|letter: char| !letter.is_ascii_alphabetic());
    let is_plain = words.any(|word| {
        word.len() >= LONG_WORD
            && in_lower_case(word, &mut buffer).is_some_and(|word| !address::is_side(word))
    });
    !is_plain && address::Street::parse(raw).is_none()
}

/// A word in lower case, in a place that the caller has; none where it has other letters than A to
/// Z or is too long for it.
pub(super) fn in_lower_case<'b>(word: &str, buffer: &'b mut [u8]) -> Option<&'b str> {
    let place = buffer.get_mut(..word.len()).filter(|_| word.is_ascii())?;
    place.copy_from_slice(word.as_bytes());
    place.make_ascii_lowercase();
    std::str::from_utf8(place).ok()
}
