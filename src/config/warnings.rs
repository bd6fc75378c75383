//! Settings that are legal each by itself and unsafe together.

use std::fmt::Debug;

use super::{Config, DatabaseKind};

impl Config {
    /// Combinations that will not do what they seem to say, each with both numbers. To be logged at
    /// start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.times_out_of_order();
        warnings.extend(self.sizes_out_of_order());
        warnings.extend(self.credentials_in_clear());
        warnings
    }

    fn times_out_of_order(&self) -> Vec<String> {
        let Self {
            grpc,
            database,
            cache,
            ..
        } = self;
        let max_deadline = setting("grpc.max_deadline", grpc.max_deadline);
        let default_deadline = setting("grpc.default_deadline", grpc.default_deadline);
        let mut warnings = vec![
            at_most(
                default_deadline,
                max_deadline,
                "the default is cut to the maximum",
            ),
            at_most(
                setting("database.statement_timeout", database.statement_timeout),
                max_deadline,
                "statements go on after every caller has gone",
            ),
            at_most(
                setting("database.acquire_timeout", database.acquire_timeout),
                default_deadline,
                "calls end while they wait for a connection, and nobody learns why",
            ),
            at_most(
                max_deadline,
                setting("grpc.max_connection_age", grpc.max_connection_age),
                "connections go before calls",
            ),
            at_most(
                max_deadline,
                setting("grpc.connection_age_grace", grpc.connection_age_grace),
                "calls are cut off with their connection",
            ),
            at_most(
                setting("grpc.keep_alive_timeout", grpc.keep_alive_timeout),
                setting("grpc.keep_alive_interval", grpc.keep_alive_interval),
                "a question overtakes the one before",
            ),
        ];
        if database.url.kind() == DatabaseKind::Postgres {
            warnings.push(at_most(
                setting("database.away_after", database.away_after),
                setting("cache.max_staleness", cache.max_staleness),
                "reads wait before it is known that the database is away",
            ));
        }
        warnings.into_iter().flatten().collect()
    }

    fn credentials_in_clear(&self) -> Option<String> {
        let Self {
            grpc, tls, auth, ..
        } = self;
        let in_clear = tls.certificate.is_none() && !grpc.address.ip().is_loopback();
        (in_clear && !auth.insecure).then(|| {
            format!(
                "grpc.address is {}, tls.certificate is empty: credentials and data cross the network unencrypted, \
                 unless a proxy or a service mesh encrypts",
                grpc.address
            )
        })
    }

    fn sizes_out_of_order(&self) -> Vec<String> {
        let Self { grpc, ingest, .. } = self;
        let warnings = [
            at_most(
                setting("grpc.max_decoded_bytes", grpc.max_decoded_bytes),
                setting(
                    "grpc.max_request_bytes_in_flight",
                    grpc.max_request_bytes_in_flight,
                ),
                "a request that is larger than the second once decoded is refused too",
            ),
            at_most(
                setting("ingest.batch_statements", ingest.batch_statements),
                setting("ingest.queue_statements", ingest.queue_statements),
                "no transaction is ever full",
            ),
            at_most(
                setting("grpc.max_receive_bytes", grpc.max_receive_bytes),
                setting("ingest.batch_bytes", ingest.batch_bytes),
                "a large request takes several transactions",
            ),
        ];
        warnings.into_iter().flatten().collect()
    }
}

/// Settings that cannot work together: both keys, and what is wrong.
pub(super) fn contradictions(config: &Config) -> Vec<([&'static str; 2], String)> {
    let grpc = &config.grpc;
    let pairs = [
        (
            ("grpc.max_receive_bytes", grpc.max_receive_bytes),
            (
                "grpc.max_request_bytes_in_flight",
                grpc.max_request_bytes_in_flight,
            ),
            "the largest request could never be taken in",
        ),
        (
            ("grpc.max_send_bytes", grpc.max_send_bytes),
            (
                "grpc.max_answer_bytes_in_flight",
                grpc.max_answer_bytes_in_flight,
            ),
            "the largest answer could never be sent",
        ),
    ];
    let wrong = pairs
        .into_iter()
        .filter(|((_, part), (_, whole), _)| part > whole);
    let told = wrong.map(|((part_key, part), (whole_key, whole), otherwise)| {
        (
            [part_key, whole_key],
            format!("`{part_key}` ({part}) must be at most `{whole_key}` ({whole}): {otherwise}"),
        )
    });
    told.chain(incomplete(config))
        .chain(open_to_all(config))
        .collect()
}

/// Settings that make sense only beside another one.
fn incomplete(config: &Config) -> impl Iterator<Item = ([&'static str; 2], String)> {
    let tls = &config.tls;
    let needs = [
        ("tls.certificate", &tls.certificate, "tls.key", &tls.key),
        ("tls.key", &tls.key, "tls.certificate", &tls.certificate),
        (
            "tls.client_ca",
            &tls.client_ca,
            "tls.certificate",
            &tls.certificate,
        ),
    ];
    needs
        .into_iter()
        .filter(|(_, said, _, needed)| said.is_some() && needed.is_none())
        .map(|(key, _, needed, _)| {
            (
                [key, needed],
                format!("`{key}` needs `{needed}`, which is empty"),
            )
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// A server that asks for no credential, and listens to other machines.
fn open_to_all(config: &Config) -> Option<([&'static str; 2], String)> {
    let (auth, address) = (&config.auth, config.grpc.address);
    let is_open = auth.insecure && !auth.insecure_any_address && !address.ip().is_loopback();
    is_open.then(|| {
        let problem = format!(
            "`auth.insecure` needs a loopback address, and `grpc.address` is {address}: all that reach it would read and write \
             every tenant; `auth.insecure_any_address` allows it all the same"
        );
        (["auth.insecure", "grpc.address"], problem)
    })
}

/// A setting by its key.
#[derive(Clone, Copy)]
struct Setting<T> {
    key: &'static str,
    value: T,
}

fn setting<T>(key: &'static str, value: T) -> Setting<T> {
    Setting { key, value }
}

/// The warning where the small setting is greater than the large one.
fn at_most<T: PartialOrd + Debug>(
    small: Setting<T>,
    large: Setting<T>,
    otherwise: &str,
) -> Option<String> {
    let Setting { key, value } = small;
    let Setting {
        key: large,
        value: most,
    } = large;
    (value > most).then(|| format!("{key} is {value:?}, {large} is {most:?}: {otherwise}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_defaults_give_no_warning() {
        assert_eq!(Config::defaults().warnings(), Vec::<String>::new());
    }

    #[test]
    fn an_unsafe_combination_is_told_with_both_numbers() {
        let mut config = Config::defaults();
        config.grpc.default_deadline = Duration::from_mins(2);
        config.ingest.batch_statements = 20_000;
        assert_eq!(
            config.warnings(),
            [
                "grpc.default_deadline is 120s, grpc.max_deadline is 60s: the default is cut to the maximum",
                "ingest.batch_statements is 20000, ingest.queue_statements is 10000: no transaction is ever full",
            ]
        );
    }

    #[test]
    fn a_message_for_which_there_is_never_room_is_a_mistake_that_names_both_settings() {
        let wrong = |name: &str, value: &str| {
            let said = [(
                format!("CUSTOMER_PROFILE_GRPC__{name}").into(),
                value.into(),
            )];
            let errors = Config::from_layers(&crate::config::ConfigArgs::default(), said)
                .expect_err("a mistake");
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            wrong("MAX_RECEIVE_BYTES", "128MiB"),
            [
                "environment variable CUSTOMER_PROFILE_GRPC__MAX_RECEIVE_BYTES: `grpc.max_receive_bytes` (134217728) must be at \
              most `grpc.max_request_bytes_in_flight` (67108864): the largest request could never be taken in"
            ]
        );
        assert_eq!(
            wrong("MAX_ANSWER_BYTES_IN_FLIGHT", "1MiB"),
            [
                "environment variable CUSTOMER_PROFILE_GRPC__MAX_ANSWER_BYTES_IN_FLIGHT: `grpc.max_send_bytes` (16777216) must \
              be at most `grpc.max_answer_bytes_in_flight` (1048576): the largest answer could never be sent"
            ]
        );
    }

    #[test]
    fn a_short_staleness_matters_only_where_servers_share_a_database() {
        let mut config = Config::defaults();
        config.cache.max_staleness = Duration::from_millis(1);
        assert_eq!(config.warnings().len(), 0);
        config.database.url = crate::config::DatabaseUrl::parse("postgres://localhost/x").unwrap();
        assert_eq!(config.warnings().len(), 1);
    }
}
