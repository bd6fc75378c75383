//! Decisions of people bind all records that they name, whatever rules say.

use proptest::prelude::*;

use super::*;

fn decision(id: &str, kind: DecisionKind, left: &[&str], right: &[&str], second: i64) -> Decision {
    let keys = |keys: &[&str]| keys.iter().map(|key| RecordKey::new("s", *key)).collect();
    let time = Timestamp::from_micros(second * 1_000_000);
    Decision {
        id: id.to_owned(),
        kind,
        left: keys(left),
        right: keys(right),
        time,
    }
}

#[test]
fn people_decide_and_the_newer_decision_counts() {
    let texts = [
        "a given=Alice email=moss@x.com",
        "b given=Peter",
        "c given=Alice email=moss@x.com",
    ];
    let must = decision("1", DecisionKind::MustLink, &["gone", "a"], &["b"], 1);
    let cannot = decision("2", DecisionKind::CannotLink, &["a"], &["c"], 2);
    let joined = clustering(&texts, std::slice::from_ref(&must));
    assert_eq!(shown(&joined), ["a b c"], "a decision overrides guards");
    assert_eq!(joined.clusters[0].members[1].evidence.reason(), "decision");
    assert_eq!(
        shown(&clustering(&texts, &[must.clone(), cannot.clone()])),
        ["a b", "c"]
    );
    let newer = decision("3", DecisionKind::MustLink, &["c"], &["a"], 3);
    let all = [must, cannot, newer];
    assert_eq!(
        shown(&clustering(&texts, &all)),
        ["a b c"],
        "the older decision has no effect"
    );
}

/// Records of two or three people who share contacts, cards and names by chance.
fn anybody() -> impl Strategy<Value = String> {
    let field = |name: &'static str, values: &'static [&'static str]| {
        prop_oneof![
            1 => Just(String::new()),
            2 => proptest::sample::select(values).prop_map(move |value| format!(" {name}={value}"))
        ]
    };
    (
        field("given", &["Ann", "Ben", "Jean-Paul", "Jean-Luc"]),
        field("family", &["Kern", "Klein"]),
        field("email", &["kern@x.com", "klein@x.com", "shared@x.com"]),
        field("card", &["71", "72"]),
        field("birth", &["1980-02-03", "1955-07-09"]),
        field("suffix", &["Jr", "Sr"]),
    )
        .prop_map(|(given, family, email, card, birth, suffix)| {
            [given, family, email, card, birth, suffix].concat()
        })
}

fn together(clustering: &Clustering, keys: &[RecordKey]) -> bool {
    clustering.clusters.iter().any(|cluster| {
        let is_member =
            |key: &RecordKey| cluster.members.iter().any(|member| member.record == *key);
        keys.iter().all(is_member)
    })
}

proptest! {
    #[test]
    fn a_merge_binds_all_records_of_both_sides_whatever_comes_later(
        sides in proptest::collection::vec(anybody(), 2..7),
        later in proptest::collection::vec(anybody(), 0..5),
        cut in 1_usize..6,
    ) {
        let cut = cut.min(sides.len() - 1);
        let keys: Vec<RecordKey> = (0..sides.len())
            .map(|number| RecordKey::new("s", format!("{number}")))
            .collect();
        let decision = Decision {
            id: "d".to_owned(),
            kind: DecisionKind::MustLink,
            left: keys[..cut].to_vec(),
            right: keys[cut..].to_vec(),
            time: NOW,
        };
        let texts: Vec<String> = sides
            .iter()
            .chain(&later)
            .enumerate()
            .map(|(number, text)| format!("{number}{text}"))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let merged = clustering(&texts, std::slice::from_ref(&decision));
        prop_assert!(together(&merged, &keys), "{texts:?}: {:?}", shown(&merged));
        // A later word about one record takes that one out, and no other.
        let parted = Decision {
            id: "e".to_owned(),
            kind: DecisionKind::CannotLink,
            left: keys[1..].to_vec(),
            right: keys[..1].to_vec(),
            time: Timestamp::from_micros(NOW.as_micros() + 1),
        };
        let parted = clustering(&texts, &[decision, parted]);
        prop_assert!(together(&parted, &keys[1..]), "{texts:?}: {:?}", shown(&parted));
        prop_assert!(!together(&parted, &keys), "{texts:?}: {:?}", shown(&parted));
    }
}
