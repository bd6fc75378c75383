//! An issuer that signs tokens and serves its keys, and counts how often it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

/// A key of an issuer (ES256).
pub(super) struct Key {
    id: String,
    pair: rcgen::KeyPair,
}

impl Key {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            pair: rcgen::KeyPair::generate().expect("a key"),
        }
    }

    fn private(&self) -> EncodingKey {
        EncodingKey::from_ec_der(&self.pair.serialize_der())
    }

    /// Signs claims.
    pub(super) fn sign(&self, claims: &Json) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.id.clone());
        encode(&header, claims, &self.private()).expect("a token")
    }

    /// Signs claims under any header, whatever it says.
    pub(super) fn sign_raw(&self, header: &Json, claims: &Json) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// The same for claims that are any text.
    pub(super) fn sign_text(&self, header: &Json, claims: &str) -> String {
        let message = format!(
            "{}.{}",
            base64(header.to_string().as_bytes()),
            base64(claims.as_bytes())
        );
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.private(), Algorithm::ES256);
        format!("{message}.{}", signature.expect("a signature"))
    }

    /// Signs claims by a secret that everybody knows: the public key.
    pub(super) fn sign_by_public_key(&self, claims: &Json) -> String {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.id.clone());
        let secret =
            EncodingKey::from_secret(self.pair.public_key_pem().as_bytes()).expect("a secret");
        encode(&header, claims, &secret).expect("a token")
    }

    /// The public key.
    pub(super) fn jwk(&self) -> Json {
        let mut jwk =
            Jwk::from_encoding_key(&self.private(), Algorithm::ES256).expect("a public key");
        jwk.common.key_id = Some(self.id.clone());
        serde_json::to_value(jwk).expect("JSON")
    }
}

/// The public keys of an issuer.
pub(super) fn set(keys: &[&Key]) -> String {
    let keys: Vec<Json> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A running issuer.
pub(super) struct TestIssuer {
    /// Its name, which is its address.
    pub(super) name: String,
    /// Where its keys are.
    pub(super) url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    fetches: Arc<AtomicUsize>,
}

impl TestIssuer {
    /// Serves these keys.
    pub(super) async fn start(keys: &[&Key]) -> Self {
        let answer = Arc::new(Mutex::new((StatusCode::OK, set(keys))));
        let fetches = Arc::new(AtomicUsize::new(0));
        let (answers, counted) = (answer.clone(), fetches.clone());
        let served = get(async move || {
            counted.fetch_add(1, Ordering::SeqCst);
            answers.lock().expect("not poisoned").clone()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().route("/keys", served);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let name = format!("http://{address}");
        Self {
            url: format!("{name}/keys"),
            name,
            answer,
            fetches,
        }
    }

    /// How often it was asked for its keys.
    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Serves other keys from now on.
    pub(super) fn serve(&self, keys: &[&Key]) {
        self.answer(StatusCode::OK, set(keys));
    }

    /// Answers so from now on.
    pub(super) fn answer(&self, status: StatusCode, text: String) {
        *self.answer.lock().expect("not poisoned") = (status, text);
    }

    /// The issuer in a file of issuers, with more lines.
    pub(super) fn file(&self, more: &str) -> String {
        format!(
            "[[issuer]]\nissuer = \"{}\"\naudiences = [\"customer-profile\"]\nkeys_url = \"{}\"\n\
             algorithms = [\"ES256\"]\ntenant_claim = \"org\"\n{more}\n",
            self.name, self.url
        )
    }
}
