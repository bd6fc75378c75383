//! Keys that come and go, issuers that fail, and tokens that name keys that there are not.

use std::time::Duration;

use axum::http::StatusCode;
use customer_profile::auth::Failure;
use futures::future::join_all;
use serde_json::json;

use super::issuer::{Key, TestIssuer};
use super::{HOUR, authenticator, claims, shown, with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_unknown_key_ids_asks_the_issuer_once_and_loses_no_key() {
    let (key, stranger) = (Key::new("k1"), Key::new("x"));
    let issuer = TestIssuer::start(&[&key]).await;
    let authenticator = authenticator(&issuer.file(""), HOUR).await;
    let good = key.sign(&claims(&issuer.name));
    let flood: Vec<String> = (0..2000)
        .map(|number| {
            let header = json!({ "alg": "ES256", "kid": format!("k{number:x}-{number}") });
            stranger.sign_raw(&header, &claims(&issuer.name))
        })
        .collect();
    // The first ones find no key at all.
    for got in join_all(flood.iter().map(|token| shown(&authenticator, token))).await {
        let refused = [Failure::UnknownKeyId, Failure::IssuerUnavailable];
        assert!(got.is_err_and(|why| refused.contains(&why)));
    }
    assert_eq!(issuer.fetches(), 1);
    // Nor does a known id under wrong signatures.
    let forged = Key::new("k1");
    for number in 0..500 {
        let token = forged.sign(&with(&issuer.name, "jti", number.into()));
        assert_eq!(
            shown(&authenticator, &token).await,
            Err(Failure::WrongSignature)
        );
    }
    assert!(shown(&authenticator, &good).await.is_ok());
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_issuer_that_fails_keeps_its_keys_and_is_asked_no_more_often() {
    let key = Key::new("k1");
    let issuer = TestIssuer::start(&[&key]).await;
    let authenticator = authenticator(&issuer.file(""), Duration::ZERO).await;
    let fresh = |number: i64| key.sign(&with(&issuer.name, "jti", number.into()));
    assert!(shown(&authenticator, &fresh(0)).await.is_ok());
    let unknown = Key::new("k2").sign(&claims(&issuer.name));
    let secret = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "k1" }] });
    for (number, (status, text)) in [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, "{}".to_owned()),
        (StatusCode::OK, r#"{"keys": []}"#.to_owned()),
        (StatusCode::OK, secret.to_string()),
        (StatusCode::OK, " ".repeat(300_000)),
        (StatusCode::FOUND, String::new()),
    ]
    .into_iter()
    .enumerate()
    {
        issuer.answer(status, text.clone());
        let before = issuer.fetches();
        assert_eq!(
            shown(&authenticator, &unknown).await,
            Err(Failure::UnknownKeyId)
        );
        assert_eq!(issuer.fetches(), before + 1, "{text}");
        let token = fresh(1 + i64::try_from(number).expect("few"));
        assert!(shown(&authenticator, &token).await.is_ok(), "{text}");
    }
}

/// The cool-down counts from the beginning of a fetch, also of one that fails.
#[tokio::test]
async fn an_issuer_that_never_answered_well_is_asked_once_in_the_cool_down() {
    let key = Key::new("k1");
    let issuer = TestIssuer::start(&[&key]).await;
    issuer.answer(StatusCode::SERVICE_UNAVAILABLE, String::new());
    let authenticator = authenticator(&issuer.file(""), HOUR).await;
    let token = key.sign(&claims(&issuer.name));
    for _ in 0..50 {
        assert_eq!(
            shown(&authenticator, &token).await,
            Err(Failure::IssuerUnavailable)
        );
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_counts_at_once_and_one_that_is_taken_back_no_more() {
    let (old, new, same_id) = (Key::new("k1"), Key::new("k2"), Key::new("k2"));
    let issuer = TestIssuer::start(&[&old]).await;
    let authenticator = authenticator(&issuer.file(""), Duration::ZERO).await;
    let of = |key: &Key| key.sign(&claims(&issuer.name));
    let before = of(&old);
    assert!(shown(&authenticator, &before).await.is_ok());
    // A token names the new key.
    issuer.serve(&[&old, &new]);
    assert!(shown(&authenticator, &of(&new)).await.is_ok());
    assert!(shown(&authenticator, &before).await.is_ok());
    // Another key under the same id, and the first one is gone: also for what was verified before.
    issuer.serve(&[&same_id]);
    assert!(shown(&authenticator, &of(&same_id)).await.is_ok());
    assert_eq!(
        shown(&authenticator, &before).await,
        Err(Failure::UnknownKeyId)
    );
    assert_eq!(
        shown(&authenticator, &of(&new)).await,
        Err(Failure::WrongSignature)
    );
}
