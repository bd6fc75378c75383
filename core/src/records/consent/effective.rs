//! The word that counts, of all that the records of a profile say.

use super::{About, ConsentState, ConsentWord};
use crate::records::{Origin, Provenance, Record, RecordKey, Timestamp};

/// What counts for a purpose at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective<'a> {
    /// What it comes to.
    pub state: ConsentState,
    /// The word that counts.
    pub word: &'a ConsentWord,
    /// Whose it is.
    pub record: &'a RecordKey,
}

/// What counts at a time, of what the records of a profile say: the most restrictive. None: nothing
/// was said.
#[must_use]
pub fn effective<'a>(
    records: &'a [Record],
    about: About<'_>,
    time: Timestamp,
) -> Option<Effective<'a>> {
    let of_record = |record: &'a Record| {
        let counts = |said: &Provenance| !record.is_of_former_holder(said);
        let (state, word) = record.consents().at(about, time, &counts)?;
        Some(Effective {
            state,
            word,
            record: &record.key,
        })
    };
    records
        .iter()
        .filter_map(of_record)
        .max_by(|a, b| a.rank().cmp(&b.rank()))
}

/// When what counts may change next by time alone.
#[must_use]
pub fn next_change(records: &[Record], about: About<'_>, time: Timestamp) -> Option<Timestamp> {
    let words = records.iter().flat_map(|record| record.consents().iter());
    let concerned = words.filter(|word| match about.contact_point {
        Some(_) => about.covers(word),
        None => word.consent.purpose == about.purpose,
    });
    concerned.filter_map(|word| word.next_change(time)).min()
}

impl Effective<'_> {
    /// Who said the word, and when.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(self.record, &self.word.said)
    }

    /// The most restrictive; of equals the latest, then the least record.
    fn rank(
        &self,
    ) -> (
        ConsentState,
        Option<Timestamp>,
        std::cmp::Reverse<&RecordKey>,
    ) {
        (
            self.state,
            self.word.said.said_time(),
            std::cmp::Reverse(self.record),
        )
    }
}
