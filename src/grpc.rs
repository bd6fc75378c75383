//! The API over gRPC. The only place that knows Protobuf.
//!
//! `decode` and `encode` turn messages into the crate's own types and back. Handlers return an
//! `error::ApiError`, which `status` turns into a `Status` at one place, and `bounded` keeps that
//! small enough for all clients. `token` makes the opaque tokens. `call_context`, `layers` and
//! `protocol` have what all calls share. The services put these together.

mod asking;
mod audit;
mod bounded;
mod call_audit;
mod call_context;
mod call_log;
mod checked;
mod contexts;
mod decode;
mod encode;
mod error;
mod experience;
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod ingest;
mod lane;
mod layers;
mod methods;
mod models;
mod names;
mod naming;
mod preferences;
mod privacy;
mod profiles;
mod protocol;
mod publish;
mod reflection;
mod restrict;
mod segments;
mod services;
mod status;
mod timeline;
mod token;
mod watch;

pub use audit::AuditApi;
pub use call_audit::AuditTrail;
pub use call_context::{REQUEST_ID_KEY, TENANT_KEY};
pub use call_log::CallLog;
pub use contexts::ContextApi;
pub(crate) use encode::note_reason_name;
pub use experience::ExperienceApi;
pub use identity::IdentityApi;
pub use ingest::IngestApi;
pub use layers::{CallLayer, CallLimits, CallService};
pub use methods::service_names;
pub use models::ModelApi;
pub(crate) use models::tested as tested_mapping;
pub use preferences::PreferenceApi;
pub use privacy::PrivacyApi;
pub(crate) use privacy::hex;
pub use profiles::ProfileApi;
pub use publish::PublishApi;
pub use reflection::Reflection;
pub use segments::SegmentApi;
pub use services::Services;
pub use status::DOMAIN;
pub(crate) use status::{reason, reason_name, retry_delay};
pub use watch::Watches;

/// The generated messages, services and clients of `customer.profile.v1`.
#[expect(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the documentation is in the proto files"
)]
pub mod v1 {
    tonic::include_proto!("customer.profile.v1");
}

/// The descriptors of all proto files, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("customer_profile");
