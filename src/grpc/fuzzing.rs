//! The readers of foreign bytes, without a server: entry points for the fuzz targets in `fuzz/`.

use profile_core::model::Model;
use profile_core::records::{Draft, ProfileId, Sequence, TenantId, Violation};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use tonic::Status;
use uuid::Uuid;

use super::layers::decoded::{Estimate, Shape};
use super::{decode, ingest, status, token, v1};
use crate::explain::PageCursor;
use crate::reader::{ResumePosition, SearchCursor, TimelineCursor};
use crate::store::ChangeKey;

/// A draft, or what is wrong with what was sent.
pub type Decoded = Result<Draft, Vec<Violation>>;

/// The statement that bytes encode. `None` if they are no Protobuf message.
#[must_use]
pub fn statement(bytes: &[u8], model: &Model) -> Option<Decoded> {
    let message = v1::Statement::decode(bytes).ok()?;
    Some(decode::draft(message, model))
}

/// The statements that the model makes of a payload.
#[must_use]
pub fn payload(bytes: &[u8], model: &Model, source: &str, kind: &str) -> Vec<Decoded> {
    let mapped = ingest::map(model, source, kind, bytes).into_iter();
    mapped.map(|made| made.map(|made| made.draft)).collect()
}

/// The memory that a batch of statements takes once it is decoded, in bytes. `None` if that is more
/// than the limit.
#[must_use]
pub fn memory_of_batch(bytes: &[u8], limit: usize) -> Option<usize> {
    let shape = Shape::of_method("customer.profile.v1.IngestService/IngestStatements")?;
    match shape.estimate(bytes, limit) {
        Estimate::Bytes(bytes) => Some(bytes),
        Estimate::TooLarge(_) => None,
    }
}

/// Reads a token and makes it again from what it says. `None` stands for the first page.
pub type ReadToken = fn(&str) -> Result<Option<String>, Status>;

/// The query of all page tokens here.
const QUERY: &str = "query";

/// The kinds of tokens, by name.
pub const TOKENS: [(&str, ReadToken); 10] = [
    ("read", read_token),
    ("resume", resume_token),
    ("page of names", page_token::<String>),
    ("page of versions", page_token::<i64>),
    ("page of profiles", page_token::<ProfileId>),
    ("page of dead letters", page_token::<ChangeKey>),
    ("page of hits", page_token::<SearchCursor>),
    ("page of events", page_token::<TimelineCursor>),
    ("page of candidates", page_token::<PageCursor>),
    ("page of consents", page_token::<(i64, i32, String, String)>),
];

/// A page token of any content, for the same query as in [`TOKENS`].
#[must_use]
pub fn token_of(content: &serde_json::Value) -> String {
    token::page_token(content, &QUERY)
}

/// A read token of the database and tenant of [`TOKENS`].
#[must_use]
pub fn sample_read_token(sequence: i64) -> String {
    token::read_token(Uuid::nil(), &TenantId::default(), Sequence(sequence))
}

/// A resume token of the database and tenant of [`TOKENS`].
#[must_use]
pub fn sample_resume_token(sequence: i64, changes: usize) -> String {
    let position = ResumePosition {
        sequence: Sequence(sequence),
        changes,
        snapshots: None,
        shown: Sequence::default(),
    };
    token::resume_token(Uuid::nil(), &TenantId::default(), position)
}

fn read_token(text: &str) -> Result<Option<String>, Status> {
    let tenant = TenantId::default();
    let sequence =
        token::parse_read_token(text, Uuid::nil(), &tenant).map_err(status::tokens::token)?;
    Ok(Some(token::read_token(Uuid::nil(), &tenant, sequence)))
}

fn resume_token(text: &str) -> Result<Option<String>, Status> {
    let tenant = TenantId::default();
    let position =
        token::parse_resume_token(text, Uuid::nil(), &tenant).map_err(status::tokens::token)?;
    Ok(Some(token::resume_token(Uuid::nil(), &tenant, position)))
}

fn page_token<T: Serialize + DeserializeOwned>(text: &str) -> Result<Option<String>, Status> {
    let after: Option<T> = token::parse_page_token(text, &QUERY).map_err(status::tokens::token)?;
    Ok(after.map(|after| token::page_token(after, &QUERY)))
}
