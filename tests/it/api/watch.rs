//! `WatchProfiles`: what is told, to whom, and how it goes on.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::grpc::v1::{
    self, ChangeKind, ErrorReason, ProfileKey, WatchProfilesRequest, WatchProfilesResponse,
    watch_profiles_response::Event,
};
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::{LogRetention, Store};
use profile_core::records::TenantId;
use prost_types::FieldMask;
use tonic::{Code, Status, Streaming};

use super::errors::assert_failure;
use crate::support::service::{Service, by_identifier, by_name, by_record, delete, event, upsert};

/// A client that watches.
pub(super) struct Watcher {
    stream: Streaming<WatchProfilesResponse>,
    pub(super) token: String,
}

impl Watcher {
    pub(super) async fn begin(
        service: &Service,
        request: WatchProfilesRequest,
    ) -> Result<Self, Status> {
        let stream = service
            .profiles()
            .watch_profiles(request)
            .await?
            .into_inner();
        Ok(Self {
            stream,
            token: String::new(),
        })
    }

    pub(super) async fn of(service: &Service, keys: Vec<ProfileKey>) -> Self {
        Self::begin(
            service,
            WatchProfilesRequest {
                keys,
                ..Default::default()
            },
        )
        .await
        .expect("a watch")
    }

    /// What is told next, in one line.
    pub(super) async fn next(&mut self) -> String {
        self.message().await.expect("a message")
    }

    pub(super) async fn message(&mut self) -> Result<String, Status> {
        let message = self.stream.message().await?.expect("the stream goes on");
        assert!(!message.resume_token.is_empty());
        self.token = message.resume_token;
        Ok(match message.event.expect("something") {
            Event::Heartbeat(_) => "heartbeat".to_owned(),
            Event::Snapshot(snapshot) => match snapshot.profile {
                Some(profile) => format!(
                    "{} is {} r{}",
                    snapshot.key_index,
                    short(&profile.name),
                    profile.revision
                ),
                None => format!(
                    "{} is nobody: {}",
                    snapshot.key_index,
                    snapshot.status.expect("a status").code
                ),
            },
            Event::Change(change) => told(change),
        })
    }
}

/// The first letters of a profile's id: enough to tell a handful apart.
fn short(name: &str) -> &str {
    &name["profiles/".len()..][..4]
}

fn told(change: v1::WatchChange) -> String {
    let keys = change.key_indices;
    let city = change
        .profile
        .map(|profile| match profile.traits.get("city") {
            Some(city) => format!(
                " {:?}",
                city.value
                    .as_ref()
                    .and_then(|value| value.kind.clone())
                    .expect("a value")
            ),
            None => " here".to_owned(),
        });
    let change = change.change.expect("a change");
    let list = |what: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!(
            " {what} {}",
            names
                .iter()
                .map(|name| short(name))
                .collect::<Vec<_>>()
                .join(",")
        ),
    };
    let kind = match change.kind() {
        ChangeKind::Created => "created".to_owned(),
        ChangeKind::Updated => format!("updated {}", change.changed_fields.join(",")),
        ChangeKind::Merged => format!("merged into {}", short(&change.merged_into)),
        ChangeKind::Deleted => "deleted".to_owned(),
        ChangeKind::SegmentsChanged => change.changed_fields.join(","),
        ChangeKind::Unspecified => panic!("no kind"),
    };
    let from = [
        list("from", &change.merged_from),
        list("out of", &change.split_from),
        list("without", &change.split_into),
    ]
    .concat();
    let events = if change.event_types.is_empty() {
        String::new()
    } else {
        format!(" {:?}", change.event_types)
    };
    let (name, old, new) = (short(&change.profile), change.old_revision, change.revision);
    format!(
        "{name} r{old}-{new} {kind}{from}{events}{} {keys:?}",
        city.unwrap_or_default()
    )
}

pub(super) async fn person(service: &Service, key: &str, email: &str, version: i64) -> String {
    let said = upsert(
        ("web", key),
        &[("email", email)],
        &[("city", &format!("City {version}"))],
        version,
    );
    service.say(vec![said]).await.results.remove(0).profile
}

#[tokio::test]
async fn a_profile_is_told_as_it_is_and_then_as_it_changes() {
    let service = Service::start().await;
    let name = person(&service, "1", "ann@shop.com", 1).await;
    let mut watcher = Watcher::of(&service, vec![by_name(&name), by_record("web", "nobody")]).await;
    let (ann, mut snapshots) = (
        short(&name),
        vec![watcher.next().await, watcher.next().await],
    );
    snapshots.sort();
    assert_eq!(
        snapshots,
        [format!("0 is {ann} r1"), "1 is nobody: 5".to_owned()]
    );
    person(&service, "1", "ann@shop.com", 2).await;
    assert_eq!(
        watcher.next().await,
        format!("{ann} r1-2 updated traits.city [0]")
    );
    // Somebody else is not told of.
    person(&service, "2", "bob@shop.com", 1).await;
    service
        .say(vec![event(("web", "1"), "e1", "order_placed", 0)])
        .await;
    assert_eq!(
        watcher.next().await,
        format!("{ann} r2-2 updated timeline [\"order_placed\"] [0]")
    );
    service.say(vec![delete(("web", "1"), 3)]).await;
    let gone = watcher.next().await;
    assert!(gone.starts_with(&format!("{ann} r2-3 ")), "{gone}");
}

#[tokio::test]
async fn a_key_goes_with_its_customer_through_merge_and_split() {
    let service = Service::start().await;
    let amy = person(&service, "1", "amy@shop.com", 1).await;
    let bob = person(&service, "2", "bob@shop.com", 1).await;
    let (a, b) = (short(&amy), short(&bob));
    let mut watcher = Watcher::of(&service, vec![by_name(&bob)]).await;
    assert_eq!(watcher.next().await, format!("0 is {b} r1"));
    person(&service, "2", "amy@shop.com", 2).await;
    assert_eq!(
        watcher.next().await,
        format!("{b} r1-2 merged into {a} [0]")
    );
    person(&service, "1", "amy@shop.com", 3).await;
    assert_eq!(
        watcher.next().await,
        format!("{a} r2-3 updated traits.city [0]")
    );
    // The id that was merged away lives again, and is the one that is watched.
    person(&service, "2", "bob@shop.com", 4).await;
    let (one, other) = (watcher.next().await, watcher.next().await);
    let mut both = [one, other];
    both.sort();
    let mut expected = [
        format!("{a} r3-4 updated identifiers,records,traits.city without {b} [0]"),
        format!("{b} r2-4 created out of {a} [0]"),
    ];
    expected.sort();
    assert_eq!(both, expected);
    person(&service, "1", "amy@shop.com", 5).await;
    person(&service, "2", "bob@shop.com", 6).await;
    assert_eq!(
        watcher.next().await,
        format!("{b} r4-5 updated traits.city [0]")
    );
}

#[tokio::test]
async fn an_identifier_that_moves_is_told_by_a_snapshot() {
    let service = Service::start().await;
    let amy = person(&service, "1", "amy@shop.com", 1).await;
    let mut watcher = Watcher::of(&service, vec![by_identifier("email", "eve@shop.com")]).await;
    assert_eq!(watcher.next().await, "0 is nobody: 5");
    person(&service, "1", "eve@shop.com", 2).await;
    assert_eq!(watcher.next().await, format!("0 is {} r2", short(&amy)));
    person(&service, "1", "eve@shop.com", 3).await;
    assert_eq!(
        watcher.next().await,
        format!("{} r2-3 updated traits.city [0]", short(&amy))
    );
    person(&service, "1", "amy@shop.com", 4).await;
    assert_eq!(
        watcher.next().await,
        format!("{} r3-4 updated identifiers,traits.city [0]", short(&amy)),
        "a former address leads to her, until somebody else has it"
    );
    let bob = person(&service, "2", "eve@shop.com", 1).await;
    assert_eq!(watcher.next().await, format!("0 is {} r1", short(&bob)));
}

#[tokio::test]
async fn a_watch_goes_on_right_after_any_message() {
    let service = Service::start().await;
    let name = person(&service, "1", "ann@shop.com", 1).await;
    let keys = vec![by_name(&name), by_record("web", "1")];
    let request = |resume_token: &str| WatchProfilesRequest {
        keys: keys.clone(),
        resume_token: resume_token.to_owned(),
        ..Default::default()
    };
    let mut whole = Watcher::begin(&service, request(""))
        .await
        .expect("a watch");
    let mut messages = vec![whole.next().await, whole.next().await];
    let mut tokens = vec![whole.token.clone()];
    messages.remove(0);
    for version in 2..6 {
        if version == 4 {
            // Two profiles change by one write.
            person(&service, "2", "ann@shop.com", 1).await;
        }
        person(&service, "1", "ann@shop.com", version).await;
    }
    for _ in 0..5 {
        messages.push(whole.next().await);
        tokens.push(whole.token.clone());
    }
    for (place, token) in tokens.iter().enumerate() {
        let mut resumed = Watcher::begin(&service, request(token))
            .await
            .expect("a watch");
        for message in &messages[place + 1..] {
            assert_eq!(resumed.next().await, *message, "after {place}");
        }
    }
}

#[tokio::test]
async fn all_profiles_are_watched_with_their_contents_if_wanted_and_only_where_a_field_changed() {
    let service = Service::start().await;
    let mask = Some(FieldMask {
        paths: vec!["traits.city".to_owned()],
    });
    let request = WatchProfilesRequest {
        read_mask: mask,
        include_profiles: true,
        ..Default::default()
    };
    let quick = |config: &mut customer_profile::config::Config| {
        config.watch.heartbeat_interval = Duration::from_millis(200);
    };
    let service = {
        drop(service);
        Service::start_with(Arc::new(MemoryStore::new()), quick).await
    };
    let mut watcher = Watcher::begin(&service, request).await.expect("a watch");
    assert_eq!(watcher.next().await, "heartbeat");
    let ann = person(&service, "1", "ann@shop.com", 1).await;
    let mut told = watcher.next().await;
    while told == "heartbeat" {
        told = watcher.next().await;
    }
    assert_eq!(
        told,
        format!("{} r0-1 created StringValue(\"City 1\") []", short(&ann))
    );
    service
        .say(vec![event(("web", "1"), "e1", "order_placed", 0)])
        .await;
    person(&service, "1", "ann@shop.com", 2).await;
    let mut told = watcher.next().await;
    while told == "heartbeat" {
        told = watcher.next().await;
    }
    assert_eq!(
        told,
        format!(
            "{} r1-2 updated traits.city StringValue(\"City 2\") []",
            short(&ann)
        )
    );
}

async fn forget_log(store: &dyn Store) {
    let nothing = LogRetention {
        before: profile_core::records::Timestamp::from_micros(i64::MAX),
        max_bytes: 0,
    };
    store
        .trim_log(&TenantId::default(), nothing)
        .await
        .expect("a trim");
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused_with_the_reason() {
    let store = Arc::new(MemoryStore::new());
    let service = Service::start_with(store.clone(), |config| config.watch.max_watchers = 1).await;
    let begin = async |request| {
        Watcher::begin(&service, request)
            .await
            .err()
            .expect("refused")
    };
    let many = WatchProfilesRequest {
        keys: vec![by_record("web", "1"); 101],
        ..Default::default()
    };
    assert_failure(
        &begin(many).await,
        Code::InvalidArgument,
        ErrorReason::LimitExceeded,
    );
    let nonsense = WatchProfilesRequest {
        read_mask: Some(FieldMask {
            paths: vec!["nonsense".to_owned()],
        }),
        ..Default::default()
    };
    assert_failure(
        &begin(nonsense).await,
        Code::InvalidArgument,
        ErrorReason::Malformed,
    );
    let damaged = WatchProfilesRequest {
        resume_token: "x".to_owned(),
        ..Default::default()
    };
    assert_failure(
        &begin(damaged).await,
        Code::InvalidArgument,
        ErrorReason::ResumeTokenInvalid,
    );

    let name = person(&service, "1", "ann@shop.com", 1).await;
    let mut watcher = Watcher::of(&service, vec![by_name(&name)]).await;
    watcher.next().await;
    let one_more = begin(WatchProfilesRequest::default()).await;
    assert_failure(&one_more, Code::ResourceExhausted, ErrorReason::Overloaded);
    let resume_token = watcher.token.clone();
    drop(watcher);

    for version in 2..5 {
        person(&service, "1", "ann@shop.com", version).await;
    }
    forget_log(&*store).await;
    let request = WatchProfilesRequest {
        resume_token,
        ..Default::default()
    };
    let status = loop {
        match Watcher::begin(&service, request.clone()).await {
            // The one that was dropped has not gone yet.
            Err(status) if status.code() == Code::ResourceExhausted => {}
            Err(status) => break status,
            Ok(mut watcher) => break watcher.message().await.expect_err("it cannot go on"),
        }
    };
    assert_failure(
        &status,
        Code::FailedPrecondition,
        ErrorReason::ResumeTokenExpired,
    );
}

#[tokio::test]
async fn a_client_that_does_not_listen_is_cut_off_and_goes_on_with_its_token() {
    const WRITES: i64 = 1_000;
    let one = |config: &mut customer_profile::config::Config| {
        config.watch.max_pending_writes = 1;
        // Not cut off for taking nothing: here it is the bound of changes that is met.
        config.grpc.send_timeout = std::time::Duration::from_hours(1);
    };
    let service = Service::start_with(Arc::new(MemoryStore::new()), one).await;
    let name = person(&service, "1", "ann@shop.com", 1).await;
    // Messages that are too large for all of them to be under way.
    let request = WatchProfilesRequest {
        keys: vec![by_name(&name)],
        include_profiles: true,
        ..Default::default()
    };
    let mut watcher = Watcher::begin(&service, request.clone())
        .await
        .expect("a watch");
    watcher.next().await;
    let long = "x".repeat(8_000);
    for version in 2..=WRITES {
        let traits = [("city", &*long), ("given_name", &format!("Ann {version}"))];
        service
            .say(vec![upsert(
                ("web", "1"),
                &[("email", "ann@shop.com")],
                &traits,
                version,
            )])
            .await;
    }
    // Whatever was lost on the way: by going on, each change is told once, in order.
    let (mut revision, mut cut_off) = (1, 0);
    while revision < WRITES {
        match watcher.message().await {
            Ok(told) if told == "heartbeat" => {}
            Ok(told) => {
                let expected = format!("{} r{revision}-{} updated ", short(&name), revision + 1);
                assert!(
                    told.starts_with(&expected),
                    "{expected}: {}",
                    &told[..expected.len() + 40]
                );
                revision += 1;
            }
            Err(status) => {
                assert_failure(
                    &status,
                    Code::ResourceExhausted,
                    ErrorReason::WatcherTooSlow,
                );
                cut_off += 1;
                let request = WatchProfilesRequest {
                    resume_token: watcher.token.clone(),
                    ..request.clone()
                };
                let token = std::mem::take(&mut watcher.token);
                watcher = Watcher::begin(&service, request).await.expect("a watch");
                watcher.token = token;
            }
        }
    }
    assert!(cut_off > 0, "the bound was never met");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_watches() {
    let service = Service::start().await;
    let mut watcher = Watcher::of(&service, vec![by_record("web", "1")]).await;
    watcher.next().await;
    service.begin_stop();
    let status = watcher.message().await.expect_err("the end");
    assert_failure(&status, Code::Unavailable, ErrorReason::Draining);
}
