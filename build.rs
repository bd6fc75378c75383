//! Compiles the proto files in pure Rust (no `protoc`), keeps their descriptors for reflection, and
//! lists their services for the register (`src/grpc/services.rs`).

use std::{collections::BTreeSet, env, error::Error, fs, path::PathBuf};

use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};

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
    let pool = compiler.descriptor_pool();
    fs::write(out.join("asking.rs"), asking(&pool))?;
    fs::write(out.join("naming.rs"), naming(&pool))?;
    fs::write(out.join("contents.rs"), contents(&pool)?)?;
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

/// For the request of each method where its purpose is, if it takes one, and where the keys of
/// customers are.
fn asking(pool: &DescriptorPool) -> String {
    let mut rows = Vec::new();
    let mut done = BTreeSet::new();
    let services = pool
        .services()
        .filter(|service| service.package_name() == package());
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let request = method.input();
        if !done.insert(request.name().to_owned()) {
            continue;
        }
        let purpose = request.get_field_by_name("purpose");
        let purpose = purpose.filter(|field| field.kind() == Kind::String && !field.is_list());
        let purpose = purpose.map_or(
            "",
            |_| "fn purpose(&mut self) -> Option<&mut String> { Some(&mut self.purpose) }",
        );
        let keys = visits(&request, "self");
        let keys = if keys.is_empty() {
            keys
        } else {
            format!("fn look_ups(&self, visit: &mut dyn FnMut(&v1::ProfileKey)) {{ {keys} }}")
        };
        let parts = parts(&request);
        rows.push(format!(
            "impl Asking for v1::{} {{ {purpose} {keys} {parts} }}\n",
            request.name()
        ));
    }
    rows.concat()
}

/// The part of the answer that a request asks for: its view, and the fields of its mask.
fn parts(request: &MessageDescriptor) -> String {
    let view = request.get_field_by_name("view").map(|view| match view.kind() {
        Kind::Enum(kind) => format!(
            "Some(self.view).filter(|view| *view != 0).and_then(|view| v1::{}::try_from(view).ok())\
             .map(|view| view.as_str_name().to_owned())",
            kind.name()
        ),
        _ => "Some(self.view.clone())".to_owned(),
    });
    let mask = request
        .get_field_by_name("read_mask")
        .map(|_| "self.read_mask.iter().flat_map(|mask| mask.paths.iter().cloned())".to_owned());
    let parts = match (view, mask) {
        (None, None) => return String::new(),
        (Some(view), Some(mask)) => format!("{view}.into_iter().chain({mask})"),
        (Some(part), None) => format!("{part}.into_iter()"),
        (None, Some(part)) => part,
    };
    format!("fn parts(&self) -> Vec<String> {{ {parts}.collect() }}")
}

/// For each answer, and each message within it that has one, the names of customers.
fn naming(pool: &DescriptorPool) -> String {
    let mut waiting: Vec<(MessageDescriptor, bool)> = pool
        .services()
        .filter(|service| service.package_name() == package())
        .flat_map(|service| {
            let methods: Vec<_> = service.methods().collect();
            methods.into_iter().map(|method| (method.output(), true))
        })
        .collect();
    let mut text = String::new();
    let mut done = BTreeSet::new();
    while let Some((message, is_answer)) = waiting.pop() {
        let names_any = names_customers(&message, &mut BTreeSet::new());
        if !(is_answer || names_any) || !done.insert(message.name().to_owned()) {
            continue;
        }
        let body: String = message
            .fields()
            .map(|field| named(&message, &field))
            .collect();
        let within = message.fields().filter_map(|field| message_of(&field));
        waiting.extend(within.filter(is_own).map(|inner| (inner, false)));
        let method = if body.is_empty() {
            body
        } else {
            format!("fn customers(&self, visit: &mut dyn FnMut(&str)) {{\n{body}}}")
        };
        let name = message.name();
        text.extend(["impl Naming for v1::", name, " { ", &*method, " }\n"]);
    }
    text
}

/// Whether a message, or one within it, has the name of a customer.
fn names_customers(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> bool {
    is_own(message)
        && seen.insert(message.full_name().to_owned())
        && message.fields().any(|field| {
            is_customer(&field)
                || message_of(&field).is_some_and(|inner| names_customers(&inner, seen))
        })
}

/// Visits the names of customers in a field.
fn named(message: &MessageDescriptor, field: &FieldDescriptor) -> String {
    let inner = message_of(field);
    let visit = if is_customer(field) {
        "visit(it);"
    } else if inner.is_some_and(|inner| names_customers(&inner, &mut BTreeSet::new())) {
        "it.customers(visit);"
    } else {
        return String::new();
    };
    let name = escaped(field.name());
    match field.containing_oneof() {
        Some(oneof) if !oneof.name().starts_with('_') => {
            let place = format!("v1::{}::{}", snake(message.name()), camel(oneof.name()));
            let (variant, oneof) = (camel(field.name()), escaped(oneof.name()));
            format!("if let Some({place}::{variant}(it)) = &self.{oneof} {{ {visit} }}\n")
        }
        _ if field.is_map() => format!("for it in self.{name}.values() {{ {visit} }}\n"),
        _ if field.is_list() => format!("for it in &self.{name} {{ {visit} }}\n"),
        _ if field.kind() == Kind::String => format!("visit(&self.{name});\n"),
        _ => format!("if let Some(it) = &self.{name} {{ {visit} }}\n"),
    }
}

fn is_customer(field: &FieldDescriptor) -> bool {
    flag(&field.options(), "customer.profile.v1.customer")
}

/// Visits all keys of customers within a message.
fn visits(message: &MessageDescriptor, place: &str) -> String {
    let mut visits_of = Vec::new();
    for field in message.fields() {
        let Some(kind) = message_of(&field).filter(|kind| is_own(kind) && !is_value(kind)) else {
            continue;
        };
        let visit = if kind.name() == "ProfileKey" {
            "visit(it);".to_owned()
        } else {
            visits(&kind, "it")
        };
        if visit.is_empty() {
            continue;
        }
        let name = escaped(field.name());
        visits_of.push(match field.containing_oneof() {
            None if field.is_list() => format!("for it in &{place}.{name} {{ {visit} }} "),
            None => format!("if let Some(it) = &{place}.{name} {{ {visit} }} "),
            Some(oneof) => format!(
                "if let Some(v1::{}::{}::{}(it)) = &{place}.{} {{ {visit} }} ",
                snake(message.name()),
                camel(oneof.name()),
                camel(field.name()),
                escaped(oneof.name()),
            ),
        });
    }
    visits_of.concat()
}

/// For each message of an answer what is left of its fields for a caller whose roles do not see
/// everything, by the option `content` of the fields.
fn contents(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let mut waiting: Vec<MessageDescriptor> = pool
        .services()
        .filter(|service| service.package_name() == package())
        .flat_map(|service| {
            service
                .methods()
                .map(|method| method.output())
                .collect::<Vec<_>>()
        })
        .collect();
    let mut text = String::new();
    let mut done = BTreeSet::new();
    while let Some(message) = waiting.pop() {
        if !is_own(&message) || is_value(&message) || !done.insert(message.name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            waiting.extend(message_of(&field).filter(|_| content(&field) != OPEN));
        }
        text.push_str(&restriction(&message)?);
    }
    Ok(text)
}

/// Numbers of `Content`.
const UNDECLARED: i32 = 0;
const OPEN: i32 = 1;
const ANYTHING: i32 = 2;

fn restriction(message: &MessageDescriptor) -> Result<String, Box<dyn Error>> {
    let name = message.name();
    let is_open = flag(&message.options(), "customer.profile.v1.open");
    let mut body: Vec<String> = Vec::new();
    for field in message.fields().filter(is_alone) {
        if field.name() != "withheld" && !(is_open && message_of(&field).is_none()) {
            body.push(of_field(&field)?);
        }
    }
    for oneof in message
        .oneofs()
        .filter(|oneof| !oneof.name().starts_with('_'))
    {
        let place = format!("v1::{}::{}", snake(name), camel(oneof.name()));
        let mut arms: Vec<String> = Vec::new();
        for field in oneof.fields() {
            let variant = camel(field.name());
            let is_message =
                message_of(&field).is_some_and(|kind| is_own(&kind) && !is_value(&kind));
            match content(&field) {
                OPEN => {}
                _ if is_open => {}
                UNDECLARED if is_message => {
                    arms.push(format!("{place}::{variant}(it) => it.restrict(by), "));
                }
                UNDECLARED | ANYTHING if !is_plain(&field) => {
                    arms.push(format!(
                        "{place}::{variant}(_) => by.hide({:?}), ",
                        field.name()
                    ));
                }
                UNDECLARED => {}
                other => return Err(format!("{name}: content {other} within a oneof").into()),
            }
        }
        let field = escaped(oneof.name());
        if !arms.is_empty() {
            let rest = if arms.len() < oneof.fields().count() {
                "_ => true"
            } else {
                ""
            };
            let arms = arms.concat();
            body.push(format!(
                "if self.{field}.as_mut().is_some_and(|it| !match it {{ {arms} {rest} }}) {{ self.{field} = None; }}\n"
            ));
        }
    }
    if message
        .get_field_by_name("withheld")
        .is_some_and(|field| field.is_list() && message_of(&field).is_some())
    {
        body.push("by.tell(&mut self.withheld);\n".to_owned());
    }
    let gate = if flag(&message.options(), "customer.profile.v1.gated") {
        String::new()
    } else {
        format!(
            "impl Restrict for v1::{name} {{ fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {{ self.restrict_fields(by); true }} }}\n"
        )
    };
    let body = body.concat();
    let by = if body.is_empty() { "_" } else { "by" };
    Ok(format!(
        "impl Fields for v1::{name} {{ fn restrict_fields(&mut self, {by}: &mut Restriction<'_>) {{\n{body}}} }}\n{gate}"
    ))
}

/// The code that restricts a field.
fn of_field(field: &FieldDescriptor) -> Result<String, Box<dyn Error>> {
    let name = escaped(field.name());
    let kind = message_of(field).filter(is_own);
    Ok(match content(field) {
        OPEN => String::new(),
        UNDECLARED
            if kind
                .as_ref()
                .is_some_and(|kind| !is_value(kind) && !field.is_map()) =>
        {
            if field.is_list() {
                format!("self.{name}.retain_mut(|it| it.restrict(by));\n")
            } else {
                format!(
                    "if self.{name}.as_mut().is_some_and(|it| !it.restrict(by)) {{ self.{name} = None; }}\n"
                )
            }
        }
        UNDECLARED if is_plain(field) => String::new(),
        UNDECLARED | ANYTHING => {
            let shown = field.name();
            format!("by.clear({shown:?}, &mut self.{name});\n")
        }
        other => {
            let class = [
                "traits",
                "computed",
                "properties",
                "segments",
                "event_types",
                "changed_fields",
            ];
            let class = usize::try_from(other - 3)
                .ok()
                .and_then(|place| class.get(place));
            let class = class.ok_or_else(|| format!("content {other} of {}", field.full_name()))?;
            format!("by.{class}(&mut self.{name});\n")
        }
    })
}

/// Whether a field is of no `oneof` that somebody wrote.
fn is_alone(field: &FieldDescriptor) -> bool {
    field
        .containing_oneof()
        .is_none_or(|oneof| oneof.name().starts_with('_'))
}

fn content(field: &FieldDescriptor) -> i32 {
    match option(&field.options(), "customer.profile.v1.content") {
        Some(Value::EnumNumber(number)) => number,
        _ => UNDECLARED,
    }
}

fn flag(options: &DynamicMessage, name: &str) -> bool {
    option(options, name).and_then(|value| value.as_bool()) == Some(true)
}

fn option(options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = options
        .descriptor()
        .parent_pool()
        .get_extension_by_name(name)?;
    Some(options.get_extension(&extension).into_owned())
}

/// The message that a field, or a value of its map, is.
fn message_of(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let Kind::Message(message) = field.kind() else {
        return None;
    };
    if !message.is_map_entry() {
        return Some(message);
    }
    message.map_entry_value_field().kind().as_message().cloned()
}

/// A number, a word of an enumeration, or a message of another package, such as a time.
fn is_plain(field: &FieldDescriptor) -> bool {
    !field.is_map()
        && match field.kind() {
            Kind::String | Kind::Bytes => false,
            Kind::Message(message) => !is_own(&message),
            _ => true,
        }
}

fn is_own(message: &MessageDescriptor) -> bool {
    message.package_name() == package()
}

/// A value of no kind that is known beforehand: what it is a value of says who sees it.
fn is_value(message: &MessageDescriptor) -> bool {
    message.name() == "Value"
}

/// As prost names modules.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// As prost names variants.
fn camel(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    };
    name.split('_').map(part).collect()
}

fn escaped(name: &str) -> String {
    if name == "type" {
        "r#type".to_owned()
    } else {
        name.to_owned()
    }
}

fn own_files(descriptors: &FileDescriptorSet) -> impl Iterator<Item = &FileDescriptorProto> {
    let files = descriptors.file.iter();
    files.filter(|file| file.package() == package())
}

/// The package of the proto files.
fn package() -> String {
    PACKAGE.replace('/', ".")
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
