//! What a profile is: a fold over what its sources said.
//!
//! Pure: nothing here knows of a network, a database or a clock. In the order in which data passes through:
//!
//! - [`Draft`]: a statement as a source said it; [`Statement`]: the same, checked against the model.
//! - [`Record`]: the fold of all statements about one record, in any order.
//! - [`fold`]: from the records of one cluster to the [`Profile`] that a reader sees; [`explain_traits`] tells why each
//!   trait is what it is.
//!
//! Which records are one person is decided in [`identity`](crate::identity).

mod consent;
mod derived;
mod fold;
mod id;
mod object;
mod preference;
mod record;
pub mod rollup;
mod row;
mod statement;
mod survive;
mod value;
mod violation;
mod words;

pub use consent::{
    About, Consent, ConsentNotes, ConsentState, ConsentStatus, ConsentWord, Consents, Effective, LegalBasis, effective,
    next_change,
};
pub use derived::{Computed, Derived};
pub use fold::{Origin, Profile, ProfileIdentifier, StoredProfile, Trait, fold};
pub use id::{EventKey, Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp, plausible_time};
pub use object::{Meaning, Object, ObjectKey, fold_object};
pub use preference::{
    FrequencyCap, Preference, PreferenceKey, Preferences, QuietHours, Representative, StatedPreference,
    UnknownPreference,
};
pub use record::{CarriedId, MAX_CONTACTS, Membership, Record, Said, Stamp};
pub use row::{ProfileRow, ProfileState};
pub use statement::{
    Change, ContentHash, Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord, Event, Fields,
    RecordStatement, Statement, TimelinePosition,
};
pub use survive::{TraitCandidate, TraitExplanation, explain_traits};
pub use value::Value;
pub use violation::{Reason, Violation, listed};
pub use words::{folded, words};
