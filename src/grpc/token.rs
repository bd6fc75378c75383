//! Opaque tokens: read tokens prove a write, page tokens say where a page ended.
//!
//! Both are base64url of a few fields. They are not secret and not signed: a forged one reads nothing that its caller could
//! not read anyway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tonic::Status;
use uuid::Uuid;

use super::status;
use crate::profile::{ContentHash, Sequence, TenantId};

/// What a read token says: this write, in this tenant of this database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReadToken {
    #[serde(rename = "d")]
    store: Uuid,
    #[serde(rename = "t")]
    tenant: TenantId,
    #[serde(rename = "s")]
    sequence: Sequence,
}

/// Makes a read token.
pub(super) fn read_token(store: Uuid, tenant: &TenantId, sequence: Sequence) -> String {
    encode(&ReadToken { store, tenant: tenant.clone(), sequence })
}

/// Reads a read token that was made for this database and tenant.
pub(super) fn parse_read_token(token: &str, store: Uuid, tenant: &TenantId) -> Result<Sequence, Status> {
    let parsed: Option<ReadToken> = decode(token);
    let own = parsed.filter(|parsed| parsed.store == store && parsed.tenant == *tenant);
    own.map(|parsed| parsed.sequence).ok_or_else(status::read_token_invalid)
}

/// What a page token says: where the page ended, and of which query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PageToken<T> {
    #[serde(rename = "a")]
    after: T,
    #[serde(rename = "q")]
    query: ContentHash,
}

/// Makes a page token; `query` is whatever must be the same for the next page.
pub(super) fn page_token<T: Serialize>(after: T, query: &impl Serialize) -> String {
    encode(&PageToken { after, query: ContentHash::of(query) })
}

/// Reads a page token that was made for the same query; an empty one is the first page.
pub(super) fn parse_page_token<T: DeserializeOwned>(token: &str, query: &impl Serialize) -> Result<Option<T>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parsed: Option<PageToken<T>> = decode(token);
    let own = parsed.filter(|parsed| parsed.query == ContentHash::of(query));
    own.map(|parsed| Some(parsed.after)).ok_or_else(status::page_token_invalid)
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
        assert_eq!(parse_read_token(&token, here, &tenant).expect("own token"), Sequence(7));
        assert!(parse_read_token(&token, there, &tenant).is_err());
        assert!(parse_read_token(&token, here, &TenantId::new("other").expect("well-formed")).is_err());
        assert!(parse_read_token(&token[1..], here, &tenant).is_err());
        assert!(parse_read_token("", here, &tenant).is_err());
    }

    #[test]
    fn a_page_token_is_bound_to_its_query() {
        let token = page_token(5, &("ann", 20));
        assert_eq!(parse_page_token::<i32>(&token, &("ann", 20)).expect("same query"), Some(5));
        assert_eq!(parse_page_token::<i32>("", &("ann", 20)).expect("first page"), None);
        assert!(parse_page_token::<i32>(&token, &("bob", 20)).is_err());
    }
}
