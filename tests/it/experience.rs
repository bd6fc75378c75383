//! Metrics of customer experience over the API: against published numbers, and by definition.

mod cdnow;
mod late;
mod merges;
mod refusals;

use customer_profile::grpc::v1::{
    self, experience_service_client::ExperienceServiceClient,
    get_experience_metrics_request::Subject,
};
use tonic::Status;

use crate::support::service::Service;

/// Asks for metrics.
pub(crate) async fn ask(
    service: &Service,
    request: v1::GetExperienceMetricsRequest,
) -> Result<v1::GetExperienceMetricsResponse, Status> {
    let mut client = ExperienceServiceClient::new(service.channel.clone());
    client
        .get_experience_metrics(request)
        .await
        .map(tonic::Response::into_inner)
}

/// The metrics of somebody.
pub(crate) async fn metrics(service: &Service, subject: Subject) -> v1::ExperienceMetrics {
    let request = v1::GetExperienceMetricsRequest {
        subject: Some(subject),
        ..Default::default()
    };
    ask(service, request)
        .await
        .expect("an answer")
        .metrics
        .expect("metrics")
}

/// The metrics of a segment or a tenant, computed anew.
pub(crate) async fn metrics_anew(service: &Service, subject: Subject) -> v1::ExperienceMetrics {
    let request = v1::GetExperienceMetricsRequest {
        subject: Some(subject),
        refresh: true,
        ..Default::default()
    };
    ask(service, request)
        .await
        .expect("an answer")
        .metrics
        .expect("metrics")
}
