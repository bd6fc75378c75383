//! All integration tests, in one binary: it links once.

mod api;
mod cli;
mod invariants;
mod store;
mod support;
