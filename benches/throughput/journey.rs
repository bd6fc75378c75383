//! A customer's journey: contexts, timelines, and how soon an event is counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{
    self, context_service_client::ContextServiceClient, ingest_service_client::IngestServiceClient,
    profile_service_client::ProfileServiceClient, statement::Kind, value,
};
use prost_types::Timestamp;
use tonic::transport::Channel;

use super::client::{READERS, Rate, by_name, closed_loop, connect};

/// How many events one request has.
const CHUNK: u32 = 1_000;

/// What is asked of a cached customer.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// The profile.
    Profile,
    /// The agent's context.
    Context {
        /// As text too.
        text: bool,
    },
    /// The first page of the timeline, of ten events.
    Timeline,
}

/// Asks the same from many callers.
pub(crate) async fn ask_for(address: &str, name: &str, asked: Asked, time: Duration) -> Rate {
    closed_loop(
        address,
        READERS,
        time,
        async |channel: Channel, _, _| match asked {
            Asked::Profile => {
                ProfileServiceClient::new(channel)
                    .get_profile(by_name(name))
                    .await
                    .expect("a profile");
            }
            Asked::Context { text } => {
                let request = v1::GetContextRequest {
                    key: by_name(name).key,
                    purpose: "service".to_owned(),
                    view: "agent".to_owned(),
                    include_text: text,
                    ..v1::GetContextRequest::default()
                };
                let answer = ContextServiceClient::new(channel)
                    .get_context(request)
                    .await
                    .expect("a context")
                    .into_inner();
                assert_eq!((answer.objects.len(), answer.omitted.len()), (3, 0));
            }
            Asked::Timeline => {
                let request = v1::ListTimelineRequest {
                    key: by_name(name).key,
                    page_size: 10,
                    ..v1::ListTimelineRequest::default()
                };
                let page = ProfileServiceClient::new(channel)
                    .list_timeline(request)
                    .await
                    .expect("a page")
                    .into_inner();
                assert_eq!(page.events.len(), 10);
            }
        },
    )
    .await
}

fn order(record: &str, number: u32) -> v1::Statement {
    let value = |kind| v1::Value { kind: Some(kind) };
    let properties = [
        (
            "order_id",
            value::Kind::StringValue(format!("{record}-{number}")),
        ),
        ("total", value::Kind::DecimalValue("19.90".to_owned())),
        ("currency", value::Kind::StringValue("USD".to_owned())),
    ];
    let event = v1::Event {
        record: Some(v1::RecordKey {
            source: "web".to_owned(),
            key: record.to_owned(),
        }),
        event_id: format!("{record}-{number}"),
        r#type: "order_placed".to_owned(),
        event_time: Some(Timestamp {
            seconds: 1_700_000_000 + i64::from(number) * 60,
            nanos: 0,
        }),
        properties: properties
            .into_iter()
            .map(|(name, kind)| (name.to_owned(), value(kind)))
            .collect::<BTreeMap<_, _>>(),
        ..v1::Event::default()
    };
    v1::Statement {
        kind: Some(Kind::RecordEvent(v1::RecordEvent { event: Some(event) })),
    }
}

/// Gives a record so many orders; answers with the name of its profile.
pub(crate) async fn orders(address: &str, record: &str, count: u32) -> String {
    let mut client = IngestServiceClient::new(connect(address).await);
    let mut name = String::new();
    for from in (0..count).step_by(CHUNK as usize) {
        let statements = (from..count.min(from + CHUNK))
            .map(|number| order(record, number))
            .collect();
        let request = v1::IngestStatementsRequest { statements };
        let answer = client
            .ingest_statements(request)
            .await
            .expect("a receipt")
            .into_inner();
        name.clone_from(&answer.results[0].profile);
    }
    name
}

/// How long from sending an order until a read has it counted, so many times one after the other.
pub(crate) async fn counted_after(address: &str, record: &str, rounds: u32) -> Vec<Duration> {
    let channel = connect(address).await;
    let name = orders(address, record, 1).await;
    let (mut ingest, mut profiles) = (
        IngestServiceClient::new(channel.clone()),
        ProfileServiceClient::new(channel),
    );
    let mut took = Vec::new();
    for number in 1..=rounds {
        let begin = Instant::now();
        let request = v1::IngestStatementsRequest {
            statements: vec![order(record, number)],
        };
        ingest.ingest_statements(request).await.expect("a receipt");
        let answer = profiles
            .get_profile(by_name(&name))
            .await
            .expect("a profile")
            .into_inner();
        took.push(begin.elapsed());
        let orders = answer
            .profile
            .expect("a profile")
            .computed
            .remove("orders")
            .and_then(|orders| orders.value);
        assert_eq!(
            orders.and_then(|value| value.kind),
            Some(value::Kind::Int64Value(i64::from(number) + 1))
        );
    }
    took.sort_unstable();
    took
}
