//! Timelines: filters, counts, pages in both directions, and pages turned while profiles merge and
//! split.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use customer_profile::grpc::v1::{self, ErrorReason, TimelineView};
use tonic::Code;

use super::errors::{assert_failure, fields};
use super::objects::{amy, page, said, shown, start};
use crate::support::service::{Service, by_record, upsert};

fn timeline() -> v1::ListTimelineRequest {
    v1::ListTimelineRequest {
        key: Some(by_record("shop", "amy")),
        ..Default::default()
    }
}

fn ids(page: &v1::ListTimelineResponse) -> Vec<String> {
    page.events
        .iter()
        .map(|event| event.event_id.clone())
        .collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[tokio::test]
async fn a_timeline_is_filtered_by_channel_source_and_text() {
    let service = start().await;
    amy(&service).await;
    let list =
        async |request: v1::ListTimelineRequest| ids(&page(&service, request).await).join(" ");
    let chat = v1::ListTimelineRequest {
        channels: words(&["chat", "fax"]),
        ..timeline()
    };
    assert_eq!(list(chat).await, "message_received15");
    let sources = v1::ListTimelineRequest {
        sources: words(&["carrier", "chat"]),
        ..timeline()
    };
    assert_eq!(
        list(sources).await,
        "message_sent50 shipment_updated30 shipment_created20 message_received15"
    );
    let text = |text: &str| v1::ListTimelineRequest {
        text: text.to_owned(),
        ..timeline()
    };
    assert_eq!(list(text("dhl")).await, "shipment_created20");
    assert_eq!(
        list(text(" MÜG ")).await,
        "product_viewed25",
        "without regard to case and accents"
    );
    assert_eq!(
        list(text("1001")).await,
        "message_sent50 order_paid40 shipment_created20 order_placed10"
    );
    assert_eq!(list(text("nothing")).await, "");
    let all = v1::ListTimelineRequest {
        sources: words(&["shop"]),
        types: words(&["order_paid"]),
        ..text("1001")
    };
    assert_eq!(list(all).await, "order_paid40");
}

#[tokio::test]
async fn what_is_wrong_with_the_filters_of_a_timeline_is_told_together() {
    let service = start().await;
    let request = v1::ListTimelineRequest {
        types: words(&["Order"]),
        channels: words(&["chat", ""]),
        sources: words(&["Shop"]),
        text: "x".to_owned(),
        view: 9,
        ..timeline()
    };
    let status = service
        .profiles()
        .list_timeline(request)
        .await
        .expect_err("refused");
    let wrong = ["types[0]", "channels[1]", "sources[0]", "text", "view"];
    assert_eq!(fields(&status), wrong.map(str::to_owned).into());
    let many = v1::ListTimelineRequest {
        sources: vec!["shop".to_owned(); 51],
        ..timeline()
    };
    let status = service
        .profiles()
        .list_timeline(many)
        .await
        .expect_err("refused");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::LimitExceeded);
}

#[tokio::test]
async fn events_are_counted_by_type_on_all_pages_as_the_filter_says() {
    let service = start().await;
    amy(&service).await;
    service
        .say(vec![said(("shop", "amy"), "product_viewed", 60, &[])])
        .await;
    let counts = async |request: v1::ListTimelineRequest| {
        let request = v1::ListTimelineRequest {
            page_size: 1,
            include_counts: true,
            ..request
        };
        let counts = page(&service, request).await.type_counts;
        counts
            .iter()
            .map(|count| format!("{} {}", count.r#type, count.count))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let all = "message_received 1, message_sent 1, order_paid 1, order_placed 1, product_viewed 2, shipment_created 1, \
               shipment_updated 1";
    assert_eq!(counts(timeline()).await, all);
    assert_eq!(
        counts(v1::ListTimelineRequest {
            view: TimelineView::Objects.into(),
            ..timeline()
        })
        .await,
        all
    );
    assert_eq!(
        counts(v1::ListTimelineRequest {
            purpose: "shipping".into(),
            ..timeline()
        })
        .await,
        "shipment_updated 1"
    );
    assert_eq!(
        counts(v1::ListTimelineRequest {
            purpose: "news".into(),
            ..timeline()
        })
        .await,
        "",
        "it may see nothing"
    );
    assert_eq!(
        counts(v1::ListTimelineRequest {
            channels: words(&["chat"]),
            ..timeline()
        })
        .await,
        "message_received 1"
    );
    assert_eq!(
        page(&service, timeline()).await.type_counts,
        [],
        "not asked for"
    );
}

#[tokio::test]
async fn pages_go_forward_and_back_and_a_token_is_for_its_filter() {
    let service = start().await;
    amy(&service).await;
    for (view, all) in [(TimelineView::Events, 7), (TimelineView::Objects, 4)] {
        for size in 1..=all {
            let request = v1::ListTimelineRequest {
                view: view.into(),
                page_size: size,
                ..timeline()
            };
            let told = |page: &v1::ListTimelineResponse| [ids(page), shown(page)].concat();
            let mut pages = vec![page(&service, request.clone()).await];
            assert_eq!(pages[0].previous_page_token, "");
            while let Some(page_token) = pages
                .last()
                .map(|page| page.next_page_token.clone())
                .filter(|token| !token.is_empty())
            {
                pages.push(
                    page(
                        &service,
                        v1::ListTimelineRequest {
                            page_token,
                            ..request.clone()
                        },
                    )
                    .await,
                );
            }
            let forward: Vec<Vec<String>> = pages.iter().map(told).collect();
            assert_eq!(
                forward.concat().len(),
                usize::try_from(all).expect("small"),
                "{view:?} by {size}"
            );
            let mut back = pages.pop().expect("the last page");
            for expected in forward.iter().rev().skip(1) {
                let page_token = back.previous_page_token.clone();
                back = page(
                    &service,
                    v1::ListTimelineRequest {
                        page_token,
                        ..request.clone()
                    },
                )
                .await;
                assert_eq!(told(&back), *expected, "{view:?} by {size}");
            }
            assert_eq!(back.previous_page_token, "", "{view:?} by {size}");
            let page_token = back.next_page_token;
            let other = v1::ListTimelineRequest {
                page_token,
                text: "mug".to_owned(),
                ..request.clone()
            };
            if !other.page_token.is_empty() {
                let status = service
                    .profiles()
                    .list_timeline(other)
                    .await
                    .expect_err("another query");
                assert_failure(
                    &status,
                    Code::InvalidArgument,
                    ErrorReason::PageTokenInvalid,
                );
            }
        }
    }
}

#[tokio::test]
async fn a_text_is_looked_for_in_portions_until_the_end() {
    let service = start().await;
    let note = |number: i64| {
        let text = if number == 3 { "a needle" } else { "hay" };
        said(("shop", "amy"), "note_added", number, &[("text", text)])
    };
    for part in 0..5 {
        service
            .say((0..900).map(|number| note(part * 900 + number)).collect())
            .await;
    }
    let mut request = v1::ListTimelineRequest {
        text: "needle".to_owned(),
        ..timeline()
    };
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let answer = page(&service, request).await;
        pages += 1;
        found.extend(ids(&answer));
        request = v1::ListTimelineRequest {
            text: "needle".to_owned(),
            page_token: answer.next_page_token,
            ..timeline()
        };
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        (found.as_slice(), pages),
        (["note_added3".to_owned()].as_slice(), 3),
        "4,500 events by 2,000"
    );
}

/// Orders of Amy's, each with a state from the shop and a later one from the carrier, whose record
/// is hers or is not.
const ORDERS: i64 = 12;

fn carrier(is_amys: bool, version: i64) -> v1::Statement {
    let mail = if is_amys {
        "amy@shop.com"
    } else {
        "carrier@else.com"
    };
    upsert(("carrier", "77"), &[("email", mail)], &[], version)
}

async fn orders(service: &Service) {
    let mut said_of_orders = vec![
        upsert(("shop", "amy"), &[("email", "amy@shop.com")], &[], 1),
        carrier(true, 1),
    ];
    for order in 1..=ORDERS {
        let id = [("order_id", order.to_string())];
        let id = id.each_ref().map(|(name, id)| (*name, id.as_str()));
        said_of_orders.push(said(("shop", "amy"), "order_placed", 100 * order, &id));
        said_of_orders.push(said(
            ("carrier", "77"),
            "order_updated",
            100 * order + 150,
            &id,
        ));
    }
    service.say(said_of_orders).await;
}

/// How often each item stands on the pages, with something done before each page but the first.
async fn turn(
    service: &Service,
    view: TimelineView,
    mut between: impl AsyncFnMut(usize),
) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    let types = words(&["order_placed", "order_updated"]);
    let mut request = v1::ListTimelineRequest {
        view: view.into(),
        types,
        page_size: 2,
        ..timeline()
    };
    for number in 1.. {
        let answer = page(service, request.clone()).await;
        for item in [ids(&answer), shown(&answer)].concat() {
            let object = item.split(' ').next().unwrap_or_default().to_owned();
            *times.entry(object).or_default() += 1;
        }
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        between(number).await;
    }
    times
}

#[tokio::test]
async fn each_object_stands_once_while_records_come_and_go_and_events_come_late() {
    // By a number's digits: whether the carrier's record is Amy's when a page is read.
    for pattern in 0_u32..32 {
        let service = start().await;
        orders(&service).await;
        let times = turn(&service, TimelineView::Objects, async |number| {
            let is_amys = pattern >> (number - 1) & 1 == 1;
            let version = i64::try_from(number).expect("small") + 1;
            let late = said(
                ("shop", "amy"),
                "order_updated",
                5_000 + version,
                &[("order_id", "1")],
            );
            let early = said(
                ("shop", "amy"),
                "order_updated",
                90 - version,
                &[("order_id", "12")],
            );
            service
                .say(vec![carrier(is_amys, version), late, early])
                .await;
        })
        .await;
        let expected = (1..=ORDERS)
            .map(|order| (format!("order/{order}"), 1))
            .collect();
        assert_eq!(times, expected, "pattern {pattern:b}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_item_stands_once_while_writers_run() {
    let service = Arc::new(start().await);
    orders(&service).await;
    let writing = tokio::spawn({
        let service = service.clone();
        async move {
            for version in 2.. {
                let order = (version % ORDERS + 1).to_string();
                let id = [("order_id", order.as_str())];
                // Of these the timeline shows few: it is to be read while they come, not to grow
                // without end.
                let kind = if version < 20 {
                    "order_updated"
                } else {
                    "order_paid"
                };
                service
                    .say(vec![
                        carrier(version % 3 == 0, version),
                        said(("shop", "amy"), kind, 3_000 + version, &id),
                    ])
                    .await;
            }
        }
    });
    let all: BTreeSet<String> = (1..=ORDERS).map(|order| format!("order/{order}")).collect();
    for _ in 0..10 {
        let times = turn(&service, TimelineView::Objects, async |_| {}).await;
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        assert_eq!(times.into_keys().collect::<BTreeSet<_>>(), all);
        let times = turn(&service, TimelineView::Events, async |_| {}).await;
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        let of_shop = (1..=ORDERS)
            .filter(|order| times.contains_key(&format!("order_placed{}", 100 * order)));
        assert_eq!(
            of_shop.count(),
            all.len(),
            "what stays with her is on the pages"
        );
    }
    writing.abort();
}
