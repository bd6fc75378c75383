//! The lane of each method: what its calls cost, so that one kind of calls cannot keep another from
//! being answered.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::methods::Method;
use crate::lanes::Lane;

/// Methods that are not light reads, by service: those that write, and those whose work grows with
/// the number of customers or with what one of them ever did. A test holds this list to the
/// descriptors; a method that is on neither list is a read.
const LANES: [(&str, Lane, &[&str]); 15] = [
    (
        "AuditService",
        Lane::Heavy,
        &["ListAuditEntries", "ExportAuditLog"],
    ),
    ("ExperienceService", Lane::Heavy, &["GetExperienceMetrics"]),
    (
        "IdentityService",
        Lane::Write,
        &[
            "DecideCandidate",
            "MergeProfiles",
            "SplitProfile",
            "WithdrawDecision",
        ],
    ),
    (
        "IdentityService",
        Lane::Heavy,
        &[
            "ExplainProfile",
            "ExplainPair",
            "ListMatchCandidates",
            "ListHousehold",
            "PreviewMerge",
            "ListDecisions",
            "ListIdentityChanges",
        ],
    ),
    (
        "IngestService",
        Lane::Write,
        &["IngestStatements", "StreamStatements", "IngestPayloads"],
    ),
    ("IngestService", Lane::Heavy, &["ListWaitingEvents"]),
    (
        "ModelService",
        Lane::Heavy,
        &["ListEventTypes", "PlanModel", "ApplyModel", "TrainModel"],
    ),
    (
        "PreferenceService",
        Lane::Write,
        &["SetPreferences", "RecordConsent"],
    ),
    ("PreferenceService", Lane::Heavy, &["ListConsentHistory"]),
    (
        "PrivacyService",
        Lane::Write,
        &["EraseProfile", "ReleaseErasure"],
    ),
    (
        "PrivacyService",
        Lane::Heavy,
        &["ExportProfile", "ListErasures"],
    ),
    ("ProfileService", Lane::Heavy, &["SearchProfiles"]),
    (
        "PublishService",
        Lane::Write,
        &["ReplayDeadLetters", "ResetPublication"],
    ),
    ("PublishService", Lane::Heavy, &["ListDeadLetters"]),
    (
        "SegmentService",
        Lane::Heavy,
        &[
            "ListSegments",
            "ListMembers",
            "ListMemberships",
            "PreviewSegment",
        ],
    ),
];

/// By `Service/Method`.
static BY_NAME: LazyLock<HashMap<String, Lane>> = LazyLock::new(|| {
    let named = LANES.iter().flat_map(|(service, lane, methods)| {
        methods
            .iter()
            .map(move |method| (format!("{service}/{method}"), *lane))
    });
    named.collect()
});

/// The lane of a method.
pub(super) fn lane(method: Method) -> Lane {
    BY_NAME
        .get(without_package(method.name))
        .copied()
        .unwrap_or(Lane::Read)
}

fn without_package(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::grpc::FILE_DESCRIPTOR_SET;

    /// Light reads. Whoever adds a method says here, or in `LANES`, what it costs.
    const READS: [&str; 16] = [
        "AuditService/GetAuditCheckpoint",
        "ContextService/GetContext",
        "ModelService/GetMapping",
        "ModelService/GetModel",
        "ModelService/ListModelVersions",
        "ModelService/TestMapping",
        "PreferenceService/GetPreferences",
        "PreferenceService/CheckContactPermission",
        "PreferenceService/BatchCheckContactPermission",
        "ProfileService/GetProfile",
        "ProfileService/BatchGetProfiles",
        "ProfileService/ListTimeline",
        "ProfileService/GetObject",
        "ProfileService/WatchProfiles",
        "PublishService/ListPublications",
        "SegmentService/CheckMembership",
    ];

    #[test]
    fn each_method_has_a_lane_that_somebody_chose() {
        let pool = prost_reflect::DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let services: Vec<_> = pool.services().collect();
        let methods = services
            .iter()
            .flat_map(prost_reflect::ServiceDescriptor::methods);
        let declared: BTreeSet<String> = methods
            .map(|method| {
                without_package(method.parent_service().full_name()).to_owned()
                    + "/"
                    + method.name()
            })
            .collect();
        let mut chosen = BTreeSet::new();
        for name in READS
            .iter()
            .map(|name| (*name).to_owned())
            .chain(BY_NAME.keys().cloned())
        {
            assert!(chosen.insert(name.clone()), "{name} is in two lanes");
        }
        assert_eq!(
            chosen, declared,
            "each method is to be in one of `LANES` and `READS`"
        );
    }

    #[test]
    fn searches_are_heavy_and_reads_of_one_customer_are_not() {
        let of = |method| {
            lane(Method::of_path(&format!(
                "/customer.profile.v1.ProfileService/{method}"
            )))
        };
        assert_eq!(
            (of("SearchProfiles"), of("GetProfile"), of("Nonsense")),
            (Lane::Heavy, Lane::Read, Lane::Read)
        );
    }
}
