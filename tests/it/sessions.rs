//! What a client sees that goes from server to server with its read tokens, and what one that stays
//! at a server sees without: its own writes, and nothing older than it saw before.
//!
//! The servers are slow to learn of each other: only one of them reads the change log all the time.
//! Several registers are written and read, by id, by e-mail and by record; some e-mails move
//! between profiles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use profile_core::records::{
    Draft, DraftRecord, Identifier, ProfileId, RecordKey, Sequence, TenantId, Value,
};

use customer_profile::active_models::ModelFile;
use customer_profile::changes::Options;
use customer_profile::config::Config;
use customer_profile::ingest::Outcome;
use customer_profile::reader::{Answer, Error, Freshness, Key, Limits};

use crate::support::faulty::{Faulty, Reads};
use crate::support::process::Process;
use crate::support::scale;

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);

/// Servers on one store. The first reads the change log all the time, the others only when they
/// must.
fn servers(count: usize) -> Vec<Process> {
    let store = Arc::new(Faulty::new(Reads::Linger(1)).shared());
    let limits = Limits {
        max_staleness: NEVER,
        max_staleness_when_away: NEVER,
        ..Limits::from(&Config::defaults())
    };
    let start = |number| {
        let poll_interval = if number == 0 {
            Duration::from_millis(1)
        } else {
            NEVER
        };
        let options = Options {
            poll_interval,
            ..Options::default()
        };
        Process::start(store.clone(), ModelFile::built_in(), options, limits)
    };
    (0..count).map(start).collect()
}

fn email(value: &str) -> Identifier {
    Identifier::new("email", format!("{value}@shop.com"))
}

fn upsert(record: &str, emails: &[&str], version: i64) -> Draft {
    Draft::Upsert(DraftRecord {
        identifiers: emails.iter().map(|value| email(value)).collect(),
        traits: [("city".to_owned(), Value::Int(version))].into(),
        version,
        ..DraftRecord::new(RecordKey::new("web", record))
    })
}

fn by_email(value: &str) -> Key {
    Key::Identifier(email(value))
}

fn by_record(record: &str) -> Key {
    Key::Record(RecordKey::new("web", record))
}

fn version(answer: &Answer) -> i64 {
    match answer.profile.traits["city"].value {
        Value::Int(version) => version,
        _ => panic!("not a version"),
    }
}

async fn write(server: &Process, drafts: Vec<Draft>) -> Sequence {
    server
        .say(&TenantId::default(), drafts)
        .await
        .sequence
        .expect("something to store")
}

async fn read(server: &Process, key: &Key, freshness: Freshness) -> Result<Answer, Error> {
    server
        .reader
        .profile(&TenantId::default(), key, freshness)
        .await
}

async fn seen(server: &Process, key: &Key) -> i64 {
    version(
        &read(server, key, Freshness::MinimizeLatency)
            .await
            .expect("a profile"),
    )
}

#[tokio::test]
async fn the_token_of_a_read_by_email_proves_the_state_of_the_profile_that_it_showed() {
    let servers = servers(4);
    let [_, here, there, third] = servers.as_slice() else {
        panic!("four servers")
    };
    write(here, vec![upsert("ann", &["ann"], 1)]).await;
    for server in [here, third] {
        assert_eq!(seen(server, &by_email("ann")).await, 1);
    }
    write(there, vec![upsert("ann", &["ann"], 2)]).await;
    // The profile is read anew, the look-up is not: it is as current as before.
    let id = Key::Id(
        read(here, &by_email("ann"), Freshness::MinimizeLatency)
            .await
            .expect("a profile")
            .profile
            .id,
    );
    read(here, &id, Freshness::Full).await.expect("a profile");
    for key in [by_email("ann"), id] {
        let shown = read(here, &key, Freshness::MinimizeLatency)
            .await
            .expect("a profile");
        assert_eq!(version(&shown), 2);
        let token = Freshness::AtLeast(shown.currency.shown);
        assert_eq!(
            version(&read(third, &key, token).await.expect("a profile")),
            2,
            "{key:?}"
        );
    }
}

#[tokio::test]
async fn who_is_answered_that_a_statement_is_stored_is_not_shown_what_a_later_one_replaced() {
    for (late, outcome) in [(72, Outcome::Stored), (73, Outcome::Duplicate)] {
        let servers = servers(3);
        let [_, here, there] = servers.as_slice() else {
            panic!("three servers")
        };
        write(
            here,
            vec![upsert("ann", &["ann"], 71), upsert("bob", &["bob"], 71)],
        )
        .await;
        let first = read(here, &by_record("ann"), Freshness::MinimizeLatency)
            .await
            .expect("a profile")
            .profile
            .id;
        assert_eq!(seen(here, &by_email("ann")).await, 71);
        let nobody = read(here, &by_email("anna"), Freshness::MinimizeLatency).await;
        assert!(matches!(nobody, Err(Error::NotFound)), "{nobody:?}");
        // Another server is told of a later state, with another e-mail.
        write(there, vec![upsert("ann", &["anna"], 73)]).await;
        assert_eq!(
            seen(here, &by_record("ann")).await,
            71,
            "the test cannot fail: the write is known at once"
        );
        let emails: &[&str] = if late == 73 { &["anna"] } else { &["ann"] };
        let receipt = here
            .say(&TenantId::default(), vec![upsert("ann", emails, late)])
            .await;
        assert_eq!(receipt.results[0].outcome, outcome);
        // Nobody else holds the e-mail that she left, so it finds her too.
        let (now, left) = (by_email("anna"), by_email("ann"));
        for key in [by_record("ann"), now, left, Key::Id(first)] {
            assert_eq!(seen(here, &key).await, 73, "{key:?}");
        }
    }
}

/// The registers: customers, and e-mails that move between two profiles each.
const CUSTOMERS: usize = 3;
const BADGES: usize = 3;
/// How many clients there are, and how much each does; the full form multiplies that by the cube of
/// the scale.
const CLIENTS: u64 = 8;
const STEPS: usize = 300;

/// What all clients write to.
#[derive(Default)]
struct World {
    versions: [AtomicI64; CUSTOMERS + BADGES],
    reads: AtomicU64,
}

/// A client with its session.
struct Client {
    dice: u64,
    /// The server at which it stays, without tokens.
    home: Option<usize>,
    token: Sequence,
    /// The greatest version of each register that it wrote or, with tokens, saw.
    floor: BTreeMap<usize, i64>,
    ids: BTreeMap<usize, ProfileId>,
}

impl Client {
    fn throw(&mut self, bound: usize) -> usize {
        // Any order will do, as long as it is another one every time (Knuth's MMIX generator).
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.dice >> 33) % bound as u64).expect("small")
    }

    /// Writes the next version of a register. Versions arrive in any order: some of these writes
    /// have no effect.
    async fn write(&mut self, server: &Process, world: &World, register: usize) {
        let version = world.versions[register].fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..self.throw(20) {
            tokio::task::yield_now().await;
        }
        let drafts = if register < CUSTOMERS {
            vec![upsert(
                &format!("c{register}"),
                &[&format!("c{register}")],
                version,
            )]
        } else {
            let badge = format!("badge{register}");
            let holder = usize::try_from(version % 2).expect("0 or 1");
            let record = |number| format!("{badge}-{number}");
            vec![
                upsert(&record(holder), &[&badge], version),
                upsert(&record(1 - holder), &[], version),
            ]
        };
        self.token = self.token.max(write(server, drafts).await);
        let floor = self.floor.entry(register).or_default();
        *floor = version.max(*floor);
    }

    async fn read(&mut self, server: &Process, world: &World, register: usize) {
        let key = match (self.throw(3), self.ids.get(&register)) {
            (0, Some(id)) => Key::Id(*id),
            (1, _) if register < CUSTOMERS => by_record(&format!("c{register}")),
            (1, _) => by_record(&format!("badge{register}-{}", self.throw(2))),
            _ if register < CUSTOMERS => by_email(&format!("c{register}")),
            _ => by_email(&format!("badge{register}")),
        };
        let freshness = match self.home {
            None => Freshness::AtLeast(self.token),
            Some(_) => Freshness::MinimizeLatency,
        };
        let found = if self.throw(2) == 0 {
            read(server, &key, freshness).await
        } else {
            let keys = std::slice::from_ref(&key);
            server
                .reader
                .profiles(&TenantId::default(), keys, freshness)
                .await
                .expect("a read")
                .remove(0)
        };
        let floor = self.floor.get(&register).copied().unwrap_or(0);
        let answer = match found {
            Ok(answer) => answer,
            Err(Error::NotFound) if floor == 0 => return,
            Err(error) => panic!("{key:?} {freshness:?} after version {floor}: {error}"),
        };
        let version = version(&answer);
        assert!(
            version >= floor,
            "{key:?} {freshness:?}: {version} after {floor}"
        );
        world.reads.fetch_add(1, Ordering::Relaxed);
        self.ids.insert(register, answer.profile.id);
        if self.home.is_none() {
            assert!(
                answer.currency.shown >= self.token,
                "a token of a read proves no less than that of the read before"
            );
            self.token = answer.currency.shown;
            self.floor.insert(register, version);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_see_their_writes_and_never_go_back() {
    const SERVERS: usize = 3;
    let (servers, world) = (Arc::new(servers(SERVERS)), Arc::<World>::default());
    let clients = (0..CLIENTS).map(|number| {
        let (servers, world) = (servers.clone(), world.clone());
        tokio::spawn(async move {
            let home =
                (number % 2 == 0).then_some(usize::try_from(number).expect("small") % SERVERS);
            let (floor, ids) = (BTreeMap::new(), BTreeMap::new());
            let mut client = Client {
                dice: number,
                home,
                token: Sequence(0),
                floor,
                ids,
            };
            for _ in 0..STEPS * (scale() as usize).pow(3) {
                let server = &servers[home.unwrap_or_else(|| client.throw(SERVERS))];
                if home.is_none() && client.throw(8) == 0 {
                    // Another session: what it is shown first it is shown without a token.
                    client.token = Sequence(0);
                    client.floor.clear();
                }
                let register = client.throw(CUSTOMERS + BADGES);
                if client.throw(4) == 0 {
                    client.write(server, &world, register).await;
                } else {
                    client.read(server, &world, register).await;
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a session that holds");
    }
    println!(
        "{} reads: each session held",
        world.reads.load(Ordering::Relaxed)
    );
}
