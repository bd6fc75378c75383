//! The ticket of a batch that is in the queue, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use profile_core::model::Notes;
use profile_core::records::{EventKey, ProfileId, RecordKey, Sequence, Statement};
use tokio::sync::oneshot;

use super::attach::MAX_WAITING;
use super::notes::BatchNotes;
use super::{Error, Outcome};

/// A batch that is in the queue.
#[derive(Debug)]
pub struct Ticket {
    pub(super) outcomes: Vec<Option<Outcome>>,
    pub(super) subjects: Vec<Option<Subject>>,
    pub(super) notes: BatchNotes,
    pub(super) answer: Option<oneshot::Receiver<Result<Answer, Error>>>,
}

/// The subject of a statement.
#[derive(Debug)]
pub(super) enum Subject {
    /// A record that it names.
    Record(RecordKey),
    /// An event whose record is found by an object.
    Event(EventKey),
}

impl Subject {
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        let record = statement.record().cloned().map(Self::Record);
        record.or_else(|| Some(Self::Event(statement.event()?.key())))
    }
}

/// The outcome of a batch.
#[derive(Debug, Clone, Default)]
pub struct Receipt {
    /// For each statement, in order.
    pub results: Vec<StatementResult>,
    /// A read that reflects this write sees all that was stored. None when everything was rejected.
    pub sequence: Option<Sequence>,
}

/// The outcome of a statement.
#[derive(Debug, Clone)]
pub struct StatementResult {
    /// Stored, known already, or refused.
    pub outcome: Outcome,
    /// Where its record is now.
    pub profile: Option<ProfileId>,
    /// Notes on values that are stored and not used.
    pub notes: Notes,
}

/// The part of a transaction's result that one job gets.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) profiles: Arc<BTreeMap<RecordKey, ProfileId>>,
    pub(super) places: Arc<BTreeMap<EventKey, RecordKey>>,
    pub(super) sequence: Sequence,
}

impl Answer {
    /// The profile of what a statement is about.
    fn home(&self, subject: &Subject) -> Option<ProfileId> {
        let record = match subject {
            Subject::Record(record) => record,
            Subject::Event(event) => self.places.get(event)?,
        };
        self.profiles.get(record).copied()
    }
}

impl Ticket {
    /// Waits for the commit.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Stopping`]; [`Error::NoRoom`] when an event could not wait for
    /// its customer, whatever became of the other statements: said again they are duplicates.
    ///
    /// # Cancel safety
    /// Dropped before the writer takes the batch, nothing of it is written; after that all of it
    /// is.
    pub async fn wait(self) -> Result<Receipt, Error> {
        let answer = match self.answer {
            Some(answer) => Some(answer.await.map_err(|_| Error::Stopping)??),
            None => None,
        };
        let is_full = |answer: &Answer| answer.outcomes.contains(&Outcome::NoRoom);
        if answer.as_ref().is_some_and(is_full) {
            return Err(Error::NoRoom { limit: MAX_WAITING });
        }
        let mut written = answer
            .iter()
            .flat_map(|answer| answer.outcomes.iter().cloned());
        let results = self
            .outcomes
            .into_iter()
            .zip(self.subjects)
            .zip(self.notes.into_each())
            .map(|((outcome, subject), notes)| {
                let outcome = outcome.or_else(|| written.next()).ok_or(Error::Stopping)?;
                let home = || answer.as_ref()?.home(subject.as_ref()?);
                let (outcome, profile, notes) = match outcome {
                    // A refused statement keeps no value.
                    Outcome::Rejected(_) | Outcome::NoRoom => (outcome, None, Notes::default()),
                    Outcome::Stored | Outcome::Duplicate => (outcome, home(), notes),
                    Outcome::StoredWith(note) => (Outcome::Stored, home(), notes.with(note)),
                };
                Ok(StatementResult {
                    outcome,
                    profile,
                    notes,
                })
            });
        let results = results.collect::<Result<_, Error>>()?;
        Ok(Receipt {
            results,
            sequence: answer.as_ref().map(|answer| answer.sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answered(outcomes: &[Outcome]) -> Result<Receipt, Error> {
        let (answer, receiver) = oneshot::channel();
        let ticket = Ticket {
            outcomes: vec![None; outcomes.len()],
            subjects: outcomes.iter().map(|_| None).collect(),
            notes: BatchNotes::default(),
            answer: Some(receiver),
        };
        let written = Answer {
            outcomes: outcomes.to_vec(),
            profiles: Arc::default(),
            places: Arc::default(),
            sequence: Sequence(7),
        };
        assert!(answer.send(Ok(written)).is_ok(), "somebody waits");
        ticket.wait().await
    }

    /// Refused for good is a source's leave to forget a statement, so what may pass is no refusal.
    #[tokio::test]
    async fn a_batch_with_an_event_that_found_no_room_to_wait_is_to_be_said_again() {
        let told = answered(&[Outcome::Stored, Outcome::Duplicate]).await;
        assert_eq!(told.expect("a receipt").results.len(), 2);
        let full = answered(&[Outcome::Stored, Outcome::NoRoom]).await;
        assert!(
            matches!(full, Err(Error::NoRoom { limit: MAX_WAITING })),
            "{full:?}"
        );
    }
}
