//! What each request asks for and by: its purpose, its parts, the keys of customers. Made from the
//! descriptors of the proto files, so that a request that has one cannot be forgotten.

use tonic::Streaming;

use super::v1;

/// The request of a method.
pub(super) trait Asking {
    /// The purpose for which it asks; `None` where it takes none.
    fn purpose(&mut self) -> Option<&mut String> {
        None
    }

    /// The part of the answer that it asks for: a view, fields of a mask. Empty: all of it.
    fn parts(&self) -> Vec<String> {
        Vec::new()
    }

    /// The keys by which it looks customers up.
    fn look_ups(&self, _: &mut dyn FnMut(&v1::ProfileKey)) {}
}

/// Streams of requests write, and name records alone.
impl<T> Asking for Streaming<T> {}

include!(concat!(env!("OUT_DIR"), "/asking.rs"));
