//! What is legal each by itself and unsafe together.

use std::fmt::Debug;

use super::{Config, DatabaseKind};

impl Config {
    /// Combinations that will not do what they seem to say, each with both numbers. To be logged at
    /// start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let Self {
            grpc,
            database,
            ingest,
            cache,
            ..
        } = self;
        let max_deadline = ("grpc.max_deadline", grpc.max_deadline);
        let default_deadline = ("grpc.default_deadline", grpc.default_deadline);
        let queue = ("ingest.queue_statements", ingest.queue_statements);
        let batch = ("ingest.batch_statements", ingest.batch_statements);
        let alive = ("grpc.keep_alive_interval", grpc.keep_alive_interval);
        let statement = ("database.statement_timeout", database.statement_timeout);
        let acquire = ("database.acquire_timeout", database.acquire_timeout);
        let received = ("grpc.max_receive_bytes", grpc.max_receive_bytes);
        let mut told = vec![
            at_most(
                default_deadline,
                max_deadline,
                "the default is cut to the maximum",
            ),
            at_most(
                statement,
                max_deadline,
                "statements go on after every caller has gone",
            ),
            at_most(
                acquire,
                default_deadline,
                "calls end while they wait for a connection, and nobody learns why",
            ),
            at_most(
                max_deadline,
                ("grpc.max_connection_age", grpc.max_connection_age),
                "connections go before calls",
            ),
            at_most(
                max_deadline,
                ("grpc.connection_age_grace", grpc.connection_age_grace),
                "calls are cut off with their connection",
            ),
            at_most(
                ("grpc.max_decoded_bytes", grpc.max_decoded_bytes),
                (
                    "grpc.max_request_bytes_in_flight",
                    grpc.max_request_bytes_in_flight,
                ),
                "a request that is larger than the second once decoded is refused too",
            ),
            at_most(
                ("grpc.keep_alive_timeout", grpc.keep_alive_timeout),
                alive,
                "a question overtakes the one before",
            ),
            at_most(batch, queue, "no transaction is ever full"),
            at_most(
                received,
                ("ingest.batch_bytes", ingest.batch_bytes),
                "a large request takes several transactions",
            ),
        ];
        if database.url.kind() == DatabaseKind::Postgres {
            told.push(at_most(
                ("database.away_after", database.away_after),
                ("cache.max_staleness", cache.max_staleness),
                "reads wait before it is known that the database is away",
            ));
        }
        told.into_iter().flatten().collect()
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
    told.collect()
}

fn at_most<T: PartialOrd + Debug>(
    (small, x): (&str, T),
    (large, y): (&str, T),
    otherwise: &str,
) -> Option<String> {
    (x > y).then(|| format!("{small} is {x:?}, {large} is {y:?}: {otherwise}"))
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
