//! Putting another model in force: plan, apply, train, retire.
//!
//! Which model is in force, and how servers learn of it, is the business of
//! [`models`](crate::active_models).

mod load;
mod switch;
mod train;

pub use switch::{
    Applied, Apply, Candidate, Content, Error as RolloutError, ModelRollout, Plan, Progress, Step,
    Weights,
};
pub use train::Learned;
