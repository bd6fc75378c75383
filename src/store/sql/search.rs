//! The statements of searches, and the words that fuzzy searches look through.
//!
//! `search_word` has each distinct term of a tenant that has a [`Spelling`], with its sound and
//! itself backwards. It holds nothing that `record_term` does not, and follows it within each
//! write: a word comes with the first record that says it and goes with the last. There are far
//! fewer words than records, so that this costs a look-up a word.

use profile_core::identity::{Spelling, sound};
use profile_core::records::TenantId;
use sea_orm::Statement;
use uuid::Uuid;

use super::query::end_of_prefix;
use super::statement::{Column, Dialect, Sql};
use crate::store::{Match, Result, TermQuery, Way};

/// A place in a word beyond all terms that are equal to it and before all that are longer: words
/// have no such character.
const END_OF_WORD: char = '\u{1}';

/// Serves [`Store::find_by_terms`](crate::store::Store::find_by_terms), by `record_term_pk` and
/// `record_pk`.
pub(super) fn find_by_terms(
    dialect: Dialect,
    tenant: &TenantId,
    asked: &TermQuery,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (mut words, mut ways, mut lows, mut highs) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (word, way) in (0_i64..)
        .zip(&asked.words)
        .flat_map(|(word, ways)| ways.iter().map(move |way| (word, way)))
    {
        words.push(word);
        ways.push(number(way.found));
        lows.push(way.text.clone());
        highs.push(match way.found {
            Match::Prefix => end_of_prefix(&way.text),
            Match::Exact | Match::Phonetic | Match::Typo => format!("{}{END_OF_WORD}", way.text),
        });
    }
    let columns = vec![
        ("word", Column::Int(words)),
        ("way", Column::Int(ways)),
        ("low", Column::Text(lows)),
        ("high", Column::Text(highs)),
    ];
    let ranges = sql.rows("asked", columns)?;
    let above = sql.bind(asked.after.map_or(Uuid::nil(), |id| id.0));
    let count = sql.limit(asked.words.len());
    let least = sql.bind(number(asked.least));
    let limit = sql.limit(asked.limit);
    let mut within = format!("t.tenant = {tenant} AND t.term >= asked.low AND t.term < asked.high");
    if let Some(traits) = &asked.traits {
        // None at all would be no SQL.
        let names: Vec<String> = traits.iter().map(|name| sql.bind(name.as_str())).collect();
        let names = if names.is_empty() {
            "NULL".to_owned()
        } else {
            names.join(", ")
        };
        within = format!("{within} AND t.trait IN ({names})");
    }
    let terms = dialect.look_up("record_term", "t", &within);
    let record =
        format!("r.tenant = {tenant} AND r.source = t.source AND r.record_key = t.record_key");
    let record = dialect.look_up("record", "r", &record);
    let found = dialect.distinct_list("(asked.word || ':' || asked.way || ':' || t.trait)");
    // Outside the look-up, or it might go by the profile. The nil id is never a profile's: ids are
    // hashes, marked as such.
    Ok(sql.statement(format!(
        "SELECT r.profile_id, {found} AS found FROM {ranges} {terms} {record} WHERE r.profile_id > {above} \
         GROUP BY r.profile_id HAVING count(DISTINCT asked.word) = {count} \
         AND count(DISTINCT CASE WHEN asked.way < {least} THEN asked.word END) < {count} \
         ORDER BY r.profile_id LIMIT {limit}"
    )))
}

/// The statements of this module, to be explained.
pub(super) fn hot_queries(
    dialect: Dialect,
    tenant: &TenantId,
) -> Result<Vec<(&'static str, Statement)>> {
    let ways = |found: Match, text: &str| {
        vec![Way {
            found,
            text: text.to_owned(),
        }]
    };
    let words = vec![ways(Match::Exact, "a"), ways(Match::Prefix, "b")];
    let asked = TermQuery {
        words,
        least: Match::Prefix,
        after: None,
        limit: 10,
        traits: None,
    };
    let find_words =
        Spelling::of("christopher").map(|spelling| find_words(dialect, tenant, &spelling, 10));
    let mut queries = vec![("find_by_terms", find_by_terms(dialect, tenant, &asked)?)];
    queries.extend(find_words.map(|statement| ("find_words", statement)));
    queries.push(("forget words", forget(dialect, tenant, &["a", "b"])?));
    Ok(queries)
}

fn number(found: Match) -> i64 {
    match found {
        Match::Exact => 0,
        Match::Prefix => 1,
        Match::Phonetic => 2,
        Match::Typo => 3,
    }
}

/// Reads what [`find_by_terms`] tells of a way: word, way and trait.
pub(super) fn told(found: &str) -> Option<(&str, Match, &str)> {
    let (word, rest) = found.split_once(':')?;
    let (way, name) = rest.split_once(':')?;
    let way = Match::ALL
        .into_iter()
        .find(|found| number(*found).to_string() == way)?;
    Some((word, way, name))
}

/// Serves [`Store::find_words`](crate::store::Store::find_words), by `search_word_by_sound`,
/// `search_word_pk` and `search_word_by_end`.
pub(super) fn find_words(
    dialect: Dialect,
    tenant: &TenantId,
    spelling: &Spelling,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let limit = sql.limit(limit);
    let select = |condition: &str, order: &str| {
        format!(
            "SELECT w.term FROM search_word AS w WHERE w.tenant = {tenant} AND {condition} ORDER BY {order} LIMIT {limit}"
        )
    };
    let mut places = Vec::new();
    if let Some(sound) = &spelling.sound {
        let sound = sql.bind(sound.as_str());
        places.push(select(&format!("w.sound = {sound}"), "w.term"));
    }
    if let Some(slips) = &spelling.slips {
        let [least, most] =
            [slips.min_letters, slips.max_letters].map(|letters| sql.limit(letters));
        for (column, start) in [
            ("term", slips.begin.clone()),
            ("reversed", reversed(&slips.end)),
        ] {
            let (low, high) = (sql.bind(start.as_str()), sql.bind(end_of_prefix(&start)));
            let condition = format!(
                "w.{column} >= {low} AND w.{column} < {high} AND length(w.term) BETWEEN {least} AND {most}"
            );
            places.push(select(&condition, &format!("w.{column}")));
        }
    }
    let places: Vec<String> = (0..)
        .zip(places)
        .map(|(place, select): (usize, String)| {
            format!("SELECT term FROM ({select}) AS place_{place}")
        })
        .collect();
    sql.statement(places.join(" UNION "))
}

fn reversed(word: &str) -> String {
    word.chars().rev().collect()
}

/// The columns of `search_word` for those of the terms that have a spelling, each once.
pub(super) fn word_columns<'a>(
    terms: impl IntoIterator<Item = &'a str>,
) -> Vec<(&'static str, Column)> {
    let mut words: Vec<&str> = terms
        .into_iter()
        .filter(|term| Spelling::of(term).is_some())
        .collect();
    words.sort_unstable();
    words.dedup();
    vec![
        ("term", Column::text(words.iter().copied())),
        (
            "reversed",
            Column::Text(words.iter().map(|word| reversed(word)).collect()),
        ),
        (
            "sound",
            Column::Text(words.iter().map(|word| sound(word)).collect()),
        ),
    ]
}

/// Removes those of the words that no record says any more.
pub(super) fn forget(dialect: Dialect, tenant: &TenantId, words: &[&str]) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let removed = sql.rows("gone", vec![("term", Column::text(words.iter().copied()))])?;
    let unsaid = format!(
        "(SELECT gone.term FROM {removed} WHERE NOT EXISTS \
         (SELECT 1 FROM record_term AS t WHERE t.tenant = {tenant} AND t.term = gone.term)) AS removed"
    );
    let text = dialect.delete("search_word", &tenant, &["term"], &unsaid);
    Ok(sql.statement(text))
}
