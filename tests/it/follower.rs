//! Whom the follower of the change log follows, whom it lets rest, and whom it must not let down
//! for another one's sake.

use std::sync::Arc;
use std::time::{Duration, Instant};

use profile_core::records::{Draft, DraftRecord, RecordKey, TenantId, Timestamp, Value};

use customer_profile::active_models::ModelFile;
use customer_profile::changes::Options;
use customer_profile::config::Config;
use customer_profile::reader::{Error, Freshness, Key, Limits};
use customer_profile::store::{self, Activation, Changes, ModelVersion, Store};

use crate::support::faulty::{Faulty, Reads};
use crate::support::process::Process;

/// Far more than it takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn shared_store() -> Arc<Faulty> {
    Arc::new(Faulty::new(Reads::Linger(0)).shared())
}

/// A server on a shared store. What it has cached is never too old by the clock: only the log makes
/// it old.
fn server(store: &Arc<Faulty>) -> Process {
    let age = Duration::from_hours(1);
    let limits = Limits {
        max_staleness: age,
        max_staleness_when_away: age,
        ..Limits::from(&Config::defaults())
    };
    Process::start(
        store.clone(),
        ModelFile::built_in(),
        Options::default(),
        limits,
    )
}

/// Says which version the tenant's only customer has now.
async fn write(server: &Process, tenant: &TenantId, version: i64) {
    let record = DraftRecord {
        traits: [("city".to_owned(), Value::Int(version))].into(),
        version,
        ..DraftRecord::new(RecordKey::new("web", "1"))
    };
    server.say(tenant, vec![Draft::Upsert(record)]).await;
}

async fn read(server: &Process, tenant: &TenantId) -> Result<i64, Error> {
    let key = Key::Record(RecordKey::new("web", "1"));
    let answer = server
        .reader
        .profile(tenant, &key, Freshness::MinimizeLatency)
        .await?;
    match answer.profile.traits["city"].value {
        Value::Int(version) => Ok(version),
        _ => panic!("not a version"),
    }
}

#[tokio::test]
async fn the_first_read_after_a_rest_sees_what_others_wrote_during_it() {
    let (store, tenant) = (shared_store(), TenantId::default());
    let (here, there) = (server(&store), server(&store));
    write(&there, &tenant, 1).await;
    assert_eq!(read(&here, &tenant).await.expect("a profile"), 1);
    let tail = here.follower.follow(&tenant).await.expect("a tenant");
    for version in 2..=3 {
        while !tail.rests() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let before = tail.proof();
        write(&there, &tenant, version).await;
        assert_eq!(
            tail.proof().position,
            before.position,
            "nobody looks into the log for it"
        );
        // Not what is cached, which was proven before: the log is read first.
        assert_eq!(read(&here, &tenant).await.expect("a profile"), version);
        assert!(tail.proof().known_at > before.known_at);
    }
    // From then on it is followed as before, without anybody asking for it.
    let position = tail.proof().position;
    write(&there, &tenant, 4).await;
    while tail.proof().position == position {
        here.follower.follow(&tenant).await.expect("a tenant");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(read(&here, &tenant).await.expect("a profile"), 4);
}

/// Puts a version in force that no program understands, as a later one might.
async fn apply_nonsense(store: &Faulty, tenant: &TenantId) {
    let tx = store.begin(tenant).await.expect("a turn");
    let (sequence, time) = (tx.sequence(), tx.not_before());
    let model = ModelVersion {
        version: 2,
        file: "sources: [".to_owned(),
        weights: String::new(),
        create_time: Timestamp::default(),
        note: String::new(),
    };
    let activation = Some(Activation {
        version: 2,
        sequence,
        time,
    });
    tx.commit(
        time,
        &Changes {
            models: vec![model],
            activation,
            ..Changes::default()
        },
    )
    .await
    .expect("a commit");
}

#[tokio::test]
async fn a_tenant_whose_model_cannot_be_read_keeps_no_other_from_being_proven() {
    // More than one, so that some come after the broken one in whatever order they are taken.
    const OTHERS: usize = 16;
    let store = shared_store();
    let (here, there) = (server(&store), server(&store));
    let tenant = |number: usize| TenantId::new(&format!("t{number}")).expect("a name");
    for number in 0..=OTHERS {
        write(&there, &tenant(number), 1).await;
        assert_eq!(read(&here, &tenant(number)).await.expect("a profile"), 1);
    }
    let broken = tenant(OTHERS);
    apply_nonsense(&store, &broken).await;
    // It is asked for all the time, so that it never rests.
    let (follower, asked) = (here.follower.clone(), broken.clone());
    let asking = tokio::spawn(async move {
        loop {
            follower.follow(&asked).await.expect("a tenant");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    for number in 0..OTHERS {
        let tail = here
            .follower
            .follow(&tenant(number))
            .await
            .expect("a tenant");
        let asked_at = Instant::now();
        let proof = here.follower.prove(&tail, PATIENCE).await;
        assert!(proof.known_at >= asked_at, "{number} is not proven");
        write(&there, &tenant(number), 2).await;
        here.follower.prove(&tail, PATIENCE).await;
        assert_eq!(read(&here, &tenant(number)).await.expect("a profile"), 2);
    }
    // It is itself not proven: nobody knows here what its cached answers are worth.
    let tail = here.follower.follow(&broken).await.expect("a tenant");
    let before = tail.proof().known_at;
    assert_eq!(
        here.follower
            .prove(&tail, Duration::from_millis(100))
            .await
            .known_at,
        before
    );
    let strong = here
        .reader
        .profile(
            &broken,
            &Key::Record(RecordKey::new("web", "1")),
            Freshness::Full,
        )
        .await;
    assert!(
        matches!(
            strong,
            Err(Error::Store(store::Error::Model { version: 2, .. }))
        ),
        "{strong:?}"
    );
    asking.abort();
}
