//! Search: who could be meant by what a person types.
//!
//! Hits come by how sure they are: first those that the text names (by an identifier, or the number
//! of an order), then those in whose searchable traits each of its words is found: as it is, as the
//! beginning of a word, by a word that sounds like it, by a word that is it but for a typing
//! mistake. A profile is as sure as the least sure of the words. Less sure words are looked for
//! only when the page is not full yet, so that an agent who types well does not wait for it.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use profile_core::permission::clearance::Clearance;
use profile_core::records::{Identifier, ObjectKey, ProfileId, Sequence, TenantId, words};
use serde::{Deserialize, Serialize};

use super::former::{holder_names, present_or_former};
use super::{Answer, Freshness, Key, Reader};
use crate::store::{self, Match, TermQuery};
use words::ways;

/// How many profiles a search finds by one identifier. Identifiers that more hold are of no use to
/// tell people apart.
const MAX_NAMED_HITS: usize = 1_000;

/// A profile that fits a search.
#[derive(Debug, Clone)]
pub struct SearchHit {
    /// The profile.
    pub profile: Answer,
    /// The words that it was found by, at least one.
    pub found_by: Vec<FoundBy>,
}

/// A word that a profile was found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundBy {
    /// An identifier of this type that equals the query.
    Identifier(String),
    /// An object of this kind whose id equals the query: an order by its number.
    Object(String),
    /// A trait in which a word of the query was found, and how.
    Trait(String, Match),
}

/// A page of hits.
#[derive(Debug, Clone)]
pub struct SearchPage {
    /// The surest first; those that are as sure as each other by id.
    pub hits: Vec<SearchHit>,
    /// Where to go on; none on the last page.
    pub next: Option<SearchCursor>,
}

/// How sure a hit is, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// The query names the profile.
    Named,
    /// Each of its words is found in the profile, the least sure one so.
    Words(Match),
}

/// Where a page of hits ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SearchCursor {
    /// How sure the last profile listed is.
    pub rank: Rank,
    /// The profile at which the page ended.
    pub profile: ProfileId,
}

type Found = (SearchCursor, Vec<FoundBy>);

impl Reader {
    /// Finds profiles by what a person types, with a clearance only by what that may search by.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn search(
        &self,
        tenant: &TenantId,
        (query, clearance): (&str, Option<&Clearance>),
        after: Option<SearchCursor>,
        limit: usize,
    ) -> Result<SearchPage, store::Error> {
        let named = self.named(tenant, query, clearance).await?;
        let traits = clearance.map(Clearance::searched_traits);
        let place = |id: &ProfileId| SearchCursor {
            rank: Rank::Named,
            profile: *id,
        };
        let mut found: Vec<Found> = named
            .iter()
            .map(|(id, by)| (place(id), by.clone()))
            .filter(|(cursor, _)| after.is_none_or(|after| *cursor > after))
            .collect();
        let words = words(query);
        let mut like = None;
        for least in Match::ALL {
            let rank = Rank::Words(least);
            if words.is_empty() || found.len() > limit {
                break;
            }
            if after.is_some_and(|after| after.rank > rank) {
                continue;
            }
            if least > Match::Prefix && like.is_none() {
                like = Some(self.like_words(tenant, &words).await?);
            }
            let from = after
                .filter(|after| after.rank == rank)
                .map(|after| after.profile);
            let Some(ways) = ways(&words, like.as_deref().unwrap_or_default(), least) else {
                continue;
            };
            let asked = TermQuery {
                words: ways,
                least,
                after: from,
                limit: limit + 1,
                traits: traits.clone(),
            };
            self.by_words(tenant, asked, &named, &mut found).await?;
        }
        self.page(tenant, found, limit).await
    }

    /// The page of what was found. There is another page if more was found than fits.
    async fn page(
        &self,
        tenant: &TenantId,
        mut found: Vec<Found>,
        limit: usize,
    ) -> Result<SearchPage, store::Error> {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(cursor, _)| *cursor);
        let keys: Vec<Key> = found
            .iter()
            .map(|(cursor, _)| Key::Id(cursor.profile))
            .collect();
        let shown = if keys.is_empty() {
            Sequence::default()
        } else {
            self.head(tenant).await?
        };
        let profiles = self
            .profiles(tenant, &keys, Freshness::MinimizeLatency)
            .await?;
        let hits = found
            .into_iter()
            .zip(profiles)
            .filter_map(|((_, found_by), profile)| {
                // A profile that went between the two reads is no longer a hit. What it was found
                // by is shown too, and may be later than the profile in the cache.
                Some(SearchHit {
                    profile: profile.ok()?.showing(shown),
                    found_by,
                })
            });
        Ok(SearchPage {
            hits: hits.collect(),
            next,
        })
    }

    /// The profiles that the query names, and by what.
    async fn named(
        &self,
        tenant: &TenantId,
        query: &str,
        clearance: Option<&Clearance>,
    ) -> Result<BTreeMap<ProfileId, Vec<FoundBy>>, store::Error> {
        let model = self.models.of(tenant).await?.model.clone();
        let normalized = model
            .identifiers
            .iter()
            .filter(|(name, _)| clearance.is_none_or(|sees| sees.looks_up(name)))
            .map(|(name, kind)| Identifier::new(name, kind.normalize(query)));
        let identifiers: Vec<Identifier> = normalized
            .filter(|identifier| model.links(identifier))
            .collect();
        let mut found: BTreeMap<ProfileId, Vec<FoundBy>> = BTreeMap::new();
        if !identifiers.is_empty() {
            let names = holder_names(&identifiers, &model);
            let holders = self
                .store
                .find_by_identifiers(tenant, &names, MAX_NAMED_HITS);
            let holders = self.metrics.store("find_by_identifiers", holders).await?;
            let holders = present_or_former(&identifiers, &names, holders.value);
            for (identifier, profiles) in identifiers.into_iter().zip(holders) {
                for profile in profiles {
                    found
                        .entry(profile)
                        .or_default()
                        .push(FoundBy::Identifier(identifier.kind.clone()));
                }
            }
        }
        let kinds: BTreeSet<&str> = model
            .events
            .values()
            .filter_map(|kind| kind.object.as_ref())
            .map(|own| own.kind.as_str())
            .filter(|kind| clearance.is_none_or(|sees| sees.sees_object(kind)))
            .collect();
        let objects: Vec<ObjectKey> = kinds
            .into_iter()
            .map(|kind| ObjectKey::new(kind, query))
            .collect();
        let holders = self.store.find_by_objects(tenant, &objects, MAX_NAMED_HITS);
        let holders = self.metrics.store("find_by_objects", holders).await?;
        for (object, profiles) in objects.into_iter().zip(holders.value) {
            for profile in profiles {
                found
                    .entry(profile)
                    .or_default()
                    .push(FoundBy::Object(object.kind.clone()));
            }
        }
        Ok(found)
    }
}
