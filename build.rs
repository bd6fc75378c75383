//! Compiles the proto files in pure Rust (no `protoc`) and keeps their descriptors for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 9] = [
    "proto/customer/profile/v1/context_service.proto",
    "proto/customer/profile/v1/experience_service.proto",
    "proto/customer/profile/v1/identity_service.proto",
    "proto/customer/profile/v1/ingest_service.proto",
    "proto/customer/profile/v1/model_service.proto",
    "proto/customer/profile/v1/preference_service.proto",
    "proto/customer/profile/v1/profile_service.proto",
    "proto/customer/profile/v1/publish_service.proto",
    "proto/customer/profile/v1/segment_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::Compiler::new(["proto"])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?
        .file_descriptor_set();
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("customer_profile.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        .bytes(".customer.profile.v1")
        .compile_fds(descriptors)?;
    Ok(())
}
