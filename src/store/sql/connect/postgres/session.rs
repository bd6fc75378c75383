//! What a PostgreSQL session runs with: set by name where a session may set it, verified where it
//! may not.
//!
//! Defaults of a cluster, a database or a role are never relied on. Each new connection is set up
//! and verified before its first statement, so a change while the server runs
//! (`ALTER DATABASE … SET`, a failover to a standby) is noticed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use tokio::sync::watch;
use uuid::Uuid;

/// The oldest version of PostgreSQL that has all that the schema and the statements use
/// (`gen_random_uuid`).
const OLDEST_VERSION: (u32, &str) = (130_000, "13");

/// A setting that PostgreSQL does not know. What it says in a session is what this process has put
/// there.
const MARKER: &str = "customer_profile.session";

/// A writer computes for milliseconds between its statements. One that is silent for so long is
/// lost, and its turn is to be given to others.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(30);

/// Settings of every session. What a server's version does not know is left out.
const SETTINGS: &[(&str, &str)] = &[
    // What values look like on the wire, and what the text of a statement means.
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    // Isolation. The turn of a write rests on reading what was committed before it.
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // A policy that hides rows fails the statement instead of answering with less.
    ("row_security", "off"),
    // Other bounds are set by this process. A role's own lock timeout would look like a conflict.
    ("lock_timeout", "0"),
    ("transaction_timeout", "0"),
    ("idle_session_timeout", "0"),
    // A plan is made once a connection and kept. Made while a table was small, it would read the
    // whole table, or the whole tenant, and go on doing so when it has grown. Each of our queries
    // is meant to go by an index, row by row: with the other ways closed that is the plan from the
    // first row on, and a test looks that it is.
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("enable_indexscan", "on"),
    ("enable_indexonlyscan", "on"),
    ("enable_nestloop", "on"),
    ("enable_sort", "on"),
    // At once: a plan for each of the first five sets of a statement would cost more than they do.
    ("plan_cache_mode", "force_generic_plan"),
    // Compiling would take longer than any of our queries.
    ("jit", "off"),
];

/// Settings that a session cannot set, the values that they must have, and what rests on them.
const VERIFIED: &[(&str, &str, &str)] = &[
    (
        "server_encoding",
        "UTF8",
        "every text of every language must fit",
    ),
    (
        "zero_damaged_pages",
        "off",
        "damaged data would be answered as no data",
    ),
    (
        "session_replication_role",
        "origin",
        "constraints would not be checked",
    ),
    (
        "pg_is_in_recovery",
        "false",
        "this is a standby: it takes no writes, and its reads are late",
    ),
];

/// Settings without which a crash of the machine loses or damages what was committed.
const DURABILITY: &[(&str, &str, &str)] = &[
    (
        "fsync",
        "on",
        "a crash of its machine loses or damages what was answered STORED",
    ),
    (
        "full_page_writes",
        "on",
        "a crash of its machine damages pages that were being written",
    ),
];

/// Bounds and permissions that come from the configuration.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::sql) struct Limits {
    /// Longest run of one statement. Zero: no limit, for migrations.
    pub(in crate::store::sql) statement: Duration,
    /// Whether [`DURABILITY`] may be off.
    pub(in crate::store::sql) allow_unsafe_durability: bool,
}

/// What the connections lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sql) enum Access {
    /// PostgreSQL itself, as far as is known.
    Direct,
    /// This pooler, whose way of pooling is not known yet.
    Unproven(&'static str),
    /// A pooler that keeps one session for each connection.
    SessionPooler,
}

/// Why a connection was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::sql) enum Trouble {
    /// A pooler was found where PostgreSQL was expected.
    Pooler(&'static str),
    /// The server, or the role, is not as it must be.
    Unfit(String),
}

/// What all connections of a store have in common.
pub(in crate::store::sql) struct Setup {
    limits: Limits,
    /// Value of [`MARKER`] in sessions of this process.
    marker: String,
    state: Mutex<State>,
    trouble: watch::Sender<Option<Trouble>>,
}

struct State {
    access: Access,
    password: Option<String>,
}

impl Setup {
    #[expect(
        clippy::disallowed_methods,
        reason = "no other process may use the same marker"
    )]
    pub(in crate::store::sql) fn new(limits: Limits) -> Self {
        let state = Mutex::new(State {
            access: Access::Direct,
            password: None,
        });
        Self {
            limits,
            marker: Uuid::new_v4().simple().to_string(),
            state,
            trouble: watch::Sender::new(None),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store::sql) fn access(&self) -> Access {
        self.state().access
    }

    pub(in crate::store::sql) fn set_access(&self, access: Access) {
        self.state().access = access;
    }

    /// Sets the password of future connections. Returns whether it is another one than before.
    pub(in crate::store::sql) fn set_password(&self, password: String) -> bool {
        self.state().password.replace(password.clone()) != Some(password)
    }

    /// What was found since [`forget_trouble`](Self::forget_trouble).
    pub(in crate::store::sql) fn trouble(&self) -> watch::Receiver<Option<Trouble>> {
        self.trouble.subscribe()
    }

    pub(in crate::store::sql) fn forget_trouble(&self) {
        self.trouble.send_replace(None);
    }

    pub(in crate::store::sql) fn report(&self, trouble: Trouble) {
        self.trouble.send_replace(Some(trouble));
    }

    /// The options of a new connection. Only what poolers let through by default is part of the
    /// startup packet, but for the marker, by which they are recognised.
    pub(in crate::store::sql) fn connect_options(
        &self,
        options: PgConnectOptions,
    ) -> PgConnectOptions {
        let state = self.state();
        let mut options = options
            .application_name("customer-profile")
            .extra_float_digits(None)
            .disable_statement_logging();
        if state.access == Access::Direct {
            // No role's own timeout cuts off the statements that set up the session.
            options = options.options([(MARKER, self.marker.as_str()), ("statement_timeout", "0")]);
        }
        match &state.password {
            Some(password) => options.password(password),
            None => options,
        }
    }

    /// Prepares a new connection. One that cannot be used is reported and then held back until the
    /// wait for it is given up: the pool would try again at once, and log each time.
    pub(super) async fn prepare(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let access = self.access();
        if matches!(access, Access::Unproven(_))
            || (access == Access::Direct && !self.is_kept(connection).await?)
        {
            return Ok(());
        }
        let faults = match self.set_up(connection).await {
            Ok(()) => self.verify(connection).await,
            Err(error) => Err(error),
        };
        let faults = match faults {
            Ok(None) => return Ok(()),
            Ok(Some(faults)) => faults,
            Err(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                format!(
                    "a session could not be set up: SQLSTATE {code}: {}",
                    error.message()
                )
            }
            Err(error) => return Err(error),
        };
        self.report(Trouble::Unfit(faults));
        std::future::pending().await
    }

    /// Whether the session behind a connection is one of this process. If not, a pooler stands in
    /// between.
    pub(super) async fn is_kept(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let query = format!("SELECT pg_catalog.current_setting('{MARKER}', true) AS marker");
        let row = connection.fetch_one(AssertSqlSafe(query)).await?;
        let kept = row.try_get::<Option<String>, _>("marker")?.as_ref() == Some(&self.marker);
        if !kept && !matches!(self.access(), Access::Unproven(_)) {
            self.report(Trouble::Pooler("a connection pooler"));
            std::future::pending::<()>().await;
        }
        Ok(kept)
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings: Vec<_> = SETTINGS
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let Limits { statement, .. } = self.limits;
        let idle = if statement.is_zero() {
            Duration::ZERO
        } else {
            IDLE_IN_TRANSACTION
        };
        settings.push(("statement_timeout", statement.as_millis().to_string()));
        settings.push((
            "idle_in_transaction_session_timeout",
            idle.as_millis().to_string(),
        ));
        settings
    }

    async fn set_up(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let settings: Vec<String> = self
            .settings()
            .iter()
            .map(|(name, value)| format!("('{name}', '{value}')"))
            .collect();
        // In text, not prepared: a statement's name would be the first thing to go wrong behind a
        // pooler. A commit waits for the disk at least; that it also waits for standbys to apply it
        // is kept.
        let query = format!(
            "SELECT pg_catalog.set_config('{MARKER}', '{}', false); \
             SELECT pg_catalog.set_config(v.name, v.value, false) \
             FROM (VALUES {}, ('synchronous_commit', CASE pg_catalog.current_setting('synchronous_commit') \
             WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END)) AS v (name, value) \
             JOIN pg_catalog.pg_settings AS s ON s.name = v.name",
            self.marker,
            settings.join(", ")
        );
        connection.execute(AssertSqlSafe(query)).await.map(drop)
    }

    /// Everything that is not as it must be; `None` when all is well.
    pub(in crate::store::sql) async fn verify(
        &self,
        connection: &mut PgConnection,
    ) -> sqlx::Result<Option<String>> {
        let query = "SELECT name::text AS name, setting::text AS value FROM pg_catalog.pg_settings \
             UNION ALL SELECT 'pg_is_in_recovery', pg_catalog.pg_is_in_recovery()::text";
        let mut found = BTreeMap::new();
        for row in connection.fetch_all(query).await? {
            found.insert(
                row.try_get::<String, _>("name")?,
                row.try_get::<Option<String>, _>("value")?
                    .unwrap_or_default(),
            );
        }
        Ok(unfit(&self.faults(&found)))
    }

    fn faults(&self, found: &BTreeMap<String, String>) -> Vec<String> {
        let mut faults = Vec::new();
        let value = |name: &str| found.get(name).map_or("not told", String::as_str);
        let version = value("server_version_num")
            .parse::<u32>()
            .unwrap_or_default();
        if version < OLDEST_VERSION.0 {
            faults.push(format!(
                "`server_version` is `{}`, and must be {} or later",
                value("server_version"),
                OLDEST_VERSION.1
            ));
        }
        let durability = if self.limits.allow_unsafe_durability {
            &[]
        } else {
            DURABILITY
        };
        for (name, wanted, why) in VERIFIED.iter().chain(durability) {
            if value(name) != *wanted {
                faults.push(format!(
                    "`{name}` is `{}`, and must be `{wanted}`: {why}",
                    value(name)
                ));
            }
        }
        if !matches!(value("synchronous_commit"), "on" | "remote_apply") {
            let found = value("synchronous_commit");
            faults.push(format!(
                "`synchronous_commit` is `{found}` although the session has set it to `on`"
            ));
        }
        for (name, wanted) in self.settings() {
            if found.get(name).is_some_and(|found| *found != wanted) {
                let found = value(name);
                faults.push(format!(
                    "`{name}` is `{found}` although the session has set it to `{wanted}`"
                ));
            }
        }
        faults
    }
}

/// All faults in one text; `None` when there are none.
pub(in crate::store::sql) fn unfit(faults: &[String]) -> Option<String> {
    (!faults.is_empty()).then(|| faults.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(allow_unsafe_durability: bool) -> Setup {
        Setup::new(Limits {
            statement: Duration::from_secs(10),
            allow_unsafe_durability,
        })
    }

    /// What a sound server tells after the session was set up.
    fn sound() -> BTreeMap<String, String> {
        let set = session(false).settings().into_iter();
        let verified = VERIFIED
            .iter()
            .chain(DURABILITY)
            .map(|(name, value, _)| (*name, (*value).to_owned()));
        let rest = [
            ("server_version_num", "150018"),
            ("server_version", "15.18"),
            ("synchronous_commit", "on"),
        ];
        let rest = rest.map(|(name, value)| (name, value.to_owned()));
        set.chain(verified)
            .chain(rest)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn faults_with(name: &str, value: &str) -> Vec<String> {
        let mut found = sound();
        found.insert(name.to_owned(), value.to_owned());
        session(false).faults(&found)
    }

    #[test]
    fn every_setting_that_is_not_as_it_must_be_is_named_with_its_value_and_what_is_needed() {
        assert_eq!(session(false).faults(&sound()), Vec::<String>::new());
        for (name, value, needed) in [
            ("server_encoding", "SQL_ASCII", "must be `UTF8`"),
            ("fsync", "off", "must be `on`"),
            ("full_page_writes", "off", "must be `on`"),
            ("pg_is_in_recovery", "true", "a standby"),
            ("synchronous_commit", "off", "to `on`"),
            ("synchronous_commit", "remote_write", "to `on`"),
            ("statement_timeout", "0", "to `10000`"),
            ("client_encoding", "LATIN1", "to `UTF8`"),
            ("session_replication_role", "replica", "must be `origin`"),
        ] {
            let faults = faults_with(name, value);
            assert_eq!(faults.len(), 1, "{name}: {faults:?}");
            assert!(
                faults[0].starts_with(&format!("`{name}` is `{value}`"))
                    && faults[0].contains(needed),
                "{faults:?}"
            );
        }
        assert_eq!(
            faults_with("server_version_num", "120011"),
            ["`server_version` is `15.18`, and must be 13 or later"]
        );
    }

    #[test]
    fn stronger_settings_are_kept_and_unsafe_ones_only_where_they_are_allowed() {
        assert_eq!(
            faults_with("synchronous_commit", "remote_apply"),
            Vec::<String>::new()
        );
        let mut found = sound();
        found.insert("fsync".to_owned(), "off".to_owned());
        assert_eq!(session(true).faults(&found), Vec::<String>::new());
        // A version that does not know a setting does not need it.
        found.remove("transaction_timeout");
        assert_eq!(session(true).faults(&found), Vec::<String>::new());
    }
}
