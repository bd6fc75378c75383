//! The cost of a record, step by step: all that the write path computes for each record, without
//! the store, on made-up people.
//!
//! ```sh
//! cargo run --release -p profile-core --example write_cost -- benches/identity/model.yaml 2000
//! ```
//!
//! prints microseconds a record for each step. Each step is a function of its own that is never
//! inlined, so a profiler tells them apart, and instructions do not depend on what else the machine
//! does:
//!
//! ```sh
//! cargo build --profile profiling -p profile-core --example write_cost
//! valgrind --tool=callgrind --callgrind-out-file=write_cost.out \
//!     target/profiling/examples/write_cost benches/identity/model.yaml 2000
//! callgrind_annotate --inclusive=yes write_cost.out | grep write_cost::step
//! ```
//!
//! The last line is a sum over all results: it changes where a result does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::time::Instant;

use profile_core::identity::{
    Before, BlockingKey, Classification, Cluster, Context, Features, MatchDecision, assign,
    cluster_pairs, is_generic, judge,
};
use profile_core::model::{Model, Notes};
use profile_core::records::{
    Draft, Identifier, Record, RecordKey, RecordStatement, Statement, TenantId, Timestamp, words,
};
use serde_json::Value as Json;

#[path = "../../benches/identity/people/mod.rs"]
mod people;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// 2025-06-15.
const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);
/// The size of a batch.
const BATCH: usize = 200;
/// With how many others a record is compared: those whom it meets, filled up with strangers.
const OTHERS: usize = 5;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which model?")?;
    let count: u64 = arguments.next().map_or(Ok(2_000), |count| count.parse())?;
    let model =
        Model::parse(&std::fs::read_to_string(file)?).map_err(|errors| format!("{errors:#?}"))?;
    let lists = people::Lists::read(Path::new("examples/retail/web.csv"))?;
    let rows: Vec<Json> = (0..count).map(|number| row(number, &lists)).collect();
    // Tables are read when they are first asked.
    all_steps(&rows[..rows.len().min(20)], &model, &mut Report::default())?;
    let mut report = Report::default();
    all_steps(&rows, &model, &mut report)?;
    for (step, micros) in &report.steps {
        println!("{step:<12} {micros:>8.2} µs a record");
    }
    println!(
        "{:<12} {:>8.2} µs a record; results {:016x}",
        "all",
        report.steps.iter().map(|(_, micros)| micros).sum::<f64>(),
        report.results.finish()
    );
    Ok(())
}

/// Rows as sources write them: every tenth name has accents, every hundredth is in another script.
fn row(number: u64, lists: &people::Lists) -> Json {
    let mut row = people::row(number, lists);
    let who = people::person_of(number);
    if let Some(Json::String(name)) = row.get_mut("last_name") {
        if who % 100 == 7 {
            "Иванов".clone_into(name);
        } else if who % 10 == 3 {
            *name = name.replace('a', "á").replace('e', "é").replace('o', "ö");
        }
    }
    row
}

fn all_steps(rows: &[Json], model: &Model, report: &mut Report) -> Result<()> {
    let drafts = report.time("map", rows.len(), || step_map(rows, model))?;
    let texts = report.time("write draft", rows.len(), || step_write(&drafts))?;
    let read: Vec<Draft> = report.time("read draft", rows.len(), || step_read(&texts))?;
    let statements = report.time("check", rows.len(), || step_check(read, model))?;
    let records = report.time("apply", rows.len(), || step_apply(&statements));
    let texts = report.time("write record", rows.len(), || step_write(&records))?;
    let read: Vec<Record> = report.time("read record", rows.len(), || step_read(&texts))?;
    report.note(&(&texts, read == records));
    let again = report.time("clone", rows.len(), || step_clone(&records));
    let features = report.time("features", rows.len(), || step_features(&records, model));
    let keys = report.time("keys", rows.len(), || step_keys(&features, model));
    report.note(&keys);
    let linking = report.time("identifiers", rows.len(), || {
        step_identifiers(&records, model)
    });
    let generic = report.time("generic", rows.len(), || {
        step_generic(&linking, &features, model)
    });
    report.note(&(linking, generic));
    let pairs = meetings(&keys);
    let judged = report.time("judge", rows.len(), || step_judge(&pairs, &features, model));
    report.note(&judged);
    let clusters = report.time("cluster", rows.len(), || {
        step_cluster(&records, &features, &judged, model)
    });
    report.note(&clusters);
    let records = report.time("assign", rows.len(), || step_assign(again, &clusters));
    report.note(&records);
    let found = report.time("words", rows.len(), || step_words(&records));
    report.note(&found);
    Ok(())
}

/// Rows as drafts, by the mapping of the model.
#[inline(never)]
fn step_map(rows: &[Json], model: &Model) -> Result<Vec<Draft>> {
    let mut drafts = Vec::with_capacity(rows.len());
    for row in rows {
        let made = model
            .map("set", "rows", row)
            .map_err(|violations| format!("{violations:?}"))?;
        drafts.extend(made.into_iter().next());
    }
    Ok(drafts)
}

#[inline(never)]
fn step_write<T: serde::Serialize>(all: &[T]) -> Result<Vec<String>> {
    all.iter()
        .map(|one| Ok(serde_json::to_string(one)?))
        .collect()
}

#[inline(never)]
fn step_read<T: serde::de::DeserializeOwned>(all: &[String]) -> Result<Vec<T>> {
    all.iter()
        .map(|one| Ok(serde_json::from_str(one)?))
        .collect()
}

#[inline(never)]
fn step_check(drafts: Vec<Draft>, model: &Model) -> Result<Vec<RecordStatement>> {
    let mut statements = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let mut notes = Notes::default();
        match model.check_and_note(draft, NOW, &mut notes, profile_core::identity::unread) {
            Ok(Statement::Record(statement)) => statements.push(statement),
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(statements)
}

#[inline(never)]
fn step_apply(statements: &[RecordStatement]) -> Vec<Record> {
    let mut records = Vec::with_capacity(statements.len());
    for statement in statements {
        let mut record = Record::new(statement.record.clone(), statement.receive_time);
        if !record.repeats(statement) {
            let _ = record.stamp(statement);
            record.apply(statement);
        }
        records.push(record);
    }
    records
}

#[inline(never)]
fn step_clone(records: &[Record]) -> Vec<Record> {
    records.to_vec()
}

#[inline(never)]
fn step_features(records: &[Record], model: &Model) -> Vec<Features> {
    let features = records.iter().map(|record| Features::of(record, model));
    features.collect()
}

#[inline(never)]
fn step_keys(features: &[Features], model: &Model) -> Vec<Vec<(BlockingKey, usize)>> {
    let keys = features.iter().map(|one| one.bounded_keys(&model.matching));
    keys.collect()
}

/// The identifiers by which records are looked up.
#[inline(never)]
fn step_identifiers(records: &[Record], model: &Model) -> Vec<Vec<Identifier>> {
    let linking = |record: &Record| {
        let held = record.identifiers();
        held.filter(|identifier| model.links(identifier)).collect()
    };
    records.iter().map(linking).collect()
}

#[inline(never)]
fn step_generic(linking: &[Vec<Identifier>], features: &[Features], model: &Model) -> usize {
    let mut holders: HashMap<&Identifier, Vec<&Features>> = HashMap::new();
    for (identifiers, features) in linking.iter().zip(features) {
        for identifier in identifiers {
            holders.entry(identifier).or_default().push(features);
        }
    }
    let generic = holders
        .iter()
        .filter(|(identifier, holders)| is_generic(identifier, holders, model));
    generic.count()
}

/// The pairs that are compared: each record with those before it that share a key, and with others.
fn meetings(keys: &[Vec<(BlockingKey, usize)>]) -> Vec<(usize, usize)> {
    let mut under: HashMap<BlockingKey, Vec<usize>> = HashMap::new();
    let mut pairs = Vec::new();
    for (record, keys) in keys.iter().enumerate() {
        let mut met = BTreeSet::new();
        for (key, _) in keys {
            let holders = under.entry(*key).or_default();
            met.extend(holders.iter().copied());
            holders.push(record);
        }
        let mut met: Vec<usize> = met.into_iter().rev().take(OTHERS).collect();
        met.extend((0..record).rev().take(OTHERS - met.len()));
        pairs.extend(met.into_iter().map(|other| (other, record)));
    }
    pairs
}

#[inline(never)]
fn step_judge(
    pairs: &[(usize, usize)],
    features: &[Features],
    model: &Model,
) -> Vec<(usize, usize, Classification)> {
    let context = Context::default();
    let judge = |(a, b): &(usize, usize)| {
        let judgement = judge(&features[*a], &features[*b], &context, model);
        (*a, *b, judgement)
    };
    pairs.iter().map(judge).collect()
}

/// Clusters the records of each batch.
#[inline(never)]
fn step_cluster(
    records: &[Record],
    features: &[Features],
    judged: &[(usize, usize, Classification)],
    model: &Model,
) -> Vec<Vec<Cluster>> {
    let context = Context::default();
    let mut batches = Vec::new();
    for start in (0..records.len()).step_by(BATCH) {
        let batch = start..(start + BATCH).min(records.len());
        let members: Vec<_> = batch
            .clone()
            .map(|place| (&records[place], &features[place]))
            .collect();
        let alike = |(a, b, judgement): &(usize, usize, Classification)| {
            let alike = matches!(
                judgement.verdict,
                MatchDecision::Link | MatchDecision::Household
            );
            (alike && batch.contains(a) && batch.contains(b))
                .then(|| (records[*a].key.clone(), records[*b].key.clone()))
        };
        let pairs: Vec<(RecordKey, RecordKey)> = judged.iter().filter_map(alike).collect();
        let pairs: Vec<&(RecordKey, RecordKey)> = pairs.iter().collect();
        batches.push(cluster_pairs(&members, &pairs, &context, &[], model).clusters);
    }
    batches
}

#[inline(never)]
fn step_assign(records: Vec<Record>, clusters: &[Vec<Cluster>]) -> Vec<Record> {
    let (tenant, rows) = (TenantId::default(), BTreeMap::new());
    let mut assigned = Vec::with_capacity(records.len());
    let mut records = records.into_iter();
    for clusters in clusters {
        let batch = records.by_ref().take(BATCH);
        let mut batch: BTreeMap<RecordKey, Record> =
            batch.map(|record| (record.key.clone(), record)).collect();
        let changed: BTreeSet<RecordKey> = batch.keys().cloned().collect();
        let before = Before {
            tenant: &tenant,
            now: NOW,
            rows: &rows,
            changed: &changed,
        };
        assign(clusters, &mut batch, &before);
        assigned.extend(batch.into_values());
    }
    assigned
}

/// The words by which a record is searched.
#[inline(never)]
fn step_words(records: &[Record]) -> Vec<Vec<String>> {
    let words = |record: &Record| {
        let values = record.traits().map(|(_, value, _)| value.to_string());
        values.flat_map(|value| words(&value)).collect()
    };
    records.iter().map(words).collect()
}

/// The time of each step, and the sum of all results.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, f64)>,
    results: DefaultHasher,
}

impl Report {
    #[expect(clippy::cast_precision_loss, reason = "counts, to be printed")]
    fn time<T>(&mut self, step: &'static str, records: usize, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        let micros = start.elapsed().as_secs_f64() * 1e6;
        self.steps.push((step, micros / records.max(1) as f64));
        done
    }

    fn note(&mut self, result: &impl Debug) {
        self.results.write(format!("{result:?}").as_bytes());
    }
}
