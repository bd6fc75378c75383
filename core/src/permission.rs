//! What may be done with what is known of a customer: pure functions of a profile, the model, and
//! the time.
//!
//! - [`view`]: what a purpose may see of a profile.
//! - [`clearance`]: what the roles of a caller see of any customer.
//! - [`contact`]: whether a customer may be contacted for a purpose over a channel, and if not,
//!   when.
//!
//! Both go by what counts at a time, never by something that was computed before: consents expire,
//! and quiet hours begin, without a write, and what is cached is the profile alone.
//!
//! # Examples
//! ```
//! use profile_core::model::Model;
//! use profile_core::permission::contact::{ContactReason, Question};
//! use profile_core::profile::{StoredProfile, fold};
//! use profile_core::records::{ProfileId, Record, RecordKey, TenantId, Timestamp};
//!
//! let model = Model::parse(
//!     "sources: { shop: }
//! channels: { letter: }
//! purposes: { newsletter: { consent: opt_in }, recall: { consent: not_needed, essential: true } }",
//! )
//! .expect("a model");
//! let time = Timestamp::from_micros(1_767_225_600_000_000);
//! let record = Record::new(RecordKey::new("shop", "1"), time);
//! let tenant = TenantId::new("default").expect("a name");
//! let id = ProfileId::founded_by(&tenant, &record.key, 0);
//! let stored = StoredProfile { id, revision: 1, update_time: time, records: vec![record] };
//! let profile = fold(stored, &model);
//!
//! let ask = |purpose| {
//!     let question =
//!         Question { purpose, channel: "letter", contact_point: None, topic: None, time };
//!     question.answer(&profile, &model).expect("both are declared").reason
//! };
//! assert_eq!(ask("newsletter"), ContactReason::Consent(None));
//! assert_eq!(ask("recall"), ContactReason::Allowed);
//! ```

pub mod clearance;
pub mod contact;
mod quiet;
pub mod view;

use crate::model::ConsentRule;
use crate::records::ConsentState;

impl ConsentRule {
    /// Whether what counts of the customer's word lets the purpose go on. None: nothing was said.
    #[must_use]
    fn is_met(self, state: Option<ConsentState>) -> bool {
        match self {
            Self::NotNeeded => true,
            Self::OptIn => state == Some(ConsentState::Granted),
            Self::OptOut => !matches!(state, Some(ConsentState::Denied | ConsentState::Withdrawn)),
        }
    }
}
