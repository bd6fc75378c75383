//! One field that is off does not outweigh all others, and one that agrees does not either.

use super::*;

const JONES: &str = "family=Quillfeather street=12_Oak_Street city=Salem postcode=97301";

#[test]
fn a_date_that_is_off_is_a_slip() {
    for (birth, level) in [
        ("1984-07-16", AgreementLevel::Close),
        ("1984-07-03", AgreementLevel::Similar),
        ("1984-06-03", AgreementLevel::Similar),
        ("1984-09-12", AgreementLevel::Similar),
        ("1985-06-30", AgreementLevel::Similar),
        ("1974-07-15", AgreementLevel::Close),
        ("1991-07-15", AgreementLevel::Similar),
        ("1984-07-51", AgreementLevel::Close),
        ("1991-02-08", AgreementLevel::Different),
        ("1986-03-27", AgreementLevel::Different),
    ] {
        let other = format!("birth={birth}");
        let (found, ..) = judged("birth=1984-07-15", &other, Field::BirthDate);
        assert_eq!(found, Some(level), "{birth}");
    }
}

#[test]
fn a_number_is_the_same_with_and_without_separators() {
    for (a, b, level) in [
        ("521-21-2123", "521212123", AgreementLevel::Exact),
        ("521 21 2123", "521-21-2123", AgreementLevel::Exact),
        ("521-21-2123", "521-21-2124", AgreementLevel::Close),
        ("5212123", "5211223", AgreementLevel::Close),
        ("5212123", "5212145", AgreementLevel::Similar),
        ("5212123", "9876501", AgreementLevel::Different),
    ] {
        let (left, right) = (
            format!("nid={}", a.replace(' ', "_")),
            format!("nid={}", b.replace(' ', "_")),
        );
        assert_eq!(
            judged(&left, &right, Field::PersonalId).0,
            Some(level),
            "{a} {b}"
        );
    }
}

#[test]
fn a_number_far_off_is_no_veto_where_names_home_and_contacts_agree() {
    const CONTACTS: &str = "email=quill@x.com phone=2125551142";
    let one = format!("a given=Ann {JONES} {CONTACTS} nid=5212123");
    let other = format!("b given=Ann {JONES} {CONTACTS} nid=9876501");
    assert_eq!(clusters(&[&one, &other]), ["a b"]);
    // Father and son of one name have one home and two numbers.
    let one = format!("a given=Ann {JONES} nid=5212123");
    let other = format!("b given=Ann {JONES} nid=9876501");
    assert_eq!(clusters(&[&one, &other]), ["a", "b"]);
}

#[test]
fn a_number_said_of_a_relative_does_not_join_two_people() {
    // One of two who have records of their own is said to have the number of the other.
    let texts = [
        format!("a given=Kenneth {JONES} nid=5212123"),
        format!("b given=Kenneth {JONES}"),
        format!("c given=Cecilia {JONES} nid=5212123"),
        format!("d given=Cecilia {JONES}"),
    ];
    assert_eq!(
        clusters(&texts.each_ref().map(String::as_str)),
        ["a b", "c d"]
    );
    // An account that two of a home use.
    for (a, b, numbers) in [
        ("given=Kenneth", "given=Cecilia", &["card=77"][..]),
        (
            "given=Kenneth birth=1969-05-05",
            "given=Cecilia birth=2009-08-03",
            &["card=77"],
        ),
        (
            "given=Kenneth middle=A",
            "given=Wrbl middle=K",
            &["card=77", "nid=5212123"],
        ),
    ] {
        for number in numbers {
            let one = format!("a {a} {JONES} {number}");
            let other = format!("b {b} {JONES} {number}");
            assert_eq!(
                clusters(&[&one, &other]),
                ["a", "b"],
                "{a} and {b}, {number}"
            );
        }
    }
    let one = format!("a given=Kenneth {JONES} nid=5212123 birth=1969-05-05");
    let other = format!("b given=Wrbl {JONES} nid=5212123 birth=1969-05-05");
    assert_eq!(clusters(&[&one, &other]), ["a b"], "garbled");
}

#[test]
fn another_initial_between_the_names_is_another_of_the_family() {
    let with = |key: &str, middle: &str, more: &str| {
        format!("{key} given=Kenneth middle={middle} {JONES} {more}")
    };
    let [a, b] = [with("a", "A", ""), with("b", "R", "")];
    assert_eq!(clusters(&[&a, &b]), ["a", "b"]);
    let [a, b] = [with("a", "A", ""), with("b", "Albert", "")];
    assert_eq!(clusters(&[&a, &b]), ["a b"]);
    let birth = "birth=1969-05-05";
    let [a, b] = [with("a", "A", birth), with("b", "R", birth)];
    assert_eq!(clusters(&[&a, &b]), ["a b"], "a slip");
}

#[test]
fn a_former_family_name_is_beside_the_new_one() {
    let (level, ..) = judged(
        "full=Susan_Meyer",
        "full=Susan_Meyer_Thomas",
        Field::FamilyName,
    );
    assert_eq!(level, Some(AgreementLevel::Part));
}

#[test]
fn letters_that_changed_places_are_a_slip_in_a_name_of_few() {
    let (level, verdict, _) = judged(
        "given=Marcus family=Tompson email=stomp45@x.com",
        "given=Macrus family=Tompson email=stomp45@x.com",
        Field::GivenName,
    );
    assert_eq!(
        (level, verdict),
        (Some(AgreementLevel::Close), MatchDecision::Link)
    );
}
