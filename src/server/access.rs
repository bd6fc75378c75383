//! TLS, API keys and issuers of the server, kept current as long as it runs.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::audit::Audit;
use super::{Error, Parts};
use crate::auth::{Authenticator, IssuerOptions, KeyRing, read_issuers};
use crate::config;
use crate::transport::tls::{self, Tls};

/// TLS and the authenticator of calls, and the jobs that keep them current.
pub(super) struct Access {
    /// `None`: the port speaks plain HTTP/2.
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) authenticator: Arc<Authenticator>,
    /// The audit log of the calls.
    pub(super) audit: Audit,
    keys: Option<Arc<KeyRing>>,
    jobs: Vec<JoinHandle<()>>,
}

impl Access {
    /// As the configuration says.
    ///
    /// # Errors
    /// The files of TLS, of issuers or of keys of the audit log cannot be used.
    pub(super) fn begin(parts: &Parts) -> Result<Self, Error> {
        let tls = secure(parts)?;
        let renewing = tls.clone().map(|tls| tokio::spawn(tls.keep_current()));
        let mut access = Self::authenticating(parts)?;
        access.jobs.extend(renewing);
        Ok(Self { tls, ..access })
    }

    /// The same without TLS.
    fn authenticating(parts: &Parts) -> Result<Self, Error> {
        let config::Auth {
            insecure,
            issuers,
            key_refresh_interval,
            max_key_staleness,
            issuer_refresh_interval,
            issuer_cooldown,
            ..
        } = parts.config.auth.clone();
        if insecure {
            tracing::warn!(
                "auth.insecure: whoever reaches the gRPC port reads and writes every tenant"
            );
            return Ok(Self {
                tls: None,
                audit: Audit::begin(parts)?,
                authenticator: Arc::new(Authenticator::insecure()),
                keys: None,
                jobs: Vec::new(),
            });
        }
        let options = IssuerOptions {
            refresh_interval: issuer_refresh_interval,
            cooldown: issuer_cooldown,
        };
        let issuers = match issuers {
            Some(path) => read_issuers(&path, options)?,
            None => Vec::new(),
        };
        let keys = Arc::new(KeyRing::new(max_key_staleness));
        parts.metrics.observe_episode(&keys.episode);
        let reading = keys
            .clone()
            .keep_current(parts.store.clone(), key_refresh_interval);
        let mut jobs = vec![tokio::spawn(reading)];
        for issuer in &issuers {
            parts.metrics.observe_episode(issuer.episode());
            jobs.push(tokio::spawn(issuer.clone().keep_current()));
        }
        let authenticator = Authenticator::new(keys.clone(), issuers, parts.clock.clone());
        Ok(Self {
            tls: None,
            audit: Audit::begin(parts)?,
            authenticator: Arc::new(authenticator),
            keys: Some(keys),
            jobs,
        })
    }

    /// Waits until it is known which API keys there are.
    pub(super) fn known(&self) -> impl Future<Output = ()> + Send + 'static {
        let keys = self.keys.clone();
        async move {
            if let Some(keys) = keys {
                keys.known().await;
            }
        }
    }

    /// Ends the jobs, and writes the rest of the audit log. Call it when no call is in work any
    /// more.
    pub(super) async fn end(self) {
        self.jobs.iter().for_each(JoinHandle::abort);
        self.audit.end().await;
    }
}

/// TLS as it is configured; `None` where it is not.
fn secure(parts: &Parts) -> Result<Option<Arc<Tls>>, tls::Error> {
    let config::Tls {
        certificate,
        key,
        client_ca,
        reload_interval,
    } = parts.config.tls.clone();
    // One without the other is a mistake of the configuration.
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Ok(None);
    };
    let tls = Arc::new(Tls::load(tls::Options {
        certificate,
        key,
        client_ca,
        reload_interval,
    })?);
    parts.metrics.observe_episode(&tls.episode);
    let observed = tls.clone();
    parts.metrics.observe_tls(move || observed.reloads());
    Ok(Some(tls))
}
