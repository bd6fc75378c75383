//! PostgreSQL: its pools, and the life of each connection.
//!
//! Every new connection is prepared before it is used ([`session`]): its settings are set by name,
//! and what cannot be set is verified. A connection pooler that stands in between is recognised
//! ([`pooler`]). What is wrong becomes known as [`Trouble`]; the connection concerned is never
//! used.

mod password;
mod pooler;
mod session;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::PoolConnectionMetadata;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::{Database, DatabaseConnection};
use sqlx::Connection;

pub(in crate::store::sql) use password::read as read_password;
pub(in crate::store::sql) use pooler::{is_multiplexed, is_refused_option};
pub(in crate::store::sql) use session::{Access, Limits, Setup, Trouble, unfit};

use super::super::Options;
use super::pool;
use crate::store::Result;

/// A connection that was idle for this long is tested before it is used again.
const TEST_AFTER: Duration = Duration::from_secs(1);

/// A pool of PostgreSQL connections, which connects when it is used.
pub(in crate::store::sql) async fn postgres(
    options: &Options,
    connections: u32,
    setup: &Arc<Setup>,
) -> Result<DatabaseConnection> {
    let mut pool = pool(options, &options.url, connections);
    let (prepared, tested, connecting) = (setup.clone(), setup.clone(), setup.clone());
    let (lifetime, idle) = (options.max_connection_lifetime, options.idle_timeout);
    let began = Instant::now();
    pool.map_sqlx_postgres_opts(move |connection| connecting.connect_options(connection));
    pool.map_sqlx_postgres_pool_opts(move |pool| {
        let (prepared, tested) = (prepared.clone(), tested.clone());
        // Idle connections are closed by the pool itself, those in use by `is_usable`, each at its
        // own time.
        pool.max_lifetime(lifetime.mul_f64(1.0 + LIFETIME_SPREAD))
            .idle_timeout(idle)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let session = prepared.clone();
                Box::pin(async move { session.prepare(connection).await })
            })
            .before_acquire(move |connection, age| {
                let session = tested.clone();
                Box::pin(async move {
                    if is_over(lifetime, began.elapsed(), age.age) {
                        return Ok(false);
                    }
                    is_usable(&session, connection, age).await
                })
            })
    });
    Ok(Database::connect(pool).await?)
}

/// No round trip for a connection in use; one for a connection that may have died, or led
/// elsewhere, meanwhile.
async fn is_usable(
    session: &Setup,
    connection: &mut PgConnection,
    age: PoolConnectionMetadata,
) -> sqlx::Result<bool> {
    if age.idle_for < TEST_AFTER {
        return Ok(true);
    }
    connection.ping().await?;
    session.is_kept(connection).await
}

/// Share of a connection's lifetime by which it may end earlier or later than the configured one.
const LIFETIME_SPREAD: f64 = 0.1;

/// Whether a connection has reached its own lifetime. Connections that were opened together end
/// apart: each one's share of the spread follows from the moment at which it was opened.
fn is_over(lifetime: Duration, now: Duration, age: Duration) -> bool {
    let opened = u64::try_from(now.saturating_sub(age).as_millis()).unwrap_or(u64::MAX);
    // Knuth's multiplicative hash: neighbouring moments lead to shares far apart.
    let hash = opened.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let share = f64::from(u32::try_from(hash).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    age > lifetime.mul_f64(1.0 - LIFETIME_SPREAD + 2.0 * LIFETIME_SPREAD * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_were_opened_together_end_apart_within_a_tenth_of_their_lifetime() {
        let lifetime = Duration::from_secs(1_000);
        let end = |opened: u64| {
            let opened = Duration::from_millis(opened);
            (0..2_000).find(|age| {
                is_over(
                    lifetime,
                    opened + Duration::from_secs(*age),
                    Duration::from_secs(*age),
                )
            })
        };
        let ends: Vec<u64> = (0..16)
            .map(|opened| end(opened * 3).expect("an end"))
            .collect();
        assert!(
            ends.iter().all(|end| (900..=1_101).contains(end)),
            "{ends:?}"
        );
        let distinct: std::collections::BTreeSet<_> = ends.iter().collect();
        assert!(distinct.len() >= 12, "{ends:?}");
    }
}
