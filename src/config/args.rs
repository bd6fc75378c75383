//! The flags that a command takes to be configured.

use std::{fmt, path::PathBuf, str::FromStr};

use super::error::Origin;

/// Where the configuration comes from, for `#[command(flatten)]`.
///
/// Its `Debug` tells which flags were given, not what they say: a URL may hold a password.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Read this TOML file; `customer-profile config` prints one with every key and its default
    #[arg(long, value_name = "FILE", env = "CUSTOMER_PROFILE_CONFIG")]
    pub config: Option<PathBuf>,

    /// Set any key, e.g. `--set grpc.max_receive_bytes=8MiB`; may be repeated, the last one counts
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<Setting>,

    /// Where the data is: `sqlite://FILE` or `postgres://…`; with a password better by
    /// `CUSTOMER_PROFILE_DATABASE__URL`
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// The model file; without one the built-in model is used
    #[arg(long, value_name = "FILE")]
    pub model: Option<String>,

    /// Address for gRPC, e.g. 127.0.0.1:50051
    #[arg(long, value_name = "ADDRESS")]
    pub grpc_address: Option<String>,

    /// Address for /metrics, /livez and /readyz, e.g. 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    pub operations_address: Option<String>,

    /// How log lines look: `pretty` or `json`
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// `section.key=value`, as `--set` takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// `section.key`.
    pub key: String,
    /// The text after the first `=`.
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or("expected SECTION.KEY=VALUE, with a `=`")?;
        Ok(Self {
            key: key.trim().to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.key)
    }
}

impl fmt::Debug for ConfigArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given: Vec<_> = self
            .given()
            .map(|(key, _, origin)| format!("{origin}: {key}"))
            .collect();
        write!(
            f,
            "ConfigArgs {{ config: {:?}, given: {given:?} }}",
            self.config
        )
    }
}

impl ConfigArgs {
    /// The settings of the flags; flags of their own come after `--set`, so that they win.
    pub(super) fn given(&self) -> impl Iterator<Item = (&str, &str, Origin)> {
        let direct = [
            ("database.url", &self.database_url, "--database-url"),
            ("model.path", &self.model, "--model"),
            ("grpc.address", &self.grpc_address, "--grpc-address"),
            (
                "operations.address",
                &self.operations_address,
                "--operations-address",
            ),
            ("log.format", &self.log_format, "--log-format"),
        ];
        let set = self
            .set
            .iter()
            .map(|set| (set.key.as_str(), set.value.as_str(), Origin::Flag("--set")));
        set.chain(
            direct.into_iter().filter_map(|(key, value, flag)| {
                Some((key, value.as_deref()?, Origin::Flag(flag)))
            }),
        )
    }
}
