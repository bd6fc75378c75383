//! All integration tests, in one binary: it links once.

mod api;
mod cli;
mod clients;
mod invariants;
mod store;
mod support;
