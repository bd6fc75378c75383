//! What several integration tests need.

pub(crate) mod access;
pub(crate) mod clock;
pub(crate) mod faulty;
pub(crate) mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod stores;

/// Multiplies the size of long tests: their full form, documented in docs/guarantees.md.
pub(crate) fn scale() -> u32 {
    std::env::var("CUSTOMER_PROFILE_TEST_SCALE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}
pub(crate) mod wire;
