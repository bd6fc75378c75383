//! Backup and restore of a SQLite database, and what a restored database of either kind must not
//! say.
//!
//! - A backup is one state of the database, written by `VACUUM INTO`, which neither stops a running
//!   server nor waits for it. It gets its name when it is complete, checked and on the disk.
//! - **A restored database is another database.** Read tokens, resume tokens and ids of events name
//!   the database that they are of, and a number of a write in it. After a restore the numbers
//!   begin again at an earlier one, so that a token of before would seem to prove what is not
//!   there. So a backup of SQLite has no id; it gets one, chosen at random, when it is opened. A
//!   database that was restored in another way is given one by [`SqlStore::give_new_id`].

use std::path::{Path, PathBuf};

use sea_orm::{DatabaseConnection, Statement};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};
use uuid::Uuid;

use super::connect::{Address, DatabaseFile};
use super::session::{Purpose, Session};
use super::statement::{Dialect, Sql};
use super::{Migrate, Options, SqlStore};
use crate::store::{Error, Result, Store};

impl SqlStore {
    /// Writes a backup of a SQLite database into a new file. A server may run meanwhile.
    ///
    /// # Errors
    /// [`Error::Open`] when the database is none of SQLite's, or the file is there already;
    /// [`Error::Unavailable`] for what the disk says.
    pub async fn backup(options: &Options, to: &Path) -> Result<()> {
        let Address::Sqlite(from) = Address::parse(&options.url)? else {
            return Err(Error::Open(
                "only SQLite is backed up by this command; use pg_dump for PostgreSQL".to_owned(),
            ));
        };
        refuse_existing(to)?;
        let part = with_suffix(to, ".part");
        refuse_existing(&part)?;
        let written = write_backup(&from, &part).await;
        if let Err(error) = written {
            // It was made here, a moment ago.
            drop(std::fs::remove_file(&part));
            return Err(error);
        }
        put_in_place(&part, to)
    }

    /// Puts a backup in the place of a SQLite database, where there must be none, and gives it an
    /// id of its own.
    ///
    /// # Errors
    /// [`Error::Open`] when there is a database, or what is left of one; [`Error::Unavailable`]
    /// when the backup is damaged.
    pub async fn restore(options: &Options, from: &Path) -> Result<()> {
        let Address::Sqlite(to) = Address::parse(&options.url)? else {
            return Err(Error::Open(
                "only SQLite is restored by this command; use pg_restore for PostgreSQL".to_owned(),
            ));
        };
        for left in [
            to.clone(),
            with_suffix(&to, "-wal"),
            with_suffix(&to, "-shm"),
        ] {
            refuse_existing(&left)?;
        }
        let part = with_suffix(&to, ".part");
        refuse_existing(&part)?;
        let failed = |error: std::io::Error| Error::Open(format!("{}: {error}", from.display()));
        std::fs::copy(from, &part).map_err(failed)?;
        let checked = check_and_clear_id(&part).await;
        if let Err(error) = checked {
            drop(std::fs::remove_file(&part));
            return Err(error);
        }
        put_in_place(&part, &to)?;
        let store = Self::open(options, Migrate::Auto).await?;
        store.close().await;
        Ok(())
    }

    /// Gives a database an id of its own, after it was restored: what was said of the one before
    /// does not hold for it.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn give_new_id(options: &Options) -> Result<()> {
        let store = Self::connect(options).await?;
        let given = async { set_id(store.dialect, &store.pools.write(), Which::Any).await };
        let given = store.pools.fit(given).await;
        store.close().await;
        given.map(drop)
    }
}

/// Gives an id to a database that has none, as a backup has.
pub(super) async fn give_missing_id(dialect: Dialect, db: &DatabaseConnection) -> Result<()> {
    if set_id(dialect, db, Which::Missing).await? > 0 {
        tracing::warn!(
            "the database was restored from a backup; tokens that were given out before are refused"
        );
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Any,
    Missing,
}

async fn set_id(dialect: Dialect, db: &DatabaseConnection, which: Which) -> Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a restored database is a new one, and the id of a new database is random"
    )]
    let id = Uuid::new_v4();
    let mut sql = Sql::new(dialect);
    let (new, none) = (sql.bind(id), sql.bind(Uuid::nil()));
    let condition = match which {
        Which::Any => format!("id <> {new} OR id = {none}"),
        Which::Missing => format!("id = {none}"),
    };
    let statement = sql.statement(format!(
        "UPDATE store_info SET id = {new} WHERE {condition}"
    ));
    if which == Which::Missing && !has_no_id(dialect, db).await? {
        return Ok(0);
    }
    let mut session = Session::begin(db, Purpose::Write).await?;
    let set = session.execute(statement).await;
    match set {
        Ok(rows) => session.commit().await.map(|()| rows),
        Err(error) => {
            session.roll_back().await;
            Err(error)
        }
    }
}

async fn has_no_id(dialect: Dialect, db: &DatabaseConnection) -> Result<bool> {
    let mut session = Session::take(db).await?;
    let rows = session
        .rows(Statement::from_string(
            dialect.backend(),
            "SELECT id FROM store_info",
        ))
        .await;
    session.give_back();
    let ids = rows?
        .iter()
        .map(|row| row.try_get::<Uuid>("", "id"))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(ids.contains(&Uuid::nil()))
}

async fn write_backup(from: &Path, part: &Path) -> Result<()> {
    let open = SqliteConnectOptions::new()
        .filename(from)
        .create_if_missing(false);
    let mut source = SqliteConnection::connect_with(&open)
        .await
        .map_err(|error| named(from, error.into()))?;
    let target = part
        .to_str()
        .ok_or_else(|| Error::Open(format!("{}: is not UTF-8", part.display())))?;
    let copied = sqlx::query("VACUUM INTO ?")
        .bind(target)
        .execute(&mut source)
        .await;
    source.close().await?;
    copied.map_err(|error| named(from, error.into()))?;
    check_and_clear_id(part).await
}

/// Looks whether a copy is whole, and takes its id away.
async fn check_and_clear_id(part: &Path) -> Result<()> {
    let open = SqliteConnectOptions::new()
        .filename(part)
        .create_if_missing(false);
    let mut copy = SqliteConnection::connect_with(&open)
        .await
        .map_err(|error| named(part, error.into()))?;
    let checked = async {
        let rows = sqlx::query("PRAGMA quick_check(1)")
            .fetch_all(&mut copy)
            .await?;
        let found: String = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        if found != "ok" {
            return Err(Error::Unavailable(format!("the file is damaged: {found}")));
        }
        sqlx::query("UPDATE store_info SET id = zeroblob(16)")
            .execute(&mut copy)
            .await?;
        // One file that is whole without a log beside it.
        sqlx::query("PRAGMA journal_mode = DELETE")
            .fetch_all(&mut copy)
            .await?;
        Ok(())
    };
    let checked = checked.await;
    copy.close().await?;
    checked.map_err(|error| named(part, error))
}

fn named(path: &Path, error: Error) -> Error {
    match error {
        Error::Unavailable(what) => Error::Unavailable(format!("{}: {what}", path.display())),
        Error::Schema(_) => Error::Open(format!(
            "{}: is no database of customer-profile",
            path.display()
        )),
        other => other,
    }
}

fn refuse_existing(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::Open(format!(
            "{} exists; choose another name, or move it away first",
            path.display()
        )));
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Makes a complete file permanent, then names it.
fn put_in_place(part: &Path, path: &Path) -> Result<()> {
    let placed = (|| {
        std::fs::File::open(part)?.sync_all()?;
        std::fs::rename(part, path)?;
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        std::fs::File::open(directory)?.sync_all()
    })();
    placed
        .map_err(|error: std::io::Error| Error::Unavailable(format!("{}: {error}", path.display())))
}

/// A backup whose place still has the log of another database would be overwritten by it.
pub(super) fn refuse_foreign_log(file: &DatabaseFile) -> Result<()> {
    if file.is_without_log_mode() && file.has_log() {
        return Err(Error::Open(format!(
            "{}: beside it is the log (-wal) of another database, which would damage it; move that away first",
            file.resolved().display()
        )));
    }
    Ok(())
}
