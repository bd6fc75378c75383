//! Connections: how they are accepted, bounded and ended. This module knows HTTP, but neither gRPC
//! nor the service.
//!
//! Every connection has a bound in number, in time and in bytes:
//!
//! - *number*: [`Acceptor`] counts connections and refuses one too many at once. The bound stays
//!   below the process's limit of file descriptors ([`descriptors`]), so that the database and the
//!   operations port always find one.
//! - *time*: [`http2::serve`] closes a connection that never speaks, that carries no stream for
//!   long, or that takes nothing or too little of what is written to it, and asks it to go when it
//!   reaches its age. Whoever stays beyond the grace is cut off.
//! - *bytes*: flow control windows, and [`Budget`]s over all connections for what is held beyond
//!   them.
//!
//! A stream is one task. The server ends all of them at the end of the drain, so nothing outlives
//! it ([`Stops`]).
//!
//! # Why not `tonic::transport::Server`
//!
//! It retries `accept` without a pause when there is no descriptor left, waits without a bound for
//! a connection that never sends its preface, gives all connections the same age, and offers no way
//! to end a stream that does not end by itself.

mod accept;
mod arrears;
mod budget;
mod connection;
pub mod descriptors;
pub mod http2;
mod io;
pub mod listen;
mod stream;
mod tally;
pub mod tls;

pub use accept::{Accepted, Acceptor};
pub use budget::{Budget, Held};
pub use connection::{Connection, Ended, Stops};
pub use io::Guarded;
pub use stream::{Control, Cut, Patience};
pub use tally::{Closed, Tally};

use std::hash::{BuildHasher, Hasher, RandomState};

/// A random number from the operating system's generator. Not for secrets.
#[must_use]
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
