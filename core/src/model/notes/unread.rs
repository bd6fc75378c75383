//! Traits that matching reads nothing from.

use super::{NoteReason, Place, STANDS_FOR_NOTHING, Why, first_in, reason_of_date};
use crate::model::placeholder::Sort;
use crate::model::{Date, Home, Role, TraitType};
use crate::records::Value;

/// Reads a value of a role as matching does, of a record from there; says why nothing is read.
pub type TraitReader = fn(Role, &str, Home) -> Option<UnreadTrait>;

/// Why a name, a gender or a part of an address is not compared, or not as one person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadTrait {
    /// A word that stands for no value.
    #[error("stands for no value")]
    Placeholder,
    /// Titles or numbers only.
    #[error("has no name in it, only titles or numbers")]
    NoName,
    /// The people of a household in one field.
    #[error(
        "names several people: it is compared as a household's and joins none of them; make a record \
         for each"
    )]
    SeveralPeople,
    /// A suffix that is not known.
    #[error("names no generation that is known, such as Jr, Sr or III")]
    NoGeneration,
    /// A text without anything that tells a place from others.
    #[error("has nothing that tells an address from others")]
    NoPlace,
    /// A word that is not known.
    #[error("is no word or letter for a gender that is known")]
    NoGender,
    /// A letter that stands for a man in one language and for a woman in another.
    #[error(
        "is a letter that means a man to some and a woman to others in the record's country: write \
         the word"
    )]
    AmbiguousGender,
}

/// Why a trait of a record from a place is stored and not used.
pub(super) fn unused(
    (role, kind, value): (Role, &TraitType, &Value),
    place: Place,
    reader: TraitReader,
) -> Option<Why> {
    match role {
        Role::BirthDate => first_in(value, &mut |text| {
            let read = Date::parse(text, place.form, place.home, &kind.placeholders);
            read.err()
                .map(|unread| (reason_of_date(unread), unread.to_string().into()))
        }),
        Role::Street | Role::City | Role::Postcode => first_in(value, &mut |text| {
            let is_placeholder = kind.placeholders.has(Sort::Place, text);
            let placeholder = is_placeholder.then_some(UnreadTrait::Placeholder);
            let why = placeholder.or_else(|| reader(role, text, place.home));
            why.map(reason_of)
        }),
        Role::Country => first_in(value, &mut |text| {
            let is_unknown = Home::said(text) == Home::Unknown;
            is_unknown.then(|| {
                let text = "is no country that is known by its ISO 3166 code or its name";
                (NoteReason::Malformed, text.into())
            })
        }),
        Role::GivenName
        | Role::MiddleName
        | Role::FamilyName
        | Role::FullName
        | Role::OtherNames
        | Role::Suffix
        | Role::Gender => first_in(value, &mut |text| {
            reader(role, text, place.home).map(reason_of)
        }),
    }
}

fn reason_of(unread: UnreadTrait) -> Why {
    let reason = match unread {
        UnreadTrait::Placeholder => NoteReason::Placeholder,
        UnreadTrait::SeveralPeople | UnreadTrait::AmbiguousGender => NoteReason::Ambiguous,
        UnreadTrait::NoName
        | UnreadTrait::NoGeneration
        | UnreadTrait::NoPlace
        | UnreadTrait::NoGender => NoteReason::Malformed,
    };
    match unread {
        UnreadTrait::Placeholder => (reason, STANDS_FOR_NOTHING.into()),
        _ => (reason, unread.to_string().into()),
    }
}
