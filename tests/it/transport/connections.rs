//! Connections as such: that never speak, that are too many, that idle.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::store::memory::MemoryStore;
use tokio::net::TcpStream;

use super::{GET_PROFILE, WINDOW, get_ann, read_ann, store_ann};
use crate::support::service::Service;
use crate::support::wire::{Wire, read, send, until_closed};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_connection_that_does_not_speak_http2_is_closed() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.handshake_timeout = Duration::from_millis(300);
    })
    .await;
    for said in [
        &b""[..],
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = send(service.address, said).await;
        let name = String::from_utf8_lossy(said);
        tokio::time::timeout(PATIENCE, until_closed(&mut stream))
            .await
            .unwrap_or_else(|_| panic!("open after {name:?}"));
    }
    store_ann(&service).await;
    read_ann(&service).await.expect("an answer");
}

#[tokio::test]
async fn one_connection_too_many_is_refused_with_a_reason_and_those_before_go_on() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_connections = 3;
        config.grpc.handshake_timeout = Duration::from_mins(1);
    })
    .await;
    store_ann(&service).await;
    let mut silent = vec![
        TcpStream::connect(service.address)
            .await
            .expect("a connection"),
    ];
    silent.push(
        TcpStream::connect(service.address)
            .await
            .expect("a connection"),
    );
    let mut refused = TcpStream::connect(service.address)
        .await
        .expect("a connection");
    let told = tokio::time::timeout(PATIENCE, until_closed(&mut refused))
        .await
        .expect("closed");
    assert!(told.ends_with(b"too many connections"), "{told:?}");
    read_ann(&service)
        .await
        .expect("an answer by the connection of before");
    drop(silent);
    let room = async {
        loop {
            let mut stream = TcpStream::connect(service.address)
                .await
                .expect("a connection");
            if tokio::time::timeout(Duration::from_millis(500), until_closed(&mut stream))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, room)
        .await
        .expect("room again");
}

#[tokio::test]
async fn a_connection_without_calls_is_asked_to_go_and_one_with_a_call_is_not() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_connection_idle = Duration::from_secs(1);
    })
    .await;
    store_ann(&service).await;
    let mut idle = Wire::connect(service.address, WINDOW).await;
    let call = idle.call(GET_PROFILE, &get_ann()).await;
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);
    let mut busy = Wire::connect(service.address, WINDOW).await;
    let stream = busy.begin(super::STREAM_STATEMENTS).await;
    tokio::time::timeout(PATIENCE, idle.closed())
        .await
        .expect("closed");
    let call = busy.call(GET_PROFILE, &get_ann()).await;
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);
    drop(stream);
}
