//! People by example: who is linked, who is a household, who is kept apart.

mod decisions;
mod evidence;
mod house;
mod keys;
mod kinds;
mod names;
mod order;
mod properties;
mod relatives;
mod scripts;
mod slips;

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
  gender: { match: gender }
  middle: { match: middle_name }
  family: { match: family_name }
  full: { match: full_name }
  suffix: { match: suffix }
  birth: { match: birth_date }
  street: { match: street }
  city: { match: city }
  postcode: { match: postcode }
  country: { match: country }
sources:
  s:
    country: US
    records:
      r:
        key: key
        identifiers: { card: card, national_id: nid, email: email, phone: phone, device: device }
        traits: { given: given, gender: gender, middle: middle, family: family, full: full, suffix: suffix, birth: birth, street: street, city: city, postcode: postcode, country: country }
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
    use AgreementLevel::{Close, DayMonthSwapped, Different, Exact, Part, SameLocalPart, Similar};
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
            "street=100_Howard_Hughs_Plaza",
            "street=Hughes_Plaza,_100_Howard_Hughes_Way",
            Street,
            Part,
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
