//! Credentials that were verified.

use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{TenantId, Timestamp};

use super::{Failure, Scope, Scopes};

/// A credential that counts.
#[derive(Debug, Clone)]
pub struct Credential {
    /// For the log: the id of an API key, or the name of the token's issuer. Never a person's.
    pub name: Arc<str>,
    /// The subject of a token, for the audit log alone. `None`: an API key, or a token that names
    /// nobody.
    pub subject: Option<Arc<str>>,
    /// Tenants whose customers it may reach; at least one.
    pub tenants: Vec<TenantId>,
    /// Scopes that it grants.
    pub scopes: Scopes,
    /// The one purpose for which it may read.
    pub purpose: Option<Arc<str>>,
    /// Its roles, as models declare them. Without any it sees everything.
    pub roles: Arc<[String]>,
    /// When it ends by itself.
    pub expire_time: Option<Timestamp>,
    pub(super) origin: Origin,
}

/// Where a credential comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// An API key of the database.
    Key {
        /// The public part of the key.
        id: String,
    },
    /// A token of an issuer.
    Token,
}

impl Credential {
    /// The tenant of a call: the one that it names if the credential is of it; without a name the
    /// credential's only one.
    ///
    /// # Errors
    /// The tenant is another one, whether it exists or not; or the call must name one.
    pub fn tenant(&self, named: Option<&TenantId>) -> Result<TenantId, Failure> {
        match (named, self.tenants.as_slice()) {
            (Some(named), own) if own.contains(named) => Ok(named.clone()),
            (Some(_), _) => Err(Failure::TenantRefused),
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(Failure::TenantRequired),
        }
    }

    /// How long it holds; `None`: until it is revoked.
    pub(super) fn left(&self, now: Timestamp) -> Option<Duration> {
        let end = self.expire_time?.as_micros();
        let left = end.saturating_sub(now.as_micros());
        Some(Duration::from_micros(u64::try_from(left).unwrap_or(0)))
    }

    pub(super) fn unexpired(self: Arc<Self>, now: Timestamp) -> Result<Arc<Self>, Failure> {
        if self.left(now) == Some(Duration::ZERO) {
            return Err(match self.origin {
                Origin::Key { .. } => Failure::KeyExpired,
                Origin::Token => Failure::TokenExpired,
            });
        }
        Ok(self)
    }

    /// Whether it may do something.
    ///
    /// # Errors
    /// It lacks the scope.
    pub fn may(&self, scope: Scope) -> Result<(), Failure> {
        if self.scopes.has(scope) {
            Ok(())
        } else {
            Err(Failure::ScopeMissing)
        }
    }
}
