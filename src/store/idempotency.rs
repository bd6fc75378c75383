//! Requests that take effect once, however often their callers repeat them.
//!
//! A caller names a request by an id of its own. The first request under an id is stored with its
//! answer, in the transaction that it writes; the same request again gets that answer and changes
//! nothing. Another request under a used id is an error. A request without an id is not stored.

use profile_core::records::{ContentHash, Sequence};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, Result, Snapshot, StoredRequest};

/// A request that may have been answered before.
pub struct IdempotentRequest<'a> {
    /// The caller's id. Empty means none.
    id: &'a str,
    content: ContentHash,
}

/// The answer to a request that was made before.
#[derive(Debug, PartialEq, Eq)]
pub struct EarlierAnswer<T> {
    /// The answer that was given.
    pub answer: T,
    /// The write that the request made.
    pub sequence: Sequence,
}

/// Why an earlier answer could not be looked up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdempotencyError {
    /// The id was used for a request with other content.
    #[error("the request id was used before for another request")]
    IdReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl<'a> IdempotentRequest<'a> {
    /// A request with this id; two requests are the same if their contents serialize alike.
    #[must_use]
    pub fn new(id: &'a str, content: &impl Serialize) -> Self {
        Self {
            id,
            content: ContentHash::of(content),
        }
    }

    /// The answer that was given to the same request before.
    ///
    /// # Errors
    /// [`IdempotencyError::IdReused`]; [`Error::Inconsistent`] if the stored answer is none to this
    /// kind of request; other errors of the store.
    pub async fn earlier_answer<T: DeserializeOwned>(
        &self,
        reads: &mut dyn Snapshot,
    ) -> std::result::Result<Option<EarlierAnswer<T>>, IdempotencyError> {
        if self.id.is_empty() {
            return Ok(None);
        }
        let Some(stored) = reads.request(self.id).await? else {
            return Ok(None);
        };
        if stored.content != self.content {
            return Err(IdempotencyError::IdReused);
        }
        let answer = serde_json::from_str(&stored.answer).map_err(|_| Error::Inconsistent {
            table: "request",
            column: "answer",
            key: self.id.to_owned(),
            what: "is no answer to this kind of request".to_owned(),
        })?;
        Ok(Some(EarlierAnswer {
            answer,
            sequence: stored.sequence,
        }))
    }

    /// The row that makes the request known, for the write that it made. `None` without an id.
    ///
    /// # Errors
    /// [`Error::Internal`] if the answer cannot be serialized, which is a bug.
    pub fn row(
        &self,
        sequence: Sequence,
        answer: &impl Serialize,
    ) -> Result<Option<StoredRequest>> {
        if self.id.is_empty() {
            return Ok(None);
        }
        let answer =
            serde_json::to_string(answer).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Some(StoredRequest {
            request_id: self.id.to_owned(),
            content: self.content,
            sequence,
            answer,
        }))
    }
}

#[cfg(test)]
mod tests {
    use profile_core::records::{TenantId, Timestamp};

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Changes, Store};

    /// A store in which `request` was answered with `answer`.
    async fn store_with(request: &IdempotentRequest<'_>, answer: &str) -> MemoryStore {
        let store = MemoryStore::default();
        let tx = store.begin(&TenantId::default()).await.expect("a turn");
        let row = request.row(tx.sequence(), &answer).expect("serializes");
        let changes = Changes {
            requests: row.into_iter().collect(),
            ..Changes::default()
        };
        let now = Timestamp::from_micros(1);
        tx.commit(now, &changes).await.expect("commits");
        store
    }

    async fn earlier_answer(
        store: &MemoryStore,
        request: &IdempotentRequest<'_>,
    ) -> std::result::Result<Option<EarlierAnswer<String>>, IdempotencyError> {
        let mut reads = store.snapshot(&TenantId::default()).await.expect("reads");
        request.earlier_answer(&mut *reads).await
    }

    #[tokio::test]
    async fn the_same_request_gets_its_first_answer() {
        let request = IdempotentRequest::new("r1", &("merge", 7));
        let store = store_with(&request, "merged").await;
        let again = IdempotentRequest::new("r1", &("merge", 7));
        let expected = EarlierAnswer {
            answer: "merged".to_owned(),
            sequence: Sequence(1),
        };
        let answer = earlier_answer(&store, &again).await.expect("an answer");
        assert_eq!(answer, Some(expected));
    }

    #[tokio::test]
    async fn another_request_under_a_used_id_is_an_error() {
        let store = store_with(&IdempotentRequest::new("r1", &("merge", 7)), "merged").await;
        let other = IdempotentRequest::new("r1", &("merge", 8));
        let found = earlier_answer(&store, &other).await;
        assert!(
            matches!(found, Err(IdempotencyError::IdReused)),
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn a_request_without_an_id_is_never_remembered() {
        let request = IdempotentRequest::new("", &("merge", 7));
        let store = store_with(&request, "merged").await;
        let mut reads = store.snapshot(&TenantId::default()).await.expect("reads");
        assert_eq!(reads.request("").await.expect("reads"), None);
        let answer = earlier_answer(&store, &request).await.expect("an answer");
        assert_eq!(answer, None);
    }

    #[tokio::test]
    async fn an_unreadable_answer_names_its_table_and_row() {
        let request = IdempotentRequest::new("r1", &"train");
        let store = store_with(&request, "words").await;
        let mut reads = store.snapshot(&TenantId::default()).await.expect("reads");
        let found = request.earlier_answer::<u64>(&mut *reads).await;
        let Err(IdempotencyError::Store(Error::Inconsistent { table, key, .. })) = found else {
            panic!("{found:?}");
        };
        assert_eq!((table, key.as_str()), ("request", "r1"));
    }
}
