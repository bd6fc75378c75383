//! Search by the beginnings of words.

use customer_profile::profile::ProfileId;
use customer_profile::store::{Changes, PrefixHit, Store};

use super::build::*;

async fn find(store: &dyn Store, prefixes: &[&str], after: Option<ProfileId>, limit: usize) -> Vec<PrefixHit> {
    let prefixes: Vec<String> = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
    store.find_by_prefixes(&tenant(), &prefixes, after, limit).await.expect("a read")
}

fn hit(number: u128, traits: &[&str]) -> PrefixHit {
    PrefixHit { profile: id(number), traits: traits.iter().map(|&name| name.to_owned()).collect() }
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

    assert_eq!(find(store, &["ann"], None, 9).await, [hit(1, &["given_name", "street"]), hit(2, &["given_name"])]);
    // One word in one record, the other in another.
    assert_eq!(find(store, &["anna", "b"], None, 9).await, [hit(1, &["family_name", "given_name"])]);
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
        pages.push(page.iter().map(|hit| hit.profile.0.as_u128()).collect::<Vec<_>>());
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

pub(crate) async fn letters_of_patterns_are_letters(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1")]);
    changes.added_terms = vec![term("a%c", "name", &key("1")), term("Zoe", "name", &key("1"))];
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
    changes.added_terms = words.iter().map(|word| term(word, "name", &key("1"))).collect();
    put(store, &changes).await;
    for word in words {
        let first: String = word.chars().take(1).collect();
        assert_eq!(find(store, &[&first], None, 9).await.len(), 1, "{word}");
        assert_eq!(find(store, &[word], None, 9).await.len(), 1, "{word}");
    }
    // A letter with an accent is not the letter.
    assert_eq!(find(store, &["e"], None, 9).await, []);
}
