//! Several servers on one PostgreSQL.

use std::time::Duration;

use super::receiver::{Answer, Receiver};
#[cfg(feature = "nats")]
use super::stream::NatsServer;
use super::{Ground, check, revisions, until, until_told, write_round};
use crate::support::postgres::Postgres;
use crate::support::program::run;

/// A lease for tests in which nobody is to lose it while living: longer than a busy machine keeps a
/// process from showing itself.
const PATIENT: &[&str] = &["--set", "publish.lease=6s"];

fn migrated() -> Postgres {
    let database = Postgres::start();
    run(
        std::path::Path::new("/"),
        ["migrate", "--database-url", &database.url()],
    )
    .ok();
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_servers_publishes_and_the_other_takes_over_when_it_is_killed() {
    let (database, receiver) = (migrated(), Receiver::start(|_, _| Answer::Take).await);
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let mut owning = ground.server(&database.url(), PATIENT);
    write_round(&owning, 0).await;
    let mut owner = until(&owning, |status| !status.owner.is_empty())
        .await
        .owner;
    for round in 1..=2 {
        let next = ground.server(&database.url(), PATIENT);
        write_round(if round % 2 == 0 { &owning } else { &next }, round).await;
        assert_eq!(
            until_told(&next).await.owner,
            owner,
            "as long as it lives, it keeps it"
        );
        write_round(&owning, round + 2).await;
        std::mem::replace(&mut owning, next).kill();
        owner = until(&owning, |status| {
            status.owner != owner && !status.owner.is_empty()
        })
        .await
        .owner;
    }
    until_told(&owning).await;
    check(&receiver.taken(), &revisions(&owning).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_tell_nothing_twice_while_both_live() {
    let (database, receiver) = (migrated(), Receiver::start(|_, _| Answer::Take).await);
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let first = ground.server(&database.url(), PATIENT);
    let second = ground.server(&database.url(), PATIENT);
    for round in 1..=4 {
        write_round(if round % 2 == 0 { &first } else { &second }, round).await;
        // All together longer than a lease lasts.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    until_told(&first).await;
    assert_eq!(check(&receiver.taken(), &revisions(&second).await), 0);
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_database_and_nats_are_killed() {
    let (mut database, mut nats) = (migrated(), NatsServer::start());
    nats.make_stream().await;
    let ground = Ground::new(&format!("bus: {}", nats.publication("")));
    let first = ground.server(&database.url(), &[]);
    let second = ground.server(&database.url(), &[]);
    for round in 1..=3 {
        write_round(&first, round * 2).await;
        database.stop();
        tokio::time::sleep(Duration::from_millis(500)).await;
        database.start_again();
        nats.kill();
        write_round(&second, round * 2 + 1).await;
        nats.start_again();
    }
    until_told(&first).await;
    let events: Vec<_> = nats
        .messages()
        .await
        .into_iter()
        .map(|(_, event)| event)
        .collect();
    check(&events, &revisions(&first).await);
}
