//! How right the shipped weights are on labelled sets, in memory: every record is read by the
//! model's mapping `set`/`rows`, all are clustered at once, and the partition is compared with the
//! truth pair by pair.
//!
//! ```sh
//! cargo run --release -p profile-core --example labelled_set -- benches/identity/model.yaml SET…
//! ```
//!
//! `--trained` before a set trains weights on its records first, without their labels;
//! `--frequencies` learns from them only how frequent values are, as a server does by itself.
//!
//! `--crowd N` before a set puts rows of N made-up people (`benches/identity/people`) beside its
//! own: the figures are of the pairs of which one at least is the set's.
//!
//! `--list KIND` before a set prints the pairs of a kind that are wrongly together, each with its
//! two rows and what they were compared by; `--list wrong` those of every kind, `--list links` the
//! links that made them, `--list lost` the pairs of one person that are apart. With how many others
//! a record is compared is printed, and why pairs of one person are apart: never compared, compared
//! with too little evidence, or kept apart by a veto.
//!
//! A set is a folder with `records.csv` (`record_id`, …), `truth.csv` (`record_id`, `cluster_id`)
//! and, where kinds of errors are to be counted, `why.csv`: columns `apart_KIND` and `same_KIND`
//! hold tags; two records with a tag in common are a pair of that kind.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use profile_core::identity::{
    Clustering, Comparison, Context, Evidence, Features, Pair, Veto, candidates, cluster, compare,
    pairs, train,
};
use profile_core::model::Model;
use profile_core::model::matching::Subject;
use profile_core::records::{Draft, Record, RecordKey, Statement, Timestamp};
use serde_json::Value as Json;

#[path = "../../benches/identity/people/mod.rs"]
mod people;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// 2025-06-15.
const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which model?")?;
    let model =
        Model::parse(&std::fs::read_to_string(file)?).map_err(|errors| format!("{errors:#?}"))?;
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        if argument == "--list" {
            options.list = arguments.next();
        } else if argument == "--crowd" {
            options.crowd = arguments.next().unwrap_or_default().parse()?;
        } else if argument == "--trained" {
            options.trained = Some(Subject::Everything);
        } else if argument == "--frequencies" {
            options.trained = Some(Subject::Frequencies);
        } else {
            evaluate(Path::new(&argument), &model, &options)?;
        }
    }
    Ok(())
}

/// The options for every set.
#[derive(Default)]
struct Options {
    list: Option<String>,
    trained: Option<Subject>,
    crowd: u64,
}

fn evaluate(folder: &Path, model: &Model, options: &Options) -> Result<()> {
    let list = options.list.as_deref();
    let (rows, labelled, truth) = labelled_rows(folder, options.crowd)?;
    let records: Vec<Record> = rows
        .iter()
        .map(|row| record(row, model))
        .collect::<Result<_>>()?;
    let mut model = model.clone();
    let read = |model: &Model| -> Vec<Features> {
        let features = records.iter().map(|record| Features::of(record, model));
        features.collect()
    };
    let mut features = read(&model);
    if let Some(subject) = options.trained {
        let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
        let context = Context::of(&all, &model);
        let trained = train(&all, &context, &model, subject, &mut |_| {});
        model.matching.weights = Arc::new(trained.weights);
        features = read(&model);
    }
    let model = &model;
    let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
    let context = Context::of(&all, model);
    let clustering = cluster(&all, &context, &[], model);
    let mut found: HashMap<String, usize> = HashMap::new();
    for (number, cluster) in clustering.clusters.iter().enumerate() {
        for member in &cluster.members {
            found.insert(member.record.key.clone(), number);
        }
    }
    let ids: Vec<String> = rows.iter().map(|row| text(row, "record_id")).collect();
    report(folder, &ids, labelled, &found, &truth);
    let told = pairs(&all, &context, model);
    calibration(&told, &found, &truth);
    let compared = candidates(&all, &context, model);
    let missed = disagreements(&ids[..labelled], &found, &truth, false);
    reasons(&missed, &compared, &told, ids.len());
    let mut listed = Vec::new();
    if folder.join("why.csv").exists() {
        let why = self::rows(&folder.join("why.csv"))?;
        listed = kinds(&why, &found, &truth, list);
    }
    match list {
        Some("links") => listed = wrong_links(&clustering, &truth),
        Some("wrong") => listed = disagreements(&ids, &found, &truth, true),
        Some("lost") => listed = disagreements(&ids, &found, &truth, false),
        _ => {}
    }
    let place: HashMap<&String, usize> = ids.iter().enumerate().map(|(i, id)| (id, i)).collect();
    for (a, b) in listed {
        let (a, b) = (place[&a], place[&b]);
        println!("{}\n{}", rows[a], rows[b]);
        show(&compare(&features[a], &features[b], &context, model));
    }
    Ok(())
}

/// The rows of a set and of a crowd, how many are the set's, and who each is about.
fn labelled_rows(folder: &Path, crowd: u64) -> Result<(Vec<Json>, usize, HashMap<String, String>)> {
    let mut rows = rows(&folder.join("records.csv"))?;
    let labelled = rows.len();
    let mut truth: HashMap<String, String> = HashMap::new();
    for row in self::rows(&folder.join("truth.csv"))? {
        truth.insert(text(&row, "record_id"), text(&row, "cluster_id"));
    }
    if crowd > 0 {
        let lists = people::Lists::read(Path::new("examples/retail/web.csv"))?;
        rows.extend((0..crowd).map(|number| people::row(number, &lists)));
        let of = |number| format!("crowd {}", people::person_of(number));
        truth.extend((0..crowd).map(|number| (people::key(number), of(number))));
    }
    Ok((rows, labelled, truth))
}

/// Two records field by field.
fn show(comparison: &Comparison) {
    for field in &comparison.fields {
        println!(
            "    {} {}: {} | {} {}",
            field.field, field.level, field.left, field.right, field.millibits
        );
    }
    println!(
        "    = {} {:?} {:?}",
        comparison.millibits, comparison.verdict, comparison.veto
    );
}

/// How often pairs that are joined with a probability are right.
fn calibration(pairs: &[Pair], found: &HashMap<String, usize>, truth: &HashMap<String, String>) {
    let joined = pairs.iter().filter(|pair| {
        pair.veto.is_none() && found[pair.left.key.as_str()] == found[pair.right.key.as_str()]
    });
    // Millibits of the odds of 90, 99, 99.9 and 99.99 %.
    let steps = [
        (3_170, "90 %"),
        (6_629, "99 %"),
        (9_964, "99.9 %"),
        (13_288, "99.99 %"),
    ];
    let mut counts = [(0_u64, 0_u64); 5];
    for pair in joined {
        let step = steps
            .iter()
            .filter(|(least, _)| pair.millibits >= *least)
            .count();
        counts[step].1 += 1;
        counts[step].0 +=
            u64::from(truth[pair.left.key.as_str()] == truth[pair.right.key.as_str()]);
    }
    let shown = steps
        .iter()
        .zip(&counts[1..])
        .map(|((_, step), (right, of))| format!("from {step}: {:.4} of {of}", share(*right, *of)));
    println!(
        "  stated and right: {}",
        shown.collect::<Vec<_>>().join("; ")
    );
}

/// How much is compared, and why pairs of one person are apart.
fn reasons(
    lost: &[(String, String)],
    compared: &[(&RecordKey, &RecordKey)],
    told: &[Pair],
    records: usize,
) {
    let ordered = |a: &str, b: &str| {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        (a.to_owned(), b.to_owned())
    };
    let compared: HashSet<_> = compared
        .iter()
        .map(|(a, b)| ordered(a.key.as_str(), b.key.as_str()))
        .collect();
    let told: HashMap<_, _> = told
        .iter()
        .map(|pair| {
            let reason = pair.veto.map_or(pair.verdict.as_str(), Veto::name);
            (
                ordered(pair.left.key.as_str(), pair.right.key.as_str()),
                reason,
            )
        })
        .collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (a, b) in lost {
        let pair = ordered(a, b);
        let reason = match told.get(&pair) {
            Some(reason) => reason,
            None if compared.contains(&pair) => "too little",
            None => "never compared",
        };
        *counts.entry(reason).or_default() += 1;
    }
    println!(
        "  {:.2} comparisons a record; lost: {counts:?}",
        share(compared.len() as u64, records as u64)
    );
}

/// The links that joined records of two people.
fn wrong_links(clustering: &Clustering, truth: &HashMap<String, String>) -> Vec<(String, String)> {
    let members = clustering
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.members);
    let links = members.filter_map(|member| match &member.evidence {
        Evidence::Linked { with, .. } => Some((member.record.key.clone(), with.key.clone())),
        Evidence::Alone => None,
    });
    links.filter(|(a, b)| truth[a] != truth[b]).collect()
}

/// The pairs that are wrongly together, or wrongly apart.
fn disagreements(
    ids: &[String],
    found: &HashMap<String, usize>,
    truth: &HashMap<String, String>,
    wrong: bool,
) -> Vec<(String, String)> {
    let mut groups: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for id in ids {
        let group = if wrong {
            found[id].to_string()
        } else {
            truth[id].clone()
        };
        groups.entry(group).or_default().push(id);
    }
    let mut pairs = Vec::new();
    for group in groups.values() {
        for (place, a) in group.iter().enumerate() {
            for b in &group[place + 1..] {
                if (found[*a] == found[*b]) != (truth[*a] == truth[*b]) {
                    pairs.push(((*a).clone(), (*b).clone()));
                }
            }
        }
    }
    pairs
}

/// Precision and recall of the pairs of which one at least is among the first ids, the labelled.
fn report(
    folder: &Path,
    ids: &[String],
    labelled: usize,
    found: &HashMap<String, usize>,
    truth: &HashMap<String, String>,
) {
    let (mut together, mut wanted, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (place, id) in ids.iter().enumerate() {
        let member = if place < labelled { (1, 0) } else { (0, 1) };
        let add = |sizes: &mut (u64, u64)| *sizes = (sizes.0 + member.0, sizes.1 + member.1);
        add(together.entry(found[id]).or_default());
        add(wanted.entry(&truth[id]).or_default());
        add(both.entry((found[id], &truth[id])).or_default());
    }
    let right = pairs_of(both.values());
    let (together, wanted) = (pairs_of(together.values()), pairs_of(wanted.values()));
    println!(
        "{}: precision {:.4} recall {:.4} F1 {:.4} ({right} right, {} wrong, {} lost)",
        folder.display(),
        share(right, together),
        share(right, wanted),
        share(2 * right, together + wanted),
        together - right,
        wanted - right,
    );
}

/// Pairs of each kind that are together where they should be apart, and apart where they should be
/// together.
fn kinds(
    rows: &[Json],
    found: &HashMap<String, usize>,
    truth: &HashMap<String, String>,
    list: Option<&str>,
) -> Vec<(String, String)> {
    let mut listed = Vec::new();
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut by_tag: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for row in rows {
        let id = text(row, "record_id");
        let cells = row.as_object().into_iter().flatten();
        for (column, cell) in cells.filter(|(column, _)| column.starts_with("apart_")) {
            for tag in cell.as_str().unwrap_or_default().split('|') {
                if !tag.is_empty() {
                    by_tag.entry((column, tag)).or_default().push(id.clone());
                }
            }
        }
    }
    for ((column, _), ids) in &by_tag {
        let count = counts.entry(column).or_default();
        for (place, a) in ids.iter().enumerate() {
            for b in ids[place + 1..].iter().filter(|b| truth[a] != truth[*b]) {
                count.1 += 1;
                let joined = found[a] == found[b];
                count.0 += u64::from(joined);
                if joined && list == Some(*column) {
                    listed.push((a.clone(), b.clone()));
                }
            }
        }
    }
    for (kind, (joined, of)) in counts {
        println!("  {kind}: {joined} of {of} joined");
    }
    listed
}

/// Pairs within groups of labelled and other records, of which one is labelled.
fn pairs_of<'a>(sizes: impl Iterator<Item = &'a (u64, u64)>) -> u64 {
    sizes
        .map(|(labelled, others)| labelled * labelled.saturating_sub(1) / 2 + labelled * others)
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs, to be printed")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

fn record(row: &Json, model: &Model) -> Result<Record> {
    let mut record = Record::new(RecordKey::new("set", text(row, "record_id")), NOW);
    let drafts = model
        .map("set", "rows", row)
        .map_err(|violations| format!("{violations:?}"))?;
    for draft in drafts {
        let is_record = matches!(draft, Draft::Upsert(_));
        match model.check(draft, NOW) {
            Ok(Statement::Record(statement)) if is_record => record.apply(&statement),
            other => return Err(format!("{}: {other:?}", text(row, "record_id")).into()),
        }
    }
    Ok(record)
}

fn rows(file: &Path) -> Result<Vec<Json>> {
    let mut reader = csv::Reader::from_path(file)?;
    let header = reader.headers()?.clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row?;
        let cells = header.iter().zip(row.iter());
        let cells = cells.filter(|(_, cell)| !cell.is_empty());
        rows.push(
            cells
                .map(|(name, cell)| (name.to_owned(), Json::from(cell)))
                .collect(),
        );
    }
    Ok(rows)
}

fn text(row: &Json, column: &str) -> String {
    row.get(column)
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned()
}
