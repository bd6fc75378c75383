//! What surrounds a call: the wire, metadata, the size of errors, reflection, proxies and other
//! clients.

mod metadata;
mod proxies;
mod raw;
mod reflection;
mod statuses;
mod wire;
