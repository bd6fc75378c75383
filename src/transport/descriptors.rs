//! The process's limit of file descriptors, and what of it connections may take.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept for the database, files, logs and exporters.
const RESERVED: usize = 256;

/// Raises the soft limit of descriptors to the hard one, once a process, and returns it; `None`
/// where there is no limit. A limit that an operator sets later stays.
///
/// The soft limit is 1,024 on many machines for the sake of programs that call `select`, which this
/// one does not.
#[must_use]
pub fn raise_limit() -> Option<usize> {
    static LIMIT: OnceLock<Option<usize>> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = current != maximum
            && setrlimit(
                Resource::Nofile,
                Rlimit {
                    current: maximum,
                    maximum,
                },
            )
            .is_ok();
        let limit = if raised { maximum } else { current };
        limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
    })
}

/// The number of connections of a port, within a limit of descriptors.
///
/// `others` is the number of connections of the other port. At least half of the limit stays for
/// everything that is no connection, or `RESERVED` descriptors where the limit is generous.
#[must_use]
pub fn connections_within(limit: Option<usize>, wanted: usize, others: usize) -> usize {
    let Some(limit) = limit else { return wanted };
    let reserved = RESERVED.min(limit / 2);
    let others = operations_within(Some(limit), others);
    wanted.min((limit - reserved).saturating_sub(others)).max(1)
}

/// The number of connections of the operations port, within a limit of descriptors.
#[must_use]
pub fn operations_within(limit: Option<usize>, wanted: usize) -> usize {
    limit.map_or(wanted, |limit| wanted.min(limit / 8)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        assert_eq!(connections_within(None, 8192, 64), 8192);
        assert_eq!(connections_within(Some(1_048_576), 8192, 64), 8192);
        assert_eq!(connections_within(Some(1024), 8192, 64), 1024 - 256 - 64);
        assert_eq!(connections_within(Some(100), 8192, 64), 100 - 50 - 12);
        assert_eq!(connections_within(Some(1), 8192, 64), 1);
        assert_eq!(
            [100, 1024, 0].map(|limit| operations_within(Some(limit), 64)),
            [12, 64, 1]
        );
    }
}
