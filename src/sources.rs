//! Where payloads come from. For now: files.
//!
//! A connector yields payloads as JSON, one at a time and in order, each with the place from which
//! to go on; it knows nothing of the model. A payload that cannot be read is told, never left out.

pub mod files;
