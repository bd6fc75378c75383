//! Many readers at once of a profile that is not cached.

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Desk;
use crate::server::Server;

/// How many readers there are, over how many connections.
const READERS: usize = 10_000;
const CONNECTIONS: usize = 50;

pub(crate) async fn measure() {
    let (_database, servers) = crate::start(2).await;
    Desk::new(&servers[0].address)
        .write("ann", 1)
        .await
        .expect("a write");
    let server = &servers[1];
    let desks: Vec<Desk> = (0..CONNECTIONS)
        .map(|_| Desk::new(&server.address))
        .collect();
    // So that connections are there.
    join_all(desks.iter().map(|desk| desk.read("nobody"))).await;
    let before = reads(server).await;
    let answers =
        join_all((0..READERS).map(|reader| desks[reader % CONNECTIONS].read("ann"))).await;
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    let after = reads(server).await;
    println!(
        "{READERS} readers of one cold profile: {answered} answered, by {} reads of the database",
        after - before
    );
}

/// How many times the server has read profiles from the database.
async fn reads(server: &Server) -> u64 {
    let mut stream = TcpStream::connect(&server.operations)
        .await
        .expect("a connection");
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
        .await
        .expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    let line = text.lines().find(|line| {
        line.starts_with("customer_profile_store_operation_duration_seconds_count")
            && line.contains("\"profiles\"")
    });
    line.and_then(|line| line.rsplit_once(' '))
        .map_or(0, |(_, count)| count.parse().expect("a number"))
}
