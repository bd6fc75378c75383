//! Search: who could be meant by what a person types.
//!
//! Hits come by how sure they are: first those that the text names (by an identifier, or the number
//! of an order), then those in whose searchable traits each of its words is found: as it is, as the
//! beginning of a word, by a word that sounds like it, by a word that is it but for a typing
//! mistake. A profile is as sure as the least sure of the words. What is less sure is looked for
//! only when the page is not full yet, so that an agent who types well does not wait for it.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Likeness, Spelling};
use profile_core::records::{Identifier, ObjectKey, ProfileId, Sequence, TenantId, words};
use serde::{Deserialize, Serialize};

use super::former::{holder_names, present_or_former};
use super::{Answer, Freshness, Key, Reader};
use crate::compute::{self, Class};
use crate::store::{self, Match, TermQuery, Way};

/// How many profiles a search finds by one identifier. Identifiers that more hold are of no use to
/// tell people apart.
const MAX_NAMED_HITS: usize = 1_000;
/// How many words of the database are looked at for one of the query, of those that sound, begin
/// and end alike each.
const MAX_WORDS_READ: usize = 5_000;
/// By how many words that sound like it a word is found, and by how many with typing mistakes: the
/// likest.
const MAX_LIKE_WORDS: usize = 100;

/// A profile that fits a search.
#[derive(Debug, Clone)]
pub struct SearchHit {
    /// Which.
    pub profile: Answer,
    /// What it was found by, at least one.
    pub found_by: Vec<FoundBy>,
}

/// What a profile was found by.
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
    /// Which it is.
    pub profile: ProfileId,
}

type Found = (SearchCursor, Vec<FoundBy>);

impl Reader {
    /// Finds profiles by what a person types.
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
        let named = self.named(tenant, query).await?;
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

    /// Adds the profiles that the words find, until there are more than fit on a page. Those that
    /// are named are listed already.
    async fn by_words(
        &self,
        tenant: &TenantId,
        mut asked: TermQuery,
        named: &BTreeMap<ProfileId, Vec<FoundBy>>,
        found: &mut Vec<Found>,
    ) -> Result<(), store::Error> {
        let rank = Rank::Words(asked.least);
        while found.len() < asked.limit {
            let hits = self
                .metrics
                .store("find_by_terms", self.store.find_by_terms(tenant, &asked))
                .await?;
            let complete = hits.len() < asked.limit;
            asked.after = hits.last().map(|hit| hit.profile);
            for hit in hits
                .into_iter()
                .filter(|hit| !named.contains_key(&hit.profile))
            {
                let by = hit
                    .found
                    .into_iter()
                    .map(|(name, way)| FoundBy::Trait(name, way))
                    .collect();
                found.push((
                    SearchCursor {
                        rank,
                        profile: hit.profile,
                    },
                    by,
                ));
            }
            if complete {
                break;
            }
        }
        Ok(())
    }

    /// The profiles that the query names, and by what.
    async fn named(
        &self,
        tenant: &TenantId,
        query: &str,
    ) -> Result<BTreeMap<ProfileId, Vec<FoundBy>>, store::Error> {
        let model = self.models.of(tenant).await?.model.clone();
        let normalized = model
            .identifiers
            .iter()
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

    /// For each word the words of the tenant that may be meant by it.
    async fn like_words(
        &self,
        tenant: &TenantId,
        words: &[String],
    ) -> Result<Vec<Vec<Way>>, store::Error> {
        let like = words.iter().map(async |word| {
            let Some(spelling) = Spelling::of(word) else {
                return Ok(Vec::new());
            };
            let read = self.store.find_words(tenant, &spelling, MAX_WORDS_READ);
            let read = self.metrics.store("find_words", read).await?;
            let like = compute::run(Class::Call, None, move || likest(&spelling, read)).await;
            like.map_err(|error| store::Error::Unavailable(error.to_string()))
        });
        futures::future::try_join_all(like).await
    }
}

/// The words that are most like a spelling.
fn likest(spelling: &Spelling, words: Vec<String>) -> Vec<Way> {
    let like = words
        .into_iter()
        .filter_map(|word| Some((spelling.likeness(&word)?, word)));
    let mut like: Vec<(Likeness, String)> = like.collect();
    like.sort_unstable();
    let way = |(likeness, text)| match likeness {
        Likeness::Sound => Way {
            found: Match::Phonetic,
            text,
        },
        Likeness::Slip(_) => Way {
            found: Match::Typo,
            text,
        },
    };
    let (sounds, slips): (Vec<Way>, Vec<Way>) = like
        .into_iter()
        .map(way)
        .partition(|way| way.found == Match::Phonetic);
    sounds
        .into_iter()
        .take(MAX_LIKE_WORDS)
        .chain(slips.into_iter().take(MAX_LIKE_WORDS))
        .collect()
}

/// The ways in which each word may be found so, or more surely; none where no word can be found
/// just so.
fn ways(words: &[String], like: &[Vec<Way>], least: Match) -> Option<Vec<Vec<Way>>> {
    let of_word = |(place, word): (usize, &String)| {
        let plain = [Match::Exact, Match::Prefix].map(|found| Way {
            found,
            text: word.clone(),
        });
        let like = like.get(place).into_iter().flatten().cloned();
        plain
            .into_iter()
            .chain(like)
            .filter(|way| way.found <= least)
            .collect::<Vec<_>>()
    };
    let ways: Vec<Vec<Way>> = words.iter().enumerate().map(of_word).collect();
    ways.iter()
        .flatten()
        .any(|way| way.found == least)
        .then_some(ways)
}
