//! The customers that each answer names, for the audit log. Made from the option `customer` of the
//! fields, so that an answer cannot forget one.

use super::v1;

/// An answer, or a part of one.
pub(super) trait Naming {
    /// Gives the names of the customers that it speaks of, one perhaps several times.
    fn customers(&self, _: &mut dyn FnMut(&str)) {}
}

include!(concat!(env!("OUT_DIR"), "/naming.rs"));

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, ReflectMessage as _};

    use super::*;
    use crate::grpc::FILE_DESCRIPTOR_SET;

    /// Methods whose answers speak of no customer: of models, publications, segments as such, the
    /// log itself; and those whose answers name records and not profiles.
    const OF_NOBODY: [&str; 14] = [
        "AuditService/ExportAuditLog",
        "AuditService/GetAuditCheckpoint",
        "IdentityService/ListDecisions",
        "IngestService/ListWaitingEvents",
        "ModelService/GetMapping",
        "ModelService/GetModel",
        "ModelService/ListEventTypes",
        "ModelService/ListModelVersions",
        "ModelService/TestMapping",
        "ModelService/TrainModel",
        "PublishService/ListPublications",
        "PublishService/ReplayDeadLetters",
        "PublishService/ResetPublication",
        "SegmentService/ListSegments",
    ];

    fn names_somebody(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> bool {
        let is_new = seen.insert(message.full_name().to_owned());
        is_new
            && message.fields().any(|field| {
                let options = field.options();
                let customer = options
                    .descriptor()
                    .parent_pool()
                    .get_extension_by_name("customer.profile.v1.customer");
                let is_customer = customer
                    .is_some_and(|option| options.get_extension(&option).as_bool() == Some(true));
                is_customer
                    || matches!(field.kind(), Kind::Message(inner) if names_somebody(&inner, seen))
            })
    }

    #[test]
    fn an_answer_names_its_customers_or_is_known_to_name_none() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let mut nobody = Vec::new();
        for method in pool
            .services()
            .flat_map(|it| it.methods().collect::<Vec<_>>())
        {
            if !names_somebody(&method.output(), &mut BTreeSet::new()) {
                let service = method.parent_service().name().to_owned();
                nobody.push(format!("{service}/{}", method.name()));
            }
        }
        nobody.sort_unstable();
        assert_eq!(nobody, OF_NOBODY);
    }

    #[test]
    fn a_field_of_an_answer_that_is_a_name_of_a_customer_says_so() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/customer/profile/v1");
        let mut wrong = BTreeMap::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let mut is_name = false;
            for line in text.lines() {
                let line = line.trim();
                if line.starts_with("//") {
                    is_name |= line.contains("`profiles/{id}`");
                } else if !line.is_empty() {
                    // Fields of answers have options.
                    if is_name && line.contains("(content)") && !line.contains("(customer)") {
                        wrong.insert(path.clone(), line.to_owned());
                    }
                    is_name = false;
                }
            }
        }
        assert_eq!(wrong, BTreeMap::new());
    }

    #[test]
    fn customers_are_found_within_lists_and_choices() {
        let profile = |name: &str| v1::Profile {
            name: name.to_owned(),
            ..v1::Profile::default()
        };
        let result = |name: &str| v1::BatchGetProfilesResult {
            profile: Some(profile(name)),
            ..v1::BatchGetProfilesResult::default()
        };
        let answer = v1::BatchGetProfilesResponse {
            results: vec![result("profiles/1"), result("profiles/2")],
        };
        let part = v1::ExportProfileResponse {
            part: Some(v1::export_profile_response::Part::Profile(profile(
                "profiles/3",
            ))),
            ..v1::ExportProfileResponse::default()
        };
        let mut named = Vec::new();
        answer.customers(&mut |name| named.push(name.to_owned()));
        part.customers(&mut |name| named.push(name.to_owned()));
        assert_eq!(named, ["profiles/1", "profiles/2", "profiles/3"]);
    }
}
