//! Connection poolers between the server and PostgreSQL (PgBouncer, Odyssey, pgcat, Supavisor, RDS
//! Proxy and the like).
//!
//! # The problem
//! A pooler that hands each transaction to whichever session is free breaks what a session is for:
//! settings are lost, and a prepared statement is looked up in a session where that name means
//! another statement, so a *wrong statement* runs.
//!
//! # The choice
//! - A pooler is recognised by a setting in the startup packet: a pooler refuses it, or drops it,
//!   and the session does not have it ([`Setup`](super::Setup)).
//! - Session pooling keeps one session for each connection and is fine. Transaction and statement
//!   pooling are refused: two connections that are open at once never share a session of
//!   PostgreSQL, and one connection never changes it.

use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};

/// The order in which two connections are asked for their session: a pooler that takes the session
/// that was freed last answers the two alike, one that takes turns answers one connection
/// differently each time.
const ORDER: [usize; 10] = [0, 0, 1, 0, 1, 1, 0, 0, 1, 0];

/// Whether two open connections share sessions of PostgreSQL, or change theirs.
pub(in crate::store::sql) async fn is_multiplexed(
    one: &mut PgConnection,
    other: &mut PgConnection,
) -> sqlx::Result<bool> {
    let mut sessions: [Option<i32>; 2] = [None, None];
    for turn in ORDER {
        let connection = if turn == 0 { &mut *one } else { &mut *other };
        let row = connection
            .fetch_one("SELECT pg_catalog.pg_backend_pid() AS pid")
            .await?;
        let session: i32 = row.try_get("pid")?;
        if sessions[turn].is_some_and(|before| before != session)
            || sessions[1 - turn] == Some(session)
        {
            return Ok(true);
        }
        sessions[turn] = Some(session);
    }
    Ok(false)
}

/// The pooler that refuses a startup option, by the text of its refusal; `None` for any other
/// error.
///
/// Source: PgBouncer, `src/client.c` ("unsupported startup parameter"); Amazon RDS Proxy's
/// limitations ("command-line options").
pub(in crate::store::sql) fn is_refused_option(error: &sqlx::Error) -> Option<&'static str> {
    let error = error.as_database_error()?;
    let (code, text) = (
        error.code().unwrap_or_default(),
        error.message().to_lowercase(),
    );
    match (code.as_ref(), text.as_str()) {
        (_, text) if text.contains("rds proxy") => Some("RDS Proxy"),
        (_, text) if text.contains("unsupported startup parameter") => Some("PgBouncer"),
        ("08P01" | "0A000", text) if text.contains("startup") || text.contains("options") => {
            Some("a connection pooler")
        }
        _ => None,
    }
}
