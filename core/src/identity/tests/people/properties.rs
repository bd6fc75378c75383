//! Order and company do not matter.

use proptest::prelude::*;

use super::*;

/// Records of a small town in which everybody shares something with somebody.
fn town() -> impl Strategy<Value = Vec<String>> {
    let one = (0..3u8, 0..3u8, 0..4u8, 0..4u8, 0..4u8, 0..3u8, 0..5u8);
    let one = one.prop_map(|(given, family, email, phone, birth, device, card)| {
        let given = ["given=Alice", "given=Peter", ""][usize::from(given)];
        let family = ["family=Featherstone", "family=Moss", ""][usize::from(family)];
        let email = ["email=e1@x.com", "email=e2@x.com", "", ""][usize::from(email)];
        let phone = ["phone=2125551142", "phone=2125551147", "", ""][usize::from(phone)];
        let birth = ["birth=1970-02-03", "birth=1999-08-09", "", ""][usize::from(birth)];
        let device = ["device=d1", "", ""][usize::from(device)];
        let card = ["card=1", "card=2", "", "", ""][usize::from(card)];
        format!("{given} {family} {email} {phone} {birth} {device} {card}")
    });
    prop::collection::vec(one, 1..14).prop_map(|all| {
        all.iter()
            .enumerate()
            .map(|(i, fields)| format!("{i:02} {fields}"))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn order_does_not_matter(texts in town(), seed in any::<u64>()) {
        let mut shuffled: Vec<&str> = texts.iter().map(String::as_str).collect();
        let length = shuffled.len();
        for (i, j) in (0..length).zip(seed.to_le_bytes()) {
            shuffled.swap(i, usize::from(j) % length);
        }
        let sorted: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(clustering(&shuffled, &[]), clustering(&sorted, &[]));
    }

    /// Whole components by themselves give what all gives at once.
    #[test]
    fn components_do_not_look_at_each_other(texts in town()) {
        let model = model();
        let records: Vec<Record> = texts.iter().map(|text| record(&model, text)).collect();
        let features: Vec<Features> = records.iter().map(|record| Features::of(record, &model)).collect();
        let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
        let context = Context::of(&all, &model);
        let whole = cluster(&all, &context, &[], &model);
        let mut apart: Vec<crate::identity::Cluster> = Vec::new();
        for component in components(&all, &context, &model) {
            apart.extend(cluster(&component, &context, &[], &model).clusters);
        }
        apart.sort_by(|a, b| a.members[0].record.cmp(&b.members[0].record));
        prop_assert_eq!(apart, whole.clusters);
    }
}

/// Names in forms that differ: each two are the same to each other from both sides.
#[test]
fn a_comparison_is_the_same_from_both_sides() {
    let names = [
        "given=Xiu_Yun family=Chen",
        "given=Xiuyun family=Chen",
        "given=Xiu family=Chen",
        "given=Ji-hoon family=Kim",
        "given=Jihoon family=Kim",
        "given=陈秀云 family=陈",
        "given=秀云 family=陈",
        "given=Chen family=Xiuyun",
        "given=Robert_James family=Hill",
        "given=James_Robert family=Hill",
        "given=Bob family=Hill",
        "given=B family=Hill-Moss",
    ];
    let model = model();
    let features: Vec<Features> = names
        .iter()
        .map(|text| Features::of(&record(&model, &format!("1 {text}")), &model))
        .collect();
    let context = Context::default();
    for (a, left) in names.iter().zip(&features) {
        for (b, right) in names.iter().zip(&features) {
            let [one, other] = [(left, right), (right, left)]
                .map(|(x, y)| crate::identity::judge(x, y, &context, &model));
            assert_eq!(one, other, "{a} | {b}");
        }
    }
}

/// Records that links may join, directly or over others.
fn components<'a>(
    all: &[(&'a Record, &'a Features)],
    context: &Context,
    model: &Model,
) -> Vec<Vec<(&'a Record, &'a Features)>> {
    let linked: Vec<(RecordKey, RecordKey)> = pairs(all, context, model)
        .into_iter()
        .filter(|pair| pair.verdict == MatchDecision::Link)
        .map(|pair| (pair.left, pair.right))
        .collect();
    let joined = |a: &Record, b: &Record| {
        let both = |(left, right): &(RecordKey, RecordKey)| {
            (*left == a.key && *right == b.key) || (*left == b.key && *right == a.key)
        };
        let shared = a.identifiers().any(|identifier| {
            b.identifiers().any(|other| other == identifier)
                && model.links(&identifier)
                && !context.is_generic(crate::identity::BlockingKey::of(&identifier))
        });
        shared || linked.iter().any(both)
    };
    let mut components: Vec<Vec<(&Record, &Features)>> = Vec::new();
    for one in all {
        let (touching, mut rest): (Vec<_>, Vec<_>) = components
            .into_iter()
            .partition(|component| component.iter().any(|other| joined(one.0, other.0)));
        rest.push(touching.into_iter().flatten().chain([*one]).collect());
        components = rest;
    }
    components
}
