//! NATS JetStream: events in a window, each acknowledged by the stream.
//!
//! Many events are under way at once, but never two of one profile: when a connection breaks, some
//! of the window may arrive and others not, in no order, and a stream that drops doubles (by
//! `Nats-Msg-Id`) would keep that order for good.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::{self, message::PublishMessage};
use async_trait::async_trait;
use profile_core::model::publication::NatsTarget;
use profile_core::records::TenantId;

use super::event::Event;
use super::target::{Failure, Target, plain, variable};
use crate::spans;

/// How many events are under way at once.
const WINDOW: usize = 256;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the stream may take to acknowledge.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// A stream of a NATS server.
pub(super) struct Nats {
    context: jetstream::Context,
    subject: String,
}

impl Nats {
    pub(super) async fn connect(target: &NatsTarget, tenant: &TenantId) -> Result<Self, Failure> {
        let mut options = ConnectOptions::new()
            .name("customer-profile")
            .connection_timeout(CONNECT_TIMEOUT);
        if let Some(name) = &target.credentials_env {
            let wrong = |_| {
                Failure::passing(format!(
                    "the environment variable {name} holds no NATS credentials"
                ))
            };
            options = options.credentials(&variable(name)?).map_err(wrong)?;
        }
        if let Some((user, password)) = &target.user_env {
            options = options.user_and_password(variable(user)?, variable(password)?);
        }
        let connected =
            tokio::time::timeout(CONNECT_TIMEOUT * 2, options.connect(&target.url)).await;
        let client = match connected {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(Failure::passing(plain(&format!("NATS: {error}")))),
            Err(_) => return Err(Failure::passing("NATS: connecting took too long")),
        };
        let mut context = jetstream::new(client);
        context.set_timeout(ACK_TIMEOUT);
        Ok(Self {
            context,
            subject: target.subject.replace("{tenant}", tenant.as_str()),
        })
    }

    async fn send(&self, event: &Event) -> Result<PublishAckFuture, PublishError> {
        let message = PublishMessage::build()
            .payload(event.body.clone())
            .message_id(&event.id)
            .header("Content-Type", "application/cloudevents+json");
        let message = spans::outgoing()
            .iter()
            .fold(message, |message, (name, value)| {
                message.header(name.as_str(), value.as_str())
            });
        self.context
            .send_publish(self.subject.replace("{kind}", event.kind), message)
            .await
    }

    fn failure(&self, error: &PublishError) -> Failure {
        let reason = match error.kind() {
            PublishErrorKind::StreamNotFound => {
                format!(
                    "NATS: no JetStream stream takes the subject {}; make one",
                    self.subject
                )
            }
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                "NATS: no acknowledgement in time".to_owned()
            }
            _ => plain(&format!("NATS: {error}")),
        };
        let permanent = error.kind() == PublishErrorKind::MaxPayloadExceeded;
        Failure {
            reason,
            permanent,
            retry_after: None,
        }
    }
}

/// What is under way, in order.
#[derive(Default)]
struct Window<'e> {
    acknowledgements: VecDeque<(PublishAckFuture, &'e str)>,
    profiles: HashSet<&'e str>,
}

impl Window<'_> {
    /// Waits for the oldest.
    async fn settle(&mut self, told: &AtomicUsize) -> Result<(), PublishError> {
        if let Some((acknowledgement, profile)) = self.acknowledgements.pop_front() {
            acknowledgement.await?;
            self.profiles.remove(profile);
            told.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[async_trait]
impl Target for Nats {
    async fn tell(&mut self, events: &[Event], told: &AtomicUsize) -> Result<(), Failure> {
        let mut window = Window::default();
        let work = async {
            for event in events {
                while window.acknowledgements.len() >= WINDOW
                    || window.profiles.contains(event.subject.as_str())
                {
                    window.settle(told).await?;
                }
                // What is before it counts, also where this one cannot be sent at all.
                match self.send(event).await {
                    Ok(acknowledgement) => window
                        .acknowledgements
                        .push_back((acknowledgement, &event.subject)),
                    Err(error) => {
                        while !window.acknowledgements.is_empty() {
                            window.settle(told).await?;
                        }
                        return Err(error);
                    }
                }
                window.profiles.insert(&event.subject);
            }
            while !window.acknowledgements.is_empty() {
                window.settle(told).await?;
            }
            Ok(())
        };
        let done: Result<(), PublishError> = work.await;
        done.map_err(|error| self.failure(&error))
    }
}
