//! Compiles the proto files in pure Rust (no `protoc`), keeps their descriptors for reflection, and
//! lists their services for the register (`src/grpc/services.rs`).

use std::{collections::BTreeSet, env, error::Error, fs, path::PathBuf};

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{FileDescriptorProto, FileDescriptorSet};

/// Relative to `proto`.
const PACKAGE: &str = "customer/profile/v1";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut files = files()?;
    // No proto file imports it, but each error has details of its types.
    files.push("google/rpc/error_details.proto".to_owned());
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(files)?;
    let descriptors = compiler.file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("customer_profile.bin"),
        // With the scopes of methods, which `prost-types` does not know.
        compiler.encode_file_descriptor_set(),
    )?;
    fs::write(out.join("services.rs"), services(&descriptors))?;
    fs::write(out.join("purposes.rs"), purposes(&descriptors))?;
    tonic_prost_build::configure()
        .extern_path(".google.rpc", "::tonic_types::pb")
        .bytes(".customer.profile.v1")
        // The same message has the same bytes each time.
        .btree_map(".customer.profile.v1")
        .compile_fds(descriptors)?;
    Ok(())
}

/// A macro that calls another one with the services of the package: field, type parameter, trait,
/// module and server of each.
fn services(descriptors: &FileDescriptorSet) -> String {
    let mut rows = String::new();
    for service in own_files(descriptors).flat_map(|file| &file.service) {
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

/// For the request of each method where its purpose is, if it takes one.
fn purposes(descriptors: &FileDescriptorSet) -> String {
    let package = format!(".{}.", PACKAGE.replace('/', "."));
    let requests: BTreeSet<&str> = own_files(descriptors)
        .flat_map(|file| &file.service)
        .flat_map(|service| &service.method)
        .filter_map(|method| method.input_type().strip_prefix(&package))
        .collect();
    let messages = own_files(descriptors).flat_map(|file| &file.message_type);
    let mut text = String::new();
    for message in messages.filter(|message| requests.contains(message.name())) {
        let takes_one = message.field.iter().any(|field| {
            field.name() == "purpose"
                && field.r#type() == Type::String
                && field.label() != Label::Repeated
        });
        let body = if takes_one {
            "fn purpose(&mut self) -> Option<&mut String> { Some(&mut self.purpose) }"
        } else {
            ""
        };
        text.extend([
            "impl Purposed for v1::",
            message.name(),
            " { ",
            body,
            " }\n",
        ]);
    }
    text
}

fn own_files(descriptors: &FileDescriptorSet) -> impl Iterator<Item = &FileDescriptorProto> {
    let package = PACKAGE.replace('/', ".");
    descriptors
        .file
        .iter()
        .filter(move |file| file.package() == package)
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
