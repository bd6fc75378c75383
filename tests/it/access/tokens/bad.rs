//! Bad tokens of every kind, each with the reason why it is refused.

use customer_profile::auth::Failure::{
    self, AlgorithmRefused, ClaimsRefused, TokenExpired, TokenMalformed, TokenNotYet,
    TokenTooLarge, UnknownIssuer, UnknownKeyId, WrongAudience, WrongSignature,
};
use serde_json::{Value as Json, json};

use super::issuer::{Key, base64};
use super::{NOW, claims, with};

/// In words, the token, and the reason.
type Row = (&'static str, String, Failure);

/// Header, claims and signature.
fn parts(token: &str) -> [String; 3] {
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

/// Tokens that the issuer did not sign.
pub(super) fn forged(key: &Key, iss: &str) -> Vec<Row> {
    let (other, good) = (Key::new("k1"), key.sign(&claims(iss)));
    let [header, body, signature] = parts(&good);
    let unsigned = |header: &str| format!("{}.{body}.", base64(header.as_bytes()));
    let tampered = base64(with(iss, "org", "beta".into()).to_string().as_bytes());
    let own_key = json!({"alg": "ES256", "kid": "k1", "jwk": other.jwk()});
    let by_own_key = other.sign_raw(&own_key, &claims(iss));
    let cut_off = format!("{header}.{body}.{}", &signature[..20]);
    let moved = format!("{header}.{tampered}.{signature}");
    let by_public_key = key.sign_by_public_key(&claims(iss));
    vec![
        ("alg none", unsigned(r#"{"alg":"none"}"#), TokenMalformed),
        (
            "alg nOnE",
            unsigned(r#"{"alg":"nOnE","kid":"k1"}"#),
            TokenMalformed,
        ),
        ("no signature", format!("{header}.{body}."), WrongSignature),
        ("half a signature", cut_off, WrongSignature),
        ("other claims", moved, WrongSignature),
        (
            "another key of the same id",
            other.sign(&claims(iss)),
            WrongSignature,
        ),
        ("a key in the header", by_own_key, WrongSignature),
        (
            "the public key as a secret",
            by_public_key,
            AlgorithmRefused,
        ),
    ]
}

/// Tokens that the issuer signed under headers that are not taken.
pub(super) fn headers(key: &Key, iss: &str) -> Vec<Row> {
    let typed = |field: &str, value: Json| {
        let mut fields = json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" });
        fields[field] = value;
        key.sign_raw(&fields, &claims(iss))
    };
    vec![
        (
            "another algorithm",
            typed("alg", "ES384".into()),
            AlgorithmRefused,
        ),
        ("an unknown key id", typed("kid", "k2".into()), UnknownKeyId),
        (
            "a token in the token",
            typed("cty", "JWT".into()),
            TokenMalformed,
        ),
        ("compressed", typed("zip", "DEF".into()), TokenMalformed),
        (
            "an unknown extension",
            typed("crit", json!(["exp"])),
            TokenMalformed,
        ),
    ]
}

/// Tokens of the issuer whose claims do not hold here.
pub(super) fn claimed(key: &Key, iss: &str) -> Vec<Row> {
    let of = |name: &str, value: Json| key.sign(&with(iss, name, value));
    let (none, later) = (Json::Null, Json::from(NOW + 3600));
    vec![
        ("another audience", of("aud", "other".into()), WrongAudience),
        (
            "a longer audience",
            of("aud", "customer-profile-2".into()),
            WrongAudience,
        ),
        ("no audience", of("aud", none.clone()), WrongAudience),
        (
            "another issuer",
            of("iss", "https://evil.example".into()),
            UnknownIssuer,
        ),
        (
            "a longer issuer",
            of("iss", format!("{iss}/").into()),
            UnknownIssuer,
        ),
        ("no issuer", of("iss", none.clone()), TokenMalformed),
        ("two issuers", of("iss", json!([iss, "x"])), TokenMalformed),
        ("expired", of("exp", (NOW - 61).into()), TokenExpired),
        ("without an end", of("exp", none.clone()), TokenExpired),
        (
            "an end that is no number",
            of("exp", "never".into()),
            TokenExpired,
        ),
        ("not yet", of("nbf", later.clone()), TokenNotYet),
        ("issued in the future", of("iat", later), TokenNotYet),
        ("no tenant", of("org", none), ClaimsRefused),
        (
            "no name of a tenant",
            of("org", "../acme".into()),
            ClaimsRefused,
        ),
    ]
}

/// Texts that are too large, too deep, or no tokens.
pub(super) fn shapes(key: &Key, iss: &str) -> Vec<Row> {
    let good = key.sign(&claims(iss));
    let [header, body, _] = parts(&good);
    let plain = json!({ "alg": "ES256", "kid": "k1" });
    let nested = format!(r#"{{"deep":{}1{},"#, "[".repeat(1000), "]".repeat(1000));
    let deep = claims(iss).to_string().replacen('{', &nested, 1);
    let huge = key.sign(&with(iss, "more", "x".repeat(9000).into()));
    let no_json = format!("{}.{}.x", base64(b"{"), base64(b"[]"));
    vec![
        ("huge", huge, TokenTooLarge),
        ("deep", key.sign_text(&plain, &deep), TokenMalformed),
        ("four parts", format!("{good}.x"), TokenMalformed),
        ("two parts", format!("{header}.{body}"), TokenMalformed),
        ("no JSON", no_json, TokenMalformed),
        ("no Base64", "!.!.!".to_owned(), TokenMalformed),
    ]
}
