//! A PgBouncer before a test's PostgreSQL: the real one, as installed on the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::postgres::{Postgres, as_server_user};

/// A running PgBouncer. Dropped, it is ended.
pub(crate) struct PgBouncer {
    dir: TempDir,
    process: Child,
}

impl PgBouncer {
    /// Starts it in a mode of pooling, with more lines of its section `[pgbouncer]`.
    ///
    /// # Panics
    /// When it is not installed, or does not start.
    pub(crate) fn before(database: &Postgres, pool_mode: &str, more: &str) -> Self {
        let dir = TempDir::with_prefix("cp-pgb-").expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        let (path, backend) = (dir.path().display(), database.socket_dir().display());
        let ini = format!(
            "[databases]\n* = host={backend} port=5432\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {path}\nauth_type = trust\nauth_file = {path}/users\npool_mode = {pool_mode}\n{more}\n"
        );
        fs::write(dir.path().join("pgbouncer.ini"), ini).expect("its settings");
        fs::write(dir.path().join("users"), "\"postgres\" \"\"\n").expect("its users");
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].map(Path::new);
        let program = program
            .into_iter()
            .find(|path| path.exists())
            .expect("PgBouncer is installed");
        let mut command = as_server_user(program);
        command.arg("-q").arg(dir.path().join("pgbouncer.ini"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().expect("PgBouncer starts");
        let started = Self { dir, process };
        for _ in 0..1500 {
            if started.dir.path().join(".s.PGSQL.6432").exists() {
                return started;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("PgBouncer did not start");
    }

    /// Where the database is, through this.
    pub(crate) fn url(&self) -> String {
        let socket = self
            .dir
            .path()
            .to_str()
            .expect("a plain path")
            .replace('/', "%2F");
        format!("postgres://postgres@localhost:6432/postgres?host={socket}")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
