//! The readers of the change log.
//!
//! Every server on a database follows the log of the tenants that it answers for, by asking for
//! what is new, many times a second. One such read serves all of the server: it invalidates cached
//! answers ([`LogFollower`]) and tells those who watch ([`Watch`](crate::reader::Watch)). What is
//! told to other systems has marks of its own in the log ([`Publishers`]). Correctness comes from
//! reading the log alone. Nobody is told by a message that could get lost.

mod epochs;
mod fanout;
mod follower;
mod key;
mod publish;
mod recent;
mod tail;

pub use epochs::Epochs;
pub(crate) use fanout::{Interest, Subscription, Write};
pub use follower::{LogFollower, Options};
pub use key::CacheKey;
pub use publish::{Parts as PublisherParts, Publishers};
pub use tail::{TenantTail, Watermark};
