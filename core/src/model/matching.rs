//! How records are compared: what each trait and identifier means for identity, and what the
//! agreement of each is worth.

mod scale;
mod shipped;
mod weights;

use std::sync::Arc;

pub use scale::log2_millibits;
pub use weights::{AgreementLevel, Field, Frequencies, MuProbability, Weights};

/// What a trait says of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The first name.
    GivenName,
    /// Further given names, or their initials.
    MiddleName,
    /// The family name.
    FamilyName,
    /// All names in one text: `Ann Smith`, or `Smith, Ann`.
    FullName,
    /// Names that the person also goes by, in one text or a list.
    OtherNames,
    /// The suffix of a generation: `Jr`, `Sr`, `III`.
    Suffix,
    /// Sex or gender.
    Gender,
    /// The date of birth.
    BirthDate,
    /// House number and street; may be a whole address in one line.
    Street,
    /// Town.
    City,
    /// Postal code.
    Postcode,
    /// The country: how telephone numbers without calling code and dates are read.
    Country,
}

impl Role {
    /// All, as the model file names them.
    pub const ALL: [(&'static str, Self); 12] = [
        ("given_name", Self::GivenName),
        ("middle_name", Self::MiddleName),
        ("family_name", Self::FamilyName),
        ("full_name", Self::FullName),
        ("other_names", Self::OtherNames),
        ("suffix", Self::Suffix),
        ("gender", Self::Gender),
        ("birth_date", Self::BirthDate),
        ("street", Self::Street),
        ("city", Self::City),
        ("postcode", Self::Postcode),
        ("country", Self::Country),
    ];
}

/// Whose a value of an identifier type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum BelongsTo {
    /// One person's: sharing it says more than a differing given name.
    Person,
    /// A family may share it: it links unless something speaks against it.
    #[default]
    Household,
    /// A thing's: it tells only where a record belongs that says nothing of who it is.
    Device,
}

/// The settings of matching.
#[derive(Debug, Clone)]
pub struct Matching {
    /// Two records are linked from this probability on, in millibits of the odds.
    pub link: i32,
    /// They are shown to a person from this probability on, in millibits of the odds.
    pub review: i32,
    /// A match key that more records hold is generic: it finds nobody. Of a name alone, a sixth.
    pub max_key_records: usize,
    /// An identifier that more different people hold is generic: it links nobody and weighs
    /// nothing.
    pub max_people: usize,
    /// What agreement is worth.
    pub weights: Arc<Weights>,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            link: 4_248,
            review: 0,
            max_key_records: 60,
            max_people: 8,
            weights: Weights::shipped(),
        }
    }
}
