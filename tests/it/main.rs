//! All integration tests, in one binary: it links once.

mod invariants;
mod store;
mod support;
