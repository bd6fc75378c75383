//! The API over gRPC. The only place that knows Protobuf.

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
