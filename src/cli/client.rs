//! The client of a running server, and its refusals in words.

mod access;

use std::time::Duration;

use anyhow::anyhow;
use clap::builder::NonEmptyStringValueParser;
use profile_core::records::TenantId;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

pub(super) use self::access::AccessArgs;
use super::key::CustomerKey;
use crate::grpc::TENANT_KEY;
use crate::grpc::v1;
use crate::grpc::v1::audit_service_client::AuditServiceClient;
use crate::grpc::v1::context_service_client::ContextServiceClient;
use crate::grpc::v1::experience_service_client::ExperienceServiceClient;
use crate::grpc::v1::identity_service_client::IdentityServiceClient;
use crate::grpc::v1::ingest_service_client::IngestServiceClient;
use crate::grpc::v1::model_service_client::ModelServiceClient;
use crate::grpc::v1::preference_service_client::PreferenceServiceClient;
use crate::grpc::v1::privacy_service_client::PrivacyServiceClient;
use crate::grpc::v1::profile_service_client::ProfileServiceClient;
use crate::grpc::v1::publish_service_client::PublishServiceClient;
use crate::grpc::v1::segment_service_client::SegmentServiceClient;
use crate::telemetry::metrics::name_of;

/// Default address of a server.
pub(super) const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";

/// Maximum page size of the server.
const MAX_PAGE: u32 = 500;
/// Deadline of a call.
const DEADLINE: Duration = Duration::from_secs(30);
/// The server bounds what it sends; the client takes all of it.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// The server to ask, and the tenant.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerArgs {
    /// The server to ask
    #[arg(long, value_name = "URL", default_value = DEFAULT_SERVER, env = "CUSTOMER_PROFILE_SERVER", value_parser = NonEmptyStringValueParser::new())]
    pub(super) server: String,

    #[command(flatten)]
    access: AccessArgs,

    #[command(flatten)]
    tenant: TenantArgs,
}

/// The tenant of a command.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TenantArgs {
    /// Tenant whose customers to read; default: the credential's, and `default` without one
    #[arg(long, value_name = "NAME", env = "CUSTOMER_PROFILE_TENANT", value_parser = tenant)]
    tenant: Option<TenantId>,
}

impl TenantArgs {
    /// The tenant that was named.
    pub(super) fn named(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The tenant where no credential has one.
    pub(super) fn or_default(&self) -> TenantId {
        self.tenant.clone().unwrap_or_default()
    }
}

/// A tenant's name on the command line.
pub(super) fn tenant(name: &str) -> Result<TenantId, String> {
    let rule = format!(
        "a tenant is named by 1 to {} lower-case letters, digits and hyphens",
        TenantId::MAX_BYTES
    );
    TenantId::new(name).ok_or(rule)
}

/// A connection to a server, under a credential, for one tenant.
#[derive(Debug, Clone)]
pub(super) struct Client {
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    /// `None`: the credential's.
    tenant: Option<TenantId>,
}

impl ServerArgs {
    /// A connection to the server, for the tenant.
    pub(super) async fn connect(&self) -> anyhow::Result<Client> {
        Client::connect(&self.server, &self.access, self.tenant.named()).await
    }
}

impl Client {
    /// Connects to a server, for a tenant.
    pub(super) async fn connect(
        server: &str,
        access: &AccessArgs,
        tenant: Option<&TenantId>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            channel: access.connect(server).await?,
            authorization: access.authorization()?,
            tenant: tenant.cloned(),
        })
    }

    /// The client of `ProfileService`.
    pub(super) fn profiles(&self) -> ProfileServiceClient<Channel> {
        ProfileServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `IdentityService`.
    pub(super) fn identity(&self) -> IdentityServiceClient<Channel> {
        IdentityServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The name of the profile that a key leads to. A name stays as it is: it may be one that was
    /// merged.
    pub(super) async fn profile_name(&self, key: CustomerKey) -> anyhow::Result<String> {
        let key = v1::ProfileKey::from(key);
        if let Some(v1::profile_key::Key::Name(name)) = key.key {
            return Ok(name);
        }
        let request = v1::GetProfileRequest {
            key: Some(key),
            read_mask: Some(prost_types::FieldMask {
                paths: vec!["name".to_owned()],
            }),
            ..v1::GetProfileRequest::default()
        };
        let answer = answered(self.profiles().get_profile(self.request(request)?).await)?;
        Ok(answer.profile.unwrap_or_default().name)
    }

    /// The client of `IngestService`.
    pub(super) fn ingest(&self) -> IngestServiceClient<Channel> {
        IngestServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `ModelService`.
    pub(super) fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `PreferenceService`.
    pub(super) fn preferences(&self) -> PreferenceServiceClient<Channel> {
        PreferenceServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `ContextService`.
    pub(super) fn contexts(&self) -> ContextServiceClient<Channel> {
        ContextServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `SegmentService`.
    pub(super) fn segments(&self) -> SegmentServiceClient<Channel> {
        SegmentServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `ExperienceService`.
    pub(super) fn experience(&self) -> ExperienceServiceClient<Channel> {
        ExperienceServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `PublishService`.
    pub(super) fn publishing(&self) -> PublishServiceClient<Channel> {
        PublishServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `AuditService`.
    pub(super) fn audit(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The client of `PrivacyService`.
    pub(super) fn privacy(&self) -> PrivacyServiceClient<Channel> {
        PrivacyServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// A request without a deadline.
    pub(super) fn long_request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        if let Some(tenant) = &self.tenant {
            metadata.insert(TENANT_KEY, tenant.as_str().parse()?);
        }
        if let Some(authorization) = &self.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        Ok(request)
    }

    /// A request with the tenant and the usual deadline.
    pub(super) fn request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        let mut request = self.long_request(message)?;
        request.set_timeout(DEADLINE);
        Ok(request)
    }
}

/// Page after page up to a limit, as one list; and the token of the page after it, if there is
/// one. `page` gets a page size and a token.
pub(super) async fn pages<T>(
    limit: u32,
    page: impl AsyncFn(i32, String) -> anyhow::Result<(Vec<T>, String)>,
) -> anyhow::Result<(Vec<T>, String)> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let left = limit.saturating_sub(u32::try_from(all.len())?);
        let (mut found, next) = page(i32::try_from(left.min(MAX_PAGE))?, token).await?;
        all.append(&mut found);
        if next.is_empty() || all.len() >= usize::try_from(limit)? {
            return Ok((all, next));
        }
        token = next;
    }
}

/// The message of an answer, or its refusal in words.
pub(super) fn answered<T>(answer: Result<Response<T>, Status>) -> anyhow::Result<T> {
    answer
        .map(Response::into_inner)
        .map_err(|status| refused(&status))
}

/// A refusal in words: each violation on its own line, then the code and the reason.
pub(super) fn refused(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let code = name_of(status.code());
    let info = details.error_info();
    let reason = info
        .map(|info| format!(", {}", info.reason))
        .unwrap_or_default();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.as_slice())
        .unwrap_or_default();
    let left_out = info.and_then(|info| info.metadata.get("violations_left_out"));
    match violations {
        [] => {
            let again = retry_after(status)
                .map(|delay| format!("; try again after {delay:.1?}"))
                .unwrap_or_default();
            anyhow!("{}{again} ({code}{reason})", status.message())
        }
        [one] => anyhow!("{}: {} ({code}{reason})", one.field, one.description),
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|one| format!("\n  {}: {}", one.field, one.description))
                .collect();
            let more = left_out
                .map(|count| format!("\n  and {count} more"))
                .unwrap_or_default();
            anyhow!(
                "the request is invalid ({code}{reason}):{}{more}",
                lines.concat()
            )
        }
    }
}

/// Minimum delay before the same call may succeed. `None` if the server names none.
pub(super) fn retry_after(status: &Status) -> Option<Duration> {
    status
        .get_error_details()
        .retry_info()
        .and_then(|info| info.retry_delay)
}
