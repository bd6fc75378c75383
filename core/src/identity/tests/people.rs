//! People by example: who is linked, who is a household, who is kept apart; and that order and
//! company do not matter.

use proptest::prelude::*;

use crate::identity::{
    Clustering, Context, Decision, DecisionKind, Features, Guard, MatchDecision, Reason, Veto,
    candidates, cluster, compare, pairs,
};
use crate::model::Model;
use crate::model::matching::{AgreementLevel, Field};
use crate::records::{Draft, Record, RecordKey, Statement, Timestamp};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

const MODEL: &str = "
identifiers:
  card: { priority: 1, belongs_to: person, unique: true }
  national_id: { priority: 2, belongs_to: person, exclusive: true }
  email: { priority: 3, normalize: email, blocked: ['^none@', '\\*'] }
  phone: { priority: 4, normalize: e164, default_region: US, max_profiles: 50 }
  device: { priority: 9, belongs_to: device }
matching: { max_people: 4 }
traits:
  given: { match: given_name }
  family: { match: family_name }
  full: { match: full_name }
  suffix: { match: suffix }
  birth: { match: birth_date }
  street: { match: street }
  city: { match: city }
sources:
  s:
    country: US
    records:
      r:
        key: key
        identifiers: { card: card, national_id: nid, email: email, phone: phone, device: device }
        traits: { given: given, family: family, full: full, suffix: suffix, birth: birth, street: street, city: city }
";

fn model() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// A record as `key field=value field=value`; `_` stands for a space.
fn record(model: &Model, text: &str) -> Record {
    let (key, fields) = text.split_once(' ').unwrap_or((text, ""));
    let mut payload = serde_json::Map::from_iter([("key".to_owned(), key.into())]);
    for (name, value) in fields.split(' ').filter_map(|field| field.split_once('=')) {
        payload.insert(name.to_owned(), value.replace('_', " ").into());
    }
    let drafts = model.map("s", "r", &payload.into()).expect("maps");
    let mut record = Record::new(RecordKey::new("s", key), NOW);
    for draft in drafts {
        match (&draft, model.check(draft.clone(), NOW)) {
            (Draft::Upsert(_), Ok(Statement::Record(statement))) => record.apply(&statement),
            (_, other) => panic!("not a record: {other:?}"),
        }
    }
    record
}

fn clustering(texts: &[&str], decisions: &[Decision]) -> Clustering {
    let model = model();
    let records: Vec<Record> = texts.iter().map(|text| record(&model, text)).collect();
    let features: Vec<Features> = records
        .iter()
        .map(|record| Features::of(record, &model))
        .collect();
    let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
    cluster(&all, &Context::of(&all, &model), decisions, &model)
}

fn shown(clustering: &Clustering) -> Vec<String> {
    let members = |cluster: &crate::identity::Cluster| {
        cluster
            .members
            .iter()
            .map(|member| member.record.key.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    clustering.clusters.iter().map(members).collect()
}

fn clusters(texts: &[&str]) -> Vec<String> {
    shown(&clustering(texts, &[]))
}

/// Level and verdict of two records.
fn judged(
    left: &str,
    right: &str,
    field: Field,
) -> (Option<AgreementLevel>, MatchDecision, Option<Veto>) {
    let model = model();
    let (a, b) = (
        record(&model, &format!("a {left}")),
        record(&model, &format!("b {right}")),
    );
    let (a, b) = (Features::of(&a, &model), Features::of(&b, &model));
    let there = compare(&a, &b, &Context::default(), &model);
    let back = compare(&b, &a, &Context::default(), &model);
    assert_eq!(
        (there.millibits, there.verdict, there.veto),
        (back.millibits, back.verdict, back.veto),
        "symmetric"
    );
    let level = there
        .fields
        .iter()
        .find(|compared| compared.field == field)
        .map(|compared| compared.level);
    (level, there.verdict, there.veto)
}

const HOME: &str = "street=12_Oak_Street city=Salem family=Featherstone";

#[test]
fn names_agree_at_many_levels() {
    for (left, right, field, expected) in [
        (
            "given=Robert",
            "given=Bob",
            Field::GivenName,
            AgreementLevel::Nickname,
        ),
        (
            "given=Robert",
            "given=R",
            Field::GivenName,
            AgreementLevel::Initial,
        ),
        (
            "given=Hrvoje",
            "given=Hrvije",
            Field::GivenName,
            AgreementLevel::Close,
        ),
        (
            "given=Jean",
            "given=Joan",
            Field::GivenName,
            AgreementLevel::Similar,
        ),
        (
            "given=Alice",
            "given=Mark",
            Field::GivenName,
            AgreementLevel::Different,
        ),
        (
            "family=Braun",
            "family=Bra",
            Field::FamilyName,
            AgreementLevel::Prefix,
        ),
        (
            "family=Pena-Villareal",
            "family=Villareal",
            Field::FamilyName,
            AgreementLevel::Part,
        ),
        (
            "given=Lydia family=Brooks",
            "given=Brooks family=Lydia",
            Field::FamilyName,
            AgreementLevel::Swapped,
        ),
        (
            "full=Brooks,_Lydia",
            "given=Lydia family=Brooks",
            Field::FamilyName,
            AgreementLevel::Exact,
        ),
    ] {
        assert_eq!(
            judged(left, right, field).0,
            Some(expected),
            "{left} {right}"
        );
    }
}

#[test]
fn dates_and_contacts_agree_at_many_levels() {
    use AgreementLevel::{Close, DayMonthSwapped, Different, Exact, SameLocalPart, Similar};
    use Field::{BirthDate, Email, Phone, Street};
    let levels = [
        ("birth=1978-12-11", "birth=12/11/1978", BirthDate, Exact),
        (
            "birth=1978-12-11",
            "birth=1978-11-12",
            BirthDate,
            DayMonthSwapped,
        ),
        ("birth=1978-12-11", "birth=1978-12-17", BirthDate, Close),
        ("birth=1978-12-11", "birth=1951-02-03", BirthDate, Different),
        (
            "email=ann.lee@x.com",
            "email=annlee@y.org",
            Email,
            SameLocalPart,
        ),
        ("email=ann.lee@x.com", "email=ann.le@x.com", Email, Close),
        ("email=ann***@x.com", "email=ann.lee@x.com", Email, Similar),
        ("phone=2125551142", "phone=2125551143", Phone, Close),
        ("street=12_Oak_Street", "street=12_Oak_St", Street, Exact),
        (
            "street=12_Willow_Street",
            "street=12_Willow_St_Salem_OR",
            Street,
            Close,
        ),
        (
            "street=12_Oak_Street",
            "street=99_Oak_Street",
            Street,
            Different,
        ),
    ];
    for (left, right, field, expected) in levels {
        assert_eq!(
            judged(left, right, field).0,
            Some(expected),
            "{left} {right}"
        );
    }
    let placeholder = judged("birth=1900-01-01", "birth=1900-01-01", Field::BirthDate);
    assert_eq!(placeholder.0, None, "a placeholder says nothing");
}

#[test]
fn a_spouse_is_a_household_and_a_second_account_is_a_link() {
    let spouse = judged(
        &format!("given=Alice {HOME}"),
        &format!("given=Mark {HOME}"),
        Field::GivenName,
    );
    assert_eq!(
        (spouse.1, spouse.2),
        (MatchDecision::Household, Some(Veto::GivenNamesDiffer))
    );
    let (alice, mark) = (
        format!("given=Alice birth=1980-02-03 {HOME}"),
        format!("given=Mark birth=1971-11-30 {HOME}"),
    );
    let spouse = judged(&alice, &mark, Field::GivenName);
    assert_eq!(
        (spouse.1, spouse.2),
        (MatchDecision::Household, Some(Veto::BirthDatesDiffer))
    );
    let same = judged(
        &format!("given=Alice {HOME}"),
        &format!("given=Alice {HOME}"),
        Field::GivenName,
    );
    assert_eq!((same.1, same.2), (MatchDecision::Link, None));
}

#[test]
fn exclusive_evidence_keeps_people_apart() {
    for (left, right, expected) in [
        ("suffix=Jr", "suffix=Sr", Veto::SuffixesDiffer),
        (
            "birth=1950-03-04",
            "birth=1981-07-09",
            Veto::BirthDatesDiffer,
        ),
        ("nid=483920175", "nid=916573028", Veto::PersonalIdsDiffer),
    ] {
        let same = format!("given=Walter email=walter.featherstone@x.com {HOME}");
        let judged = judged(
            &format!("{same} {left}"),
            &format!("{same} {right}"),
            Field::GivenName,
        );
        assert_eq!(
            (judged.1, judged.2),
            (MatchDecision::Review, Some(expected))
        );
    }
}

#[test]
fn twins_are_two_people() {
    let twins = [
        "a given=Anna birth=2001-05-06",
        "b given=Mark birth=2001-05-06",
    ];
    let twins =
        twins.map(|twin| format!("{twin} email=home@featherstone.com phone=2125551142 {HOME}"));
    assert_eq!(clusters(&[&twins[0], &twins[1]]), ["a", "b"]);
}

/// The pairs that are compared, as `a b`.
fn compared(texts: &[String]) -> Vec<String> {
    let model = model();
    let records: Vec<Record> = texts.iter().map(|text| record(&model, text)).collect();
    let features: Vec<Features> = records
        .iter()
        .map(|record| Features::of(record, &model))
        .collect();
    let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
    let pairs = candidates(&all, &Context::of(&all, &model), &model);
    pairs
        .into_iter()
        .map(|(a, b)| format!("{} {}", a.key, b.key))
        .collect()
}

#[test]
fn namesakes_are_compared_until_they_are_too_many_to_mean_anything() {
    let namesakes = |count: usize| {
        (10..10 + count)
            .map(|number| format!("n{number} given=Ann family=Nguyen"))
            .collect::<Vec<_>>()
    };
    assert_eq!(compared(&namesakes(10)).len(), 45);
    assert_eq!(compared(&namesakes(11)).len(), 0);
    let mut some_of_one_town = namesakes(11);
    for text in &mut some_of_one_town[..2] {
        text.push_str(" city=Hull");
    }
    assert_eq!(compared(&some_of_one_town), ["n10 n11"]);
}

#[test]
fn a_mailboxs_number_finds_those_whose_names_begin_alike() {
    let people = [
        "a given=Karin family=Lopez email=karin.48213@x.com",
        "b given=Ada family=Carver email=ada48213@y.org",
        "c given=Bob family=Horn email=bob_48213@z.com",
    ];
    assert_eq!(compared(&people.map(str::to_owned)), ["a b"]);
}

#[test]
fn a_mistyped_number_finds_those_of_one_family_name() {
    let people = [
        "a given=Ann family=Akroyd nid=4817613",
        "b given=Zoe family=Akroid nid=4816613",
        "c given=Eve family=Horn nid=4817613x",
        "d given=Ida family=Akroyd nid=9916613",
        "e given=Ivy family=Akroyd nid=12345",
    ];
    assert_eq!(compared(&people.map(str::to_owned)), ["a b", "b d"]);
}

#[test]
fn a_name_alone_is_not_enough() {
    assert_eq!(
        clusters(&[
            "a given=Zelda family=Featherstone",
            "b given=Zelda family=Featherstone"
        ]),
        ["a", "b"]
    );
}

#[test]
fn a_family_address_joins_each_with_their_own() {
    let texts = [
        "a given=Alice family=Moss email=moss@x.com birth=1970-02-03",
        "b given=Peter family=Moss email=moss@x.com",
        "c given=Alic family=Moss email=moss@x.com birth=1970-02-03",
        "d given=Pete email=moss@x.com",
    ];
    assert_eq!(clusters(&texts), ["a c", "b d"]);
}

#[test]
fn a_record_without_a_name_is_attached_only_where_it_is_clear_to_whom() {
    assert_eq!(
        clusters(&[
            "a given=Alice family=Moss email=moss@x.com",
            "b email=moss@x.com"
        ]),
        ["a b"]
    );
    let family = [
        "a given=Alice family=Moss email=moss@x.com",
        "b email=moss@x.com",
        "c given=Peter email=moss@x.com",
    ];
    let clustering = clustering(&family, &[]);
    assert_eq!(shown(&clustering), ["a", "b", "c"]);
    assert!(
        clustering
            .refused
            .iter()
            .any(|refusal| refusal.guard == Guard::Ambiguous)
    );
}

#[test]
fn a_shared_device_joins_no_two_people() {
    let named = [
        "a given=Alice device=d1",
        "b given=Peter device=d1",
        "c device=d1",
    ];
    assert_eq!(clusters(&named), ["a", "b", "c"]);
    assert_eq!(
        clusters(&[
            "a email=alice@x.com device=d1",
            "b email=peter@x.com device=d1"
        ]),
        ["a", "b"]
    );
    assert_eq!(
        clusters(&["a given=Alice device=d1", "c device=d1"]),
        ["a c"]
    );
}

#[test]
fn a_call_centres_number_joins_nobody_until_it_is_no_longer_shared() {
    let names = ["Alice", "Peter", "Nora", "Victor", "Quentin"];
    let texts: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, name)| format!("{i} given={name} phone=2125551142"))
        .collect();
    let mut all: Vec<&str> = texts.iter().map(String::as_str).collect();
    all.push("5 phone=2125551142");
    all.push("6 given=Alice family=Moss phone=2125551142");
    assert_eq!(clusters(&all).len(), 7);
    assert_eq!(clusters(&["5 phone=2125551142", &texts[0]]), ["0 5"]);
}

#[test]
fn an_identifier_of_a_person_outweighs_a_changed_name_and_not_another_person() {
    assert_eq!(
        clusters(&[
            "a card=77 given=Beth family=Moss",
            "b card=77 given=Anna family=Lee"
        ]),
        ["a", "b"]
    );
    assert_eq!(
        clusters(&[
            "a card=77 given=Beth family=Moss birth=1980-02-03",
            "b card=77 given=Anna family=Lee birth=1980-02-03"
        ]),
        ["a b"]
    );
    assert_eq!(
        clusters(&[
            "a card=77 given=Beth family=Moss",
            "b card=77 given=Beth family=Lee"
        ]),
        ["a b"]
    );
    assert_eq!(
        clusters(&[
            "a card=1 given=Al email=al@x.com",
            "b card=2 given=Al email=al@x.com"
        ]),
        ["a", "b"]
    );
}

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

#[test]
fn evidence_spans_the_cluster_and_names_its_reason() {
    let texts = [
        "a given=Alice family=Moss email=moss@x.com",
        "b email=moss@x.com",
        "c given=Al email=moss@x.com",
    ];
    let clustering = clustering(&texts, &[]);
    for cluster in &clustering.clusters {
        for member in &cluster.members {
            let crate::identity::Evidence::Linked { with, reason } = &member.evidence else {
                continue;
            };
            assert_ne!(*with, member.record);
            assert!(cluster.members.iter().any(|other| other.record == *with));
            assert!(!matches!(reason, Reason::Decision { .. }));
        }
    }
}

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

#[test]
fn a_customer_of_many_records_is_one() {
    let many = |text: &str, count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("{number:04} {}", text.replace('#', &number.to_string())))
            .collect()
    };
    for (kind, texts) in [
        ("guest orders", many("email=kern@x.com", 200)),
        ("calls", many("phone=2125551142", 40)),
        (
            "an account",
            many("card=77 given=Marta family=Kern email=kern@x.com", 100),
        ),
        (
            "relay addresses",
            many("card=77 given=Marta family=Kern email=relay#@x.com", 40),
        ),
        ("devices", many("card=77 device=d#", 40)),
        (
            "calls by name",
            many("phone=2125551142 given=Marta family=Kern", 70),
        ),
    ] {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(clusters(&texts).len(), 1, "{kind}");
    }
}

#[test]
fn those_who_share_all_but_the_given_name_stay_two() {
    for (a, b) in [
        ("Jean-Paul", "Jean-Luc"),
        ("María_José", "María_Carmen"),
        ("Abdul_Rahman", "Abdul_Aziz"),
        ("Ji-hoon", "Ji-eun"),
        ("Mario", "Maria"),
        ("Daniel", "Daniela"),
        ("Rajesh", "Ramesh"),
        ("Jamal", "Kamal"),
        ("Hassan", "Hussein"),
        ("Oleg", "Olga"),
        ("王伟", "王薇"),
        ("민수", "민호"),
    ] {
        let home = "family=Kern email=kern@x.com phone=2125551142 street=12_Oak_Street city=Salem";
        let (left, right) = (format!("a given={a} {home}"), format!("b given={b} {home}"));
        assert_eq!(clusters(&[&left, &right]), ["a", "b"], "{a} and {b}");
    }
    for (a, b) in [
        ("Lukas", "Lucas"),
        ("Mohammed", "Muhammad"),
        ("Ji-hoon", "Jihoon"),
        ("Bob", "Robert"),
        ("María_José", "María"),
        ("王伟", "王伟"),
    ] {
        let home = "family=Kern email=kern@x.com phone=2125551142";
        let (left, right) = (format!("a given={a} {home}"), format!("b given={b} {home}"));
        assert_eq!(clusters(&[&left, &right]), ["a b"], "{a} and {b}");
    }
}
