//! The public keys of an issuer, from a file or by URL (JWKS, RFC 7517).
//!
//! They are fetched now and then, and when a token names a key that is not among them. However
//! many tokens do: one fetch at a time, none within the cool-down after the one before, which
//! counts from its beginning, also when it fails. Those who wait for a fetch are bounded in number
//! and time. A fetch that fails, or brings no usable key, changes nothing: the keys of before
//! count.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use url::Url;

use super::Options;
use crate::auth::Failure;
use crate::episode::Episode;

/// The time of one fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest set of keys that is read, in bytes.
const MAX_SET_BYTES: usize = 256 * 1024;
/// The most keys of an issuer.
const MAX_KEYS: usize = 100;
/// Calls that wait for a fetch at most.
const MAX_WAITING: usize = 64;
/// A file costs nothing: it is read this often at least, and this soon again.
const FILE_INTERVAL: Duration = Duration::from_secs(10);
const FILE_COOLDOWN: Duration = Duration::from_secs(1);

/// Where the keys come from.
#[derive(Debug)]
pub(super) enum Source {
    /// A file that is read again and again.
    File(PathBuf),
    /// The issuer's own server.
    Url(Url, reqwest::Client),
}

/// A key, and the algorithms by which it may have signed.
pub(super) struct SigningKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(super) key: DecodingKey,
}

/// The keys of an issuer, as they were fetched last.
pub(super) struct IssuerKeys {
    source: Source,
    options: Options,
    keys: RwLock<Vec<Arc<SigningKey>>>,
    /// The set as it was read last.
    text: Mutex<Fetched>,
    waiting: Semaphore,
    generation: AtomicU64,
    attempts: AtomicU64,
    pub(super) episode: Arc<Episode>,
}

#[derive(Default)]
struct Fetched {
    began: Option<Instant>,
    text: Vec<u8>,
}

impl std::fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerKeys")
            .field("source", &self.source)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl IssuerKeys {
    pub(super) fn new(issuer: &str, source: Source, options: Options) -> Self {
        let options = match source {
            Source::File(_) => Options {
                refresh_interval: options.refresh_interval.min(FILE_INTERVAL),
                cooldown: options.cooldown.min(FILE_COOLDOWN),
            },
            Source::Url(..) => options,
        };
        Self {
            source,
            options,
            keys: RwLock::default(),
            text: Mutex::default(),
            waiting: Semaphore::new(MAX_WAITING),
            generation: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            episode: Arc::new(Episode::named(
                format!("keys of the issuer {issuer}"),
                Duration::ZERO,
            )),
        }
    }

    /// Counts up whenever the keys change.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) async fn keep_current(&self) {
        loop {
            self.refresh().await;
            tokio::time::sleep(self.options.refresh_interval).await;
        }
    }

    /// The key that signed a token, by the token's word. Without a key id it is the only one of the
    /// algorithm.
    pub(super) fn find(&self, header: &Header) -> Option<Arc<SigningKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = keys.iter().filter(|key| {
            key.algorithms.contains(&header.alg) && (header.kid.is_none() || key.id == header.kid)
        });
        let first = found.next()?;
        let is_only = header.kid.is_some() || found.next().is_none();
        is_only.then(|| first.clone())
    }

    /// Why no key was found.
    pub(super) fn missing(&self) -> Failure {
        if self.generation() == 0 {
            Failure::IssuerUnavailable
        } else {
            Failure::UnknownKeyId
        }
    }

    /// Fetches the keys, unless that was tried within the cool-down. Answers whether they may have
    /// changed since the call began.
    pub(super) async fn refresh(&self) -> bool {
        let before = self.attempts.load(Ordering::Acquire);
        let Ok(_place) = self.waiting.try_acquire() else {
            return false;
        };
        let mut fetched = self.text.lock().await;
        if self.attempts.load(Ordering::Acquire) != before {
            return true;
        }
        let cooldown = self.options.cooldown;
        if fetched
            .began
            .is_some_and(|began| began.elapsed() < cooldown)
        {
            return false;
        }
        fetched.began = Some(Instant::now());
        self.attempts.fetch_add(1, Ordering::AcqRel);
        let read = self.read().await.and_then(|text| {
            let keys = (text != fetched.text).then(|| keys_of(&text)).transpose()?;
            Ok((text, keys))
        });
        if let Ok((text, keys)) = self.episode.watch(read)
            && let Some(keys) = keys
        {
            fetched.text = text;
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        true
    }

    async fn read(&self) -> Result<Vec<u8>, String> {
        match &self.source {
            Source::File(path) => {
                let read = tokio::fs::read(path).await;
                read.map_err(|error| format!("{}: {error}", path.display()))
            }
            Source::Url(url, client) => tokio::time::timeout(FETCH_TIMEOUT, fetch(url, client))
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {FETCH_TIMEOUT:?}"))),
        }
    }
}

async fn fetch(url: &Url, client: &reqwest::Client) -> Result<Vec<u8>, String> {
    let told = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url.clone()).send().await.map_err(told)?;
    if !answer.status().is_success() {
        return Err(format!("the issuer answered {}", answer.status()));
    }
    let mut text = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(told)? {
        text.extend_from_slice(&part);
        if text.len() > MAX_SET_BYTES {
            return Err(format!("more than {MAX_SET_BYTES} bytes"));
        }
    }
    Ok(text)
}

/// The keys of a set that can be used; of one without any nothing is taken.
fn keys_of(text: &[u8]) -> Result<Vec<Arc<SigningKey>>, String> {
    let set: JwkSet =
        serde_json::from_slice(text).map_err(|error| format!("not a set of keys: {error}"))?;
    if set.keys.len() > MAX_KEYS {
        return Err(format!("more than {MAX_KEYS} keys"));
    }
    let keys: Vec<_> = set
        .keys
        .iter()
        .filter_map(signing_key)
        .map(Arc::new)
        .collect();
    if keys.is_empty() {
        return Err("no public key that can verify a signature".to_owned());
    }
    Ok(keys)
}

/// A key that can verify; `None` for keys of encryption, secrets and unknown kinds.
fn signing_key(jwk: &Jwk) -> Option<SigningKey> {
    let common = &jwk.common;
    let is_for_signatures = common
        .public_key_use
        .as_ref()
        .is_none_or(|used| *used == PublicKeyUse::Signature)
        && common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !is_for_signatures {
        return None;
    }
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        // A secret would let whoever verifies sign.
        _ => return None,
    };
    if let Some(named) = common.key_algorithm {
        let named = Algorithm::try_from(named).ok()?;
        algorithms.retain(|algorithm| *algorithm == named);
    }
    Some(SigningKey {
        id: common.key_id.clone(),
        algorithms,
        key: DecodingKey::from_jwk(jwk).ok()?,
    })
}
