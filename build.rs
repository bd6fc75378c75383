//! Compiles the proto files in pure Rust (no `protoc`) and keeps their descriptors for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

/// Relative to `proto`.
const PACKAGE: &str = "customer/profile/v1";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut files = files()?;
    // No proto file imports it, but each error has details of its types.
    files.push("google/rpc/error_details.proto".to_owned());
    let descriptors = protox::Compiler::new(["proto"])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(files)?
        .file_descriptor_set();
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("customer_profile.bin"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .extern_path(".google.rpc", "::tonic_types::pb")
        .bytes(".customer.profile.v1")
        .compile_fds(descriptors)?;
    Ok(())
}

/// All proto files of the package, in order of name.
fn files() -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(PathBuf::from("proto").join(PACKAGE))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path.strip_prefix("proto")?.to_string_lossy().into_owned());
        }
    }
    files.sort_unstable();
    Ok(files)
}
