//! `export`: all that is known of a customer, for the customer.

mod page;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use clap::ValueEnum;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use super::client::{Client, ServerArgs, refused, retry_after};
use super::key::{self, CustomerKey};
use super::output::{self, Audience};
use crate::grpc;
use crate::grpc::v1::{self, export_profile_response::Part};

/// Print all that is known of a customer
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The profile with its records, statements as sources said them, events, memberships, decisions,
merges and splits, stays in segments; at the end a manifest, which is checked. An export that breaks
off goes on by itself; if something of the customer changes meanwhile, it fails.

Examples:
  customer-profile export email:ann@shop.com > ann.ndjson              A part a line, for programs
  customer-profile export email:ann@shop.com --format html > ann.html  A page for people")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// A part a line in Protobuf's JSON, or one page
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,

    #[command(flatten)]
    server: ServerArgs,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A part a line: `ExportProfileResponse` in Protobuf's JSON
    Ndjson,
    /// A page without scripts, styles or anything from elsewhere
    Html,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.connect().await?;
    let name = client.profile_name(args.key).await?;
    let mut check = Check::default();
    let mut page = page::Page::default();
    let mut take = |part: v1::ExportProfileResponse| {
        check.add(&part)?;
        match args.format {
            Format::Ndjson => output::emit(&output::json_line("ExportProfileResponse", &part)?),
            Format::Html => page.add(&part).map(|()| Audience::There),
        }
    };
    if export(&client, name, &mut take).await? == Audience::Gone {
        return Ok(ExitCode::SUCCESS);
    }
    check.finish()?;
    if args.format == Format::Html {
        output::print(&page.finish())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes all parts; goes on after the last one when the stream breaks off.
async fn export(
    client: &Client,
    name: String,
    take: &mut impl FnMut(v1::ExportProfileResponse) -> anyhow::Result<Audience>,
) -> anyhow::Result<Audience> {
    let mut request = v1::ExportProfileRequest {
        name,
        resume_token: String::new(),
    };
    loop {
        let begun = request.resume_token.clone();
        let asked = client.long_request(request.clone())?;
        let broken = match client.privacy().export_profile(asked).await {
            Err(status) => status,
            Ok(answer) => {
                let mut stream = answer.into_inner();
                loop {
                    match stream.message().await {
                        Ok(None) => return Ok(Audience::There),
                        Ok(Some(part)) => {
                            request.resume_token.clone_from(&part.resume_token);
                            if take(part)? == Audience::Gone {
                                return Ok(Audience::Gone);
                            }
                        }
                        Err(status) => break status,
                    }
                }
            }
        };
        // Only an export that comes on is taken up again.
        if !is_passing(&broken) || request.resume_token == begun {
            return Err(refused(&broken));
        }
        tokio::time::sleep(retry_after(&broken).unwrap_or_else(grpc::retry_delay)).await;
    }
}

fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled
    )
}

/// The parts that arrived, to be held against the manifest.
#[derive(Default)]
struct Check {
    hash: [u8; 32],
    counts: BTreeMap<String, i64>,
    manifest: Option<v1::ExportManifest>,
}

impl Check {
    fn add(&mut self, part: &v1::ExportProfileResponse) -> anyhow::Result<()> {
        let kind = match &part.part {
            Some(Part::Profile(_)) => "profile",
            Some(Part::Statement(_)) => "statement",
            Some(Part::Membership(_)) => "membership",
            Some(Part::Event(_)) => "event",
            Some(Part::Decision(_)) => "decision",
            Some(Part::IdentityChange(_)) => "identity_change",
            Some(Part::Segment(_)) => "segment",
            Some(Part::Manifest(manifest)) => {
                self.manifest = Some(manifest.clone());
                return Ok(());
            }
            None => bail!("the server sends a part that this program does not know"),
        };
        *self.counts.entry(kind.to_owned()).or_default() += 1;
        let part = v1::ExportProfileResponse {
            resume_token: String::new(),
            ..part.clone()
        };
        let hash = Sha256::new()
            .chain_update(self.hash)
            .chain_update(part.encode_to_vec());
        self.hash = hash.finalize().into();
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        let Some(manifest) = self.manifest else {
            bail!("the export has no manifest: it is not whole");
        };
        if manifest.part_counts != self.counts || manifest.sha256 != grpc::hex(&self.hash) {
            bail!("the export is not what its manifest says: it is not whole");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(part: Part) -> v1::ExportProfileResponse {
        v1::ExportProfileResponse {
            part: Some(part),
            resume_token: "a token".to_owned(),
        }
    }

    fn checked(counted: i64, change: impl Fn(&mut v1::ExportManifest)) -> anyhow::Result<()> {
        let mut check = Check::default();
        for reason in ["alone", "match"] {
            let membership = v1::ExportedMembership {
                reason: reason.to_owned(),
                ..v1::ExportedMembership::default()
            };
            check.add(&of(Part::Membership(membership)))?;
        }
        let mut manifest = v1::ExportManifest {
            part_counts: [("membership".to_owned(), counted)].into(),
            sha256: "fd0e6c9b".to_owned(),
            ..v1::ExportManifest::default()
        };
        manifest.sha256 = grpc::hex(&check.hash);
        change(&mut manifest);
        check.add(&of(Part::Manifest(manifest)))?;
        check.finish()
    }

    #[test]
    fn an_export_is_held_against_its_manifest() {
        assert!(checked(2, |_| {}).is_ok());
        assert!(checked(3, |_| {}).is_err());
        assert!(checked(2, |manifest| manifest.sha256.clear()).is_err());
        assert!(Check::default().finish().is_err(), "no manifest");
    }
}
