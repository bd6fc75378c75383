//! Tokens of issuers: the good ones count, every kind of bad one is refused for its own reason, and
//! no flood of them makes the server ask an issuer more often.

mod bad;
mod issuer;
mod rotation;

use std::sync::Arc;
use std::time::Duration;

use customer_profile::auth::{Authenticator, Failure, KeyRing, Scope, Scopes};
use customer_profile::auth::{IssuerOptions, read_issuers};
use customer_profile::store::memory::MemoryStore;
use http::HeaderValue;
use profile_core::records::{TenantId, Timestamp};
use serde_json::{Value as Json, json};
use tonic::Code;

use self::issuer::{Key, TestIssuer};
use crate::support::access::code;
use crate::support::service::Service;
use crate::support::wire::Wire;

/// The time of these tests, in seconds.
const NOW: i64 = 1_750_000_000;

/// Never again while a test lasts.
const HOUR: Duration = Duration::from_hours(1);

/// Claims that count.
fn claims(issuer: &str) -> Json {
    json!({
        "iss": issuer,
        "aud": ["customer-profile", "other"],
        "sub": "agent",
        "exp": NOW + 600,
        "nbf": NOW - 5,
        "iat": NOW - 5,
        "org": "acme",
        "scope": "openid segments.read",
    })
}

/// Claims with one of them set, or left out.
fn with(issuer: &str, claim: &str, value: Json) -> Json {
    let mut claims = claims(issuer);
    let object = claims.as_object_mut().expect("an object");
    if value.is_null() {
        object.remove(claim);
    } else {
        object.insert(claim.to_owned(), value);
    }
    claims
}

/// An authenticator with these issuers.
async fn authenticator(file: &str, cooldown: Duration) -> Authenticator {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("issuers.toml");
    std::fs::write(&path, file).expect("a file");
    let options = IssuerOptions {
        refresh_interval: HOUR,
        cooldown,
    };
    let issuers = read_issuers(&path, options).expect("issuers");
    let keys = KeyRing::new(HOUR);
    keys.refresh(&MemoryStore::new()).await.expect("keys");
    let clock = Arc::new(Timestamp::from_micros(NOW * 1_000_000));
    Authenticator::new(Arc::new(keys), issuers, clock)
}

/// The scopes of a token, or the reason why it is refused.
async fn shown(authenticator: &Authenticator, token: &str) -> Result<Scopes, Failure> {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a value");
    let found = authenticator.authenticate(Some(&value)).await?;
    Ok(found.expect("a credential").scopes)
}

#[tokio::test]
async fn each_kind_of_bad_token_is_refused_for_its_own_reason() {
    let key = Key::new("k1");
    let issuer = TestIssuer::start(&[&key]).await;
    let iss = issuer.name.clone();
    let authenticator = authenticator(&issuer.file(""), HOUR).await;
    let good = key.sign(&claims(&iss));
    let read = Scopes::from_iter([Scope::SegmentsRead]);
    assert_eq!(shown(&authenticator, &good).await, Ok(read));
    // From what was verified before.
    assert_eq!(shown(&authenticator, &good).await, Ok(read));

    let table = [
        bad::forged(&key, &iss),
        bad::headers(&key, &iss),
        bad::claimed(&key, &iss),
        bad::shapes(&key, &iss),
    ];
    for (what, token, expected) in table.into_iter().flatten() {
        assert_eq!(shown(&authenticator, &token).await, Err(expected), "{what}");
    }
    // Within the leeway of a minute.
    for (name, value) in [("exp", NOW - 59), ("nbf", NOW + 59)] {
        let token = key.sign(&with(&iss, name, value.into()));
        assert_eq!(shown(&authenticator, &token).await, Ok(read), "{name}");
    }
    assert_eq!(shown(&authenticator, &good).await, Ok(read));
}

#[tokio::test]
async fn claims_mean_what_the_file_says() {
    let key = Key::new("k1");
    let issuer = TestIssuer::start(&[&key]).await;
    let file = issuer.file(
        "tenant_names = { org_42 = \"acme\" }\nscope_claim = \"realm.roles\"\n\
         scopes = { agent = [\"profiles.read\", \"profiles.search\"] }\npurpose_claim = \"use\"\n",
    );
    let authenticator = authenticator(&file, HOUR).await;
    let mut claims = claims(&issuer.name);
    claims["org"] = json!(["org_42", "acme"]);
    claims["realm"] = json!({ "roles": ["agent", "models.apply"] });
    let refused = key.sign(&claims);
    assert_eq!(
        shown(&authenticator, &refused).await,
        Err(Failure::ClaimsRefused)
    );
    claims["use"] = "service".into();
    let value = format!("Bearer {}", key.sign(&claims));
    let value = HeaderValue::from_str(&value).expect("a value");
    let found = authenticator.authenticate(Some(&value)).await;
    let found = found.expect("it counts").expect("a credential");
    let tenants: Vec<_> = found.tenants.iter().map(TenantId::as_str).collect();
    assert_eq!(
        (tenants, found.purpose.as_deref()),
        (vec!["acme"], Some("service"))
    );
    let scopes = Scopes::from_iter([Scope::ProfilesRead, Scope::ProfilesSearch]);
    assert_eq!(found.scopes, scopes);
    // The log names the issuer, and no person.
    assert_eq!(&*found.name, issuer.name);
}

#[tokio::test]
async fn an_issuer_signs_for_itself_alone() {
    let (one, two) = (Key::new("same"), Key::new("same"));
    let (first, second) = (
        TestIssuer::start(&[&one]).await,
        TestIssuer::start(&[&two]).await,
    );
    let file = first.file("") + &second.file("");
    let authenticator = authenticator(&file, HOUR).await;
    for (issuer, key, expected) in [
        (&first, &one, true),
        (&second, &two, true),
        (&first, &two, false),
        (&second, &one, false),
    ] {
        let got = shown(&authenticator, &key.sign(&claims(&issuer.name))).await;
        assert_eq!(got.is_ok(), expected, "{got:?}");
    }
}

#[test]
fn a_file_of_issuers_with_a_mistake_is_refused_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("issuers.toml");
    let good = "[[issuer]]\nissuer = 'x'\naudiences = ['a']\nkeys_file = 'f'\nalgorithms = ['RS256']\ntenants = ['acme']\n";
    let options = IssuerOptions {
        refresh_interval: HOUR,
        cooldown: HOUR,
    };
    std::fs::write(&path, good).expect("a file");
    assert!(read_issuers(&path, options).is_ok());
    for (from, to, told) in [
        ("'RS256'", "'HS256'", "HS256 is none of"),
        ("'RS256'", "'none'", "none is none of"),
        ("['RS256']", "[]", "`algorithms` must name"),
        ("['a']", "[]", "`audiences` must name"),
        (
            "keys_file = 'f'",
            "keys_url = 'http://login.example/keys'",
            "https",
        ),
        ("keys_file = 'f'\n", "", "one of `keys_file` and `keys_url`"),
        ("tenants = ['acme']", "", "`tenant_claim`"),
        ("tenants = ['acme']", "tenants = ['A B']", "is no tenant"),
        ("tenants =", "tenant =", "unknown field `tenant`"),
        (
            "['acme']",
            "['acme']\nscopes = { x = ['profiles.all'] }",
            "is no scope",
        ),
        (
            "['acme']",
            "['acme']\npurpose = 'a'\npurpose_claim = 'b'",
            "exclude each other",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        std::fs::write(&path, good.replace(from, to)).expect("a file");
        let error = read_issuers(&path, options).expect_err(to).to_string();
        assert!(
            error.contains(told) && error.contains("issuers.toml"),
            "{to}: {error}"
        );
    }
    std::fs::write(&path, good.repeat(2)).expect("a file");
    let error = read_issuers(&path, options).expect_err("twice").to_string();
    assert!(error.contains("twice"), "{error}");
}

#[tokio::test]
async fn a_server_takes_tokens_of_the_issuers_in_its_file() {
    let key = Key::new("k1");
    let issuer = TestIssuer::start(&[&key]).await;
    let dir = tempfile::tempdir().expect("a directory");
    let (path, set) = (
        dir.path().join("issuers.toml"),
        dir.path().join("keys.json"),
    );
    std::fs::write(&set, issuer::set(&[&key])).expect("a file");
    let by_url = format!("keys_url = \"{}\"", issuer.url);
    let by_file = format!("keys_file = \"{}\"", set.display());
    std::fs::write(&path, issuer.file("").replace(&by_url, &by_file)).expect("a file");
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.auth.insecure = false;
        config.auth.issuers = Some(path.clone());
    })
    .await;
    let mut wire = Wire::connect(service.address, 65_535).await;
    let mut of_today = claims(&issuer.name);
    of_today["exp"] = 4_000_000_000_i64.into();
    let token = format!("Bearer {}", key.sign(&of_today));
    let metadata = [("authorization", token.as_str())];
    let ask = "customer.profile.v1.SegmentService/ListSegments";
    assert_eq!(code(&mut wire, ask, &metadata).await, Code::Ok);
    let search = "customer.profile.v1.ProfileService/SearchProfiles";
    assert_eq!(
        code(&mut wire, search, &metadata).await,
        Code::PermissionDenied
    );
    let of_yesterday = format!("Bearer {}", key.sign(&claims(&issuer.name)));
    let metadata = [("authorization", of_yesterday.as_str())];
    assert_eq!(code(&mut wire, ask, &metadata).await, Code::Unauthenticated);
    assert_eq!(issuer.fetches(), 0);
}
