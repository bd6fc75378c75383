//! The marks of a gRPC request, and the metadata that it may have once.
//!
//! A request that is not gRPC is answered by an HTTP status, so that no other HTTP client takes a
//! gRPC error (status 200) for success. Metadata that decides on something (whose customers, under
//! which id, until when, by what right) must be there once: of two values the server would follow
//! one and a proxy that checks them perhaps the other.
//!
//! Source: gRPC over HTTP/2, "Requests" (415 for another content type, `:method POST`, `Timeout`).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use profile_core::records::{Reason, TenantId, Violation};
use tonic::Status;
use tonic::body::Body;

use super::call_context::{REQUEST_ID_KEY, TENANT_KEY};
use super::checked::{self, Checked};
use super::status;

/// The caller's deadline.
const TIMEOUT_KEY: &str = "grpc-timeout";
/// Metadata that may be there once only, beside what has a form of its own.
const ONCE: [&str; 6] = [
    "authorization",
    "content-type",
    "grpc-encoding",
    "grpc-message-type",
    "proxy-authorization",
    "te",
];
/// The caller's trace.
const TRACE_KEY: &str = "traceparent";
/// The longest request id taken over from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The metadata of a call, read.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The tenant that the caller names.
    pub(super) tenant: Option<TenantId>,
    /// How long the caller waits.
    pub(super) timeout: Option<Duration>,
}

/// The metadata of a request, or the answer that refuses it.
pub(super) fn check<B>(request: &Request<B>) -> Result<Metadata, Response<Body>> {
    if request.method() != Method::POST {
        let message = format!(
            "a gRPC call is an HTTP/2 POST, not {}",
            shown(request.method().as_str())
        );
        let mut answer = not_grpc(StatusCode::METHOD_NOT_ALLOWED, &message);
        answer
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Err(answer);
    }
    let headers = request.headers();
    content_type(headers)
        .map_err(|message| not_grpc(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message))?;
    let once = ONCE.iter().map(|key| single(headers, key).map(drop));
    let wrong = once
        .chain([trace(headers), request_id(headers).map(drop)])
        .filter_map(Result::err)
        .collect();
    let wrong: Vec<Violation> = wrong;
    let wrong = if wrong.is_empty() { Ok(()) } else { Err(wrong) };
    let form = checked::both(list(tenant(headers)), list(timeout(headers)));
    let ((), (tenant, timeout)) =
        checked::both(wrong, form).map_err(|wrong| status::invalid(&wrong).into_http())?;
    Ok(Metadata { tenant, timeout })
}

fn list<T>(checked: Result<T, Violation>) -> Checked<T> {
    checked.map_err(|violation| vec![violation])
}

/// The caller's id of a request.
pub(super) fn request_id(headers: &HeaderMap) -> Result<Option<&str>, Violation> {
    let Some(value) = single(headers, REQUEST_ID_KEY)? else {
        return Ok(None);
    };
    if value.len() > MAX_REQUEST_ID_BYTES {
        return Err(Violation::limit(
            REQUEST_ID_KEY,
            value.len(),
            MAX_REQUEST_ID_BYTES,
            "bytes",
        ));
    }
    let plain = value
        .as_bytes()
        .iter()
        .all(|byte| byte.is_ascii_graphic() && *byte != b',');
    let id = value.to_str().ok().filter(|id| plain && !id.is_empty());
    id.map(Some).ok_or_else(|| {
        let rule =
            format!("must be 1 to {MAX_REQUEST_ID_BYTES} visible ASCII characters without a comma");
        Violation::new(Reason::Malformed, REQUEST_ID_KEY, rule)
    })
}

/// The tenant of a request.
fn tenant(headers: &HeaderMap) -> Result<Option<TenantId>, Violation> {
    let Some(name) = single(headers, TENANT_KEY)? else {
        return Ok(None);
    };
    let read = name.to_str().ok().and_then(TenantId::new);
    read.map(Some).ok_or_else(|| {
        let rule = "must be 1 to 63 characters of a-z 0-9 - _, beginning with a letter or digit, and there once";
        Violation::new(Reason::Malformed, TENANT_KEY, rule)
    })
}

/// The caller's timeout: up to eight digits and a unit.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Violation> {
    let Some(value) = single(headers, TIMEOUT_KEY)? else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(parse_timeout);
    parsed.map(Some).ok_or_else(|| {
        let rule = "must be 1 to 8 digits and one of the units H, M, S, m, u, n";
        Violation::new(Reason::Malformed, TIMEOUT_KEY, rule)
    })
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain =
        (1..=8).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let value: u64 = digits.parse().ok().filter(|_| plain)?;
    match unit {
        "H" => Some(Duration::from_hours(value)),
        "M" => Some(Duration::from_mins(value)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// The trace may be malformed, which begins a new one (W3C Trace Context), but not two, also not
/// joined by a proxy.
fn trace(headers: &HeaderMap) -> Result<(), Violation> {
    match single(headers, TRACE_KEY)? {
        Some(value) if value.as_bytes().contains(&b',') => Err(repeated(TRACE_KEY)),
        _ => Ok(()),
    }
}

/// The value of a key that may be there once.
fn single<'h>(headers: &'h HeaderMap, key: &str) -> Result<Option<&'h HeaderValue>, Violation> {
    let mut values = headers.get_all(key).iter();
    let first = values.next();
    if values.next().is_some() {
        Err(repeated(key))
    } else {
        Ok(first)
    }
}

fn repeated(key: &str) -> Violation {
    let rule = "is there more than once; a proxy that sets it must replace what came in";
    Violation::new(Reason::Malformed, key, rule)
}

/// Whether the body is gRPC with Protobuf; what is wrong otherwise.
fn content_type(headers: &HeaderMap) -> Result<(), String> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err("content-type is missing; a gRPC call has application/grpc".to_owned());
    };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    if matches!(essence, "application/grpc" | "application/grpc+proto") {
        return Ok(());
    }
    let found = shown(value.to_str().unwrap_or("not ASCII"));
    if essence.starts_with("application/grpc-web") {
        return Err(format!(
            "content-type is {found}: this server speaks gRPC over HTTP/2, not gRPC-Web; put a proxy that translates in front \
             (Envoy's grpc_web filter)"
        ));
    }
    Err(format!(
        "content-type is {found}; this server takes application/grpc and application/grpc+proto"
    ))
}

/// A text of a caller within a message.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(64)
        .collect()
}

/// An answer to what is not gRPC: for HTTP clients by status and text, for logs and figures by its
/// gRPC status.
fn not_grpc(code: StatusCode, message: &str) -> Response<Body> {
    let status: Status = status::invalid(&[Violation::new(Reason::Malformed, "request", message)]);
    let mut answer = status.into_http::<Body>();
    *answer.status_mut() = code;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    answer.map(|_| Body::new(format!("{message}\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &[u8])]) -> Request<()> {
        let mut request = Request::post("/a.B/C").body(()).expect("a request");
        let given = headers.iter().map(|(key, value)| {
            let key: http::HeaderName = key.parse().expect("a name");
            (key, HeaderValue::from_bytes(value).expect("a value"))
        });
        let all = std::iter::once((
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc"),
        ))
        .chain(given);
        for (key, value) in all {
            request.headers_mut().append(key, value);
        }
        request
    }

    fn refused(headers: &[(&str, &[u8])]) -> Option<String> {
        let answer = check(&request(headers)).err()?;
        let status = Status::from_header_map(answer.headers()).expect("a status");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        Some(status.message().to_owned())
    }

    #[test]
    fn a_timeout_is_up_to_eight_digits_and_a_unit() {
        assert_eq!(parse_timeout("2H"), Some(Duration::from_hours(2)));
        assert_eq!(parse_timeout("3M"), Some(Duration::from_mins(3)));
        assert_eq!(
            parse_timeout("99999999S"),
            Some(Duration::from_secs(99_999_999))
        );
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("1u"), Some(Duration::from_micros(1)));
        assert_eq!(parse_timeout("0n"), Some(Duration::ZERO));
        for wrong in [
            "",
            "5",
            "S",
            "100000000S",
            "-1S",
            "+1S",
            "1s",
            "1.5S",
            "1µ",
            "1S,2S",
        ] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
            if wrong.is_ascii() {
                let refused = refused(&[("grpc-timeout", wrong.as_bytes())]).expect(wrong);
                assert!(refused.starts_with("grpc-timeout: "), "{refused}");
            }
        }
    }

    #[test]
    fn what_may_be_there_once_is_refused_when_it_is_there_twice() {
        let once =
            ONCE.into_iter()
                .chain(["x-tenant", "x-request-id", "grpc-timeout", "traceparent"]);
        for key in once.filter(|key| *key != "content-type") {
            let refused = refused(&[(key, b"a"), (key, b"a")])
                .unwrap_or_else(|| panic!("{key} twice is taken"));
            assert!(
                refused.contains(&format!("{key}: is there more than once")),
                "{refused}"
            );
        }
        for key in ["x-tenant", "x-request-id", "traceparent"] {
            assert!(refused(&[(key, b"a,b")]).expect(key).starts_with(key));
            assert!(refused(&[(key, b"a, b")]).expect(key).starts_with(key));
        }
        assert_eq!(
            refused(&[
                ("tracestate", b"a=1"),
                ("tracestate", b"b=2"),
                ("traceparent", b"nonsense")
            ]),
            None
        );
    }

    #[test]
    fn empty_long_and_foreign_values_are_refused_by_name() {
        for key in ["x-tenant", "x-request-id"] {
            let long = vec![b'a'; 129];
            for value in [&b""[..], &long, "é".as_bytes(), b"\xff", b"a b"] {
                let refused =
                    refused(&[(key, value)]).unwrap_or_else(|| panic!("{key}: {value:?} is taken"));
                assert!(refused.starts_with(key), "{refused}");
            }
        }
        assert_eq!(refused(&[("x-request-id", &[b'a'; 128])]), None);
    }

    #[test]
    fn only_grpc_with_protobuf_is_taken() {
        let sent = |content_type: Option<&str>| {
            let mut request = request(&[]);
            request.headers_mut().remove(header::CONTENT_TYPE);
            if let Some(content_type) = content_type {
                request
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, content_type.parse().expect("a value"));
            }
            check(&request)
                .map(drop)
                .map_err(|answer| answer.status().as_u16())
        };
        for taken in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC;charset=utf-8",
        ] {
            assert_eq!(sent(Some(taken)), Ok(()), "{taken}");
        }
        let refused = [
            "text/plain",
            "application/json",
            "application/grpcfoo",
            "application/grpc+json",
            "application/grpc-web",
        ];
        for refused in refused {
            assert_eq!(sent(Some(refused)), Err(415), "{refused}");
        }
        assert_eq!(sent(None), Err(415));
        for method in [Method::GET, Method::PUT, Method::OPTIONS] {
            let mut request = request(&[]);
            *request.method_mut() = method;
            assert_eq!(check(&request).expect_err("a refusal").status(), 405);
        }
    }
}
