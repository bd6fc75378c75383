//! The readers of the change log.
//!
//! Every server on a database follows the log of the tenants that it answers for, by asking for what is new, many times a
//! second. One such read serves all of the server: it makes cached answers old ([`Coherence`]) and tells those
//! who watch ([`Watch`]). What is told to other systems has marks of its own in the log ([`Publishers`]). Correctness comes from
//! reading the log alone. Nobody is told by a message that could get lost.

mod coherence;
mod epochs;
mod followed;
mod hub;
pub mod janitor;
mod key;
mod publish;
mod recent;

pub use coherence::{Coherence, Options};
pub use epochs::Epochs;
pub use followed::{Followed, Proof};
pub(crate) use hub::{Interest, Subscription, Write};
pub use key::CacheKey;
pub use publish::{Parts as PublisherParts, Publishers};
