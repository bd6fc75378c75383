//! Evidence that depends on the name counts once.

use super::*;
use crate::identity::train;
use crate::model::matching::Subject;

/// The weight of an e-mail address, in bits.
fn worth(name: &str, left: &str, right: &str) -> i32 {
    let model = model();
    let [a, b] = [("a", left), ("b", right)].map(|(key, email)| {
        let record = record(&model, &format!("{key} {name} email={email}"));
        Features::of(&record, &model)
    });
    let compared = compare(&a, &b, &Context::default(), &model);
    let email = compared
        .fields
        .iter()
        .find(|field| field.field == Field::Email);
    email.map_or(0, |email| email.millibits / 1_000)
}

#[test]
fn a_mailbox_made_of_the_name_is_worth_little_beside_it() {
    let john = "given=John family=Smith";
    for (left, right, least, most) in [
        ("john.smith12@x.com", "john.smith87@y.org", -6, -6),
        ("john.smith12@x.com", "smith_john_87@x.com", -6, 0),
        ("john.smith1975@x.com", "john.smith1971@x.com", -6, -6),
        ("john.smith@x.com", "john.smith@y.org", 1, 1),
        ("john.smith@x.com", "john.smith87@x.com", -2, 0),
        ("john.smith87@x.com", "john.smith87@y.org", 6, 6),
        ("jsmith@x.com", "jsmith@y.org", 1, 1),
        // Not made of the name.
        ("bluebird@x.com", "bluebird@y.org", 10, 20),
        ("bluebird12@x.com", "bluebird87@x.com", -2, 0),
        // The same one, and one mistyped.
        ("john.smith@x.com", "john.smith@x.com", 15, 20),
        ("bluebird@gmail.com", "bluebird@gmial.com", 10, 20),
        ("john.smith@gmail.com", "john.smith@gmial.com", 10, 20),
        ("john.smith@gmail.com", "john.smith@gmail.con", 10, 20),
        // Two providers.
        ("john.smith@gmail.com", "john.smith@mail.com", 1, 1),
        // Branches of one provider are not one mailbox.
        ("john.smith@yahoo.de", "john.smith@yahoo.es", 1, 1),
    ] {
        for (a, b) in [(left, right), (right, left)] {
            let bits = worth(john, a, b);
            assert!((least..=most).contains(&bits), "{a} {b}: {bits}");
        }
    }
}

#[test]
fn namesakes_with_numbered_mailboxes_stay_two() {
    for name in [
        "given=John family=Smith",
        "given=Peter family=Müller",
        "given=Minh family=Nguyen",
        "given=Mehmet family=Yılmaz",
    ] {
        let mailbox = |number: u16| {
            let folded = name.replace(['ü', 'ı'], "u").to_lowercase();
            let words = folded.split([' ', '=']).collect::<Vec<_>>();
            format!("{}.{}{number}@x.com", words[1], words[3])
        };
        let texts = [
            format!("a {name} city=Salem email={}", mailbox(12)),
            format!("b {name} city=Salem email={}", mailbox(87)),
        ];
        assert_eq!(clusters(&[&texts[0], &texts[1]]), ["a", "b"], "{name}");
    }
}

#[test]
fn who_has_no_given_name_joins_nobody_by_the_home_alone() {
    let home = "street=16_Main_Road city=Salem postcode=97301";
    let sanjay = format!("a given=Sanjay family=Featherstone {home} phone=5035550132");
    for (note, joins) in [
        ("family=Featherstone", false),
        ("family=Featherstone phone=2125550147", false),
        ("family=Featherstone phone=5035550132", true),
        ("given=Sanjay family=Featherstone", true),
    ] {
        let note = format!("b {note} {home}");
        let expected: &[&str] = if joins { &["a b"] } else { &["a", "b"] };
        assert_eq!(clusters(&[&sanjay, &note]), expected, "{note}");
    }
}

#[test]
fn a_frequent_name_is_worth_less_in_every_culture() {
    let weights = model().matching.weights;
    let worth = |field, name: &str| weights.exact(field, crate::hash::hash(name), name.len());
    let rare = worth(Field::FamilyName, "featherstonehaugh");
    for name in [
        "muller", "nguyen", "yilmaz", "silva", "wang", "ivanov", "garcia", "kim",
    ] {
        assert!(worth(Field::FamilyName, name) + 3_000 < rare, "{name}");
    }
    let rare = worth(Field::GivenName, "xanthippe");
    for name in ["maria", "mehmet", "rajesh", "anna", "ivan", "fatima"] {
        assert!(worth(Field::GivenName, name) + 1_000 < rare, "{name}");
    }
    // A name that no table knows is less rare the shorter it is.
    assert!(worth(Field::GivenName, "qux") + 1_500 < rare);
}

#[test]
fn records_of_one_person_do_not_teach_how_often_strangers_agree() {
    let model = model();
    let texts = (0..60).map(|number| {
        let person = number / 2;
        format!("{number} given=Ann family=Kern{person} birth=1980-02-03 email=kern{person}@x.com")
    });
    let records: Vec<Record> = texts.map(|text| record(&model, &text)).collect();
    let features: Vec<Features> = records
        .iter()
        .map(|record| Features::of(record, &model))
        .collect();
    let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
    let trained = train(
        &all,
        &Context::of(&all, &model),
        &model,
        Subject::Everything,
        &mut |_| {},
    );
    let u = trained.weights.chances()[&Field::Email][&AgreementLevel::Exact].u;
    assert!(u < 10_000, "{u} of thousand million pairs");
}
