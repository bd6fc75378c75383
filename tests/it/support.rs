//! What several integration tests need.

pub(crate) mod faulty;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod stores;
