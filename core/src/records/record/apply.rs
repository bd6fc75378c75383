//! How a record takes a statement in.

use std::collections::BTreeMap;

use super::{Base, Provenance, Record, Register, VersionStamp};
use crate::records::{Change, RecordStatement, Timestamp};

impl Record {
    /// The stamp of a statement: its own, or one after all others.
    #[must_use]
    pub fn stamp(&self, statement: &RecordStatement) -> VersionStamp {
        let (version, time) = statement.order.unwrap_or_else(|| match &self.latest {
            Some(said) => {
                let latest = said.place();
                let after = Timestamp::from_micros(latest.time.as_micros() + 1);
                (latest.version, after.max(statement.receive_time))
            }
            None => (0, statement.receive_time),
        });
        VersionStamp {
            version,
            time,
            content: statement.content,
        }
    }

    /// Whether an undated statement only repeats what holds: all that it says was said in the same
    /// words, and nothing else was said of it since. Words on other things do not matter, so each
    /// of the statements that one payload makes is known again.
    #[must_use]
    pub fn repeats(&self, statement: &RecordStatement) -> bool {
        let same = |said: &Provenance| said.stamp.content == statement.content;
        let patched = |patch: Option<&Provenance>| patch.is_some_and(same);
        let holds = match &statement.change {
            Change::Replace(_) | Change::Delete => {
                let overlaid = self.identifiers.values().any(|cell| cell.patch.is_some())
                    || self.traits.values().any(|cell| cell.patch.is_some());
                !overlaid && self.base.is_some_and(|base| same(&base.said))
            }
            Change::Patch {
                identifiers,
                traits,
            } => {
                let of_kind = |kind| {
                    self.identifiers
                        .get(kind)
                        .and_then(|cell| cell.patch.as_ref())
                };
                let of_trait = |name| self.traits.get(name).and_then(|cell| cell.patch.as_ref());
                identifiers.keys().all(|kind| patched(of_kind(kind)))
                    && traits.keys().all(|name| patched(of_trait(name)))
            }
            Change::Prefer(preferences) => preferences.keys().all(|key| {
                let last = self.preferences.get(key).and_then(|wish| wish.last(key));
                patched(last.map(|(_, said)| said))
            }),
            Change::Consent(consent) => patched(self.consents.latest_on(consent)),
        };
        statement.order.is_none() && holds
    }

    /// Takes a statement in. Taking it in again changes nothing.
    pub fn apply(&mut self, statement: &RecordStatement) {
        self.apply_at(self.stamp(statement), statement);
    }

    /// Takes a statement in under the stamp that it got when it was stored. Answers with the
    /// identifier type of which it held more values than [`MAX_FORMER`](super::MAX_FORMER), so that
    /// the oldest was dropped.
    pub fn apply_at(&mut self, stamp: VersionStamp, statement: &RecordStatement) -> Option<String> {
        let said = Provenance {
            stamp,
            source_time: statement.source_time,
            receive_time: statement.receive_time,
        };
        self.first_seen = self.first_seen.min(statement.receive_time);
        if self
            .latest
            .is_none_or(|latest| latest.place() < said.place())
        {
            self.latest = Some(said);
        }
        let ahead = said.source_time.filter(|time| *time > said.receive_time);
        self.ahead = self.ahead.max(ahead);
        let held = self.replaceable(&statement.change);
        self.take(said, &statement.change);
        self.keep_former(held, &statement.change, &said)
    }

    fn take(&mut self, said: Provenance, change: &Change) {
        match change {
            Change::Patch {
                identifiers,
                traits,
            } => {
                if self
                    .base
                    .is_none_or(|base| base.said.place() < said.place())
                {
                    for (kind, values) in identifiers {
                        patch(&mut self.identifiers, kind, values, said);
                    }
                    for (name, value) in traits {
                        patch(&mut self.traits, name, value, said);
                    }
                }
            }
            Change::Prefer(preferences) => {
                for (key, value) in preferences {
                    let wish = self.preferences.entry(key.clone()).or_default();
                    wish.take(key, value.as_ref(), said);
                }
            }
            Change::Consent(consent) => self.consents.take(consent, said),
            Change::Replace(fields) => {
                if self.rebase(said, false) {
                    fill(
                        &mut self.identifiers,
                        fields
                            .identifiers
                            .iter()
                            .map(|(kind, values)| (kind, values.clone())),
                    );
                    fill(
                        &mut self.traits,
                        fields
                            .traits
                            .iter()
                            .map(|(name, value)| (name, Some(value.clone()))),
                    );
                }
            }
            Change::Delete => {
                self.deleted = self.deleted.max(Some(said.moment()));
                self.rebase(said, true);
            }
        }
    }

    /// Makes a whole statement the base, if it is later than the present one, and drops what is
    /// older.
    fn rebase(&mut self, said: Provenance, deleted: bool) -> bool {
        let place = said.place();
        if self.base.is_some_and(|base| base.said.place() >= place) {
            return false;
        }
        self.base = Some(Base { said, deleted });
        let later = |patch: Option<Provenance>| patch.is_some_and(|patch| patch.place() > place);
        self.identifiers.retain(|_, cell| later(cell.patch));
        self.traits.retain(|_, cell| later(cell.patch));
        true
    }
}

/// Sets a field unless a later patch has. (Fields of the base are older: the caller has compared.)
fn patch<T: Clone>(
    fields: &mut BTreeMap<String, Register<T>>,
    name: &str,
    value: &T,
    said: Provenance,
) {
    let new = said.place();
    let later = |cell: &Register<T>| cell.patch.is_some_and(|patch| patch.place() >= new);
    if !fields.get(name).is_some_and(later) {
        fields.insert(
            name.to_owned(),
            Register {
                value: value.clone(),
                patch: Some(said),
            },
        );
    }
}

/// Sets the fields of a new base where no later patch is left.
fn fill<'a, T>(
    fields: &mut BTreeMap<String, Register<T>>,
    values: impl Iterator<Item = (&'a String, T)>,
) {
    for (name, value) in values {
        fields
            .entry(name.clone())
            .or_insert(Register { value, patch: None });
    }
}

#[cfg(test)]
mod tests;
