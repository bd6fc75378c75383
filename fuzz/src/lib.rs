//! Fuzz targets for everything that reads foreign text: statements, payloads, model files,
//! expressions, tokens, CSV, NDJSON, telephone numbers and other identifiers, dates.
//!
//! A target takes bytes, hands them to one reader, and checks what the reader promises: what comes
//! out reads back the same, an error names its place, the same input gives the same answer. A
//! [run](harness::run) mutates the target's seeds. An input whose answer has not been seen before
//! joins the seeds, so that later mutations start from it; no instrumentation of the compiler is
//! needed, and the runs work on stable Rust.
//!
//! A run is bounded by its number of cases, never by the clock. Its seed is in every failure. The
//! input that failed is made as small as it goes and written to a file, which
//! `cargo run -p profile-fuzz -- replay TARGET FILE` runs again. `corpus/TARGET` keeps inputs that
//! once failed; every run begins with them.

pub mod harness;
mod mutate;
mod random;
pub mod targets;
