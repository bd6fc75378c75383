//! How a command reaches a server: TLS, and the caller's credential.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The credential itself. Not a flag: other users of the machine see a process's flags.
const TOKEN_VARIABLE: &str = "CUSTOMER_PROFILE_TOKEN";

/// TLS and the credential.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct AccessArgs {
    /// File with the credential (an API key or a token of an issuer); else the variable
    /// `CUSTOMER_PROFILE_TOKEN` has it
    #[arg(long, value_name = "FILE", env = "CUSTOMER_PROFILE_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// PEM file with the authorities that may sign the server's certificate, instead of those that
    /// the system trusts
    #[arg(long, value_name = "FILE", env = "CUSTOMER_PROFILE_CA")]
    ca: Option<PathBuf>,

    /// PEM file with this client's certificate, where the server asks for one
    #[arg(
        long,
        value_name = "FILE",
        env = "CUSTOMER_PROFILE_CLIENT_CERTIFICATE",
        requires = "client_key"
    )]
    client_certificate: Option<PathBuf>,

    /// PEM file with the key of this client's certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "CUSTOMER_PROFILE_CLIENT_KEY",
        requires = "client_certificate"
    )]
    client_key: Option<PathBuf>,
}

impl AccessArgs {
    /// The `authorization` of every call; `None` where there is no credential.
    pub(super) fn authorization(&self) -> anyhow::Result<Option<MetadataValue<Ascii>>> {
        let token = match (&self.token_file, std::env::var(TOKEN_VARIABLE)) {
            (Some(path), _) => text(path)?,
            (None, Ok(token)) => token,
            (None, Err(_)) => return Ok(None),
        };
        let value = format!("Bearer {}", token.trim()).parse::<MetadataValue<Ascii>>();
        // The error of the parser would not show the token either; nobody need rely on that.
        let mut value = value.map_err(|_| {
            anyhow!("the credential is not a token: it has characters that no token has")
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// A connection to a server.
    pub(super) async fn connect(&self, server: &str) -> anyhow::Result<Channel> {
        let url = Url::parse(server).with_context(|| format!("{server} is not a URL"))?;
        let endpoint = Endpoint::from_shared(server.to_owned())
            .with_context(|| format!("{server} is not a URL"))?
            .connect_timeout(CONNECT_TIMEOUT);
        let endpoint = match url.scheme() {
            "https" => endpoint.tls_config(self.tls()?)?,
            "http" if self.ca.is_some() || self.client_certificate.is_some() => {
                bail!("{server}: --ca and --client-certificate are for https://HOST:PORT")
            }
            "http" => {
                if self.authorization()?.is_some() && !is_this_machine(&url) {
                    eprintln!("warning: the credential goes to {server} unencrypted; use https");
                }
                endpoint
            }
            _ => bail!("{server}: expected http://HOST:PORT or https://HOST:PORT"),
        };
        endpoint.connect().await.map_err(|error| {
            let cause = innermost(&error);
            anyhow!("no server answers at {server} ({cause}); start one with `customer-profile serve`, or name another with --server")
        })
    }

    fn tls(&self) -> anyhow::Result<ClientTlsConfig> {
        let tls = ClientTlsConfig::new();
        let tls = match &self.ca {
            Some(path) => tls.ca_certificate(Certificate::from_pem(text(path)?)),
            None => tls.with_native_roots(),
        };
        Ok(match (&self.client_certificate, &self.client_key) {
            (Some(certificate), Some(key)) => {
                tls.identity(Identity::from_pem(text(certificate)?, text(key)?))
            }
            _ => tls,
        })
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
