use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use tonic::Code;

use super::*;

fn framed(flag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], content].concat()
}

fn limits(budget: usize) -> MessageLimits {
    MessageLimits {
        budget: Budget::new(budget),
        max_bytes: 1 << 20,
        max_decoded_bytes: 1 << 20,
        timeout: Duration::from_secs(10),
    }
}

fn body(chunks: Vec<Vec<u8>>) -> Body {
    let frames = chunks
        .into_iter()
        .map(|chunk| Ok::<_, Status>(Frame::data(Bytes::from(chunk))));
    Body::new(http_body_util::StreamBody::new(futures::stream::iter(
        frames,
    )))
}

fn messages(chunks: Vec<Vec<u8>>, limits: &MessageLimits) -> Messages {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-encoding", "gzip".parse().unwrap());
    Messages::new(body(chunks), &headers, limits.clone(), None)
}

async fn all(mut messages: Messages) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some(frame) = messages.frame().await {
        found.push(frame.unwrap().into_data().unwrap().to_vec());
    }
    found
}

#[tokio::test]
async fn messages_come_whole_however_they_are_cut() {
    let sent = [
        framed(0, b"one"),
        framed(0, b""),
        framed(0, &vec![7; 20_000]),
    ];
    let bytes = sent.concat();
    for size in [1, 2, 5, 7, 8, 9, 4096, bytes.len()] {
        let chunks = bytes.chunks(size).map(<[u8]>::to_vec).collect();
        assert_eq!(
            all(messages(chunks, &limits(1 << 20))).await,
            sent,
            "in pieces of {size}"
        );
    }
}

#[tokio::test]
async fn a_message_holds_its_announced_length_before_it_is_there() {
    let limits = limits(100_000);
    let begun = framed(0, &vec![1; 80_000])[..10].to_vec();
    let mut first = messages(vec![begun.clone()], &limits);
    let cut_short = first.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!((cut_short.len(), limits.budget.used()), (10, 80_000));
    let refused = messages(vec![begun.clone()], &limits)
        .only()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let small = messages(vec![framed(0, &[1; FREE_BYTES])], &limits)
        .only()
        .await
        .unwrap();
    assert_eq!(
        (small.0.len(), small.1.bytes()),
        (HEAD_BYTES + FREE_BYTES, 0)
    );
    drop(first);
    assert_eq!(limits.budget.used(), 0);
    messages(vec![begun], &limits)
        .only()
        .await
        .expect("there is room again");
}

#[tokio::test]
async fn a_compressed_message_holds_what_it_unpacks_to() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 900_000]).unwrap();
    let packed = framed(1, &encoder.finish().unwrap());
    assert!(packed.len() < 2_000);
    let room = limits(1 << 20);
    let (message, held) = messages(vec![packed.clone()], &room).only().await.unwrap();
    assert_eq!(
        (message.len(), message[0], held.bytes()),
        (HEAD_BYTES + 900_000, 0, 900_000)
    );
    let later = messages(vec![packed.clone()], &room)
        .only()
        .await
        .unwrap_err();
    assert_eq!(later.code(), Code::ResourceExhausted);
    let never = messages(vec![packed.clone()], &limits(100_000))
        .only()
        .await
        .unwrap_err();
    assert_eq!(
        never.code(),
        Code::InvalidArgument,
        "no reason to try again"
    );
    // What unpacks to more than a message may have is left to tonic, which refuses it.
    let small = MessageLimits {
        max_bytes: 500_000,
        ..limits(1 << 20)
    };
    let (message, _) = messages(vec![packed.clone()], &small).only().await.unwrap();
    assert_eq!(message, packed);
}

#[tokio::test]
async fn of_a_message_that_is_too_large_only_the_head_is_kept() {
    let limits = limits(1 << 30);
    let bytes = framed(0, &vec![1; 2 << 20]);
    let chunks = bytes.chunks(16_384).map(<[u8]>::to_vec).collect();
    let (beginning, held) = messages(chunks, &limits).only().await.unwrap();
    assert_eq!((beginning.len(), held.bytes()), (HEAD_BYTES, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_complete_in_time_is_ended_and_a_quiet_stream_is_not() {
    let never = || futures::stream::pending::<Result<Frame<Bytes>, Status>>();
    let begun = futures::stream::iter([Ok(Frame::data(Bytes::from(
        framed(0, b"one")[..6].to_vec(),
    )))]);
    let half = http_body_util::StreamBody::new(futures::StreamExt::chain(begun, never()));
    let mut half = Messages::new(Body::new(half), &HeaderMap::new(), limits(1 << 20), None);
    let ended = half.frame().await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Code::DeadlineExceeded);
    let quiet = Body::new(http_body_util::StreamBody::new(never()));
    let mut quiet = Messages::new(quiet, &HeaderMap::new(), limits(1 << 20), None);
    tokio::time::timeout(Duration::from_hours(1), quiet.frame())
        .await
        .expect_err("still open");
}

#[tokio::test]
async fn of_two_messages_where_one_belongs_the_first_is_taken() {
    let chunks = vec![[framed(0, b"one"), framed(0, b"two")].concat()];
    assert_eq!(
        messages(chunks, &limits(1 << 20)).only().await.unwrap().0,
        framed(0, b"one")
    );
    let nothing = Messages::new(
        Body::new(Full::new(Bytes::new())),
        &HeaderMap::new(),
        limits(1 << 20),
        None,
    );
    assert!(nothing.only().await.unwrap().0.is_empty());
}
