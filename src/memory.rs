//! The size of this process and the limit of its container, as Linux tells them. On other systems
//! neither is known.

use std::fs;
use std::path::{Path, PathBuf};

/// Where control groups are found.
const GROUPS: &str = "/sys/fs/cgroup";

/// Memory of this process that is in use now (resident set), in bytes.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

/// The least memory limit of the control groups that this process is in, in bytes. `None`: there is
/// no limit, or it cannot be read.
#[must_use]
pub fn container_limit() -> Option<u64> {
    limit(
        &fs::read_to_string("/proc/self/cgroup").ok()?,
        Path::new(GROUPS),
    )
}

/// A limit that no machine reaches is none: version 1 writes "unlimited" as the greatest number of
/// whole pages.
const UNLIMITED: u64 = 1 << 60;

fn limit(membership: &str, groups: &Path) -> Option<u64> {
    let candidates = membership
        .lines()
        .filter_map(|line| files(line, groups))
        .flatten();
    let limits =
        candidates.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok());
    limits.filter(|limit| *limit < UNLIMITED).min()
}

/// The files that may hold a limit, of one line of `/proc/self/cgroup` (`ID:CONTROLLERS:PATH`):
/// those of the group and of all groups above it. Inside a container the group's own folder is
/// often mounted at the top, whatever the path says.
fn files(line: &str, groups: &Path) -> Option<Vec<PathBuf>> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let (tops, name) = match controllers {
        "" => (
            vec![groups.to_owned(), groups.join("unified")],
            "memory.max",
        ),
        names if names.split(',').any(|name| name == "memory") => {
            (vec![groups.join("memory")], "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let levels: Vec<&Path> = Path::new(path.trim_start_matches('/'))
        .ancestors()
        .collect();
    Some(
        tops.iter()
            .flat_map(|top| levels.iter().map(|level| top.join(level).join(name)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_size_is_read_from_the_status() {
        assert_eq!(
            resident("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n"),
            Some(2 << 20)
        );
        assert_eq!(resident("Name:\tx\n"), None);
        if cfg!(target_os = "linux") {
            assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        }
    }

    #[test]
    fn the_least_limit_of_all_levels_counts_in_both_versions() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let read = |membership| limit(membership, folder.path());
        write(
            "memory/pods/a/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        assert_eq!(read("5:memory:/pods/a\n"), None, "no limit");
        write("memory/pods/memory.limit_in_bytes", "536870912\n");
        assert_eq!(
            read("6:cpu:/x\n5:memory:/pods/a\n0::/\n"),
            Some(512 << 20),
            "of the level above"
        );
        write("x/memory.max", "max\n");
        assert_eq!(read("0::/x\n"), None, "no limit");
        write("x/memory.max", "805306368\n");
        assert_eq!(read("0::/x/y\n"), Some(768 << 20));
        write("memory.max", "1048576\n");
        assert_eq!(
            read("0::/elsewhere\n"),
            Some(1 << 20),
            "the group is mounted at the top"
        );
    }
}
