//! Sources of payloads: files, and the JSON of one.
//!
//! A source yields payloads as JSON, one at a time and in order, each with the position after it.
//! It knows nothing of the model. A payload that cannot be read is reported, never left out.

pub mod files;
pub mod payload;
