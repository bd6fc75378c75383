//! Bounds of connections, streams and messages, among clients that misbehave; and the end of a
//! server among them.

mod addresses;
mod answers;
mod connections;
mod decoded;
mod drips;
mod ends;
mod load;
mod messages;
mod operations;
mod streams;

use customer_profile::grpc::v1;
use tonic::Code;

use crate::support::service::{Service, by_record, upsert};

const GET_PROFILE: &str = "customer.profile.v1.ProfileService/GetProfile";
const STREAM_STATEMENTS: &str = "customer.profile.v1.IngestService/StreamStatements";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const HEALTH_WATCH: &str = "grpc.health.v1.Health/Watch";
/// What HTTP/2 clients allow by default.
const WINDOW: u32 = 65_535;

fn get_ann() -> v1::GetProfileRequest {
    v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        ..v1::GetProfileRequest::default()
    }
}

/// Stores Ann, and says how a read of her ends.
async fn store_ann(service: &Service) {
    let ann = upsert(
        ("web", "1"),
        &[("email", "ann@shop.com")],
        &[("given_name", "Ann")],
        1,
    );
    let answer = service.say(vec![ann]).await;
    assert_eq!(
        answer.results[0].outcome(),
        v1::StatementOutcome::Stored,
        "{answer:?}"
    );
}

async fn read_ann(service: &Service) -> Result<(), Code> {
    service
        .profiles()
        .get_profile(get_ann())
        .await
        .map(drop)
        .map_err(|status| status.code())
}
