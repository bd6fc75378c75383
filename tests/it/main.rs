//! All integration tests, in one binary: it links once.

mod api;
mod invariants;
mod store;
mod support;
