//! Read tokens, and histories that only one register could have.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use customer_profile::grpc::v1::{self, consistency::Requirement};
use futures::future::{join, join_all};
use tokio::sync::Mutex;
use tonic::{Code, Status};

use super::{Desk, Replicas, SERVERS, at_least, is_passing, throw, version, version_of};
use crate::support::scale;

/// How many statements are read on other servers; the full form multiplies it by the cube of the
/// scale.
const PAIRS: usize = 1_000;
/// How many callers do that at once, each with customers of its own.
const CALLERS: usize = 8;
/// How many customers a caller speaks of in one batch: each statement, with its reads, is a pair.
const BATCH: usize = 25;
/// After so many batches a caller goes on with other customers, so that the long form does not
/// measure endless histories.
const CUSTOMERS_LAST: usize = 20;
/// Of so many customers one is read alone, by `GetProfile`; the others together, by
/// `BatchGetProfiles`.
const ALONE: usize = 25;
/// So many customers of a batch are read without a token as well.
const UNGUARDED: usize = 5;

/// What was found.
#[derive(Debug, Default)]
struct Found {
    pairs: AtomicU64,
    stale: AtomicU64,
    back: AtomicU64,
    unguarded: AtomicU64,
}

impl Found {
    fn count(counter: &AtomicU64, found: bool) {
        counter.fetch_add(u64::from(found), Ordering::Relaxed);
    }
}

/// A server that is not one of these.
fn another(dice: &mut u64, than: usize) -> usize {
    (than + 1 + throw(dice, SERVERS - 1)) % SERVERS
}

/// What a read of one customer showed.
struct Seen {
    version: i64,
    revision: i64,
    token: String,
}

/// Asks again when the connection ended meanwhile: servers end old ones, and the long form takes
/// longer than they live.
async fn again<T, F: Future<Output = Result<T, Status>>>(ask: impl Fn() -> F) -> Result<T, Status> {
    loop {
        match ask().await {
            Err(status) if is_passing(&status) => {}
            answer => return answer,
        }
    }
}

impl Seen {
    fn of(profile: &v1::Profile, info: v1::ReadInfo) -> Self {
        Self {
            version: version_of(profile),
            revision: info.revision,
            token: info.read_token,
        }
    }

    /// Reads customers on a server: some alone, the others together, all at the same time.
    async fn read(
        desk: &Desk,
        customers: &[String],
        requirement: Option<&Requirement>,
    ) -> Vec<Option<Self>> {
        let is_alone = |place: &usize| place.is_multiple_of(ALONE);
        let places = || 0..customers.len();
        let alone =
            |place: usize| again(move || desk.read(&customers[place], requirement.cloned()));
        let alone = places().filter(is_alone).map(alone);
        let others: Vec<&String> = places()
            .filter(|place| !is_alone(place))
            .map(|place| &customers[place])
            .collect();
        let others = again(|| desk.read_all(&others, requirement.cloned()));
        let (alone, others) = join(join_all(alone), others).await;
        let alone = alone.into_iter().map(|answer| match answer {
            Ok(answer) => Some(Self::of(&answer.profile?, answer.read_info?)),
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                None
            }
        });
        let others = others.expect("a batch").into_iter().map(|result| {
            assert!(
                matches!(
                    Code::from(result.status.as_ref()?.code),
                    Code::Ok | Code::NotFound
                ),
                "{result:?}"
            );
            Some(Self::of(&result.profile?, result.read_info?))
        });
        let (mut alone, mut others) = (
            alone.collect::<Vec<_>>().into_iter(),
            others.collect::<Vec<_>>().into_iter(),
        );
        places()
            .map(|place| {
                if is_alone(&place) {
                    alone.next()
                } else {
                    others.next()
                }
                .flatten()
            })
            .collect()
    }
}

/// Writes a batch on one server and reads all of it on another by the token of the answer, then on
/// a third by that of a read.
async fn one_batch(
    desks: &[Desk],
    dice: &mut u64,
    customers: &[String],
    round: i64,
    found: &Found,
) {
    let here = throw(dice, SERVERS);
    let there = another(dice, here);
    let later = another(dice, there);
    let token = again(|| desks[here].write_all(customers, round))
        .await
        .expect("a write");
    // Without a token: how often it would have been late. What is old is in the cache of that
    // server then.
    for plain in Seen::read(&desks[there], &customers[..UNGUARDED], None).await {
        Found::count(
            &found.unguarded,
            plain.is_none_or(|plain| plain.version < round),
        );
    }
    let read = Seen::read(&desks[there], customers, Some(&at_least(&token))).await;
    for seen in &read {
        Found::count(
            &found.stale,
            seen.as_ref().is_none_or(|seen| seen.version < round),
        );
    }
    found
        .pairs
        .fetch_add(customers.len() as u64, Ordering::Relaxed);
    // The token of a read serves like that of a write, for all that the write said.
    let Some(token) = read[throw(dice, customers.len())]
        .as_ref()
        .map(|seen| at_least(&seen.token))
    else {
        return;
    };
    for (before, after) in read
        .iter()
        .zip(Seen::read(&desks[later], customers, Some(&token)).await)
    {
        let Some(before) = before else { continue };
        let went_back = after
            .is_none_or(|after| after.version < before.version || after.revision < before.revision);
        Found::count(&found.back, went_back);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_with_a_token_sees_the_write_on_every_server_and_never_goes_back() {
    let replicas = Replicas::start().await;
    let (desks, found) = (replicas.desks(), Arc::<Found>::default());
    let pairs = PAIRS * (scale() as usize).pow(3);
    let callers = (0..CALLERS).map(|caller| {
        let (desks, found) = (desks.clone(), found.clone());
        tokio::spawn(async move {
            let mut dice = caller as u64;
            for round in 0..pairs / CALLERS / BATCH {
                let of = |number| format!("c{caller}-{}-{number}", round / CUSTOMERS_LAST);
                let customers: Vec<String> = (0..BATCH).map(of).collect();
                let version = i64::try_from(round).expect("small") + 1;
                one_batch(&desks, &mut dice, &customers, version, &found).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller");
    }
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let Found {
        pairs,
        stale,
        back,
        unguarded,
    } = &*found;
    let (pairs, stale, back, unguarded) = (of(pairs), of(stale), of(back), of(unguarded));
    println!(
        "{pairs} pairs: {stale} stale, {back} went back; without a token {unguarded} would have been late"
    );
    assert_eq!((stale, back), (0, 0), "of {pairs}");
    assert!(
        unguarded > 0,
        "the test cannot fail: the servers see each other's writes at once"
    );
}

/// One call on one customer: between which moments it was in work, and the version that it wrote or
/// saw.
#[derive(Debug, Clone, Copy)]
struct Call {
    began: u64,
    ended: u64,
    version: i64,
    writes: bool,
}

/// What contradicts that there is one register, of which each write takes effect at some moment
/// between its call and its answer, and of which the greatest version wins (Herlihy and Wing 1990,
/// for a register that only grows: a read sees all that was answered before it began, nothing that
/// nobody had begun to write, and no less than a read that had ended before).
fn contradictions(calls: &[Call]) -> Vec<(Call, &'static str)> {
    let mut wrong = Vec::new();
    let mut ends: Vec<&Call> = calls.iter().collect();
    ends.sort_by_key(|call| call.ended);
    let mut begins: Vec<&Call> = calls.iter().filter(|call| !call.writes).collect();
    begins.sort_by_key(|call| call.began);
    let (mut ended, mut seen) = (ends.into_iter().peekable(), 0);
    for read in begins {
        while let Some(before) = ended.next_if(|call| call.ended < read.began) {
            seen = seen.max(before.version);
        }
        if read.version < seen {
            wrong.push((*read, "less than what was written or seen before"));
        }
        let written = calls
            .iter()
            .filter(|call| call.writes && call.version == read.version);
        if !written.into_iter().any(|write| write.began < read.ended) {
            wrong.push((*read, "nobody had written it"));
        }
    }
    wrong
}

#[test]
fn the_checker_finds_what_no_register_does() {
    let call = |began, ended, version, writes| Call {
        began,
        ended,
        version,
        writes,
    };
    let write = |began, ended, version| call(began, ended, version, true);
    let read = |began, ended, version| call(began, ended, version, false);
    assert_eq!(
        contradictions(&[write(1, 4, 1), read(2, 3, 1), read(5, 6, 1)]).len(),
        0
    );
    assert_eq!(
        contradictions(&[write(0, 1, 1), write(2, 6, 2), read(3, 4, 2), read(3, 5, 1)]).len(),
        0
    );
    assert_eq!(
        contradictions(&[write(0, 1, 1), write(2, 3, 2), read(4, 5, 1)]).len(),
        1,
        "a stale read"
    );
    assert_eq!(
        contradictions(&[write(0, 1, 1), write(2, 9, 2), read(3, 4, 2), read(5, 6, 1)]).len(),
        1,
        "back"
    );
    assert_eq!(
        contradictions(&[read(1, 2, 1), write(3, 4, 1)]).len(),
        1,
        "out of nowhere"
    );
}

/// The write before all others.
const FIRST_CALL: Call = Call {
    began: 0,
    ended: 0,
    version: 1,
    writes: true,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_a_profile_is_that_of_one_register() {
    const CUSTOMERS: usize = 4;
    const CALLS: i64 = 80;
    let replicas = Replicas::start().await;
    let desks = replicas.desks();
    for customer in 0..CUSTOMERS {
        desks[0]
            .write(&format!("r{customer}"), 1)
            .await
            .expect("a write");
    }
    let now = Arc::<AtomicU64>::default();
    let versions: Arc<Vec<AtomicI64>> =
        Arc::new((0..CUSTOMERS).map(|_| AtomicI64::new(1)).collect());
    let history: Arc<Vec<Mutex<Vec<Call>>>> = Arc::new(
        (0..CUSTOMERS)
            .map(|_| Mutex::new(vec![FIRST_CALL]))
            .collect(),
    );
    let callers = (0..24_u64).map(|caller| {
        let (desks, now, versions, history) = (
            desks.clone(),
            now.clone(),
            versions.clone(),
            history.clone(),
        );
        tokio::spawn(async move {
            let mut dice = caller;
            for round in 0..CALLS * i64::from(scale()) {
                let customer = usize::try_from(round).expect("small") % CUSTOMERS;
                let desk: &Desk = &desks[throw(&mut dice, SERVERS)];
                let name = format!("r{customer}");
                let began = now.fetch_add(1, Ordering::SeqCst);
                let writes = caller % 4 == 0;
                let version = if writes {
                    let version = versions[customer].fetch_add(1, Ordering::SeqCst) + 1;
                    desk.write(&name, version).await.expect("a write");
                    version
                } else {
                    let strong = Some(Requirement::FullyConsistent(true));
                    version(&desk.read(&name, strong).await.expect("a read"))
                };
                let ended = now.fetch_add(1, Ordering::SeqCst);
                history[customer].lock().await.push(Call {
                    began,
                    ended,
                    version,
                    writes,
                });
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller");
    }
    let mut checked = 0;
    for calls in history.iter() {
        let calls = calls.lock().await;
        checked += calls.len();
        let wrong = contradictions(&calls);
        assert!(
            wrong.is_empty(),
            "{:?} of {}",
            &wrong[..wrong.len().min(5)],
            calls.len()
        );
    }
    println!("{checked} calls on {CUSTOMERS} profiles: nothing contradicts one register");
}

/// Without a token a server learns of the others' writes by the log: sooner or later, and for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cached_follows_the_writes_of_other_servers() {
    let replicas = Replicas::start().await;
    let desks = replicas.desks();
    for round in 1..=50 {
        desks[0].write("ann", round).await.expect("a write");
        for desk in &desks {
            let mut reads = 0;
            while desk
                .read("ann", None)
                .await
                .map_or(true, |read| version(&read) < round)
            {
                reads += 1;
                assert!(reads < 1_000_000, "the write is never seen");
            }
        }
        let ago = prost_types::Duration::default();
        let bounded = desks[2]
            .read("ann", Some(Requirement::MaxStaleness(ago)))
            .await
            .expect("a read");
        assert_eq!(version(&bounded), round);
    }
}

/// A token of a profile that is merged away serves for the one that stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_the_loser_serves_on_the_survivor() {
    let replicas = Replicas::start().await;
    let desks = replicas.desks();
    desks[0].write("amy", 1).await.expect("a write");
    let loser = desks[1].write("abe", 1).await.expect("a write");
    // Of two cities without a time, the lesser key wins.
    let person = crate::support::service::upsert(
        ("web", "abe"),
        &[("email", "amy@shop.com")],
        &[("city", "2")],
        2,
    );
    let request = customer_profile::grpc::v1::IngestStatementsRequest {
        statements: vec![person],
    };
    let merged = desks[2]
        .ingest
        .clone()
        .ingest_statements(request)
        .await
        .expect("a merge")
        .into_inner()
        .read_token;
    for desk in &desks {
        let read = desk
            .read("amy", Some(at_least(&loser)))
            .await
            .expect("the survivor");
        assert_eq!(read.profile.expect("a profile").identifiers.len(), 1);
        let read = desk
            .read("amy", Some(at_least(&merged)))
            .await
            .expect("the survivor");
        assert_eq!(version(&read), 2);
    }
}
