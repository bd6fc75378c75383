//! How records are compared: what each trait and identifier means for identity, and what the
//! agreement of each is worth.

mod scale;
mod shipped;
mod weights;

use std::sync::Arc;

use crate::choices::choices;

pub use scale::log2_millibits;
pub(crate) use shipped::shares as shipped_shares;
pub use weights::{
    AgreementLevel, Field, Frequencies, LearnedFrom, MuProbability, Subject, Weights,
};

choices! {
    /// What a trait says of a person.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Role as "Role" {
        /// The first name.
        GivenName = "given_name",
        /// Further given names, or their initials.
        MiddleName = "middle_name",
        /// The family name.
        FamilyName = "family_name",
        /// All names in one text: `Ann Smith`, or `Smith, Ann`. Counts where given and family name
        /// are not said.
        FullName = "full_name",
        /// Names that the person also goes by.
        OtherNames = "other_names",
        /// The suffix of a generation: `Jr`, `Sr`, `III`.
        Suffix = "suffix",
        /// Sex or gender.
        Gender = "gender",
        /// The date of birth.
        BirthDate = "birth_date",
        /// House number and street, or a whole address in one line.
        Street = "street",
        /// Town.
        City = "city",
        /// Postal code.
        Postcode = "postcode",
        /// The country, by its ISO 3166 code or its name: telephone numbers without calling code
        /// and dates without a named month are read as there.
        Country = "country",
    }
}

choices! {
    /// Whose a value of an identifier type is.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum BelongsTo as "BelongsTo" or Household {
        /// One person's: sharing it says more than a given name that differs.
        Person = "person",
        /// A family may share it: it links unless something speaks against it.
        Household = "household",
        /// A thing's, which may change hands: it only tells where a record belongs that says
        /// nothing of who it is.
        Device = "device",
    }
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
    /// Frequencies are learned from the tenant's own records without anybody asking for it.
    pub learn_frequencies: bool,
    /// What agreement is worth.
    pub weights: Arc<Weights>,
}
