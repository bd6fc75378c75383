//! SIGHUP: reads the configuration again.
//!
//! - All of it is read and checked before anything changes. If it has a mistake, nothing changes,
//!   and the log names the mistake.
//! - The keys that a running server can change ([`RELOADED`]) take effect. The log names other keys
//!   that differ: they need a restart.
//! - The log file is opened again by its name, so that it can be rotated. Files of secrets are
//!   opened again by their readers.
//! - The environment of a process cannot be changed from outside, and flags stay as they were
//!   given; both still override the file.

use std::sync::Arc;

use crate::config::{Config, ConfigArgs, Log};
use crate::grpc::CallLog;
use crate::telemetry;

/// The keys that take effect.
const RELOADED: [&str; 5] = [
    "log.filter",
    "log.requests",
    "log.success_sample_ratio",
    "log.max_success_lines_per_second",
    "log.max_lines_per_second",
];

/// Keys that a reload changes.
pub(super) struct Reload {
    args: ConfigArgs,
    /// The active configuration.
    config: Config,
    call_log: Arc<CallLog>,
}

impl Reload {
    pub(super) fn new(args: ConfigArgs, config: Config, call_log: Arc<CallLog>) -> Self {
        Self {
            args,
            config,
            call_log,
        }
    }

    /// Reads the configuration again, and puts it in force or changes nothing. Says in the log what
    /// became of it.
    pub(super) async fn run(&mut self) {
        let args = self.args.clone();
        // A file can be on a disk that hangs.
        let read = tokio::task::spawn_blocking(move || Config::load(&args)).await;
        let read = match read {
            Ok(Ok(config)) => self.apply(&config),
            Ok(Err(errors)) => Err(errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")),
            Err(panic) => Err(panic.to_string()),
        };
        if let Err(error) = read {
            tracing::error!(error, "SIGHUP: nothing was reloaded");
        }
    }

    fn apply(&mut self, read: &Config) -> Result<(), String> {
        let (reloaded, restart): (Vec<_>, Vec<_>) = read
            .differences(&self.config)
            .into_iter()
            .partition(|key| RELOADED.contains(key));
        let log = Log {
            format: self.config.log.format,
            file: self.config.log.file.clone(),
            ..read.log.clone()
        };
        let config = Config {
            log,
            ..self.config.clone()
        };
        telemetry::reload_log(&config)?;
        self.call_log.set(&config.log);
        self.config = config;
        tracing::info!(
            changed = reloaded.join(", "),
            "SIGHUP: the configuration was reloaded"
        );
        if !restart.is_empty() {
            tracing::warn!(
                keys = restart.join(", "),
                "SIGHUP: these settings differ and need a restart"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_reloaded_is_a_key() {
        let mut other = Config::defaults();
        other.log.filter = "warn".to_owned();
        other.log.requests = crate::config::RequestLog::None;
        other.log.success_sample_ratio = 0.5;
        other.log.max_success_lines_per_second = 1;
        other.log.max_lines_per_second = 1;
        assert_eq!(other.differences(&Config::defaults()), RELOADED);
    }
}
