//! Configuration: standard variables (`OTEL_…`, `RUST_LOG`), a TOML file, the environment and
//! flags, each over the one before.
//!
//! - Every key has **one definition**, in `sections.rs`: name, type, default, range and text. The
//!   structs, the reading, the error messages and the manual ([`reference()`]) are made from it.
//! - [`Config::load`] reports **all** errors at once; each names its key, where it was said (file
//!   and line, variable or flag) and what is allowed. Unknown keys are errors, for a misspelt limit
//!   is no limit.
//! - [`Config::warnings`] names settings that are legal but unsafe together, with both numbers.
//! - Passwords never appear: neither in errors nor in `Debug`.
//!
//! # Why no configuration framework
//!
//! Merging layers is a loop; what a reader of an error needs (the line of the file, the spelling of
//! the variable, the allowed range) is exactly what frameworks lose when they merge first and
//! deserialise later, and they stop at the first error of a type. So each layer is read into
//! `(key, text, origin)`, the last one of a key wins, and its text is parsed by the key's own form.

mod args;
mod declare;
mod error;
mod form;
mod memory;
mod reference;
mod sections;
mod sources;
mod standard;
mod url;
mod warnings;

pub use args::{ConfigArgs, Setting};
pub use error::{ConfigError, Origin};
pub use form::{Headers, LogFormat, RequestLog, TraceSampler};
pub use reference::reference;
pub use sections::{
    Auth, Cache, Changes, Config, Database, Grpc, Ingest, Log, Model, Operations, Publish,
    Telemetry, Tls, Watch,
};
pub use standard::without_effect;
pub use url::{DatabaseKind, DatabaseUrl};

impl Config {
    /// Reads the file (if one is named), the environment of the process, and the flags.
    ///
    /// # Errors
    /// All that is wrong, in the order file, environment, flags. Nothing of it can be mended by
    /// trying again.
    pub fn load(args: &ConfigArgs) -> Result<Self, Vec<ConfigError>> {
        Self::from_layers(args, std::env::vars_os())
    }

    /// The defaults alone.
    ///
    /// # Panics
    /// Never: a test reads every default.
    #[must_use]
    pub fn defaults() -> Self {
        Self::from_layers(&ConfigArgs::default(), [])
            .expect("every default is within its own range")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::defaults()
    }
}
