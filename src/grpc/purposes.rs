//! The purpose of each request, for credentials that are bound to one. Made from the descriptors of
//! the proto files, so that a request that takes a purpose cannot be forgotten.

use tonic::Streaming;

use super::v1;

/// The request of a method.
pub(super) trait Purposed {
    /// The purpose for which it asks; `None` where it takes none.
    fn purpose(&mut self) -> Option<&mut String> {
        None
    }
}

/// Streams of requests write.
impl<T> Purposed for Streaming<T> {}

include!(concat!(env!("OUT_DIR"), "/purposes.rs"));
