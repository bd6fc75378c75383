//! How much memory a configuration may take.

use super::{Config, DatabaseKind};

/// What the process takes besides all that is configured: code, threads, connections, background
/// passes. Measured: see `docs/operations.md`.
const BASE_BYTES: u64 = 96 << 20;

const MIB: u64 = 1 << 20;

impl Config {
    /// The most memory that the process may take, in bytes, part by part with the key that bounds
    /// it.
    #[must_use]
    pub fn memory_parts(&self) -> Vec<(&'static str, u64)> {
        let mut parts = vec![
            ("the process itself", BASE_BYTES),
            ("cache.max_bytes", with_tenth(self.cache.max_bytes)),
            // Calls and streams have a queue each.
            (
                "ingest.queue_bytes, twice",
                2 * self.ingest.queue_bytes as u64,
            ),
            (
                "grpc.max_request_bytes_in_flight",
                self.grpc.max_request_bytes_in_flight as u64,
            ),
            (
                "grpc.max_answer_bytes_in_flight",
                self.grpc.max_answer_bytes_in_flight as u64,
            ),
        ];
        if self.database.url.kind() == DatabaseKind::Sqlite {
            parts.push((
                "database.page_cache_bytes",
                with_tenth(self.database.page_cache_bytes),
            ));
        }
        parts
    }

    /// Whether all that is configured may be more than the limit of the container, with both
    /// numbers. To be logged at start.
    #[must_use]
    pub fn memory_warning(&self, limit: Option<u64>) -> Option<String> {
        let limit = limit?;
        let parts = self.memory_parts();
        let sum: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
        let named: Vec<String> = parts
            .iter()
            .map(|(name, bytes)| format!("{name}: {}", bytes / MIB))
            .collect();
        (sum > limit).then(|| {
            format!(
                "the container's memory limit is {} MiB, the configuration may take {} MiB ({}): the process may be killed",
                limit / MIB,
                sum / MIB,
                named.join(", "),
            )
        })
    }
}

/// Pages and entries that are freed are not given back to the system at once.
fn with_tenth(bytes: usize) -> u64 {
    bytes as u64 + bytes as u64 / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_is_too_small_is_told_with_both_numbers() {
        let config = Config::defaults();
        assert_eq!(config.memory_warning(None), None);
        assert_eq!(config.memory_warning(Some(1 << 30)), None);
        assert_eq!(
            config.memory_warning(Some(512 << 20)).as_deref(),
            Some(
                "the container's memory limit is 512 MiB, the configuration may take 851 MiB (the process itself: 96, \
                 cache.max_bytes: 281, ingest.queue_bytes, twice: 64, grpc.max_request_bytes_in_flight: 64, \
                 grpc.max_answer_bytes_in_flight: 64, database.page_cache_bytes: 281): the process may be killed"
            )
        );
    }

    #[test]
    fn pages_are_counted_where_the_database_is_in_this_process() {
        let mut config = Config::defaults();
        config.database.url = crate::config::DatabaseUrl::parse("postgres://localhost/x").unwrap();
        assert!(
            config
                .memory_parts()
                .iter()
                .all(|(name, _)| *name != "database.page_cache_bytes")
        );
    }
}
