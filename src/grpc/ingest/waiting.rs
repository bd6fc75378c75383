//! Events that wait for their customer.

use profile_core::model::check::is_snake_case;
use profile_core::records::{Reason, Violation};

use super::IngestApi;
use crate::grpc::call_context::CallContext;
use crate::grpc::checked::{Checked, both, page_size};
use crate::grpc::error::ApiError;
use crate::grpc::{encode, token, v1};
use crate::store::{WaitingPage, WaitingPlace};

impl IngestApi {
    pub(super) async fn list_waiting_events(
        &self,
        request: v1::ListWaitingEventsRequest,
        context: &CallContext,
    ) -> Result<v1::ListWaitingEventsResponse, ApiError> {
        let v1::ListWaitingEventsRequest {
            source,
            page_size: size,
            page_token,
        } = request;
        let (limit, source) = both(page_size(size, 50, 500), self::source(source))?;
        let after: Option<WaitingPlace> = token::parse_page_token(&page_token, &source)?;
        let page = WaitingPage {
            source: source.clone(),
            after,
            limit: limit + 1,
        };
        let mut events = self.store.list_waiting(&context.tenant, &page).await?;
        let more = events.len() > limit;
        events.truncate(limit);
        let last = events.last().filter(|_| more);
        let next = last.map(|last| token::page_token(last.position(), &source));
        Ok(v1::ListWaitingEventsResponse {
            events: events.into_iter().map(encode::event).collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }
}

/// The source that is asked for. `None`: all.
fn source(name: String) -> Checked<Option<String>> {
    if name.is_empty() || is_snake_case(&name) {
        return Ok((!name.is_empty()).then_some(name));
    }
    let rule = "must be lower snake case (`shop`), 1 to 64 bytes";
    Err(vec![Violation::new(Reason::Malformed, "source", rule)])
}
