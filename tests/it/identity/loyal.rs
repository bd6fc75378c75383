//! Customers of many records: limits count people.

use customer_profile::grpc::v1;

use super::kinds::{name, statement};
use crate::support::service::Service;

/// Records that are one customer, however many, and one look-up that finds them.
#[tokio::test]
async fn a_loyal_customer_stays_whole() {
    let many = |count: usize, said: fn(usize) -> String| -> Vec<v1::Statement> {
        let each = (0..count).map(|number| statement(&number.to_string(), &said(number)));
        each.collect()
    };
    let kinds = [
        (
            "guest orders",
            many(30, |_| "email=marta.kern@web.de".to_owned()),
        ),
        (
            "guest orders of one name",
            many(61, |_| {
                "email=marta.kern@web.de|given_name=Marta|family_name=Kern".to_owned()
            }),
        ),
        (
            "an account",
            many(61, |_| {
                "customer_id=20417|email=marta.kern@web.de|given_name=Marta".to_owned()
            }),
        ),
        (
            "browsers",
            many(30, |number| {
                format!("customer_id=20417|device_id=browser-{number}-7f")
            }),
        ),
        (
            "relay addresses",
            many(40, |number| {
                format!(
                    "loyalty_id=4576316147|given_name=Marta|email=r{number}x7q@privaterelay.appleid.com"
                )
            }),
        ),
        (
            "numbers",
            many(20, |number| {
                format!("loyalty_id=4576316147|phone=+1646321{:04}", 7000 + number)
            }),
        ),
        ("calls", many(40, |_| "phone=+1 646 321 7788".to_owned())),
        (
            "calls by name",
            many(70, |_| {
                "phone=+1 646 321 7788|given_name=Marta|family_name=Kern".to_owned()
            }),
        ),
    ];
    for (kind, said) in kinds {
        let count = said.len();
        let service = Service::start().await;
        for batch in said.chunks(7) {
            service.say(batch.to_vec()).await;
        }
        let first = name(&service, "0").await;
        for number in 1..count {
            assert_eq!(
                name(&service, &number.to_string()).await,
                first,
                "{kind} {number}"
            );
        }
    }
}
