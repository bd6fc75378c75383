//! What sources say of customers: statements, and the records that they add up to.
//!
//! - [`Draft`]: a statement as a source said it; [`Statement`]: the same, checked against the
//!   model.
//! - [`Record`]: the fold of all statements about one record, in any order.
//!
//! Which records are one person is decided in [`identity`](crate::identity);
//! [`profile`](crate::profile) folds the records of one person.

mod attachment;
mod consent;
mod correction;
mod event;
mod follow;
mod id;
mod identifier_value;
mod last_word;
mod object;
mod preference;
mod record;
pub mod rollup;
mod row;
mod statement;
mod value;
mod violation;
mod words;

pub use attachment::{Attachment, Claim, Place, add_claim, place};
pub use consent::{
    About, Consent, ConsentNotes, ConsentState, ConsentStatus, ConsentWord, Consents, Effective,
    LegalBasis, effective, next_change,
};
pub use correction::{Correction, CorrectionMark, EventChange, EventTaken, KeptEvent};
pub use event::{Event, TimelinePosition};
pub use follow::{
    Follow, Follows, MAX_FOLLOWED, MAX_FOLLOWED_EVENTS, Share, Which, follow, unread,
};
pub use id::{
    EventKey, Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp, plausible_time,
};
pub use identifier_value::IdentifierValue;
pub use object::{Meaning, Object, ObjectKey, fold_object};
pub use preference::{
    FrequencyCap, Preference, PreferenceKey, Preferences, QuietHours, Representative,
    StatedPreference, UnknownPreference, fold_preferences,
};
pub use record::{
    CarriedId, MAX_CONTACTS, MAX_FORMER, Membership, Origin, Provenance, Record, VersionStamp,
    held_since,
};
pub use row::{ProfileRow, ProfileState};
pub use statement::{
    Change, ContentHash, Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord,
    DraftReplacement, DraftRetraction, Fields, RecordStatement, Statement,
};
pub use value::Value;
pub use violation::{Reason, Violation, listed};
pub use words::{folded, words};
