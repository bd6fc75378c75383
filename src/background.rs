//! Work in the background, one tenant after the other: what holds for every job stands in
//! `background/tenants.rs`.
//!
//! - [`backfill`] counts the events that were there before a computed trait was defined.
//! - [`segments`] keeps the index of who is in which segment.
//! - [`analytics`] computes the metrics of all customers.
//! - [`learning`] learns how frequent names and places are.
//! - [`retention`] trims the change log.

pub mod analytics;
pub mod backfill;
pub mod learning;
pub mod retention;
pub mod segments;
mod tenants;

pub use tenants::*;
