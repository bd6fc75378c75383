//! `import`: files into the database, or into a running server.
//!
//! One way for both: rows are read on a thread of their own, batches go out, several at a time, and
//! are counted in order as their acknowledgements come. A batch that is acknowledged is durably
//! stored; only then does the position move on, and only then are its refused rows written down. So
//! a killed import loses nothing, and at worst says a few rows again, which changes nothing, since
//! statements are idempotent.

mod input;
mod pipeline;
mod position;
mod progress;
mod rejects;
mod sink;
mod unread;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

use super::client::TenantArgs;
use super::output::{self, Format};
use crate::config::ConfigArgs;

pub(super) use input::Input;
pub(super) use pipeline::{Job, run as run_job};
pub(super) use progress::{Progress, Tally};
pub(super) use sink::Sink;

use position::PositionFile;
use rejects::Rejects;
use unread::Unread;

/// Import files: CSV or NDJSON, plain or gzip
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --server, rows are written directly to the database, which no server may have open on SQLite. The model's \
mapping of the source and kind turns rows into statements. The format of a file is detected from its content.

Rejected rows go to FILE.rejects.ndjson with their line and the reasons; the others are stored. The summary counts \
values that are stored and not used, such as a telephone number with letters, by field and reason. With --resume, an \
import that was stopped continues: FILE.import.json keeps its position until the end. Importing a file again changes \
nothing. If a file has several rows about one record, the mapping should set `time` or `version`; otherwise rows \
count in the order in which they arrive.

The exit code is 1 if any row was rejected, unless --allow-rejects is given.

Examples:
  customer-profile import web.csv.gz --source web --kind customers --server http://127.0.0.1:50051
  customer-profile import orders-*.csv --source web --kind orders --database-url sqlite://shop.db
  customer-profile import orders.csv --source web --kind orders --resume
  customer-profile import orders.csv --source web --kind orders --allow-rejects --output json")]
pub(super) struct Args {
    /// Files to import
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Source of the rows, by its name in the model
    #[arg(long)]
    source: String,

    /// Kind of the rows: the source's mapping to apply
    #[arg(long)]
    kind: String,

    /// Running server to import into, instead of the database; its model maps the rows
    #[arg(long, value_name = "URL", conflicts_with_all = ["database_url", "model"])]
    server: Option<String>,

    #[command(flatten)]
    tenant: TenantArgs,

    /// Continue where an import of the same file stopped
    #[arg(long)]
    resume: bool,

    /// File that keeps the position, for one input; default: FILE.import.json
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// File for rejected rows, for one input; default: FILE.rejects.ndjson
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// Exit with code 0 even if rows were rejected
    #[arg(long)]
    allow_rejects: bool,

    /// Number of rows in a batch
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch_rows: u16,

    /// How to print the summary
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.files.len() > 1 && (args.state.is_some() || args.rejects.is_some()) {
        bail!(
            "--state and --rejects are for one file; without them each file has its own beside it"
        );
    }
    let tenant = args.tenant.tenant.clone();
    let (sink, target) = match &args.server {
        Some(server) => (Sink::remote(server, &tenant).await?, server.clone()),
        None => Sink::direct(&args.config, &tenant, &args.source, &args.kind).await?,
    };
    let result = files(&args, &sink, &target).await;
    sink.close().await;
    let rejected = result?;
    Ok(if rejected == 0 || args.allow_rejects {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Imports one file after the other. Returns the number of rejected rows.
async fn files(args: &Args, sink: &Sink, target: &str) -> anyhow::Result<u64> {
    let mut rejected = 0;
    for file in &args.files {
        let tally = one(args, sink, target, file).await?;
        rejected += tally.rejected;
    }
    Ok(rejected)
}

async fn one(args: &Args, sink: &Sink, target: &str, file: &Path) -> anyhow::Result<Tally> {
    let tenant = args.tenant.tenant.as_str();
    let owner = position::Owner::of(file, [target, tenant, &args.source, &args.kind])?;
    let at = args
        .state
        .clone()
        .unwrap_or_else(|| beside(file, ".import.json"));
    let (position, saved) = PositionFile::open(at, owner, file, args.resume)?;
    let path = args
        .rejects
        .clone()
        .unwrap_or_else(|| beside(file, ".rejects.ndjson"));
    let rejects = Rejects::open(path.clone(), saved.rejects_bytes)?;
    let input = Input::open(file, saved.position)?;
    let progress = Progress::start(&file.display().to_string(), input.total_bytes());
    let job = Job {
        input,
        source: args.source.clone(),
        kind: args.kind.clone(),
        batch_rows: args.batch_rows.into(),
        rejects: Some(rejects),
        position: Some(position),
    };
    let result = run_job(job, sink, &progress).await;
    let tally = progress.finish();
    let counts = (tally, progress.unread());
    summary(args, file, &path, saved.position.lines, &counts)?;
    result?;
    Ok(tally)
}

fn summary(
    args: &Args,
    file: &Path,
    rejects: &Path,
    after: u64,
    (tally, unread): &(Tally, Unread),
) -> anyhow::Result<()> {
    let rejects = (tally.rejected > 0).then(|| rejects.display().to_string());
    let text = match args.output {
        Format::Table => {
            let resumed = if after > 0 {
                format!(", resumed after line {after}")
            } else {
                String::new()
            };
            let rejects = rejects
                .map(|rejects| format!(" (see {rejects})"))
                .unwrap_or_default();
            format!("{}: {tally}{rejects}{resumed}{unread}", file.display())
        }
        Format::Json => serde_json::to_string(&serde_json::json!({
            "file": file.display().to_string(),
            "rows": tally.rows(),
            "stored": tally.stored,
            "duplicate": tally.duplicate,
            "rejected": tally.rejected,
            "rejects_file": rejects,
            "resumed_after_line": after,
            "unread": unread.to_json(),
            "unread_omitted": unread.omitted(),
        }))?,
    };
    output::print(&text)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
