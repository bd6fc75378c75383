//! Who is who, over the whole service: inputs that people who resolve identities report.

mod former;
mod kinds;
mod loyal;
mod reused_keys;
