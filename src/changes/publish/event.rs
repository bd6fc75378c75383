//! A change as a CloudEvent.
//!
//! It says what happened to which profile, and nothing that is personal: the log has nothing of
//! that kind. Who wants to know what the profile says now asks for it. Source: CloudEvents 1.0.2,
//! with the extensions `sequence` and `partitionkey`.

use std::collections::BTreeSet;

use bytes::Bytes;
use profile_core::model::{Publication, PublishedKind};
use profile_core::records::{ProfileId, TenantId, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::store::{ChangeKey, ChangeKind, ProfileChange, SegmentStay};

/// The type of an event, but for the kind of change at its end.
const TYPE_PREFIX: &str = "customer.profile.v1.profile.";

/// An event, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The same each time that it is told.
    pub(super) id: String,
    /// The kind of change, as it is named.
    pub(super) kind: &'static str,
    /// The profile, by its resource name.
    pub(super) subject: String,
    /// The event in JSON.
    pub(super) body: Bytes,
}

/// Where a change comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'o> {
    pub(super) store: Uuid,
    pub(super) tenant: &'o TenantId,
    pub(super) key: ChangeKey,
    pub(super) time: Timestamp,
}

#[derive(Serialize)]
struct CloudEvent<'c> {
    specversion: &'static str,
    id: &'c str,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: &'c str,
    time: String,
    datacontenttype: &'static str,
    tenant: &'c str,
    partitionkey: String,
    sequence: String,
    data: Change<'c>,
}

/// The message `customer.profile.v1.Change` in Protobuf's JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the API")]
struct Change<'c> {
    profile: &'c str,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_revision: Option<String>,
    revision: String,
    change_time: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changed_fields: &'c [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    event_types: &'c [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    retracted_event_types: &'c [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    merged_from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    split_from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    split_into: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<Stay<'c>>,
}

/// The message `customer.profile.v1.SegmentMembership`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stay<'c> {
    segment: &'c str,
    enter_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_time: Option<String>,
}

impl<'c> From<&'c SegmentStay> for Stay<'c> {
    fn from(stay: &'c SegmentStay) -> Self {
        Self {
            segment: &stay.segment,
            enter_time: stay.enter_time.to_string(),
            exit_time: stay.exit_time.as_ref().map(ToString::to_string),
        }
    }
}

impl Event {
    /// The event of a change.
    pub(super) fn new(origin: Origin<'_>, change: &ProfileChange) -> Self {
        let Origin {
            store,
            tenant,
            key,
            time,
        } = origin;
        let names = |ids: &[ProfileId]| ids.iter().map(name).collect();
        let (id, subject) = (event_id(tenant, key), name(&change.profile));
        let kind = kind_of(change).name();
        let event = CloudEvent {
            specversion: "1.0",
            id: &id,
            source: format!("customer-profile/{store}"),
            kind: format!("{TYPE_PREFIX}{kind}"),
            subject: &subject,
            time: time.to_string(),
            datacontenttype: "application/json",
            tenant: tenant.as_str(),
            partitionkey: change.profile.to_string(),
            // In the order of texts, too.
            sequence: format!("{:019}.{:010}", key.sequence.0, key.change),
            data: Change {
                profile: &subject,
                kind: format!("CHANGE_KIND_{}", kind.to_ascii_uppercase()),
                old_revision: (change.old_revision != 0).then(|| change.old_revision.to_string()),
                revision: change.revision.to_string(),
                change_time: time.to_string(),
                changed_fields: &change.fields,
                event_types: &change.events,
                retracted_event_types: &change.retracted_events,
                merged_into: if let ChangeKind::Merged(into) = change.kind {
                    Some(name(&into))
                } else {
                    None
                },
                merged_from: names(&change.merged_from),
                split_from: names(&change.split_from),
                split_into: names(&change.split_into),
                segments: change.segments.iter().map(Stay::from).collect(),
            },
        };
        // Texts and numbers only: there is nothing in it that JSON could not say.
        let body = serde_json::to_vec(&event).unwrap_or_default().into();
        Self {
            id,
            kind,
            subject,
            body,
        }
    }

    /// The event of a dead letter.
    pub(super) fn again(tenant: &TenantId, key: ChangeKey, payload: &str) -> Self {
        let event: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
        let kind = event["type"]
            .as_str()
            .and_then(|kind| kind.strip_prefix(TYPE_PREFIX));
        let kind = PublishedKind::ALL
            .iter()
            .map(|(name, _)| *name)
            .find(|name| Some(*name) == kind);
        Self {
            id: event_id(tenant, key),
            kind: kind.unwrap_or_default(),
            subject: event["subject"].as_str().unwrap_or_default().to_owned(),
            body: payload.to_owned().into(),
        }
    }

    /// The event as text.
    pub(super) fn payload(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The id of a change's event.
fn event_id(tenant: &TenantId, key: ChangeKey) -> String {
    format!("{tenant}/{}/{}", key.sequence.0, key.change)
}

fn name(id: &ProfileId) -> String {
    format!("profiles/{id}")
}

fn kind_of(change: &ProfileChange) -> PublishedKind {
    match change.kind {
        ChangeKind::Created => PublishedKind::Created,
        ChangeKind::Updated => PublishedKind::Updated,
        ChangeKind::Merged(_) => PublishedKind::Merged,
        ChangeKind::Deleted => PublishedKind::Deleted,
        ChangeKind::SegmentsChanged => PublishedKind::SegmentsChanged,
    }
}

/// Whether a publication wants a change.
pub(super) fn is_wanted(publication: &Publication, change: &ProfileChange) -> bool {
    let concerns = |fields: &BTreeSet<String>| change.concerns(fields);
    publication.kinds.contains(&kind_of(change)) && publication.fields.as_ref().is_none_or(concerns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use profile_core::records::Sequence;

    fn id(number: u128) -> ProfileId {
        ProfileId(Uuid::from_u128(number))
    }

    fn change() -> ProfileChange {
        ProfileChange {
            profile: id(1),
            kind: ChangeKind::Merged(id(2)),
            old_revision: 3,
            revision: 4,
            fields: vec!["records".to_owned(), "traits.given_name".to_owned()],
            retracted_events: vec!["order_paid".to_owned()],
            events: vec!["order_placed".to_owned()],
            merged_from: vec![id(5)],
            split_from: vec![id(6)],
            split_into: vec![id(7)],
            segments: vec![SegmentStay {
                segment: "gold".to_owned(),
                enter_time: Timestamp::from_micros(1_763_000_000_000_000),
                exit_time: Some(Timestamp::from_micros(1_764_000_000_000_000)),
            }],
        }
    }

    fn event(change: &ProfileChange) -> Event {
        let tenant = TenantId::default();
        let key = ChangeKey {
            sequence: Sequence(42),
            change: 3,
        };
        let time = Timestamp::from_micros(1_764_000_000_123_456);
        Event::new(
            Origin {
                store: Uuid::from_u128(9),
                tenant: &tenant,
                key,
                time,
            },
            change,
        )
    }

    #[test]
    fn a_change_is_a_cloud_event() {
        let event = event(&change());
        let json: serde_json::Value = serde_json::from_slice(&event.body).expect("JSON");
        insta::assert_snapshot!(format!("{json:#}"), @r#"
        {
          "data": {
            "changeTime": "2025-11-24T16:00:00.123456Z",
            "changedFields": [
              "records",
              "traits.given_name"
            ],
            "eventTypes": [
              "order_placed"
            ],
            "kind": "CHANGE_KIND_MERGED",
            "mergedFrom": [
              "profiles/00000000-0000-0000-0000-000000000005"
            ],
            "mergedInto": "profiles/00000000-0000-0000-0000-000000000002",
            "oldRevision": "3",
            "profile": "profiles/00000000-0000-0000-0000-000000000001",
            "retractedEventTypes": [
              "order_paid"
            ],
            "revision": "4",
            "segments": [
              {
                "enterTime": "2025-11-13T02:13:20Z",
                "exitTime": "2025-11-24T16:00:00Z",
                "segment": "gold"
              }
            ],
            "splitFrom": [
              "profiles/00000000-0000-0000-0000-000000000006"
            ],
            "splitInto": [
              "profiles/00000000-0000-0000-0000-000000000007"
            ]
          },
          "datacontenttype": "application/json",
          "id": "default/42/3",
          "partitionkey": "00000000-0000-0000-0000-000000000001",
          "sequence": "0000000000000000042.0000000003",
          "source": "customer-profile/00000000-0000-0000-0000-000000000009",
          "specversion": "1.0",
          "subject": "profiles/00000000-0000-0000-0000-000000000001",
          "tenant": "default",
          "time": "2025-11-24T16:00:00.123456Z",
          "type": "customer.profile.v1.profile.merged"
        }
        "#);
        assert_eq!(
            Event::again(
                &TenantId::default(),
                ChangeKey {
                    sequence: Sequence(42),
                    change: 3
                },
                &event.payload()
            ),
            event
        );
    }

    /// The data is what a program decodes as the message of the API.
    #[test]
    fn its_data_is_the_message_of_the_api() {
        use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage};
        let pool = DescriptorPool::decode(crate::grpc::FILE_DESCRIPTOR_SET).expect("descriptors");
        let descriptor = pool
            .get_message_by_name("customer.profile.v1.Change")
            .expect("the message");
        let json: serde_json::Value = serde_json::from_slice(&event(&change()).body).expect("JSON");
        let message =
            DynamicMessage::deserialize(descriptor, json["data"].clone()).expect("the message");
        let again = serde_json::to_value(&message).expect("JSON");
        assert_eq!(again, json["data"]);
        assert_eq!(
            message.fields().count(),
            message.descriptor().fields().count(),
            "all fields are said"
        );
    }

    #[test]
    fn a_publication_wants_kinds_and_fields_as_watches_do() {
        let target = profile_core::model::publication::Target::Webhook(
            profile_core::model::publication::WebhookTarget {
                url: String::new(),
                secret_env: String::new(),
                max_attempts: 1,
                timeout_seconds: 1,
            },
        );
        let fields = Some(BTreeSet::from(["traits".to_owned()]));
        let kinds = BTreeSet::from([PublishedKind::Updated, PublishedKind::Merged]);
        let mut publication = Publication {
            target,
            kinds,
            fields,
        };
        let of = |kind, fields: &[&str]| ProfileChange {
            kind,
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..change()
        };
        assert!(is_wanted(
            &publication,
            &of(ChangeKind::Updated, &["traits.given_name"])
        ));
        assert!(!is_wanted(
            &publication,
            &of(ChangeKind::Updated, &["records", "timeline"])
        ));
        assert!(is_wanted(
            &publication,
            &of(ChangeKind::Merged(id(2)), &["records"])
        ));
        assert!(!is_wanted(&publication, &of(ChangeKind::Deleted, &[])));
        let gold = of(ChangeKind::SegmentsChanged, &["segments.gold"]);
        let mut of_segments = |field: &str| {
            publication.fields = Some(BTreeSet::from([field.to_owned()]));
            is_wanted(&publication, &gold)
        };
        assert!(!of_segments("segments"), "the kind is not wanted");
        publication.kinds.insert(PublishedKind::SegmentsChanged);
        let mut of_segments = |field: &str| {
            publication.fields = Some(BTreeSet::from([field.to_owned()]));
            is_wanted(&publication, &gold)
        };
        assert!(of_segments("segments") && of_segments("segments.gold"));
        assert!(!of_segments("segments.silver") && !of_segments("traits"));
    }
}
