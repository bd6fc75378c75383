//! Sessions over several servers of which two are slow to read the change log: each read carries
//! the token of the answer before, whichever server gave it, by id, by e-mail and by record; some
//! e-mails move between profiles.
//!
//! What must hold of each session: it sees what it wrote, it never sees less than it saw, and what
//! it writes after a read is seen with what it read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use customer_profile::grpc::v1;
use tonic::{Code, Status};

use super::{Desk, Replicas, SERVERS, at_least, is_passing, throw, version_of};
use crate::support::scale;
use crate::support::service::{by_identifier, by_name, by_record, upsert};

/// Registers: customers, and e-mails that move between two records each.
const CUSTOMERS: usize = 4;
const BADGES: usize = 4;
/// How many sessions there are, and how much each does; the full form multiplies that by the cube
/// of the scale.
const SESSIONS: u64 = 8;
const STEPS: usize = 150;

#[derive(Default)]
struct World {
    versions: [AtomicI64; CUSTOMERS + BADGES],
    reads: AtomicU64,
}

struct Session {
    dice: u64,
    token: Option<String>,
    /// The greatest version of each register that was written or seen.
    floor: BTreeMap<usize, i64>,
    names: BTreeMap<usize, String>,
}

fn badge(register: usize) -> String {
    format!("badge{register}@shop.com")
}

/// The next state of a register. An e-mail that moves leaves one record and comes to the other in
/// one write.
fn next_state(register: usize, version: i64) -> Vec<v1::Statement> {
    let city = version.to_string();
    let said = |key: &str, emails: &[&str]| {
        let emails: Vec<(&str, &str)> = emails.iter().map(|email| ("email", *email)).collect();
        upsert(("web", key), &emails, &[("city", &city)], version)
    };
    if register < CUSTOMERS {
        return vec![said(
            &format!("s{register}"),
            &[&format!("s{register}@shop.com")],
        )];
    }
    let holder = version % 2;
    let record = |number: i64| format!("b{register}-{number}");
    vec![
        said(&record(holder), &[&badge(register)]),
        said(&record(1 - holder), &[]),
    ]
}

impl Session {
    async fn write(&mut self, desk: &Desk, world: &World, register: usize) -> Result<(), Status> {
        let version = world.versions[register].fetch_add(1, Ordering::SeqCst) + 1;
        let statements = next_state(register, version);
        let answer = desk
            .ingest
            .clone()
            .ingest_statements(v1::IngestStatementsRequest { statements })
            .await?;
        self.token = Some(answer.into_inner().read_token);
        let floor = self.floor.entry(register).or_default();
        *floor = version.max(*floor);
        Ok(())
    }

    fn key(&mut self, register: usize) -> v1::ProfileKey {
        let way = throw(&mut self.dice, 3);
        match (way, self.names.get(&register)) {
            (0, Some(name)) => by_name(name),
            (1, _) if register < CUSTOMERS => by_record("web", &format!("s{register}")),
            (1, _) => by_record("web", &format!("b{register}-{}", throw(&mut self.dice, 2))),
            _ if register < CUSTOMERS => by_identifier("email", &format!("s{register}@shop.com")),
            _ => by_identifier("email", &badge(register)),
        }
    }

    async fn read(&mut self, desk: &Desk, world: &World, register: usize) -> Result<(), Status> {
        let key = self.key(register);
        let consistency = self.token.as_deref().map(|token| v1::Consistency {
            requirement: Some(at_least(token)),
        });
        let request = v1::GetProfileRequest {
            key: Some(key.clone()),
            consistency,
            ..Default::default()
        };
        let floor = self.floor.get(&register).copied().unwrap_or(0);
        let answer = match desk.profiles.clone().get_profile(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::NotFound && floor == 0 => return Ok(()),
            Err(status) => return Err(status),
        };
        let profile = answer.profile.expect("a profile");
        let version = version_of(&profile);
        assert!(version >= floor, "{key:?}: version {version} after {floor}");
        world.reads.fetch_add(1, Ordering::Relaxed);
        self.floor.insert(register, version);
        self.names.insert(register, profile.name);
        self.token = answer.read_info.map(|info| info.read_token);
        Ok(())
    }

    async fn step(&mut self, desks: &[Desk], world: &World) {
        if throw(&mut self.dice, 8) == 0 {
            // Another session: what it is shown first it is shown without a token.
            self.token = None;
            self.floor.clear();
        }
        let desk = &desks[throw(&mut self.dice, SERVERS)];
        let register = throw(&mut self.dice, CUSTOMERS + BADGES);
        let done = if throw(&mut self.dice, 4) == 0 {
            self.write(desk, world, register).await
        } else {
            self.read(desk, world, register).await
        };
        if let Err(status) = done {
            assert!(is_passing(&status), "{status:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_over_servers_that_learn_of_each_other_slowly_never_goes_back() {
    // Two of the servers look into the log far more seldom than they are asked, and take no answer
    // for too old meanwhile.
    let slow = [
        "--set",
        "changes.poll_interval=5s",
        "--set",
        "cache.max_staleness=1h",
    ];
    let replicas = Replicas::start_each(|number| {
        if number == 0 {
            Vec::new()
        } else {
            slow.to_vec()
        }
    })
    .await;
    let (desks, world) = (replicas.desks(), Arc::<World>::default());
    let sessions = (0..SESSIONS).map(|number| {
        let (desks, world) = (desks.clone(), world.clone());
        tokio::spawn(async move {
            let (floor, names) = (BTreeMap::new(), BTreeMap::new());
            let mut session = Session {
                dice: number,
                token: None,
                floor,
                names,
            };
            for _ in 0..STEPS * (scale() as usize).pow(3) {
                session.step(&desks, &world).await;
            }
        })
    });
    for session in sessions.collect::<Vec<_>>() {
        session.await.expect("a session that holds");
    }
    println!(
        "{} chained reads: each session held",
        world.reads.load(Ordering::Relaxed)
    );
}
