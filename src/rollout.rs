//! Putting another model in force: plan, apply, train, retire.
//!
//! Which model is in force, and how servers learn of it, is the business of
//! [`models`](crate::active_models).

mod candidate;
mod comparison;
mod load;
mod progress;
mod switch;
mod train;

pub use candidate::{Candidate, Content, Weights};
pub use progress::{Progress, Step};
pub use switch::{Applied, Apply, Error as RolloutError, ModelRollout, Plan};
pub use train::Learned;
