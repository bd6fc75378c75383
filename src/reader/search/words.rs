//! Search by words: as written, and those that are like them.

use std::collections::BTreeMap;

use profile_core::identity::{Likeness, Spelling};
use profile_core::records::{ProfileId, TenantId};

use super::{Found, FoundBy, Rank, SearchCursor};
use crate::compute::{self, Class};
use crate::reader::Reader;
use crate::store::{self, Match, TermQuery, Way};

/// How many words of the database are looked at for one of the query, of those that sound, begin
/// and end alike each.
const MAX_WORDS_READ: usize = 5_000;

/// By how many words that sound like it a word is found, and by how many with typing mistakes: the
/// likest.
const MAX_LIKE_WORDS: usize = 100;

impl Reader {
    /// Adds the profiles that the words find, until there are more than fit on a page. Those that
    /// are named are listed already.
    pub(super) async fn by_words(
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

    /// For each word the words of the tenant that may be meant by it.
    pub(super) async fn like_words(
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
pub(super) fn ways(words: &[String], like: &[Vec<Way>], least: Match) -> Option<Vec<Vec<Way>>> {
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
