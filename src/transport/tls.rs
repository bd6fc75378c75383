//! TLS of a port: the certificate, its key and the authorities of clients, from files that may be
//! replaced while the server runs.
//!
//! - TLS 1.2 and 1.3, by rustls with aws-lc-rs; the only protocol inside is HTTP/2.
//! - The files are read again every [`Options::reload_interval`], by name: Kubernetes and ACME
//!   clients replace a symbolic link or rename a file, which watching an inode would miss. Their
//!   contents decide whether there is something new.
//! - A pair that cannot be used (not PEM, key of another certificate, half written) changes
//!   nothing: the pair before stays, and the log and `customer_profile_trouble_active` say so.
//! - New connections get the new pair. Those that are open keep theirs until they end, by
//!   `grpc.max_connection_age` at the latest.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::episode::Episode;

/// The files of a port.
#[derive(Debug, Clone)]
pub struct Options {
    /// The certificate and those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of clients' certificates; `None`: clients need none.
    pub client_ca: Option<PathBuf>,
    /// How often the files are read again.
    pub reload_interval: Duration,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Name of the file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// A file has not what it should have.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// Name of the file.
        path: PathBuf,
        /// The fault in it.
        problem: String,
    },
    /// Certificate and key do not go together, or rustls refuses them.
    #[error("{} and {}: {error}", certificate.display(), key.display())]
    Refused {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// The reason that rustls gives.
        error: tokio_rustls::rustls::Error,
    },
}

/// The contents of the files.
#[derive(PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// TLS of a port, as it is in force.
pub struct Tls {
    options: Options,
    state: RwLock<State>,
    reloads: AtomicU64,
    /// Fails while new files cannot be used.
    pub episode: Arc<Episode>,
}

struct State {
    config: Arc<ServerConfig>,
    pem: Pem,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub fn load(options: Options) -> Result<Self, Error> {
        let pem = Pem::read(&options)?;
        let config = pem.config(&options)?;
        Ok(Self {
            options,
            state: RwLock::new(State { config, pem }),
            reloads: AtomicU64::new(0),
            episode: Arc::new(Episode::new("TLS certificate and key")),
        })
    }

    /// Takes the next connection.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(state.config.clone())
    }

    /// The number of times that new files were taken into use.
    #[must_use]
    pub fn reloads(&self) -> u64 {
        self.reloads.load(Ordering::Relaxed)
    }

    /// Takes up what is new in the files, for ever.
    ///
    /// # Cancel safety
    /// Dropped, it ends; nothing is half changed.
    pub async fn keep_current(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.options.reload_interval).await;
            let this = self.clone();
            // A file can be on a disk that hangs. A panic has its line in the log.
            drop(tokio::task::spawn_blocking(move || this.reload()).await);
        }
    }

    /// Reads the files, and takes them into use if they have changed and are good.
    fn reload(&self) {
        match self.read_changed() {
            Ok(None) => {}
            Ok(Some(state)) => {
                *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
                self.reloads.fetch_add(1, Ordering::Relaxed);
                tracing::info!(
                    certificate = %self.options.certificate.display(),
                    "TLS: a new certificate is in use"
                );
            }
            Err(error) => {
                self.episode.failed(&error);
                return;
            }
        }
        self.episode.succeeded();
    }

    fn read_changed(&self) -> Result<Option<State>, Error> {
        let pem = Pem::read(&self.options)?;
        let is_same = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.pem == pem
        };
        if is_same {
            return Ok(None);
        }
        let config = pem.config(&self.options)?;
        Ok(Some(State { config, pem }))
    }
}

impl Pem {
    fn read(options: &Options) -> Result<Self, Error> {
        Ok(Self {
            certificate: read(&options.certificate)?,
            key: read(&options.key)?,
            client_ca: options.client_ca.as_deref().map(read).transpose()?,
        })
    }

    fn config(&self, options: &Options) -> Result<Arc<ServerConfig>, Error> {
        let chain = certificates(&options.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| malformed(&options.key, format!("no private key in PEM: {error}")))?;
        let refused = |error| Error::Refused {
            certificate: options.certificate.clone(),
            key: options.key.clone(),
            error,
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(refused)?;
        let builder = match (&options.client_ca, &self.client_ca) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path, pem)? {
                    let added = roots.add(certificate);
                    added.map_err(|error| malformed(path, error.to_string()))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(
                    verifier.map_err(|error| malformed(path, error.to_string()))?,
                )
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(refused)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// All certificates of a file, of which there must be one at least.
fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(malformed(path, "no certificate in PEM".to_owned())),
        Err(error) => Err(malformed(path, format!("it is not PEM: {error}"))),
    }
}

fn malformed(path: &Path, problem: String) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        problem,
    }
}
