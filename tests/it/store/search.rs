//! Search by words, by their beginnings, and by words that are like them.

use profile_core::identity::Spelling;
use profile_core::records::{ProfileId, TenantId};

use customer_profile::store::{Changes, Match, Store, TermHit, TermQuery, Way};

use super::build::*;

async fn find(
    store: &dyn Store,
    prefixes: &[&str],
    after: Option<ProfileId>,
    limit: usize,
) -> Vec<TermHit> {
    store
        .find_by_terms(&tenant(), &beginning(prefixes, after, limit))
        .await
        .expect("a read")
}

fn hit(number: u128, traits: &[&str]) -> TermHit {
    TermHit {
        profile: id(number),
        found: traits
            .iter()
            .map(|&name| (name.to_owned(), Match::Prefix))
            .collect(),
    }
}

fn way(found: Match, text: &str) -> Way {
    Way {
        found,
        text: text.to_owned(),
    }
}

/// The words that a word may be meant by, in order.
async fn like(store: &dyn Store, word: &str) -> Vec<String> {
    let spelling = Spelling::of(word).expect("a spelling");
    let mut found = store
        .find_words(&tenant(), &spelling, 100)
        .await
        .expect("a read");
    found.retain(|word| spelling.likeness(word).is_some());
    found.sort();
    found
}

pub(crate) async fn every_prefix_must_begin_a_term(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1a"), key("1b")]);
    let other = profile(id(2), &[key("2")]);
    changes.records.extend(other.records);
    changes.records.push(record(&key("gone"), None, "x"));
    changes.profiles.extend(other.profiles);
    changes.added_terms = vec![
        term("anna", "given_name", &key("1a")),
        term("annex", "street", &key("1b")),
        term("berg", "family_name", &key("1b")),
        term("anna", "given_name", &key("2")),
        term("anna", "given_name", &key("gone")),
    ];
    put(store, &changes).await;

    assert_eq!(
        find(store, &["ann"], None, 9).await,
        [hit(1, &["given_name", "street"]), hit(2, &["given_name"])]
    );
    // One word in one record, the other in another.
    assert_eq!(
        find(store, &["anna", "b"], None, 9).await,
        [hit(1, &["family_name", "given_name"])]
    );
    assert_eq!(find(store, &["anna", "an"], None, 9).await.len(), 2);
    assert_eq!(find(store, &["anna", "x"], None, 9).await, []);
    assert_eq!(find(store, &["annas"], None, 9).await, []);
    assert_eq!(find(store, &["nna"], None, 9).await, []);
    assert_eq!(find(store, &[], None, 9).await, []);
    assert_eq!(find(store, &[""], None, 9).await.len(), 2);
}

pub(crate) async fn hits_are_paged_in_order_of_id(store: &dyn Store) {
    let mut changes = Changes::default();
    for number in [5, 2, 4, 1, 3] {
        let key = key(&number.to_string());
        changes.records.push(record(&key, Some(id(number)), "x"));
        changes.profiles.push(live(id(number), 1));
        changes.added_terms.push(term("ann", "name", &key));
    }
    put(store, &changes).await;
    let mut after = None;
    let mut pages = Vec::new();
    loop {
        let page = find(store, &["a"], after, 2).await;
        let Some(last) = page.last() else { break };
        after = Some(last.profile);
        pages.push(
            page.iter()
                .map(|hit| hit.profile.0.as_u128())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

pub(crate) async fn letters_of_patterns_are_letters(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1")]);
    changes.added_terms = vec![
        term("a%c", "name", &key("1")),
        term("Zoe", "name", &key("1")),
    ];
    put(store, &changes).await;
    assert_eq!(find(store, &["a%"], None, 9).await.len(), 1);
    for nothing in ["%", "a_c", "_", "z", "a*"] {
        assert_eq!(find(store, &[nothing], None, 9).await, [], "{nothing}");
    }
}

pub(crate) async fn prefixes_of_any_script_find_their_words(store: &dyn Store) {
    let words = [
        "\u{e9}milie",
        "stra\u{df}e",
        "\u{738b}\u{5c0f}",
        "\u{1f600}",
        "\u{d7ff}x",
        "\u{10ffff}x",
        "\u{43c}\u{438}\u{440}",
    ];
    let mut changes = profile(id(1), &[key("1")]);
    changes.added_terms = words
        .iter()
        .map(|word| term(word, "name", &key("1")))
        .collect();
    put(store, &changes).await;
    for word in words {
        let first: String = word.chars().take(1).collect();
        assert_eq!(find(store, &[&first], None, 9).await.len(), 1, "{word}");
        assert_eq!(find(store, &[word], None, 9).await.len(), 1, "{word}");
    }
    // A letter with an accent is not the letter.
    assert_eq!(find(store, &["e"], None, 9).await, []);
}

/// People by number, with a given and a family name each.
const PEOPLE: [(u128, &str, &str); 4] = [
    (1, "anna", "berg"),
    (2, "anna", "bergman"),
    (3, "hanna", "berg"),
    (4, "hanna", "burg"),
];

pub(crate) async fn hits_come_by_their_least_sure_word(store: &dyn Store) {
    let mut changes = Changes::default();
    for (number, given, family) in PEOPLE {
        let key = key(&number.to_string());
        changes.records.push(record(&key, Some(id(number)), "x"));
        changes.profiles.push(live(id(number), 1));
        changes.added_terms.extend([
            term(given, "given_name", &key),
            term(family, "family_name", &key),
        ]);
    }
    put(store, &changes).await;
    let given = [
        way(Match::Exact, "anna"),
        way(Match::Prefix, "anna"),
        way(Match::Phonetic, "hanna"),
    ];
    let family = [
        way(Match::Exact, "berg"),
        way(Match::Prefix, "berg"),
        way(Match::Typo, "burg"),
    ];
    let find = async |least: Match, after, limit| {
        let up_to = |ways: &[Way]| {
            ways.iter()
                .filter(|way| way.found <= least)
                .cloned()
                .collect()
        };
        let query = TermQuery {
            words: vec![up_to(&given), up_to(&family)],
            least,
            after,
            limit,
            traits: None,
        };
        store
            .find_by_terms(&tenant(), &query)
            .await
            .expect("a read")
    };
    let hit = |number, given: Match, family: Match| TermHit {
        profile: id(number),
        found: vec![
            ("family_name".to_owned(), family),
            ("given_name".to_owned(), given),
        ],
    };
    assert_eq!(
        find(Match::Exact, None, 9).await,
        [hit(1, Match::Exact, Match::Exact)]
    );
    assert_eq!(
        find(Match::Prefix, None, 9).await,
        [hit(2, Match::Exact, Match::Prefix)]
    );
    assert_eq!(
        find(Match::Phonetic, None, 9).await,
        [hit(3, Match::Phonetic, Match::Exact)]
    );
    assert_eq!(
        find(Match::Typo, None, 9).await,
        [hit(4, Match::Phonetic, Match::Typo)]
    );
    assert_eq!(find(Match::Typo, Some(id(4)), 9).await, []);
}

pub(crate) async fn a_word_that_is_meant_whole_begins_nothing(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1")]);
    changes.added_terms = vec![term("bergman", "family_name", &key("1"))];
    put(store, &changes).await;
    for (found, hits) in [(Match::Exact, 0), (Match::Typo, 0), (Match::Prefix, 1)] {
        let query = TermQuery {
            words: vec![vec![way(found, "berg")]],
            least: found,
            after: None,
            limit: 9,
            traits: None,
        };
        assert_eq!(
            store
                .find_by_terms(&tenant(), &query)
                .await
                .expect("a read")
                .len(),
            hits,
            "{found:?}"
        );
    }
}

/// Each word by itself must be in one of the traits; a word in another one counts for nothing.
pub(crate) async fn words_are_found_in_the_traits_that_are_asked(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1")]);
    changes.added_terms = [
        ("anna", "given_name"),
        ("berg", "family_name"),
        ("anna", "town"),
    ]
    .map(|(word, name)| term(word, name, &key("1")))
    .to_vec();
    put(store, &changes).await;
    for (words, traits, hits) in [
        (&["anna"][..], &["given_name"][..], 1),
        (&["anna"], &["family_name"], 0),
        (&["anna"], &[], 0),
        (&["anna", "berg"], &["given_name", "family_name"], 1),
        (&["anna", "berg"], &["given_name", "town"], 0),
    ] {
        let query = TermQuery {
            traits: Some(traits.iter().map(|name| (*name).to_owned()).collect()),
            ..beginning(words, None, 9)
        };
        let found = store
            .find_by_terms(&tenant(), &query)
            .await
            .expect("a read");
        assert_eq!(found.len(), hits, "{words:?} {traits:?}");
        for (name, _) in found.iter().flat_map(|hit| &hit.found) {
            assert!(traits.contains(&name.as_str()), "{name} of {traits:?}");
        }
    }
}

pub(crate) async fn words_that_are_like_one_are_found(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1"), key("2")]);
    let words = [
        "katharyn",
        "catherine",
        "gracia",
        "garcia",
        "grant",
        "02139",
        "lee",
        "boston",
        "bostn",
        "austin",
    ];
    changes.added_terms = words
        .iter()
        .map(|word| term(word, "name", &key("1")))
        .collect();
    changes.added_terms.push(term("gracia", "name", &key("2")));
    put(store, &changes).await;
    assert_eq!(like(store, "catherine").await, ["katharyn"]);
    assert_eq!(like(store, "katherine").await, ["catherine", "katharyn"]);
    assert_eq!(like(store, "garcia").await, ["gracia"]);
    assert_eq!(like(store, "grcia").await, ["garcia", "gracia"]);
    assert_eq!(like(store, "boton").await, ["boston"]);
    assert_eq!(like(store, "vostn").await, ["bostn"]);
    assert_eq!(like(store, "leo").await, Vec::<String>::new());
    let of_another = store
        .find_words(
            &TenantId::new("other").expect("a tenant"),
            &Spelling::of("garcia").expect("a spelling"),
            9,
        )
        .await;
    assert_eq!(of_another.expect("a read"), Vec::<String>::new());
}

pub(crate) async fn a_word_goes_with_the_last_record_that_says_it(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1"), key("2")]);
    let said = |record: &str| term("garcia", "family_name", &key(record));
    changes.added_terms = vec![
        said("1"),
        said("2"),
        term("garcia", "display_name", &key("1")),
    ];
    put(store, &changes).await;
    let without = |removed: Vec<_>| Changes {
        removed_terms: removed,
        ..Changes::default()
    };
    put(store, &without(vec![said("2")])).await;
    assert_eq!(like(store, "gracia").await, ["garcia"]);
    let renamed = Changes {
        added_terms: vec![said("2")],
        ..without(vec![said("1")])
    };
    put(store, &renamed).await;
    assert_eq!(like(store, "gracia").await, ["garcia"]);
    put(
        store,
        &without(vec![said("2"), term("garcia", "display_name", &key("1"))]),
    )
    .await;
    assert_eq!(like(store, "gracia").await, Vec::<String>::new());
}
