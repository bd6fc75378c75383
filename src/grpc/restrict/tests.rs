use profile_core::model::Model;
use prost_reflect::{
    DescriptorPool, Kind as FieldKind, MessageDescriptor, ServiceDescriptor, Value,
};

use super::*;
use crate::grpc::FILE_DESCRIPTOR_SET;

fn pool() -> DescriptorPool {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors")
}

fn option(pool: &DescriptorPool, options: &prost_reflect::DynamicMessage, name: &str) -> Value {
    let name = format!("customer.profile.v1.{name}");
    let extension = pool.get_extension_by_name(&name).expect("the option");
    options.get_extension(&extension).into_owned()
}

/// The messages of all answers, and those within them.
fn answered(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    let services: Vec<_> = pool.services().collect();
    let methods = services.iter().flat_map(ServiceDescriptor::methods);
    let mut waiting: Vec<_> = methods.map(|method| method.output()).collect();
    let mut found: Vec<MessageDescriptor> = Vec::new();
    while let Some(message) = waiting.pop() {
        let is_own = message.package_name() == "customer.profile.v1";
        if !is_own || message.name() == "Value" || found.contains(&message) {
            continue;
        }
        for field in message.fields() {
            let is_open = option(pool, &field.options(), "content") == Value::EnumNumber(1);
            if let (FieldKind::Message(within), false) = (field.kind(), is_open) {
                waiting.push(within);
            }
        }
        found.push(message);
    }
    found
}

#[test]
fn every_field_of_an_answer_declares_what_it_tells() {
    let (pool, mut missing) = (pool(), Vec::new());
    let messages = answered(&pool);
    assert!(messages.len() > 100, "{}", messages.len());
    for message in messages.iter().filter(|message| !message.is_map_entry()) {
        if option(&pool, &message.options(), "open") == Value::Bool(true) {
            continue;
        }
        for field in message.fields() {
            let tells = match field.kind() {
                FieldKind::String | FieldKind::Bytes => true,
                FieldKind::Message(kind) => kind.is_map_entry() || kind.name() == "Value",
                _ => false,
            };
            let declared = option(&pool, &field.options(), "content");
            if tells && declared == Value::EnumNumber(0) {
                missing.push(field.full_name().to_owned());
            }
        }
    }
    assert_eq!(missing, [""; 0], "without `content`");
}

#[test]
fn a_masked_value_has_another_type_where_its_own_would_tell_it() {
    let value = |kind| v1::Value { kind: Some(kind) };
    let text = |text: &str| Kind::StringValue(text.to_owned());
    for (kind, masked) in [
        (text("Ann"), "***"),
        (text("ann@example.com"), "a***@example.com"),
        (Kind::Int64Value(4_111_111_111), "***1111"),
        (Kind::DecimalValue("19.99".to_owned()), "***"),
        (Kind::BoolValue(true), "***"),
        (Kind::TimeValue(prost_types::Timestamp::default()), "***"),
    ] {
        let mut found = value(kind);
        found.mask();
        assert_eq!(found, value(text(masked)));
    }
    let mut list = value(Kind::ListValue(v1::ListValue {
        values: vec![value(text("Ann")), value(Kind::BoolValue(false))],
    }));
    list.mask();
    let stars = || value(text("***"));
    let masked = v1::ListValue {
        values: vec![stars(), stars()],
    };
    assert_eq!(list, value(Kind::ListValue(masked)));
}

#[test]
fn names_of_any_script_are_told_in_the_metadata() {
    let model = Model::parse("sources: { shop: }\nroles: { nobody: }").expect("a model");
    let names = ["nobody".to_owned()].into();
    let clearance = Clearance::new(names, model.into()).expect("a role");
    let mut restriction = Restriction::new(&clearance);
    let mut change = v1::Change {
        changed_fields: vec!["consents".to_owned(), "traits.größe".to_owned()],
        ..v1::Change::default()
    };
    restriction.restrict(&mut change);
    assert_eq!(change.changed_fields, [""; 0]);
    let names = restriction.into_names().expect("two are withheld");
    assert_eq!(names, "consents,traits.gr\\u{f6}\\u{df}e");
    assert!(names.parse::<tonic::metadata::AsciiMetadataValue>().is_ok());
}
