//! Compiles the proto files in pure Rust (no `protoc`), keeps their descriptors for reflection, and
//! lists their services for the register (`src/grpc/services.rs`).

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

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
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("customer_profile.bin"),
        descriptors.encode_to_vec(),
    )?;
    fs::write(out.join("services.rs"), services(&descriptors))?;
    tonic_prost_build::configure()
        .extern_path(".google.rpc", "::tonic_types::pb")
        .bytes(".customer.profile.v1")
        .compile_fds(descriptors)?;
    Ok(())
}

/// A macro that calls another one with the services of the package: field, type parameter, trait,
/// module and server of each.
fn services(descriptors: &FileDescriptorSet) -> String {
    let package = PACKAGE.replace('/', ".");
    let services = descriptors
        .file
        .iter()
        .filter(|file| file.package() == package)
        .flat_map(|file| &file.service);
    let mut rows = String::new();
    for service in services {
        let name = service.name();
        let handler = name.strip_suffix("Service").unwrap_or(name);
        let field = handler.to_lowercase();
        let row = format!("{field} {handler} {name} {field}_service_server {name}Server;");
        rows.extend(["            ", &*row, "\n"]);
    }
    format!(
        "macro_rules! with_services {{\n    ($then:ident) => {{\n        $then! {{\n{rows}        }}\n    }};\n}}\n"
    )
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
