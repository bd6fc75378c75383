//! A PostgreSQL server of one's own, for one test: the real one, as installed on the machine.
//!
//! The cluster is made once and copied for each test. It listens on a socket in its own directory,
//! so that tests never meet at a port. `fsync` is off: what a test kills is the server, not the
//! machine.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A running server; stopped and removed when dropped.
pub(crate) struct Postgres {
    dir: TempDir,
    settings: Vec<&'static str>,
    server: Option<Child>,
}

impl Postgres {
    /// Starts a server with an empty database.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub(crate) fn start() -> Self {
        Self::start_with(&["fsync=off", "max_connections=60"])
    }

    /// The same, with settings of the test's choice.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub(crate) fn start_with(settings: &[&'static str]) -> Self {
        let dir = TempDir::with_prefix("cp-pg-").expect("a temporary directory");
        // The server runs as another user when the tests run as root.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        run(Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(template())
            .arg(dir.path().join("data")));
        let mut postgres = Self {
            dir,
            settings: settings.to_vec(),
            server: None,
        };
        postgres.start_again();
        postgres
    }

    /// Starts a server whose write-ahead log is in small files, so that a bound on the size of
    /// files does not concern it.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub(crate) fn start_with_small_log(settings: &[&'static str]) -> Self {
        let dir = TempDir::with_prefix("cp-pg-").expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        run(as_server_user(&bin("initdb"))
            .args(INITDB)
            .args(["--wal-segsize=1", "-D"])
            .arg(dir.path().join("data")));
        let mut postgres = Self {
            dir,
            settings: settings.to_vec(),
            server: None,
        };
        postgres.start_again();
        postgres
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> String {
        let socket = self
            .socket_dir()
            .to_str()
            .expect("a plain path")
            .replace('/', "%2F");
        format!("postgres://postgres@localhost/postgres?host={socket}")
    }

    /// Where another of its databases is, for a role.
    pub(crate) fn url_of(&self, role: &str, database: &str) -> String {
        let socket = self
            .socket_dir()
            .to_str()
            .expect("a plain path")
            .replace('/', "%2F");
        format!("postgres://{role}@localhost/{database}?host={socket}")
    }

    /// Runs SQL as its owner, in the first database.
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.sql_in("postgres", statements)
    }

    /// Runs SQL as its owner.
    ///
    /// # Panics
    /// When a statement fails.
    pub(crate) fn sql_in(&self, database: &str, statements: &str) -> String {
        let mut psql = Command::new(bin("psql"));
        psql.args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            database,
            "-c",
            statements,
        ]);
        // Whatever the test has said of the database.
        psql.env("PGOPTIONS", "-c default_transaction_read_only=off");
        let output = psql
            .arg("-h")
            .arg(self.socket_dir())
            .output()
            .expect("psql runs");
        assert!(
            output.status.success(),
            "{statements}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("UTF-8")
            .trim()
            .to_owned()
    }

    /// Runs one of PostgreSQL's own programs on it, such as `pg_dump`.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn run_client(&self, program: &str, args: &[&str]) {
        let mut client = Command::new(bin(program));
        run(client
            .arg("-h")
            .arg(self.socket_dir())
            .args(["-U", "postgres"])
            .args(args));
    }

    /// Makes a standby of this server, which follows it.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) fn standby(&self) -> Self {
        let dir = TempDir::with_prefix("cp-pg-standby-").expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        let mut copy = as_server_user(&bin("pg_basebackup"));
        copy.arg("-h").arg(self.socket_dir()).args([
            "-U",
            "postgres",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
        ]);
        run(copy.arg("-D").arg(dir.path().join("data")));
        let mut standby = Self {
            dir,
            settings: self.settings.clone(),
            server: None,
        };
        standby.start_again();
        standby
    }

    /// Bounds the size of every file that its processes write, or takes the bound away.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let bound = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        for process in self.processes() {
            // A backend may have ended meanwhile.
            let limit = ["--pid", &process, &format!("--fsize={bound}:unlimited")];
            let set = as_server_user(Path::new("prlimit"))
                .args(limit)
                .stderr(Stdio::null())
                .status();
            let is_server = self
                .server
                .as_ref()
                .is_some_and(|server| server.id().to_string() == process);
            assert!(
                !is_server || set.expect("prlimit runs").success(),
                "the bound is set"
            );
        }
    }

    fn processes(&self) -> Vec<String> {
        let server = self
            .server
            .as_ref()
            .expect("a running server")
            .id()
            .to_string();
        let children = Command::new("pgrep")
            .args(["-P", &server])
            .output()
            .expect("pgrep runs")
            .stdout;
        let children = String::from_utf8(children).expect("numbers");
        children
            .lines()
            .map(str::to_owned)
            .chain([server])
            .collect()
    }

    /// Where its socket is, for its own clients.
    pub(crate) fn socket_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Takes the server away at once, as a crash of all its processes would.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        run(Command::new("kill").args(["-QUIT", &server.id().to_string()]));
        server.wait().expect("the server ends");
    }

    /// Freezes all of its processes: connections stay, and nothing answers.
    pub(crate) fn freeze(&mut self) {
        self.signal_all("STOP");
    }

    /// Ends a freeze.
    pub(crate) fn thaw(&mut self) {
        self.signal_all("CONT");
    }

    fn signal_all(&self, signal: &str) {
        for process in self.processes() {
            // A backend may have ended meanwhile.
            drop(
                Command::new("kill")
                    .args([&format!("-{signal}"), &process])
                    .stderr(Stdio::null())
                    .status(),
            );
        }
    }

    /// Brings a stopped server back, with its data.
    ///
    /// # Panics
    /// When it is not ready within half a minute.
    pub(crate) fn start_again(&mut self) {
        let data = self.dir.path().join("data");
        let mut command = as_server_user(&bin("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(self.dir.path());
        command.args(["-c", "listen_addresses="]);
        command.args(self.settings.iter().flat_map(|setting| ["-c", *setting]));
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .expect("a log");
        command
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .stdin(Stdio::null());
        let mut server = command.spawn().expect("the server starts");
        for _ in 0..1500 {
            let status = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            // The last line tells the state; a file that a crash left behind has another process's
            // number.
            let ours = status.lines().next() == Some(&server.id().to_string());
            if ours
                && status
                    .lines()
                    .nth(7)
                    .is_some_and(|line| line.trim() == "ready")
            {
                self.server = Some(server);
                return;
            }
            if server.try_wait().expect("a child's state").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start:\n{log}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A collation of people, not of bytes: what must be in byte order has to say so.
const INITDB: [&str; 9] = [
    "-U",
    "postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--no-sync",
    "--no-instructions",
    "--locale=C.UTF-8",
    "--locale-provider=icu",
    "--icu-locale=en-US",
];

/// An empty cluster, made by whichever test comes first.
fn template() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(home).expect("the target directory");
    let template = home.join("postgres-template");
    let lock = File::create(home.join("postgres-template.lock")).expect("a lock file");
    lock.lock().expect("the lock");
    if !template.exists() {
        // Made elsewhere, since the server's user may have no way to the target directory, and
        // moved when it is whole.
        let made = TempDir::with_prefix("cp-pg-template-").expect("a temporary directory");
        fs::set_permissions(made.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        let data = made.path().join("data");
        run(as_server_user(&bin("initdb"))
            .args(INITDB)
            .arg("-D")
            .arg(&data));
        let whole = home.join("postgres-template.new");
        run(Command::new("rm").arg("-rf").arg(&whole));
        run(Command::new("cp").arg("-a").arg(&data).arg(&whole));
        fs::rename(&whole, &template).expect("the template is moved");
    }
    template
}

/// PostgreSQL refuses to run as root, and its packages bring a user for it. Either way it ends with
/// the test.
pub(crate) fn as_server_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program).current_dir("/");
    command
}

/// The newest installed version's program.
pub(crate) fn bin(name: &str) -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<(u32, PathBuf)> = installed
        .filter_map(|version| {
            Some((
                version.file_name().to_str()?.parse().ok()?,
                version.path().join("bin").join(name),
            ))
        })
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = || {
        std::env::split_paths(&path)
            .map(|dir| dir.join(name))
            .find(|path| path.exists())
    };
    found.pop().map(|(_, path)| path).or_else(in_path).unwrap_or_else(|| {
        panic!(
            "`{name}` of PostgreSQL is needed for this test: install it (Debian, Ubuntu: apt-get install postgresql)"
        )
    })
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{errors}",
        output.status
    );
}
