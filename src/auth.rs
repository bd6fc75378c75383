//! Authentication and authorization of calls.
//!
//! A call shows a credential as `authorization: Bearer …`: an API key of this database
//! ([`ApiKey`]), or a token (JWT) of an issuer that the server knows ([`Issuer`]). A
//! [`Credential`] has tenants, scopes ([`Scope`]) and perhaps a purpose. A call that no credential
//! grants is refused. [`Authenticator::insecure`] grants everything to everybody; the server then
//! listens to its own machine alone.
//!
//! - **API keys** are read from the database all the time ([`KeyRing`]), so a revoked one ends on
//!   every server within `auth.key_refresh_interval` and the time of one read, open streams too.
//!   While the database is away the keys that were read last count for `auth.max_key_staleness`.
//! - **Tokens** are verified by the issuer's public keys, which are fetched beforehand. An unknown
//!   key id has them fetched again, at most once in `auth.issuer_cooldown`, whoever asks and
//!   however many. An issuer that fails keeps the keys that it had.
//! - A **failure** has one of a few reasons ([`Failure`]) for the metric and the log. The caller
//!   learns only whether to show another credential or to ask for less.
//!
//! The credential itself is in no log line, error or `Debug`.

mod api_key;
mod credential;
mod failure;
mod issuer;
mod key_ring;
mod scope;
mod verified;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use profile_core::records::{TenantId, Timestamp};

pub use api_key::ApiKey;
pub use credential::Credential;
pub use failure::{Answer, Failure};
pub use issuer::{Issuer, IssuerError, Options as IssuerOptions, read_issuers};
pub use key_ring::KeyRing;
pub use scope::{Scope, Scopes};

use self::verified::{Keys, Verified};
use crate::clock::Clock;

/// The shortest wait before it is looked again whether a credential still holds.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Finds out who calls.
pub struct Authenticator {
    /// `None`: everybody may do everything.
    required: Option<Required>,
}

struct Required {
    keys: Arc<KeyRing>,
    issuers: Vec<Arc<Issuer>>,
    verified: Verified,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Grants everything to everybody.
    #[must_use]
    pub fn insecure() -> Self {
        Self { required: None }
    }

    /// Grants what API keys and tokens of issuers grant.
    #[must_use]
    pub fn new(keys: Arc<KeyRing>, issuers: Vec<Arc<Issuer>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            required: Some(Required {
                keys,
                issuers,
                verified: Verified::default(),
                clock,
            }),
        }
    }

    /// The credential of a call; `None` where none is required.
    ///
    /// # Errors
    /// Why the credential does not count.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn authenticate(
        &self,
        authorization: Option<&HeaderValue>,
    ) -> Result<Option<Arc<Credential>>, Failure> {
        let Some(required) = &self.required else {
            return Ok(None);
        };
        let token = bearer(authorization.ok_or(Failure::Missing)?)?;
        let now = required.clock.now();
        let found = match ApiKey::parse(token) {
            Some(key) => required.keys.find(&key?, now)?,
            None => required.token(token, now).await?,
        };
        Ok(Some(found))
    }

    /// Lets calls to a tenant pass that is served: one of the register.
    ///
    /// # Errors
    /// Nobody has created it, or somebody has deleted it.
    pub fn serves(&self, tenant: &TenantId) -> Result<(), Failure> {
        match &self.required {
            Some(required) => required.keys.serves(tenant),
            None => Ok(()),
        }
    }

    /// Waits until a credential does not hold any more: it is expired or revoked.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn ended(&self, credential: &Credential) {
        let Some(required) = &self.required else {
            return std::future::pending().await;
        };
        let mut keys = required.keys.changes();
        loop {
            let now = required.clock.now();
            let left = credential.left(now);
            if left == Some(Duration::ZERO) || !required.keys.holds(credential) {
                return;
            }
            let expiry = async {
                match left {
                    Some(left) => tokio::time::sleep(left.max(SHORTEST_WAIT)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expiry => {}
                changed = keys.changed() => if changed.is_err() {
                    return std::future::pending().await;
                }
            }
        }
    }
}

impl Required {
    async fn token(&self, token: &str, now: Timestamp) -> Result<Arc<Credential>, Failure> {
        if let Some((keys, credential)) = self.verified.get(token).await
            && self.issuers[keys.issuer].generation() == keys.generation
        {
            return credential.unexpired(now);
        }
        let name = issuer::name_of(token)?;
        let place = self.issuers.iter().position(|issuer| issuer.is(&name));
        let place = place.ok_or(Failure::UnknownIssuer)?;
        let (credential, generation) = self.issuers[place].verify(token, now).await?;
        let (credential, issuer) = (Arc::new(credential), place);
        let keys = Keys { issuer, generation };
        self.verified.keep(token, keys, credential.clone()).await;
        Ok(credential)
    }
}

/// The token of `Bearer TOKEN`. Source: RFC 6750, section 2.1; the scheme in any case (RFC 9110).
fn bearer(authorization: &HeaderValue) -> Result<&str, Failure> {
    let text = authorization.to_str().map_err(|_| Failure::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Failure::Malformed)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(Failure::Malformed);
    }
    Ok(token)
}
