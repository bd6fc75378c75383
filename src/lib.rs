//! customer-profile: one profile of each customer from what all systems know, answered in real time
//! over gRPC.
//!
//! **A profile is a fold over what its sources said.** Sources make statements; statements hang on
//! records; identity finds which records are one person; a profile is folded from those records.
//! Dependencies run one way:
//!
//! ```text
//! main → cli → server → grpc → ingest, reader → store (trait) → profile_core
//! ```
//!
//! - [`profile_core`] is the pure part, a crate of its own: records, the model, identity, the
//!   profile, permission, analytics.
//! - [`store`] keeps records and history: in memory, in SQLite, in PostgreSQL.
//! - [`sources`] is where payloads come from: files.
//! - [`active_models`] knows the active model of each tenant; [`rollout`] plans, applies and trains
//!   another one.
//! - [`changes`] follows the change log: it invalidates caches on all servers, feeds watches and
//!   publishes.
//! - [`ingest`] is the write path (group commit), [`reader`] the read path (cache) and the watches.
//! - [`neighbourhood`] resolves the part of a tenant that a write may concern, [`full_resolution`]
//!   all of it under another model; [`explain`] shows who is who and why.
//! - [`audit`] keeps the log of who read and who changed what, and verifies it.
//! - [`background`] has the jobs that go over all tenants: backfill, segments, analytics,
//!   retention.
//! - `counting` counts events where no state of them is kept: new definitions, and the past.
//! - [`lanes`] decides which call waits for what: permits and queues for each kind of call.
//! - [`compute`] is the threads for work of the processor; [`memory`] what the process has and may
//!   have.
//! - [`grpc`] is the only place that knows Protobuf, but for [`cli`], which is a client.
//! - [`spans`] says which calls are traced, and what of their work has spans.
//! - [`transport`] accepts, bounds and ends connections. [`episode`] reports troubles once.

/// The tests of this library measure memory as the program has it.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod active_models;
pub mod audit;
pub mod auth;
pub mod background;
pub mod changes;
pub mod cli;
pub mod clock;
pub mod compute;
pub mod config;
mod counting;
pub mod episode;
pub mod explain;
pub mod full_resolution;
pub mod grpc;
pub mod ingest;
pub mod lanes;
pub mod memory;
pub mod neighbourhood;
pub mod reader;
pub mod rollout;
pub mod server;
pub mod sources;
pub mod spans;
pub mod store;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod transport;
