//! Requests as they are on the wire, with whatever headers and bytes; and the answers as they come.

use bytes::{BufMut, Bytes, BytesMut};
use customer_profile::grpc::DOMAIN;
use customer_profile::grpc::v1::ErrorReason;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::ServiceExt;

pub(super) const GET_PROFILE: &str = "/customer.profile.v1.ProfileService/GetProfile";

/// An answer, to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) http: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

impl Answer {
    /// Its gRPC status, wherever it is.
    pub(super) fn status(&self) -> Status {
        let found = Status::from_header_map(&self.trailers)
            .or_else(|| Status::from_header_map(&self.headers));
        found.unwrap_or_else(|| panic!("no status: {self:?}"))
    }

    /// The size of the header list that has the status, as HTTP/2 counts it.
    pub(super) fn status_block_bytes(&self) -> usize {
        let block = if self.trailers.contains_key("grpc-status") {
            &self.trailers
        } else {
            &self.headers
        };
        let pseudo = ":status".len() + "200".len() + 32;
        pseudo
            + block
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len() + 32)
                .sum::<usize>()
    }
}

/// A request with a body of these bytes, as gRPC unless the headers say otherwise.
pub(super) fn post(path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Body> {
    let mut request = Request::post(path)
        .body(Body::new(Full::new(body.into())))
        .expect("a request");
    request
        .headers_mut()
        .insert("content-type", "application/grpc".parse().expect("a value"));
    request
        .headers_mut()
        .insert("te", "trailers".parse().expect("a value"));
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().expect("a name");
        request
            .headers_mut()
            .append(name, value.parse().expect("a value"));
    }
    request
}

/// Sends a request and takes the whole answer.
pub(super) async fn send(channel: &Channel, request: Request<Body>) -> Answer {
    let response = channel.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body");
    let trailers = body.trailers().cloned().unwrap_or_default();
    Answer {
        http: head.status.as_u16(),
        headers: head.headers,
        body: body.to_bytes(),
        trailers,
    }
}

/// A message in its frame.
pub(super) fn frame(flag: u8, message: &[u8]) -> Bytes {
    announced(flag, message.len(), message)
}

/// A frame that says that it has so many bytes.
pub(super) fn announced(flag: u8, length: usize, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(u32::try_from(length).expect("small"));
    frame.put_slice(message);
    frame.freeze()
}

/// Checks what is true of every failure, and says its code and reason.
#[track_caller]
pub(super) fn checked(status: &Status) -> (Code, ErrorReason) {
    let sent = status.clone().into_http::<()>().into_parts().0.headers;
    let bytes: usize = ["grpc-message", "grpc-status-details-bin"]
        .iter()
        .filter_map(|name| sent.get(*name))
        .map(http::HeaderValue::len)
        .sum();
    assert!(bytes < 4096, "{bytes} bytes: {status:?}");
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, DOMAIN);
    let reason = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason))
        .expect("a known reason");
    let passes = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    assert_eq!(details.retry_info().is_some(), passes, "{status:?}");
    (status.code(), reason)
}
