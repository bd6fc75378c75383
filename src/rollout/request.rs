//! Requests that are done once, whatever their callers repeat.

use profile_core::records::{ContentHash, Sequence};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::switch::Error;
use crate::store::{self, StoredRequest, Transaction};

/// A request with the name that its caller gave it; an empty name is none.
pub(super) struct Request<'a> {
    id: &'a str,
    content: ContentHash,
}

impl<'a> Request<'a> {
    pub(super) fn new(id: &'a str, content: &impl Serialize) -> Self {
        Self {
            id,
            content: ContentHash::of(content),
        }
    }

    /// What was answered to it before.
    ///
    /// # Errors
    /// [`Error::RequestIdReused`]; those of the store.
    pub(super) async fn known<T: DeserializeOwned>(
        &self,
        tx: &mut dyn Transaction,
    ) -> Result<Option<T>, Error> {
        if self.id.is_empty() {
            return Ok(None);
        }
        let Some(stored) = tx.reads().request(self.id).await? else {
            return Ok(None);
        };
        if stored.content != self.content {
            return Err(Error::RequestIdReused);
        }
        let answer =
            serde_json::from_str(&stored.answer).map_err(|_| store::Error::Inconsistent {
                table: "request",
                column: "answer",
                key: "…".to_owned(),
                what: "is no answer to this kind of request".to_owned(),
            })?;
        Ok(Some(answer))
    }

    /// To be stored with what it did.
    ///
    /// # Errors
    /// [`store::Error::Internal`], which is a bug.
    pub(super) fn answered(
        &self,
        sequence: Sequence,
        answer: &impl Serialize,
    ) -> Result<Option<StoredRequest>, store::Error> {
        if self.id.is_empty() {
            return Ok(None);
        }
        let answer = serde_json::to_string(answer)
            .map_err(|error| store::Error::Internal(error.to_string()))?;
        Ok(Some(StoredRequest {
            request_id: self.id.to_owned(),
            content: self.content,
            sequence,
            answer,
        }))
    }
}
