//! What several integration tests need.

pub(crate) mod postgres;
pub(crate) mod stores;
