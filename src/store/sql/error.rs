//! The one place that sees the drivers' errors, and sorts them by what a caller can do.
//!
//! By `SQLSTATE` on PostgreSQL and by result code on SQLite, never by text. What becomes part of the message is the code
//! and the constraint's name: the drivers' own texts may quote values, which may be personal data.

mod sqlite;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::postgres::PgDatabaseError;

use crate::store::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => from_sqlx(cause),
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error.to_string()),
            DbErr::Migration(what) => Self::Schema(what.clone()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        from_sqlx(&error)
    }
}

fn from_sqlx(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => from_sqlstate(postgres.code(), postgres.constraint()),
            None => sqlite::from_sqlite(error.as_ref()),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Error::Unavailable(error.to_string()),
        sqlx::Error::Configuration(_) => Error::Open(error.to_string()),
        _ => Error::Internal(error.to_string()),
    }
}

/// Source: PostgreSQL, appendix A, "PostgreSQL Error Codes".
fn from_sqlstate(code: &str, constraint: Option<&str>) -> Error {
    let what = match constraint {
        Some(constraint) => format!("SQLSTATE {code}, constraint {constraint}"),
        None => format!("SQLSTATE {code}"),
    };
    match (code, code.get(..2).unwrap_or_default()) {
        // Serialization failure, deadlock, lock not to be had.
        ("40001" | "40P01" | "55P03", _) => Error::Conflict(what),
        // Undefined column, table, schema.
        ("42703" | "42P01" | "3F000", _) => {
            Error::Schema(format!("{what}; `customer-profile migrate` brings it up to date"))
        }
        // Data exception, integrity constraint violation.
        (_, "22" | "23") => Error::Refused(what),
        // A server that was failed over from; a transaction that idled too long. Connection, authorization, no such database,
        // resources, operator's intervention (a statement cut off by its timeout, too), system.
        ("25006" | "25P03", _) | (_, "08" | "28" | "3D" | "53" | "57" | "58") => Error::Unavailable(what),
        _ => Error::Internal(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlstate_is_sorted_by_what_the_caller_can_do() {
        for conflict in ["40001", "40P01", "55P03"] {
            assert!(matches!(from_sqlstate(conflict, None), Error::Conflict(_)), "{conflict}");
        }
        for refused in ["22021", "22P02", "23505", "23514"] {
            assert!(matches!(from_sqlstate(refused, None), Error::Refused(_)), "{refused}");
        }
        for unavailable in ["08006", "57014", "57P01", "57P03", "53300", "25P03", "25006", "28P01", "3D000"] {
            assert!(matches!(from_sqlstate(unavailable, None), Error::Unavailable(_)), "{unavailable}");
        }
        assert!(matches!(from_sqlstate("42P01", None), Error::Schema(_)));
        assert!(matches!(from_sqlstate("42601", None), Error::Internal(_)));
    }

    #[test]
    fn a_violated_constraint_is_named() {
        let error = from_sqlstate("23505", Some("event_pk"));
        assert_eq!(error.to_string(), "the database refuses a value: SQLSTATE 23505, constraint event_pk");
    }
}
