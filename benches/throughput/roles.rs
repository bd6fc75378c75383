//! The cost of credentials, roles, TLS and the audit log on a cached read.

use std::path::Path;
use std::process::Command;

use customer_profile::clock::{Clock, SystemClock};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use crate::server::{Server, cpu_seconds};
use crate::{TURN, TURNS, client, median, report};

/// Withholds identifiers and record keys, masks a trait, and lets the rest be seen.
const ROLE: &str = "
roles:
  agent:
    traits: '*'
    masked_traits: [city]
    preferences: true
    accessibility: true
";

/// Without the audit log, which servers with credentials keep.
const NO_AUDIT: [&str; 2] = ["--set", "audit.enabled=false"];

pub(crate) async fn roles() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let model = path("model.yaml");
    let built_in = profile_core::model::file::BUILT_IN;
    std::fs::write(&model, format!("{built_in}{ROLE}")).expect("a file");
    let model = ["--model", &*model];
    let urls =
        ["open", "guarded", "audited", "whole"].map(|name| format!("sqlite://{}", path(name)));
    let mut name = String::new();
    for url in &urls {
        let first = Server::start_with(url, &model).await;
        name = client::store_sample(&first.address).await;
    }
    let [open, guarded, audited, whole] = &urls;
    let plain = key(guarded, &[]);
    let [bound, audited_key] = [guarded, audited].map(|url| key(url, &["--role", "agent"]));
    let (secured, token) = secure(folder.path());
    let secured: Vec<&str> = secured.iter().map(String::as_str).collect();
    let open = Server::start_with(open, &model).await;
    let guarded = Server::start_guarded(guarded, &[&model[..], &NO_AUDIT].concat()).await;
    let audited = Server::start_guarded(audited, &model).await;
    let whole = Server::start_guarded(whole, &[&model[..], &secured].concat()).await;
    let variants = [
        ("without credentials", &open, None),
        ("with an API key", &guarded, Some(&plain)),
        ("with a role", &guarded, Some(&bound)),
        (
            "with a role and the audit log",
            &audited,
            Some(&audited_key),
        ),
        (
            "with TLS, a token, a role and a signed audit log",
            &whole,
            Some(&token),
        ),
    ];
    let mut rates = [const { Vec::new() }; 5];
    let mut costs = [const { Vec::new() }; 5];
    for _ in 0..TURNS {
        for (number, (_, server, credential)) in variants.into_iter().enumerate() {
            let before = cpu_seconds(server.pid());
            let address = &server.address;
            let rate = match credential {
                None => client::read_for(address, &name, TURN).await,
                Some(shown) => client::read_with(address, &name, shown, TURN).await,
            };
            costs[number].push(rate.calls_per(cpu_seconds(server.pid()) - before));
            rates[number].push(rate.per_second());
        }
    }
    let (rates, costs) = (rates.map(median), costs.map(median));
    for (number, (what, ..)) in variants.into_iter().enumerate().skip(1) {
        let what = format!("cached GetProfile {what}, without credentials");
        report(&what, rates[number], rates[0]);
        let same = "the same per second of the server's processor time";
        report(same, costs[number], costs[0]);
    }
}

/// Makes a key.
fn key(database_url: &str, more: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_customer-profile"))
        .args(["key", "create", "--name", "bench", "--tenant", "default"])
        .args(["--scope", "profiles.read", "--database-url", database_url])
        .args(more)
        .output()
        .expect("a key");
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// The settings of a server with TLS, an issuer of tokens and a key of its audit log, and a token
/// of that issuer.
fn secure(folder: &Path) -> (Vec<String>, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).expect("a certificate");
    write("tls.crt", &certified.cert.pem());
    write("tls.key", &certified.signing_key.serialize_pem());
    let (private, public) = customer_profile::audit::new_keys("bench");
    write("audit.key", &format!("{private}\n{public}\n"));

    let pair = rcgen::KeyPair::generate().expect("a key");
    let signing = EncodingKey::from_ec_der(&pair.serialize_der());
    let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::ES256).expect("a public key");
    jwk.common.key_id = Some("bench".to_owned());
    write("keys.json", &json!({ "keys": [jwk] }).to_string());
    let issuers = format!(
        "[[issuer]]\nissuer = \"https://bench\"\naudiences = [\"customer-profile\"]\n\
         keys_file = \"{}\"\nalgorithms = [\"ES256\"]\ntenants = [\"default\"]\n\
         scope_claim = \"scope\"\nroles = [\"agent\"]\n",
        path("keys.json")
    );
    write("issuers.toml", &issuers);
    let now = SystemClock.now().as_micros() / 1_000_000;
    let claims = json!({
        "iss": "https://bench",
        "aud": "customer-profile",
        "sub": "agent-7",
        "exp": now + 3600,
        "scope": "profiles.read",
    });
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("bench".to_owned());
    let token = encode(&header, &claims, &signing).expect("a token");
    let settings = [
        format!("tls.certificate={}", path("tls.crt")),
        format!("tls.key={}", path("tls.key")),
        format!("auth.issuers={}", path("issuers.toml")),
        format!("audit.key_file={}", path("audit.key")),
    ];
    let set = |setting| ["--set".to_owned(), setting];
    (settings.into_iter().flat_map(set).collect(), token)
}
