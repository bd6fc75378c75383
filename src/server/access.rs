//! Who may call the server: its API keys and its issuers, kept current as long as it runs.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{Error, Parts};
use crate::auth::{Authenticator, IssuerOptions, KeyRing, read_issuers};
use crate::config;

/// What finds out who calls, and the jobs that keep it current.
pub(super) struct Access {
    pub(super) authenticator: Arc<Authenticator>,
    keys: Option<Arc<KeyRing>>,
    jobs: Vec<JoinHandle<()>>,
}

impl Access {
    /// As the configuration says.
    ///
    /// # Errors
    /// The file of issuers cannot be used.
    pub(super) fn begin(parts: &Parts) -> Result<Self, Error> {
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

    /// Ends the jobs.
    pub(super) fn end(&self) {
        self.jobs.iter().for_each(JoinHandle::abort);
    }
}
