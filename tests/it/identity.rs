//! Who is who, over the whole service: inputs that people who resolve identities report.

mod former;
mod reused_keys;
