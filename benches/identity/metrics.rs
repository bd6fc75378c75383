//! The server's own figures of what identity did.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

/// Counters by name.
pub(crate) type Counters = BTreeMap<String, f64>;

/// The counters of identity, and the sums of its histograms, as they stand now.
pub(crate) async fn counters(server: &Server) -> anyhow::Result<Counters> {
    let mut stream = TcpStream::connect(&server.operations).await?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let told = text
        .lines()
        .filter(|line| line.starts_with("customer_profile_identity") && !line.contains("_bucket"));
    let counters = told.filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Ok(counters.collect())
}

/// Prints by how much each has grown, for each of so many records.
pub(crate) fn print_growth(before: &Counters, after: &Counters, records: u64) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of records are far below 2^52"
    )]
    let records = records as f64;
    for (name, value) in after {
        let grown = value - before.get(name).copied().unwrap_or_default();
        let name = name
            .trim_start_matches("customer_profile_identity_")
            .trim_end_matches("_total");
        println!("{:>24} {name}: {:.3} a record", "", grown / records);
    }
}
