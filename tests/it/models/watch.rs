//! What this server hears of the models that it applies itself.

use std::time::Duration;

use profile_core::records::{Draft, DraftRecord, Identifier, RecordKey, Sequence, TenantId};

use customer_profile::changes::Options;
use customer_profile::config::Config;
use customer_profile::reader::Limits;
use customer_profile::reader::{Watch, WatchEvent, WatchRequest};
use customer_profile::rollout::{Apply, Candidate, Content, Progress, Weights};

use super::{BY_EMAIL, BY_PHONE, model};
use crate::support::process::Process;
use crate::support::stores::{Kind, TestStore};

/// A process that never looks into the log by itself.
struct Deaf {
    process: Process,
    tenant: TenantId,
}

impl Deaf {
    fn new(test: &TestStore) -> Self {
        let deaf = Options {
            alone_interval: Duration::from_hours(1),
            ..Options::default()
        };
        let limits = Limits::from(&Config::defaults());
        Self {
            process: Process::start(test.store.clone(), model(BY_EMAIL), deaf, limits),
            tenant: TenantId::default(),
        }
    }

    /// Two records of one e-mail address: one profile by that, two by their telephones.
    async fn say(&self) {
        let draft = |key: &str| {
            let identifiers = vec![
                Identifier::new("email", "ann@x.com"),
                Identifier::new("phone", key),
            ];
            let record = RecordKey::new("web", key);
            Draft::Upsert(DraftRecord {
                identifiers,
                version: 1,
                ..DraftRecord::new(record)
            })
        };
        self.process
            .say(&self.tenant, vec![draft("5550001"), draft("5550002")])
            .await;
    }

    async fn apply(&self, text: &str, request_id: &str) -> Sequence {
        let candidate = Candidate {
            content: Content::File(text.to_owned()),
            weights: Weights::Own,
        };
        let apply = Apply {
            candidate,
            expected_version: None,
            request_id: request_id.to_owned(),
        };
        let applied = self
            .process
            .switch
            .apply(&self.tenant, &apply, &Progress::new().0)
            .await
            .expect("it is applied");
        Sequence(applied.sequence)
    }

    async fn watch(&self) -> Watch {
        let request = WatchRequest {
            tenant: self.tenant.clone(),
            keys: Vec::new(),
            fields: None,
            include_profiles: false,
            place: None,
            max_pending: 100,
            heartbeat: Duration::from_hours(1),
        };
        let Process {
            reader,
            switch,
            follower,
            ..
        } = self.process.clone();
        let mut watch = Watch::begin(&follower, reader, switch.store, request)
            .await
            .expect("a watch");
        assert!(
            matches!(watch.next().await, Ok((WatchEvent::Heartbeat, _))),
            "it has begun"
        );
        watch
    }
}

/// Nobody but the one who applies can have told: the log is not looked into for an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_on_sqlite_is_told_of_a_model_by_the_server_that_applies_it() {
    let test = TestStore::start(Kind::Sqlite).await;
    let deaf = Deaf::new(&test);
    deaf.say().await;
    let mut watch = deaf.watch().await;
    let write = deaf.apply(BY_PHONE, "").await;
    for _ in 0..2 {
        let (told, place) = watch.next().await.expect("a change");
        let WatchEvent::Change { change, .. } = told else {
            panic!("{told:?}")
        };
        assert!(
            change.old_revision == 0 || !change.split_into.is_empty(),
            "{change:?}"
        );
        assert_eq!(place.sequence.0 + 1, write.0);
    }
    test.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_counts_a_model_that_is_applied_here_as_known() {
    let test = TestStore::start(Kind::Sqlite).await;
    let deaf = Deaf::new(&test);
    deaf.say().await;
    let followed = deaf
        .process
        .follower
        .follow(&deaf.tenant)
        .await
        .expect("a tenant");
    let write = deaf.apply(BY_PHONE, "once").await;
    assert_eq!(followed.proof().position, write);
    // A write of its own too, that only remembers the request.
    let nothing = deaf.apply(BY_PHONE, "twice").await;
    assert!(nothing > write);
    assert_eq!(followed.proof().position, nothing);
    test.store.close().await;
}
