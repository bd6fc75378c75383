//! The pure part of customer-profile: what is known of a customer, and who is who.
//!
//! Nothing here knows of a network, a database or a clock: all of it is functions of values. In the
//! order in which data passes through:
//!
//! - [`model`]: the deployment's own file, compiled: sources, identifier types, traits, mappings,
//!   purposes.
//! - [`records`]: statements as sources make them, and the records that they add up to.
//! - [`identity`]: which records are one person.
//! - [`profile`]: the fold, from the records of one person to the profile that a reader sees.
//! - [`permission`]: what a purpose may see of a profile, and whether a customer may be contacted.
//! - [`analytics`]: metrics of customer experience, from what was bought, asked and answered.
//!
//! Beside them, [`time_zone`] has the one database of time zones, [`heap_size`](mod@heap_size)
//! counts the memory that values take, and
//! [`computation`] bounds the stack and the time of a computation.

pub mod analytics;
mod choices;
pub mod computation;
mod hash;
pub mod heap_size;
pub mod identity;
pub mod model;
pub mod permission;
pub mod profile;
pub mod records;
pub mod time_zone;
