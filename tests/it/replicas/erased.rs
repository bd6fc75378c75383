//! A customer who is erased on one server is shown by no other one.

use customer_profile::grpc::v1::{self, privacy_service_client::PrivacyServiceClient};
use tonic::Code;
use tonic::transport::Endpoint;

use super::{Desk, Replicas};

/// How many customers are erased.
const CUSTOMERS: usize = 6;

async fn erase(replicas: &Replicas, server: usize, name: String) -> v1::EraseProfileResponse {
    let address = replicas.servers[server].address.clone();
    let channel = Endpoint::from_shared(address).expect("an address");
    let request = v1::EraseProfileRequest {
        request_id: format!("erase {name}"),
        name,
        ..v1::EraseProfileRequest::default()
    };
    let mut client = PrivacyServiceClient::new(channel.connect_lazy());
    let erased = client.erase_profile(request).await;
    erased.expect("an erasure").into_inner()
}

/// Reads a customer on every server, so that each has them in its cache.
async fn read_everywhere(desks: &[Desk], customer: &str, token: &str) -> String {
    let mut name = String::new();
    for desk in desks {
        let fresh = super::at_least(token);
        let answer = desk.read(customer, Some(fresh)).await.expect("a profile");
        name = answer.profile.expect("a profile").name;
    }
    name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_shows_a_customer_after_the_answer_to_their_erasure() {
    let replicas = Replicas::start().await;
    let desks = replicas.desks();
    for number in 0..CUSTOMERS {
        let customer = format!("erased{number}");
        let token = desks[0].write(&customer, 1).await.expect("a write");
        let name = read_everywhere(&desks, &customer, &token).await;
        let erased = erase(&replicas, number % desks.len(), name).await;
        assert!(erased.erasure.is_some());
        for desk in &desks {
            let refused = desk.read(&customer, None).await.expect_err("nobody");
            assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
        }
        // Said again on another server, it is refused, and nothing is shown.
        let again = desks[(number + 1) % desks.len()].write(&customer, 2).await;
        again.expect("an answer");
        for desk in &desks {
            let refused = desk.read(&customer, None).await.expect_err("nobody");
            assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
        }
    }
}
