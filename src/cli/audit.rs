//! `audit`: the audit log of a tenant, read, kept elsewhere and verified.

use std::cell::OnceCell;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;

use super::client::{answered, pages, refused};
use super::key::{self, CustomerKey, instant};
use super::query::QueryArgs;
use super::{output, setup};
use crate::audit::{Checkpoint, Finding, Keys, Leaf, Verification, new_keys, sign};
use crate::config::ConfigArgs;
use crate::grpc::v1;
use crate::store::sql::SqlStore;
use crate::store::{Store, TenantRegister};

/// Read and verify the audit log: who looked at whom
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Keep the checkpoint elsewhere, once a day say, where whoever writes to the database cannot write. `verify` shows whether the log \
still is what it was then.

Examples:
  customer-profile audit list --customer email:ann@shop.com     Who looked at a customer
  customer-profile audit list --credential 3f9ac41b07d2e865 --since 2026-01-31T00:00:00Z
  customer-profile audit checkpoint > audit-2026-01-31.txt
  customer-profile audit verify --key-file audit.pub --checkpoint audit-2026-01-31.txt
  customer-profile audit new-key --name audit.shop.com --private audit.key --public audit.pub
  customer-profile audit sign --set audit.key_file=audit.key    Logs that were begun without a key")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List entries, the latest first
    List(List),
    /// Print the latest checkpoint, to be kept elsewhere
    Checkpoint {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Read the whole log and say where it is not what was written; exit code 1 if it is not
    Verify(Verify),
    /// Make the key that signs checkpoints
    NewKey(NewKey),
    /// Sign the logs that were begun without a key, in the database; verify them before
    Sign {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only entries about this customer
    #[arg(long, value_name = "CUSTOMER", long_help = key::HELP)]
    customer: Option<CustomerKey>,
    /// Only entries of this credential: the id of an API key, or the issuer of a token
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    credential: String,
    /// Only entries of tokens with this subject
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    subject: String,
    /// Only entries of this time or later
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Option<prost_types::Timestamp>,
    /// Only entries of before this time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<prost_types::Timestamp>,
    /// Maximum number of entries
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    #[command(flatten)]
    query: QueryArgs,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// File of public keys; without one, signatures are not looked at
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// File with a checkpoint that was kept; may be given several times
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    #[command(flatten)]
    query: QueryArgs,
}

#[derive(Debug, clap::Args)]
struct NewKey {
    /// Name of the key, as checkpoints show it: such as the domain of the company
    #[arg(long, value_name = "NAME")]
    name: String,
    /// New file for the private and the public key; `audit.key_file` of the servers
    #[arg(long, value_name = "FILE")]
    private: PathBuf,
    /// New file for the public key alone, for whoever verifies
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(list) => list.run().await,
        Command::Checkpoint { query } => checkpoint(&query).await,
        Command::Verify(verify) => verify.run().await,
        Command::NewKey(new_key) => new_key.run(),
        Command::Sign { config } => sign_all(&config).await,
    }
}

impl List {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.query.connect().await?;
        let asked = v1::ListAuditEntriesRequest {
            customer: self.customer.map(v1::ProfileKey::from),
            start_time: self.since,
            end_time: self.until,
            credential: self.credential,
            subject: self.subject,
            ..Default::default()
        };
        let profile = OnceCell::new();
        let (entries, next_page_token) = pages(self.limit, async |page_size, page_token| {
            let request = v1::ListAuditEntriesRequest {
                page_size,
                page_token,
                ..asked.clone()
            };
            let request = client.request(request)?;
            let answer = answered(client.audit().list_audit_entries(request).await)?;
            let _first = profile.set(answer.profile);
            Ok((answer.entries, answer.next_page_token))
        })
        .await?;
        let answer = v1::ListAuditEntriesResponse {
            entries,
            next_page_token,
            profile: profile.into_inner().unwrap_or_default(),
        };
        self.query
            .print("ListAuditEntriesResponse", &answer, |answer| {
                Ok(shown(answer))
            })
    }
}

async fn checkpoint(query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let request = client.request(v1::GetAuditCheckpointRequest {})?;
    let answer = answered(client.audit().get_audit_checkpoint(request).await)?;
    query.print("GetAuditCheckpointResponse", &answer, |answer| {
        if answer.checkpoint.is_empty() {
            bail!("the log has no entry yet");
        }
        Ok(answer.checkpoint.trim_end_matches('\n').to_owned())
    })
}

impl Verify {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let keys = match &self.key_file {
            Some(path) => Keys::read(path)?,
            None => Keys::default(),
        };
        let kept: anyhow::Result<Vec<Checkpoint>> = (self.checkpoints.iter())
            .map(|path| kept_checkpoint(path, &keys))
            .collect();
        let kept = kept?;
        let client = self.query.connect().await?;
        let request = client.long_request(v1::ExportAuditLogRequest {})?;
        let mut stream = answered(client.audit().export_audit_log(request).await)?;
        let mut verification = Verification::new(&kept);
        let mut last = None;
        while let Some(part) = stream.message().await.map_err(|status| refused(&status))? {
            if let Some(before) = last.replace(part) {
                take(&mut verification, &before, false);
            }
        }
        let last = last.ok_or_else(|| anyhow!("the server sent nothing"))?;
        take(&mut verification, &last, true);
        let now = if last.checkpoint.is_empty() {
            None
        } else {
            let now = keys.open(&last.checkpoint);
            Some(now.context("the checkpoint of the log")?)
        };
        let (size, wrong, findings) = verification.finish(now.as_ref());
        let signed = now.as_ref().is_some_and(|now| now.is_signed);
        report(size, wrong, &findings, (kept.len(), signed))
    }
}

/// Signs the logs of all tenants by the key of `audit.key_file`.
async fn sign_all(config: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = setup::config(config)?;
    let Some(key_file) = &config.audit.key_file else {
        bail!("audit.key_file is empty; it must name the file of the key that signs");
    };
    let keys = Keys::read_private(key_file)?;
    let store = setup::store(&config.database).await?;
    let done = sign_in(&store, &keys).await;
    store.close().await;
    done.with_context(|| config.database.url.to_string())?;
    Ok(ExitCode::SUCCESS)
}

async fn sign_in(store: &SqlStore, keys: &Keys) -> anyhow::Result<()> {
    store.check().await?;
    for tenant in store.list_registered_tenants().await? {
        let name = tenant.id.as_str();
        let word = if sign(store, &tenant.id, keys).await? {
            "is signed now"
        } else {
            "needs no signature"
        };
        output::print(&format!("the log of tenant `{name}` {word}"))?;
    }
    Ok(())
}

fn kept_checkpoint(path: &Path, keys: &Keys) -> anyhow::Result<Checkpoint> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(name)?;
    keys.open(&text).with_context(name)
}

fn take(verification: &mut Verification, part: &v1::ExportAuditLogResponse, is_last: bool) {
    let leaf = |leaf: &v1::AuditLeaf| Leaf {
        // No place is negative: such a one was never written.
        index: u64::try_from(leaf.index).unwrap_or(u64::MAX),
        line: leaf.content.to_vec(),
    };
    let leaves: Vec<Leaf> = part.leaves.iter().map(leaf).collect();
    verification.tile(&part.leaf_hashes, &leaves, is_last);
}

fn report(
    size: u64,
    wrong: u64,
    findings: &[Finding],
    (kept, signed): (usize, bool),
) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if wrong == 0 {
        let signature = if signed {
            "signed"
        } else {
            "its signature was not looked at: `--key-file` names the public key"
        };
        writeln!(
            out,
            "{size} entries, each as it was written; checkpoint {signature}; {kept} kept checkpoints fit"
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    bail!("the log is not what was written: {wrong} findings in {size} entries")
}

impl NewKey {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let name = &self.name;
        let is_wrong = name.is_empty() || name.contains('+') || name.contains(char::is_whitespace);
        if is_wrong {
            bail!("--name: `{name}` must have a character, and neither spaces nor `+`");
        }
        let (private, public) = new_keys(name);
        write_new(&self.private, 0o600, &format!("{private}\n{public}\n"))?;
        write_new(&self.public, 0o644, &format!("{public}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a file that does not exist yet.
fn write_new(path: &Path, mode: u32, content: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(mode);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| path.display().to_string())
}

fn shown(answer: &v1::ListAuditEntriesResponse) -> String {
    if answer.entries.is_empty() {
        return "no entries".to_owned();
    }
    let columns = [
        "time (utc)",
        "credential",
        "subject",
        "method",
        "purpose",
        "customers",
        "status",
    ];
    let mut table = output::table(&columns);
    for entry in &answer.entries {
        let customers = match entry.customers.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        };
        let status = if entry.refusal.is_empty() {
            entry.code.clone()
        } else {
            format!("{} ({})", entry.code, entry.refusal)
        };
        table.add_row([
            entry.time.as_ref().map(output::time).unwrap_or_default(),
            output::plain(&entry.credential),
            output::plain(&entry.subject),
            entry.method.clone(),
            output::plain(&entry.purpose),
            customers,
            status,
        ]);
    }
    output::page(&table, &answer.next_page_token)
}
