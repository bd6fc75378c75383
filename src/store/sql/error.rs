//! The one place that sees the drivers' errors, and sorts them by what a caller can do.
//!
//! By `SQLSTATE` on PostgreSQL and by result code on SQLite, never by text. What becomes part of
//! the message is the code and the constraint's name; the driver's own text only where it speaks of
//! the database and not of a value, for values may be personal data: of connections that fail, and
//! of the classes in [`is_about_the_database`].

mod sqlite;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::postgres::PgDatabaseError;

use crate::store::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::Conn(RuntimeErr::SqlxError(cause)) => from_connection(cause),
            DbErr::Exec(RuntimeErr::SqlxError(cause))
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

/// The error of a connection that was not to be had.
pub(super) fn of_connection(error: sqlx::Error) -> Error {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
}

/// A connection that was not to be had: no statement was sent, so its text quotes no value.
fn from_connection(error: &sqlx::Error) -> Error {
    match error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
    {
        Some(error) => {
            Error::Unavailable(format!("SQLSTATE {}: {}", error.code(), error.message()))
        }
        None => from_sqlx(error),
    }
}

fn from_sqlx(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => {
                from_sqlstate(postgres.code(), postgres.message(), postgres.constraint())
            }
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
fn from_sqlstate(code: &str, message: &str, constraint: Option<&str>) -> Error {
    let what = match constraint {
        Some(constraint) => format!("SQLSTATE {code}, constraint {constraint}"),
        None if is_about_the_database(code) => format!("SQLSTATE {code}: {message}"),
        None => format!("SQLSTATE {code}"),
    };
    match (code, code.get(..2).unwrap_or_default()) {
        // Serialization failure, deadlock, lock not to be had.
        ("40001" | "40P01" | "55P03", _) => Error::Conflict(what),
        // Undefined column, table, schema.
        ("42703" | "42P01" | "3F000", _) => Error::Schema(format!(
            "{what}; `customer-profile migrate` brings it up to date"
        )),
        // Values travel in binary form, and each has the form that its own statement asks for.
        // Where they do not, another statement was run, or another encoding is in the way: no fault
        // of the value.
        ("22P02" | "22P03" | "22023", _) => Error::Unavailable(what),
        // A constraint that somebody has added to the schema says nothing about what a source may
        // say.
        (_, "23") if !constraint.is_some_and(is_of_the_schema) => Error::Unavailable(what),
        // Data exception, integrity constraint violation, more than an index takes.
        (_, "22" | "23") | ("54000", _) => Error::Refused(what),
        _ if is_about_the_database(code) => Error::Unavailable(what),
        _ => Error::Internal(what),
    }
}

/// Whether a constraint is one of the schema's own, by the endings of their names.
fn is_of_the_schema(constraint: &str) -> bool {
    ["_pk", "_flag", "_flags", "_one_state", "_one_row"]
        .iter()
        .any(|ending| constraint.ends_with(ending))
}

/// Whether an error is the database's own, whatever the statement: connection, state of the
/// transaction (a server that was failed over from, one that is read-only), prepared statements
/// that are not there or there twice (a pooler), authorization, privileges, no such database,
/// resources such as disk and memory, state of an object, an operator's intervention (a statement
/// cut off by its timeout, too), system, configuration, damage. PostgreSQL's texts of these quote
/// no values.
fn is_about_the_database(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(code, "42501" | "42P05")
        || matches!(
            class,
            "08" | "25" | "26" | "28" | "3D" | "53" | "55" | "57" | "58" | "F0" | "XX"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(code: &str) -> Error {
        from_sqlstate(code, "the reason", None)
    }

    #[test]
    fn each_sqlstate_is_sorted_by_what_the_caller_can_do() {
        for conflict in ["40001", "40P01", "55P03"] {
            assert!(matches!(sorted(conflict), Error::Conflict(_)), "{conflict}");
        }
        for refused in ["22021", "22003", "54000"] {
            assert!(matches!(sorted(refused), Error::Refused(_)), "{refused}");
        }
        for refused in ["23505", "23514"] {
            assert!(
                matches!(
                    from_sqlstate(refused, "", Some("event_pk")),
                    Error::Refused(_)
                ),
                "{refused}"
            );
        }
        // Added by an operator: a constraint, a column that must not be null.
        for (code, constraint) in [
            ("23514", Some("no_calls")),
            ("23503", Some("event_fk")),
            ("23502", None),
        ] {
            assert!(
                matches!(from_sqlstate(code, "", constraint), Error::Unavailable(_)),
                "{code}"
            );
        }
        assert!(matches!(sorted("42P01"), Error::Schema(_)));
        assert!(matches!(sorted("42601"), Error::Internal(_)));
    }

    #[test]
    fn what_concerns_the_database_is_no_fault_of_a_statement_and_is_told_with_its_reason() {
        for code in [
            "08006", "08P01", "25006", "25P03", "26000", "28P01", "3D000", "42501", "42P05",
            "53100", "53200", "53300", "55000", "57014", "57P01", "57P03", "58030", "F0000",
            "XX000", "XX001",
        ] {
            let error = sorted(code);
            assert!(matches!(error, Error::Unavailable(_)), "{code}");
            assert_eq!(
                error.to_string(),
                format!("the database is unavailable: SQLSTATE {code}: the reason")
            );
        }
        // Crossed statements: not the value's fault, but the text quotes it.
        for code in ["22P02", "22P03", "22023"] {
            assert_eq!(
                sorted(code).to_string(),
                format!("the database is unavailable: SQLSTATE {code}")
            );
        }
    }

    #[test]
    fn a_violated_constraint_is_named_and_no_value() {
        let error = from_sqlstate(
            "23505",
            "Key (email)=(ann@shop.com) already exists",
            Some("event_pk"),
        );
        assert_eq!(
            error.to_string(),
            "the database refuses a value: SQLSTATE 23505, constraint event_pk"
        );
        assert_eq!(
            sorted("22021").to_string(),
            "the database refuses a value: SQLSTATE 22021"
        );
    }
}
