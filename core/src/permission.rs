//! What may be done with what is known of a customer: pure functions of a profile, the model, and
//! the time.
//!
//! - [`view`]: what a purpose may see of a profile.
//! - [`contact`]: whether a customer may be contacted for a purpose over a channel, and if not,
//!   when.
//!
//! Both go by what counts at a time, never by something that was computed before: consents expire,
//! and quiet hours begin, without a write, and what is cached is the profile alone.

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
