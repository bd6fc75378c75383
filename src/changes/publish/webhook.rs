//! Webhooks: one request for each event, signed, one after the other.
//!
//! Signed by the rules of Standard Webhooks, so that receivers verify with a library they have. The
//! secret may be several, with blanks between: each signs, so that a secret can be changed without
//! a gap. Redirects are not followed: an event goes to whom the model names.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use profile_core::model::publication::WebhookTarget;
use profile_core::records::Timestamp;
use reqwest::{Client, Response, StatusCode, header};
use sha2::Sha256;

use super::event::Event;
use super::target::{Failure, Target, plain, variable};
use crate::clock::Clock;
use crate::spans;

/// The beginning of a secret.
const SECRET_PREFIX: &str = "whsec_";
/// How long a receiver may ask to be left alone.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How much of a refusal is read.
const MAX_REFUSAL_BYTES: usize = 1_024;

/// A receiver over HTTP.
pub(super) struct Webhook {
    client: Client,
    url: String,
    keys: Vec<Vec<u8>>,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    pub(super) fn new(target: &WebhookTarget, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let wrong = || {
            let name = &target.secret_env;
            Failure::passing(format!(
                "the environment variable {name} must hold `{SECRET_PREFIX}` and base64"
            ))
        };
        let secret = variable(&target.secret_env)?;
        let keys: Vec<Vec<u8>> = secret
            .split_whitespace()
            .map(key)
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        let client = Client::builder()
            .timeout(Duration::from_secs(target.timeout_seconds.into()))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("customer-profile/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::passing(format!("no HTTP client: {}", causes(&error))))?;
        Ok(Self {
            client,
            url: target.url.clone(),
            keys,
            clock,
        })
    }

    async fn post(&self, event: &Event, now: Timestamp) -> Result<(), Failure> {
        let timestamp = now.as_micros().div_euclid(1_000_000);
        let request = self
            .client
            .post(&self.url)
            .header(
                header::CONTENT_TYPE,
                "application/cloudevents+json; charset=utf-8",
            )
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", timestamp)
            .header(
                "webhook-signature",
                signatures(&self.keys, &event.id, timestamp, &event.body),
            )
            .body(event.body.clone());
        let request = spans::outgoing()
            .into_iter()
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            });
        let response = request
            .send()
            .await
            .map_err(|error| Failure::passing(causes(&error.without_url())))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let again = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
            );
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| self::retry_after(text, now));
        let said = refusal(response).await;
        let reason = format!("HTTP {}: {said}", status.as_u16());
        let reason = reason.trim_end_matches(": ").to_owned();
        Err(Failure {
            reason,
            permanent: !again,
            retry_after,
        })
    }
}

#[async_trait]
impl Target for Webhook {
    async fn tell(&mut self, events: &[Event], told: &AtomicUsize) -> Result<(), Failure> {
        for event in events {
            self.post(event, self.clock.now()).await?;
            told.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// A secret's key.
fn key(secret: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(secret.strip_prefix(SECRET_PREFIX)?)
        .ok()
        .filter(|key| !key.is_empty())
}

/// A signature by each key. Source: Standard Webhooks 1.0.0, "Signature scheme".
fn signatures(keys: &[Vec<u8>], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signature = |key: &Vec<u8>| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ))
    };
    keys.iter()
        .filter_map(signature)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Seconds, or a date. Source: RFC 9110, section 10.2.3.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = text.parse().ok().map(Duration::from_secs).or_else(|| {
        let until = jiff::fmt::rfc2822::parse(text)
            .ok()?
            .timestamp()
            .as_microsecond();
        Some(Duration::from_micros(
            u64::try_from(until - now.as_micros()).unwrap_or(0),
        ))
    });
    wait.map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// What a receiver says when it refuses: the beginning of it.
async fn refusal(mut response: Response) -> String {
    let mut said = Vec::new();
    while said.len() < MAX_REFUSAL_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => said.extend_from_slice(&chunk),
            // What could not be read is of no importance: it is refused.
            Ok(None) | Err(_) => break,
        }
    }
    plain(&String::from_utf8_lossy(&said))
}

/// An error with all that led to it.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    plain(
        &causes
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        // The example of the specification's own libraries.
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let signed = signatures(
            &[key.clone(), vec![1]],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        let signed: Vec<&str> = signed.split(' ').collect();
        assert_eq!(signed[0], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(signed.len(), 2);
    }

    #[test]
    fn a_secret_has_its_prefix_and_base64() {
        for wrong in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_receiver_says_when_in_seconds_or_by_date() {
        let now = Timestamp::from_micros(784_111_777_000_000);
        for (text, seconds) in [
            ("7", Some(7)),
            ("999999", Some(3_600)),
            ("Sun, 06 Nov 1994 08:49:57 GMT", Some(20)),
            ("Sun, 06 Nov 1994 08:49:17 GMT", Some(0)),
            ("soon", None),
        ] {
            assert_eq!(
                retry_after(text, now),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
