//! API keys.

use customer_profile::store::{Store, StoredApiKey};
use profile_core::records::TenantId;

use super::build::*;

fn api_key(id: &str, created: i64) -> StoredApiKey {
    StoredApiKey {
        id: id.to_owned(),
        name: "CRM – Süd".to_owned(),
        hash: [7; 32],
        tenants: vec![tenant(), TenantId::new("other").expect("a name")],
        scopes: vec!["profiles.read".to_owned(), "a.later.one".to_owned()],
        purpose: None,
        roles: Vec::new(),
        create_time: time(created),
        expire_time: None,
        revoke_time: None,
    }
}

pub(crate) async fn api_keys_are_listed_as_they_were_made(store: &dyn Store) {
    assert_eq!(store.list_api_keys().await.expect("a read"), []);
    let whole = StoredApiKey {
        purpose: Some("marketing".to_owned()),
        roles: vec!["agent".to_owned(), "steward".to_owned()],
        expire_time: Some(time(9)),
        ..api_key("a", 2)
    };
    let first = api_key("b", 1);
    for key in [&whole, &first] {
        assert!(store.record_api_key(key).await.expect("a write"));
    }
    let other = StoredApiKey {
        hash: [8; 32],
        ..api_key("a", 3)
    };
    assert!(!store.record_api_key(&other).await.expect("a write"));
    assert_eq!(store.list_api_keys().await.expect("a read"), [first, whole]);
}

pub(crate) async fn an_api_key_is_revoked_once_and_for_ever(store: &dyn Store) {
    let key = api_key("a", 1);
    assert!(store.record_api_key(&key).await.expect("a write"));
    for (id, at, found) in [("b", 2, false), ("a", 3, true), ("a", 4, true)] {
        let revoked = store.revoke_api_key(id, time(at)).await.expect("a write");
        assert_eq!(revoked, found);
    }
    let revoked = StoredApiKey {
        revoke_time: Some(time(3)),
        ..key.clone()
    };
    assert!(!store.record_api_key(&key).await.expect("a write"));
    assert_eq!(store.list_api_keys().await.expect("a read"), [revoked]);
}
