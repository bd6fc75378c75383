//! Reads that answer in pages: a customer's timeline, and search.

use std::collections::BTreeMap;

use super::{Answer, Error, Freshness, Key, Reader};
use crate::profile::{Event, Identifier, ProfileId, RecordKey, TenantId, TimelinePosition, words};
use crate::store::{self, EventPage};

/// How many profiles a search finds by one identifier. Identifiers that more hold are of no use to tell people apart.
const MAX_EXACT_HITS: usize = 1_000;

/// Which part of a timeline to read.
pub type TimelineQuery = EventPage;

/// A page of a timeline.
#[derive(Debug, Clone)]
pub struct TimelinePage {
    /// Whose timeline it is.
    pub profile: Answer,
    /// Newest first.
    pub events: Vec<Event>,
    /// Where to go on; none on the last page.
    pub next: Option<TimelinePosition>,
}

/// A profile that fits a search.
#[derive(Debug, Clone)]
pub struct SearchHit {
    /// Which.
    pub profile: Answer,
    /// The identifier types in which it equals the query, in order.
    pub identifier_types: Vec<String>,
    /// The traits in which a word begins as in the query, in order.
    pub traits: Vec<String>,
}

/// A page of hits.
#[derive(Debug, Clone)]
pub struct SearchPage {
    /// In order: those found by an identifier, then the others; each by id.
    pub hits: Vec<SearchHit>,
    /// Where to go on; none on the last page.
    pub next: Option<SearchCursor>,
}

/// Where a page of hits ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchCursor {
    /// Whether all that were found by an identifier have been listed.
    pub by_words: bool,
    /// The last profile listed.
    pub profile: ProfileId,
}

impl Reader {
    /// Reads a page of a timeline. Events are read from the store, the profile perhaps from the cache.
    ///
    /// # Errors
    /// As [`Reader::profile`].
    pub async fn timeline(
        &self,
        tenant: &TenantId,
        key: &Key,
        freshness: Freshness,
        query: &TimelineQuery,
    ) -> Result<TimelinePage, Error> {
        let profile = self.profile(tenant, key, freshness).await?;
        let records: Vec<RecordKey> = profile.profile.records.iter().map(|record| record.key.clone()).collect();
        let one_more = EventPage { limit: query.limit + 1, ..query.clone() };
        let mut events = self.metrics.store("list_events", self.store.list_events(tenant, &records, &one_more)).await?;
        let more = events.len() > query.limit;
        events.truncate(query.limit);
        let next = events.last().filter(|_| more).map(Event::position);
        Ok(TimelinePage { profile, events, next })
    }

    /// Finds profiles by what a person types: an identifier of any type, or the beginnings of names.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn search(
        &self,
        tenant: &TenantId,
        query: &str,
        after: Option<SearchCursor>,
        limit: usize,
    ) -> Result<SearchPage, store::Error> {
        let exact = self.by_identifier_of_any_type(tenant, query).await?;
        let words = words(query);
        let mut found: Vec<(SearchCursor, Vec<String>, Vec<String>)> = exact
            .iter()
            .map(|(id, kinds)| (SearchCursor { by_words: false, profile: *id }, kinds.clone(), Vec::new()))
            .filter(|(cursor, ..)| after.is_none_or(|after| *cursor > after))
            .collect();
        if !words.is_empty() {
            let mut from = after.filter(|after| after.by_words).map(|after| after.profile);
            while found.len() <= limit {
                let wanted = limit + 1;
                let hits = self
                    .metrics
                    .store("find_by_prefixes", self.store.find_by_prefixes(tenant, &words, from, wanted))
                    .await?;
                let last = hits.last().map(|hit| hit.profile);
                let complete = hits.len() < wanted;
                let fresh = hits.into_iter().filter(|hit| !exact.contains_key(&hit.profile));
                found.extend(
                    fresh.map(|hit| (SearchCursor { by_words: true, profile: hit.profile }, Vec::new(), hit.traits)),
                );
                if complete {
                    break;
                }
                from = last;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(cursor, ..)| *cursor);
        let keys: Vec<Key> = found.iter().map(|(cursor, ..)| Key::Id(cursor.profile)).collect();
        let profiles = self.profiles(tenant, &keys, Freshness::MinimizeLatency).await?;
        let hits = found.into_iter().zip(profiles).filter_map(|((_, identifier_types, traits), profile)| {
            // A profile that went between the two reads is no longer a hit.
            Some(SearchHit { profile: profile.ok()?, identifier_types, traits })
        });
        Ok(SearchPage { hits: hits.collect(), next })
    }

    async fn by_identifier_of_any_type(
        &self,
        tenant: &TenantId,
        query: &str,
    ) -> Result<BTreeMap<ProfileId, Vec<String>>, store::Error> {
        let model = self.models.of(tenant).await?.model.clone();
        let normalized = model.identifiers.iter().map(|(name, kind)| Identifier::new(name, kind.normalize(query)));
        let identifiers: Vec<Identifier> = normalized.filter(|identifier| model.links(identifier)).collect();
        let mut found: BTreeMap<ProfileId, Vec<String>> = BTreeMap::new();
        if identifiers.is_empty() {
            return Ok(found);
        }
        let holders = self
            .metrics
            .store("find_by_identifiers", self.store.find_by_identifiers(tenant, &identifiers, MAX_EXACT_HITS))
            .await?;
        for (identifier, profiles) in identifiers.into_iter().zip(holders.value) {
            for profile in profiles {
                found.entry(profile).or_default().push(identifier.kind.clone());
            }
        }
        Ok(found)
    }
}
