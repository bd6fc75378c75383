//! Which records are compared at all.

use super::*;

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
        "e given=Fay family=Akroyd nid=12345",
    ];
    assert_eq!(compared(&people.map(str::to_owned)), ["a b", "b d"]);
}

#[test]
fn names_that_sound_alike_and_initials_find_each_other() {
    for people in [
        [
            "a given=Vickie family=Nazario",
            "b given=Vickie family=Nazarrio",
        ],
        ["a given=C family=Trotman", "b given=Corinne family=Trotman"],
    ] {
        assert_eq!(compared(&people.map(str::to_owned)), ["a b"]);
    }
    let strangers = ["a given=C family=Trotman", "b given=Anne family=Trotman"];
    assert!(compared(&strangers.map(str::to_owned)).is_empty());
}

#[test]
fn without_a_contact_one_name_finds_with_place_day_or_year() {
    for [a, b] in [
        // A former family name, a nickname of several names, names that have changed places.
        [
            "given=Corinne family=Trotman city=Salem",
            "given=Corinne family=Vale city=Salem",
        ],
        [
            "given=Alex family=Trotman city=Salem",
            "given=Alexandra family=Troutmann city=Salem",
        ],
        [
            "given=Trotman family=Corinne city=Salem",
            "given=Korinne family=Vale city=Salem",
        ],
        [
            "given=Corinne family=Trotman birth=1984-07-15",
            "given=Corinne family=Vale birth=1983-07-15",
        ],
        [
            "given=Corinne family=Trotman birth=1984-07-15",
            "given=Wrbl family=Trotman birth=1984-11-02",
        ],
        // No name is right.
        [
            "given=Corinne family=Trotman street=7_Elm_Road postcode=97301",
            "given=Wrbl family=Vale street=7_Oak_Road postcode=97301",
        ],
        [
            "given=Corinne family=Trotman nid=5212123 birth=1984-07-15",
            "given=Wrbl family=Vale nid=5219876 birth=1999-07-15",
        ],
    ] {
        let found = |more: &str| compared(&[format!("a {a}{more}"), format!("b {b}{more}")]);
        assert_eq!(found(""), ["a b"], "{a} and {b}");
    }
    let with_contact = [
        "a given=Corinne family=Trotman city=Salem email=one77@x.com",
        "b given=Corinne family=Vale city=Salem email=two88@y.org",
    ];
    assert!(compared(&with_contact.map(str::to_owned)).is_empty());
}
