//! Neither the order of records, nor who else is looked at, nor how pairs were found matters: for
//! towns full of relatives, short forms, shared contacts and decisions.

use proptest::prelude::*;

use super::*;

/// One field of a record, empty in about a third of the cases.
fn field(name: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        2 => proptest::sample::select(values).prop_map(move |value| format!(" {name}={value}"))
    ]
}

/// Names of one house, some of which are forms of others.
const GIVEN: [&str; 15] = [
    "Karl",
    "Karl-Josef",
    "Karl-Heinz",
    "Anna",
    "Anne",
    "Robert",
    "James_Robert",
    "Bob",
    "R",
    "Mario",
    "Maria",
    "王伟",
    "王薇",
    "Min-jun",
    "Minjun",
];

/// A record of one of few families, who share homes, contacts, numbers and short forms of names.
fn relative() -> impl Strategy<Value = String> {
    let who = (
        proptest::sample::select(&GIVEN[..]).prop_map(|name| format!(" given={name}")),
        field("family", &["Kern", "Hill", "Kern-Hill"]),
        field("suffix", &["Jr", "Sr"]),
        field("birth", &["1980-02-03", "1981-02-03", "1955-07-09"]),
        field("gender", &["m", "f"]),
    );
    let contact = (
        field(
            "email",
            &["kern@x.com", "karl.kern7@x.com", "karl.kern8@x.com"],
        ),
        field("phone", &["2125551142", "2125551147"]),
        field("street", &["12_Oak_Street", "12_Oak_Street_Apt_4"]),
        field("card", &["4711", "4712"]),
        field("nid", &["483920175", "916573028", "483920157"]),
        field("device", &["d1"]),
    );
    let nameless = prop_oneof![3 => Just(false), 1 => Just(true)];
    (who, contact, nameless).prop_map(|((given, family, suffix, birth, gender), c, nameless)| {
        let contact = [c.0, c.1, c.2, c.3, c.4, c.5].concat();
        if nameless {
            contact
        } else {
            [given, family, suffix, birth, gender, contact].concat()
        }
    })
}

fn town(most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(relative(), 1..most).prop_map(|all| {
        let numbered = all.iter().enumerate();
        numbered
            .map(|(place, text)| format!("{place:02}{text}"))
            .collect()
    })
}

/// Decisions about two sides, each a few records of the town.
fn decisions() -> impl Strategy<Value = Vec<Decision>> {
    let side = || {
        let places = prop::collection::vec(0..16_usize, 1..4);
        places.prop_map(|places| places.into_iter().map(key).collect::<Vec<_>>())
    };
    let one = (any::<bool>(), side(), side(), 0..3_i64).prop_map(|(must, left, right, second)| {
        let kind = if must {
            DecisionKind::MustLink
        } else {
            DecisionKind::CannotLink
        };
        Decision {
            id: String::new(),
            kind,
            left,
            right,
            time: Timestamp::from_micros(second * 1_000_000),
        }
    });
    prop::collection::vec(one, 0..4).prop_map(|mut all| {
        for (number, decision) in all.iter_mut().enumerate() {
            decision.id = format!("d{number}");
        }
        all
    })
}

fn key(place: usize) -> RecordKey {
    RecordKey::new("s", format!("{place:02}"))
}

fn shuffled<T: Clone>(all: &[T], seed: u64) -> Vec<T> {
    let mut shuffled = all.to_vec();
    let count = shuffled.len().max(1);
    for (place, other) in (0..all.len()).zip(seed.to_le_bytes().into_iter().cycle()) {
        shuffled.swap(place, usize::from(other) % count);
    }
    shuffled
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_order_of_records_and_decisions_does_not_matter(
        texts in town(16),
        decisions in decisions(),
        seed in any::<u64>(),
    ) {
        let sorted: Vec<&str> = texts.iter().map(String::as_str).collect();
        let whole = clustering(&sorted, &decisions);
        let other = clustering(&shuffled(&sorted, seed), &shuffled(&decisions, seed));
        prop_assert_eq!(&other, &whole);
        let members: usize = whole.clusters.iter().map(|cluster| cluster.members.len()).sum();
        prop_assert_eq!(members, texts.len(), "each record is in one cluster");
    }

    /// A write looks at the pairs that it knows of, and at no other records than theirs.
    #[test]
    fn pairs_that_are_known_already_give_the_same(texts in town(14), seed in any::<u64>()) {
        let model = model();
        let records: Vec<Record> = texts.iter().map(|text| record(&model, text)).collect();
        let features: Vec<Features> = records.iter().map(|it| Features::of(it, &model)).collect();
        let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
        let context = Context::of(&all, &model);
        let whole = cluster(&all, &context, &[], &model);
        let known: Vec<(RecordKey, RecordKey)> = candidates(&all, &context, &model)
            .into_iter()
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        let known: Vec<&(RecordKey, RecordKey)> = known.iter().collect();
        let known = shuffled(&known, seed);
        let again = crate::identity::cluster_pairs(&all, &known, &context, &[], &model);
        prop_assert_eq!(again.clusters, whole.clusters);
    }

    /// Merges and splits of whole profiles, one after another: each leads to what was asked for,
    /// and what is taken back leaves nothing behind.
    #[test]
    fn each_decision_leads_to_what_was_asked_for(
        texts in town(12),
        steps in prop::collection::vec((any::<bool>(), any::<u8>(), any::<u8>()), 1..6),
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut decisions: Vec<Decision> = Vec::new();
        let mut before = clustering(&texts, &decisions);
        for (number, (merges, one, other)) in steps.into_iter().enumerate() {
            let profiles: Vec<Vec<RecordKey>> = before
                .clusters
                .iter()
                .map(|it| it.members.iter().map(|member| member.record.clone()).collect())
                .collect();
            let left = profiles[usize::from(one) % profiles.len()].clone();
            let (kind, left, right) = if merges {
                let right = profiles[usize::from(other) % profiles.len()].clone();
                (DecisionKind::MustLink, left, right)
            } else {
                let cut = usize::from(other) % left.len();
                let (stay, go) = left.split_at(cut);
                (DecisionKind::CannotLink, stay.to_vec(), go.to_vec())
            };
            decisions.push(Decision {
                id: format!("d{number}"),
                kind,
                left: left.clone(),
                right: right.clone(),
                time: Timestamp::from_micros(i64::try_from(number).unwrap_or(0)),
            });
            let after = clustering(&texts, &decisions);
            let home = |key: &RecordKey| {
                after.clusters.iter().position(|it| it.members.iter().any(|m| m.record == *key))
            };
            for a in &left {
                for b in &right {
                    let together = home(a) == home(b);
                    prop_assert_eq!(together, kind == DecisionKind::MustLink, "{:?}", decisions);
                }
            }
            // Taken back, it leaves nothing behind.
            let without = &decisions[..decisions.len() - 1];
            prop_assert_eq!(&clustering(&texts, without), &before);
            before = after;
        }
    }
}
