//! An issuer of tokens (JWT), and what its tokens grant here.
//!
//! Only signatures by public keys count: whoever can verify must not be able to sign. A token is
//! verified by the issuer's own keys, whatever its header offers (`jwk`, `jku`, `x5c`); the header
//! chooses among them by `kid` and `alg`, within the algorithms that the settings allow.
//! Source: RFC 8725 (JWT best current practices).

mod claims;
mod file;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, dangerous, decode, decode_header};
use profile_core::records::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::claims::Claims;
pub use self::file::{IssuerError, read_issuers};
use self::keys::{IssuerKeys, SigningKey};
use super::credential::Origin;
use super::{Credential, Failure};
use crate::episode::Episode;

/// The largest token that is taken, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The longest subject, in characters. Source: `OpenID` Connect Core, section 2.
const MAX_SUBJECT_CHARS: usize = 255;
/// How far the clocks of issuer and server may differ.
const LEEWAY: Duration = Duration::from_mins(1);

/// When an issuer's keys are fetched.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How often.
    pub refresh_interval: Duration,
    /// The shortest time between two fetches.
    pub cooldown: Duration,
}

/// An issuer of tokens that the server trusts.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    algorithms: Vec<jsonwebtoken::Algorithm>,
    audiences: Vec<String>,
    claims: Claims,
    keys: IssuerKeys,
}

/// The `iss` of a token that nobody has verified yet: by it the keys are found that do.
pub(super) fn name_of(token: &str) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Named {
        iss: String,
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Failure::TokenTooLarge);
    }
    let named = dangerous::insecure_decode_claims::<Named>(token);
    named
        .map(|named| named.iss)
        .map_err(|_| Failure::TokenMalformed)
}

impl Issuer {
    /// Whether it has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Counts up whenever its keys change.
    pub(super) fn generation(&self) -> u64 {
        self.keys.generation()
    }

    /// Fails while the keys cannot be had.
    #[must_use]
    pub fn episode(&self) -> &Arc<Episode> {
        &self.keys.episode
    }

    /// Fetches the keys, for ever.
    ///
    /// # Cancel safety
    /// Dropped, it ends.
    pub async fn keep_current(self: Arc<Self>) {
        self.keys.keep_current().await;
    }

    /// The credential of a token, and the generation of the keys that verified it.
    pub(super) async fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Credential, u64), Failure> {
        let header = decode_header(token).map_err(|_| Failure::TokenMalformed)?;
        let is_plain = header.cty.is_none() && header.enc.is_none() && header.zip.is_none();
        if !is_plain || header.crit.is_some() {
            return Err(Failure::TokenMalformed);
        }
        if !self.algorithms.contains(&header.alg) {
            return Err(Failure::AlgorithmRefused);
        }
        let mut generation = self.generation();
        let claims = if let Some(key) = self.keys.find(&header) {
            match self.signed(token, &header, &key) {
                // The issuer may have put another key under the same id.
                Err(Failure::WrongSignature) if self.keys.refresh().await => {
                    generation = self.generation();
                    let key = self.keys.find(&header).ok_or(Failure::UnknownKeyId)?;
                    self.signed(token, &header, &key)?
                }
                verified => verified?,
            }
        } else {
            self.keys.refresh().await;
            generation = self.generation();
            let key = self.keys.find(&header);
            let key = key.ok_or_else(|| self.keys.missing())?;
            self.signed(token, &header, &key)?
        };
        Ok((self.credential(&claims, now)?, generation))
    }

    /// The claims of a token that a key has signed, for this server.
    fn signed(
        &self,
        token: &str,
        header: &Header,
        key: &SigningKey,
    ) -> Result<Map<String, Value>, Failure> {
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&self.audiences);
        validation.set_issuer(&[&self.name]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // By the server's own clock: see `credential`.
        validation.validate_exp = false;
        let decoded = decode(token, &key.key, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => Failure::WrongSignature,
            ErrorKind::InvalidAudience => Failure::WrongAudience,
            ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => Failure::WrongAudience,
            ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => Failure::TokenExpired,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => Failure::AlgorithmRefused,
            _ => Failure::TokenMalformed,
        })?;
        Ok(decoded.claims)
    }

    fn credential(
        &self,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Credential, Failure> {
        let expire_time = moment(claims, "exp")?.ok_or(Failure::TokenExpired)?;
        let leeway = i64::try_from(LEEWAY.as_micros()).unwrap_or(i64::MAX);
        let expire_time = expire_time.saturating_add(leeway);
        if expire_time <= now.as_micros() {
            return Err(Failure::TokenExpired);
        }
        for claim in ["nbf", "iat"] {
            let begins = moment(claims, claim)?.unwrap_or(i64::MIN);
            if begins > now.as_micros().saturating_add(leeway) {
                return Err(Failure::TokenNotYet);
            }
        }
        Ok(Credential {
            name: self.name.as_str().into(),
            subject: subject(claims),
            tenants: self.claims.tenants(claims)?,
            scopes: self.claims.scopes(claims),
            purpose: self.claims.purpose(claims)?,
            roles: self.claims.roles.of(claims)?,
            expire_time: Some(Timestamp::from_micros(expire_time)),
            origin: Origin::Token,
        })
    }
}

/// The subject of a token, cut to a length that the audit log keeps.
fn subject(claims: &Map<String, Value>) -> Option<Arc<str>> {
    let subject = claims.get("sub")?.as_str()?;
    let kept: String = subject.chars().take(MAX_SUBJECT_CHARS).collect();
    Some(kept.into())
}

/// A time of a token, in microseconds. Source: RFC 7519, `NumericDate`.
fn moment(claims: &Map<String, Value>, claim: &str) -> Result<Option<i64>, Failure> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let seconds = value.as_f64().ok_or(Failure::TokenMalformed)?;
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    Ok(Some((seconds * 1e6) as i64))
}
