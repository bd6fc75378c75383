//! `import`: files into the database, or into a running server.
//!
//! One way for both: rows are read on a thread of their own, batches go out, several at a time, and
//! are counted in order as their acknowledgements come. A batch that is acknowledged is durably
//! stored; only then does the position move on, and only then are its refused rows written down. So
//! a killed import loses nothing, and at worst says a few rows again, which changes nothing, since
//! statements are idempotent.
//!
//! Before the first row it says on standard error what it takes the file for, and why, and compares
//! the file's columns with what the mapping reads. A file without a row fails.

mod columns;
mod input;
mod pipeline;
mod position;
mod progress;
mod reading;
mod rejects;
mod sink;
mod summary;
mod unread;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use profile_core::model::MappedFields;

use super::client::{AccessArgs, Client, TenantArgs};
use super::output::Format;
use crate::config::ConfigArgs;

pub(super) use input::Input;
pub(super) use pipeline::{Job, run as run_job};
pub(super) use progress::{Progress, Tally};
pub(super) use sink::Sink;

use position::{PositionFile, Saved};
use reading::ReadingArgs;
use rejects::Rejects;
use summary::{Imported, summary};
use unread::Unread;

/// Import files: CSV, NDJSON or JSON, plain or gzip, or Parquet
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --server, rows are written directly to the database, which no server may have open on SQLite. The model's \
mapping of the source and kind turns rows into statements. The format of a file is read off its content and \
printed; a file that leaves doubt is refused, and options declare it.

A file that lacks a column which the mapping reads is not imported, unless --allow-missing-columns is given.

Rejected rows go to FILE.rejects.ndjson with their line, the reasons and their content; the others are stored. Mend \
that file and import it like any other. The summary counts values that are stored and not used, such as a telephone \
number with letters, by field and reason. With --resume, an import that was stopped continues: FILE.import.json keeps \
its position until the end. Importing a file again changes nothing. If a file has several rows about one record, the \
mapping should set `time` or `version`; otherwise rows count in the order in which they arrive.

The exit code is 1 if any row was rejected, unless --allow-rejects is given, and if a file has no rows, unless \
--allow-empty is given.

Examples:
  customer-profile import web.csv.gz --source web --kind customers --server http://127.0.0.1:50051
  customer-profile import orders-*.csv --source web --kind orders --database-url sqlite://shop.db
  customer-profile import crm.csv --source crm --kind customers --separator ';' --skip-lines 1
  customer-profile import export.json --source crm --kind customers --path data.customers
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
    access: AccessArgs,

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

    #[command(flatten)]
    reading: ReadingArgs,

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
    let tenant = args.tenant.or_default();
    let (sink, target) = match &args.server {
        Some(server) => {
            let client = Client::connect(server, &args.access, args.tenant.named()).await?;
            (Sink::remote(client), server.clone())
        }
        None => Sink::direct(&args.config, &tenant, &args.source, &args.kind).await?,
    };
    let result = files(&args, &sink, &target).await;
    sink.close().await;
    Ok(if result? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Imports one file after the other. Returns whether all went well.
async fn files(args: &Args, sink: &Sink, target: &str) -> anyhow::Result<bool> {
    let mapped = sink.mapped_fields(&args.source, &args.kind).await?;
    let mut well = true;
    for file in &args.files {
        let imported = one(args, sink, target, file, &mapped).await?;
        well &= imported.is_well(args);
    }
    Ok(well)
}

async fn one(
    args: &Args,
    sink: &Sink,
    target: &str,
    file: &Path,
    mapped: &MappedFields,
) -> anyhow::Result<Imported> {
    let options = args.reading.options();
    let tenant = args.tenant.or_default();
    let import = [target, tenant.as_str(), &args.source, &args.kind];
    let owner = position::Owner::new(import, options.fingerprint());
    let at = args
        .state
        .clone()
        .unwrap_or_else(|| beside(file, ".import.json"));
    let (position, saved) = PositionFile::open(at, owner, args.resume)?;
    let input = Input::open(file, &options, saved.position)?;
    let mut imported = look_at(args, file, &input, &saved, mapped)?;
    let path = args
        .rejects
        .clone()
        .unwrap_or_else(|| beside(file, ".rejects.ndjson"));
    let rejects = Rejects::open(path.clone(), saved.rejects_bytes)?;
    let progress = Progress::start(&file.display().to_string(), input.total_bytes());
    let names = input
        .reader()
        .columns()
        .is_none()
        .then(|| input.field_names());
    let job = Job {
        input,
        source: args.source.clone(),
        kind: args.kind.clone(),
        batch_rows: args.batch_rows.into(),
        rejects: Some(rejects),
        position: Some(position),
    };
    let result = run_job(job, sink, &progress).await;
    imported.tally = progress.finish();
    imported.unread = progress.unread();
    if let Some(names) = names {
        let compared = columns::of_rows(&names.get(), mapped);
        imported.useless = compared.useless;
        for note in compared.told {
            imported.note(file, note);
        }
    }
    if result.is_ok() && imported.is_empty() {
        imported.note(file, "has no rows".to_owned());
    }
    summary(args, file, &path, &imported)?;
    result?;
    Ok(imported)
}

/// Tells what a file is taken for, and compares it with the mapping and with an earlier run.
fn look_at(
    args: &Args,
    file: &Path,
    input: &Input,
    saved: &Saved,
    mapped: &MappedFields,
) -> anyhow::Result<Imported> {
    let name = file.display();
    let reader = input.reader();
    if !saved.fits(reader.digest()) {
        bail!(
            "{name}: has changed before the place from which to go on; import it without --resume"
        );
    }
    let mut imported = Imported {
        tally: Tally::default(),
        unread: Unread::default(),
        described: reader.described().to_owned(),
        notes: Vec::new(),
        useless: false,
        after: saved.position.lines,
    };
    let told = match reader.columns() {
        Some(columns) => {
            let allow = args.reading.allow_missing_columns;
            columns::of_header(file, &columns, mapped, allow)
                .with_context(|| format!("{name}: read as {}", imported.described))?
        }
        None => None,
    };
    eprintln!("{name}: read as {}", imported.described);
    for note in reader.notes().map(str::to_owned).chain(told) {
        imported.note(file, note);
    }
    Ok(imported)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
