//! A server that is killed loses the end of its audit log at most, and no entry within.

use serde_json::{Value as Json, json};
use tonic::Code;

use super::*;
use crate::access::roles::{ask, method};
use crate::support::scale;
use crate::support::wire::{framed, read};

/// Rounds of the short form.
const ROUNDS: u32 = 4;

/// Calls the server `count` times, each under the next number as its request id.
async fn call(audited: &Audited, numbers: &mut std::ops::RangeFrom<u64>, count: usize) {
    let mut wire = audited.wire().await;
    let method = method("ListSegments");
    let request = prost_reflect::DynamicMessage::new(method.input());
    for number in numbers.take(count) {
        let head = |head: http::request::Builder| {
            let credential = format!("Bearer {}", audited.credential);
            let head = head.header("authorization", credential);
            head.header("x-request-id", number.to_string())
        };
        let path = crate::support::access::path(&method);
        let mut call = wire.begin_with(&path, head).await;
        drop(call.body.send_data(framed(&request), true));
        let (_, status) = read(call.answer).await.expect("a call");
        assert_eq!(status, i32::from(Code::Ok), "call {number}");
    }
}

/// The numbers of the calls that are in the log, in its order.
async fn numbers_in_log(audited: &Audited) -> Vec<u64> {
    let mut wire = audited.wire().await;
    let (mut numbers, mut page) = (Vec::new(), String::new());
    loop {
        let request = json!({ "pageSize": 1000, "pageToken": page });
        let method = method("ListAuditEntries");
        let found = ask(&mut wire, &method, &request, &audited.credential).await;
        let found: Json = serde_json::from_str(&found.json()).expect("JSON");
        for entry in found["entries"].as_array().into_iter().flatten() {
            if entry["method"]
                .as_str()
                .is_some_and(|name| name.ends_with("ListSegments"))
            {
                let id = entry["requestId"].as_str().expect("an id");
                numbers.push(id.parse().expect("a number"));
            }
        }
        let next = found["nextPageToken"].as_str();
        page = next.map(str::to_owned).unwrap_or_default();
        if page.is_empty() {
            numbers.reverse();
            return numbers;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_the_end_of_its_log_alone() {
    let tenant = TenantId::new("acme").expect("a name");
    let mut audited = Audited::start(&tenant, 0, "50ms").await;
    let mut numbers = 0..;
    let mut begins = Vec::new();
    for round in 0..ROUNDS * scale() {
        begins.push(numbers.start);
        let count = 10 + 20 * (round as usize % 7);
        call(&audited, &mut numbers, count).await;
        let written = numbers.start - 1;
        while numbers_in_log(&audited).await.last() != Some(&written) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        call(&audited, &mut numbers, count).await;
        audited = audited.killed_and_started();
        let found = numbers_in_log(&audited).await;
        assert!(found.contains(&written), "round {round}");
        // Each round's calls as far as they were written, and those of no other round among them.
        let ends = begins.iter().skip(1).copied().chain([numbers.start]);
        let mut rest = found.as_slice();
        for (begin, end) in begins.iter().copied().zip(ends) {
            let of_round = rest.iter().take_while(|&&number| number < end).count();
            let written: Vec<u64> = (begin..).take(of_round).collect();
            assert_eq!(rest[..of_round], written, "round {round}");
            rest = &rest[of_round..];
        }
        assert_eq!(rest, [] as [u64; 0], "round {round}");
        let verified = audited.ask("audit verify --key-file a.pub").ok();
        assert!(verified.contains("each as it was written"), "{verified}");
    }
}
