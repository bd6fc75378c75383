//! Opaque tokens: read tokens prove a write, page tokens say where a page ended, resume tokens
//! where a watch was.
//!
//! They are base64url of a few fields. They are not secret and not signed: a forged one reads
//! nothing that its caller could not read anyway.

use std::hash::Hasher;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use profile_core::records::{ContentHash, Sequence, TenantId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use siphasher::sip::SipHasher13;
use uuid::Uuid;

use crate::reader::ResumePosition;

/// Why a token cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// The page token is damaged or belongs to another query.
    #[error("page_token: is damaged or belongs to another query; begin with the first page")]
    PageInvalid,
    /// The read token is damaged or of another tenant.
    #[error("consistency.at_least_as_fresh: is damaged, or of another tenant")]
    ReadInvalid,
    /// The read token is of another database.
    #[error("consistency.at_least_as_fresh: is of another database")]
    ReadForeign,
    /// The resume token is damaged or of another database or tenant.
    #[error("resume_token: is damaged, or of another database or tenant; begin without it")]
    ResumeInvalid,
    /// The change log no longer reaches back to the resume token.
    #[error("resume_token: is older than the change log; begin without it")]
    ResumeExpired,
}

/// The bytes of a read token: database, write, and a check that also knows the tenant.
const READ_TOKEN_BYTES: usize = 16 + 8 + 8;

/// Makes a read token: this write, in this tenant of this database.
pub(super) fn read_token(store: Uuid, tenant: &TenantId, sequence: Sequence) -> String {
    let mut bytes = [0; READ_TOKEN_BYTES];
    bytes[..16].copy_from_slice(store.as_bytes());
    bytes[16..24].copy_from_slice(&sequence.0.to_be_bytes());
    let check = check(&bytes[..24], tenant);
    bytes[24..].copy_from_slice(&check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a read token that was made for this database and tenant.
pub(super) fn parse_read_token(
    token: &str,
    store: Uuid,
    tenant: &TenantId,
) -> Result<Sequence, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let bytes: Option<[u8; READ_TOKEN_BYTES]> = bytes.and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes
        .filter(|bytes| bytes[24..] == check(&bytes[..24], tenant))
        .ok_or(TokenError::ReadInvalid)?;
    if bytes[..16] != *store.as_bytes() {
        return Err(TokenError::ReadForeign);
    }
    let mut sequence = [0; 8];
    sequence.copy_from_slice(&bytes[16..24]);
    Ok(Sequence(i64::from_be_bytes(sequence)))
}

/// Tells a damaged token, and one of another tenant.
fn check(bytes: &[u8], tenant: &TenantId) -> [u8; 8] {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.write(tenant.as_str().as_bytes());
    hasher.finish().to_be_bytes()
}

/// Makes a resume token.
pub(super) fn resume_token(store: Uuid, tenant: &TenantId, place: ResumePosition) -> String {
    encode(&(store, tenant, place))
}

/// Reads a resume token that was made for this database and tenant.
pub(super) fn parse_resume_token(
    token: &str,
    store: Uuid,
    tenant: &TenantId,
) -> Result<ResumePosition, TokenError> {
    let parsed: Option<(Uuid, TenantId, ResumePosition)> = decode(token);
    let own = parsed.filter(|(database, whose, _)| *database == store && whose == tenant);
    own.map(|(.., place)| place)
        .ok_or(TokenError::ResumeInvalid)
}

/// The content of a page token: where the page ended, and of which query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PageToken<T> {
    #[serde(rename = "a")]
    after: T,
    #[serde(rename = "q")]
    query: ContentHash,
}

/// Makes a page token; `query` is whatever must be the same for the next page.
pub(super) fn page_token<T: Serialize>(after: T, query: &impl Serialize) -> String {
    encode(&PageToken {
        after,
        query: ContentHash::of(query),
    })
}

/// Reads a page token that was made for the same query; an empty one is the first page.
pub(super) fn parse_page_token<T: DeserializeOwned>(
    token: &str,
    query: &impl Serialize,
) -> Result<Option<T>, TokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let parsed: Option<PageToken<T>> = decode(token);
    let own = parsed.filter(|parsed| parsed.query == ContentHash::of(query));
    own.map(|parsed| Some(parsed.after))
        .ok_or(TokenError::PageInvalid)
}

fn encode(content: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(content).unwrap_or_default())
}

fn decode<T: DeserializeOwned>(token: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_token_is_refused_by_another_database_and_tenant() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let tenant = TenantId::default();
        let token = read_token(here, &tenant, Sequence(7));
        assert_eq!(
            parse_read_token(&token, here, &tenant).expect("own token"),
            Sequence(7)
        );
        let reason = |parsed: Result<Sequence, TokenError>| parsed.expect_err("refused");
        assert_eq!(
            reason(parse_read_token(&token, there, &tenant)),
            TokenError::ReadForeign
        );
        let other = TenantId::new("other").expect("well-formed");
        assert_eq!(
            reason(parse_read_token(&token, here, &other)),
            TokenError::ReadInvalid
        );
        for place in 0..token.len() {
            let mut damaged = token.clone().into_bytes();
            damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).expect("letters");
            assert_eq!(
                reason(parse_read_token(&damaged, here, &tenant)),
                TokenError::ReadInvalid,
                "{place}"
            );
        }
        for short in ["", &token[1..]] {
            assert_eq!(
                reason(parse_read_token(short, here, &tenant)),
                TokenError::ReadInvalid
            );
        }
    }

    #[test]
    fn a_page_token_is_bound_to_its_query() {
        let token = page_token(5, &("ann", 20));
        assert_eq!(
            parse_page_token::<i32>(&token, &("ann", 20)).expect("same query"),
            Some(5)
        );
        assert_eq!(
            parse_page_token::<i32>("", &("ann", 20)).expect("first page"),
            None
        );
        assert!(parse_page_token::<i32>(&token, &("bob", 20)).is_err());
    }
}
