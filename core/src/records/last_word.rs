//! The last of a record's words on one thing, where some have a version and others have none.
//!
//! A source numbers the versions of its records, while a preference centre or an agent says a time
//! alone. Of the words with a version the greatest one is the last, of the others the latest. Of
//! these two the later by time counts, and the stricter of two of one time, or where the one with a
//! version says no time: no withdrawal is lost to an older grant because that has a number.
//!
//! The answer is a function of the set of words. One pair of a version and a time would not do:
//! version 2 of five o'clock, nothing of six o'clock and version 1 of seven o'clock would each come
//! after another.

use super::{ContentHash, Provenance, Timestamp, VersionStamp};

/// The place of a word among those on one thing; `S` is its strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WordPlace<S> {
    version: i64,
    time: Timestamp,
    strictness: S,
    content: ContentHash,
    /// Whether its source said when.
    has_time: bool,
}

impl<S: Ord + Copy> WordPlace<S> {
    pub(super) fn new(said: &Provenance, strictness: S) -> Self {
        let VersionStamp {
            version,
            time,
            content,
        } = said.place();
        Self {
            version,
            time,
            strictness,
            content,
            has_time: said.source_time.is_some() || time != Timestamp::default(),
        }
    }

    /// Whether it is put in order by its version; else by its time alone.
    pub(super) fn has_version(&self) -> bool {
        self.version != 0
    }

    /// Whether a word that says a time alone comes after this one, which has a version.
    fn is_before(&self, by_time: &Self) -> bool {
        let time = self.has_time.then_some(self.time);
        match time {
            Some(time) => (time, self.strictness) < (by_time.time, by_time.strictness),
            None => self.strictness < by_time.strictness,
        }
    }
}

/// The last of words on one thing.
pub(super) fn last_word<W, S: Ord + Copy>(
    words: impl Iterator<Item = W>,
    place: impl Fn(&W) -> WordPlace<S>,
) -> Option<W> {
    let (mut by_version, mut by_time) = (None, None);
    for word in words {
        let here = place(&word);
        let last = if here.has_version() {
            &mut by_version
        } else {
            &mut by_time
        };
        if last.as_ref().is_none_or(|(held, _)| *held <= here) {
            *last = Some((here, word));
        }
    }
    let later = match (by_version, by_time) {
        (Some(version), Some(time)) if version.0.is_before(&time.0) => Some(time),
        (version, time) => version.or(time),
    };
    later.map(|(_, word)| word)
}
