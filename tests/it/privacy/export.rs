//! All that is known of a customer, part by part.

use std::fmt::Write;

use customer_profile::grpc::v1::export_profile_response::Part;
use prost::Message;
use sha2::{Digest, Sha256};

use super::everything::CANARY;
use super::*;

/// The parts after a token, and how the stream ended.
async fn parts(
    service: &Service,
    name: &str,
    token: &str,
) -> Result<Vec<v1::ExportProfileResponse>, Status> {
    let request = v1::ExportProfileRequest {
        name: name.to_owned(),
        resume_token: token.to_owned(),
    };
    let mut stream = service
        .privacy()
        .export_profile(request)
        .await?
        .into_inner();
    let mut parts = Vec::new();
    while let Some(part) = stream.message().await? {
        parts.push(part);
    }
    Ok(parts)
}

fn manifest(parts: &[v1::ExportProfileResponse]) -> v1::ExportManifest {
    match parts.last().and_then(|last| last.part.clone()) {
        Some(Part::Manifest(manifest)) => manifest,
        other => panic!("{other:?}"),
    }
}

/// The hash as the manifest has it.
fn hash(parts: &[v1::ExportProfileResponse]) -> String {
    let mut hash = [0; 32];
    for part in &parts[..parts.len() - 1] {
        let part = v1::ExportProfileResponse {
            resume_token: String::new(),
            ..part.clone()
        };
        let next = Sha256::new()
            .chain_update(hash)
            .chain_update(part.encode_to_vec());
        hash = next.finalize().into();
    }
    let mut text = String::new();
    for byte in hash {
        write!(text, "{byte:02x}").expect("a text");
    }
    text
}

#[tokio::test]
async fn an_export_has_everything_that_was_said_and_came_of_it() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    let parts = parts(&service, &customer.name, "").await.expect("parts");
    let told = format!("{parts:?}").to_lowercase();
    for value in [
        "@old.example",
        "@shop.com",
        "@work.example",
        "-1",
        "-2",
        "-3",
        "-4",
        "-o1",
        "-scan",
        " other note",
        " the great",
        " called",
    ] {
        assert!(told.contains(&format!("{CANARY}{value}")), "{value}");
    }
    assert!(!told.contains("neighbour@shop.com"), "somebody else's");
    let manifest = manifest(&parts);
    let count = |kind: &str| manifest.part_counts.get(kind).copied().unwrap_or_default();
    assert_eq!(count("profile"), 1);
    // All that was said about records, and the deletion of one of them.
    let said = customer.statements.iter().filter(|said| {
        let kind = said.kind.as_ref();
        !matches!(
            kind,
            Some(
                v1::statement::Kind::RecordEvent(_)
                    | v1::statement::Kind::ReplaceEvent(_)
                    | v1::statement::Kind::RetractEvent(_)
            )
        )
    });
    assert_eq!(
        count("statement"),
        i64::try_from(said.count()).expect("few") + 1
    );
    // An order, as it was corrected, and its parcel; the other order was taken back.
    assert_eq!(count("event"), 2);
    assert_eq!(count("decision"), 2);
    assert!(count("identity_change") >= 3, "{manifest:?}");
    assert!(count("membership") >= 4, "{manifest:?}");
    let all: i64 = manifest.part_counts.values().sum();
    assert_eq!(usize::try_from(all).expect("few") + 1, parts.len());
    assert_eq!(manifest.sha256, hash(&parts));
}

#[tokio::test]
async fn an_export_goes_on_after_any_of_its_parts() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    let all = parts(&service, &customer.name, "").await.expect("parts");
    for (place, part) in all.iter().enumerate() {
        let rest = parts(&service, &customer.name, &part.resume_token).await;
        assert_eq!(rest.expect("parts"), all[place + 1..], "after {place}");
    }
    let token = &all[3].resume_token;
    let other = parts(&service, &customer.neighbour, token).await;
    let other = other.expect_err("refused");
    assert_eq!(reason(&other), name_of(ErrorReason::PageTokenInvalid));
    let more = everything::placed("-o3");
    service.say(vec![more]).await;
    let changed = parts(&service, &customer.name, token).await;
    let changed = changed.expect_err("refused");
    assert_eq!(changed.code(), Code::Aborted, "{changed:?}");
    assert_eq!(reason(&changed), name_of(ErrorReason::ExportChanged));
}

#[tokio::test]
async fn nothing_is_exported_of_nobody() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    erase(&service, &customer.name).await;
    let nobody = parts(&service, &customer.name, "").await;
    assert_eq!(nobody.expect_err("refused").code(), Code::NotFound);
    let malformed = parts(&service, "ann", "").await;
    let malformed = malformed.expect_err("refused");
    assert_eq!(reason(&malformed), name_of(ErrorReason::Malformed));
}
