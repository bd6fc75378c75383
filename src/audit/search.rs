//! Searching a log, the latest entries first.

use profile_core::records::{TenantId, Timestamp};

use super::Entry;
use super::batch::{BatchError, lines, may_name};
use crate::store::{self, AuditSpan, Store};

/// The most batches that one search looks at, by what is known of them without reading them.
const MAX_SPANS: usize = 100_000;
/// So many of them are asked for at once.
const SPANS_AT_ONCE: usize = 1000;

/// Entries about a customer: those of a profile from one time up to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The name of the profile.
    pub profile: String,
    /// From this time on.
    pub begin: Timestamp,
    /// Before this time; `None`: up to now.
    pub end: Option<Timestamp>,
}

/// The entries that are searched for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// About the customer who was in one of these profiles; `None`: about any and none.
    pub customer: Option<Vec<Period>>,
    /// From this time on.
    pub start: Option<Timestamp>,
    /// Before this time.
    pub end: Option<Timestamp>,
    /// Of this credential; empty: of all.
    pub credential: String,
    /// Of credentials with this subject; empty: of all.
    pub subject: String,
    /// Before this place; `None`: from the end.
    pub before: Option<u64>,
    /// The most entries that are answered.
    pub limit: usize,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Entries by their places, the latest first.
    pub entries: Vec<(u64, Entry)>,
    /// The place to go on before; `None`: nothing is left.
    pub before: Option<u64>,
}

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The log was changed.
    #[error(transparent)]
    Changed(#[from] BatchError),
}

/// Searches the log of a tenant. It looks at a bounded number of batches; what it has not come to
/// is on the next page.
///
/// # Errors
/// The store fails, or a batch was changed.
///
/// # Cancel safety
/// Nothing is lost.
pub async fn search(
    store: &dyn Store,
    tenant: &TenantId,
    query: &Query,
) -> Result<Found, SearchError> {
    let mut before = match query.before {
        Some(before) => before,
        None => store.audit_head(tenant).await?.size,
    };
    let (mut entries, mut looked_at) = (Vec::new(), 0);
    while looked_at < MAX_SPANS {
        let spans = store.audit_spans(tenant, before, SPANS_AT_ONCE).await?;
        if spans.is_empty() {
            return Ok(Found {
                entries,
                before: None,
            });
        }
        looked_at += spans.len();
        for span in spans {
            let (first, end) = (span.first, before.min(span.first + span.count));
            if query.may_be_in(&span) {
                let batches = store.audit_batches(tenant, first, end).await?;
                let batch = batches.iter().find(|batch| batch.span.first == first);
                let lines = lines(batch.ok_or(BatchError)?)?;
                let numbered: Vec<_> = (first..end).zip(&lines).collect();
                for (index, line) in numbered.into_iter().rev() {
                    let entry = Entry::of_line(line).ok_or(BatchError)?;
                    if query.takes(&entry) {
                        entries.push((index, entry));
                    }
                    if entries.len() >= query.limit {
                        let before = (index > 0).then_some(index);
                        return Ok(Found { entries, before });
                    }
                }
            }
            before = first;
        }
    }
    let before = Some(before);
    Ok(Found { entries, before })
}

impl Query {
    fn may_be_in(&self, span: &AuditSpan) -> bool {
        let overlaps = |begin: Option<Timestamp>, end: Option<Timestamp>| {
            begin.is_none_or(|begin| begin <= span.end_time)
                && end.is_none_or(|end| span.begin_time < end)
        };
        let speaks_of = |period: &Period| {
            overlaps(Some(period.begin), period.end) && may_name(span, &period.profile)
        };
        let customer = self.customer.as_ref();
        overlaps(self.start, self.end)
            && customer.is_none_or(|periods| periods.iter().any(speaks_of))
    }

    fn takes(&self, entry: &Entry) -> bool {
        let is_within = |begin: Option<Timestamp>, end: Option<Timestamp>| {
            begin.is_none_or(|begin| begin <= entry.time) && end.is_none_or(|end| entry.time < end)
        };
        let speaks_of = |period: &Period| {
            is_within(Some(period.begin), period.end) && entry.customers.contains(&period.profile)
        };
        let is = |wanted: &str, said: &str| wanted.is_empty() || wanted == said;
        let customer = self.customer.as_ref();
        is_within(self.start, self.end)
            && is(&self.credential, &entry.credential)
            && is(&self.subject, entry.subject.as_deref().unwrap_or_default())
            && customer.is_none_or(|periods| periods.iter().any(speaks_of))
    }
}
