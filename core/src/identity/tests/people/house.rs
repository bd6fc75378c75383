//! People of one house, and one person of it: what each of the guards lets through and what not.

use super::*;

const HOME: &str = "street=12_Oak_Street city=Salem postcode=97301";

fn found(a: &str, b: &str) -> usize {
    clusters(&[&format!("a {a}"), &format!("b {b}")]).len()
}

#[test]
fn a_son_is_not_his_father_and_a_letter_is_rather_an_initial() {
    let urbano = format!("family=Quillfeather {HOME}");
    for (a, b, people) in [
        ("given=Urbano", "given=Urbano_hijo", 2),
        ("given=Urbano", "given=Urbano suffix=Jr", 2),
        ("given=Henri", "given=Henri_fils", 2),
        ("given=Morris_I", "given=Morris_II", 2),
        ("given=Peter", "given=Peter_jun.", 2),
        // The father is seldom called so by all, and a contact says that it is one.
        ("given=Urbano", "given=Urbano suffix=Sr", 1),
        (
            "given=Urbano email=u7@x.com",
            "given=Urbano_hijo email=u7@x.com",
            1,
        ),
        ("given=Morris_I", "given=Morris", 1),
    ] {
        let (a, b) = (format!("{a} {urbano}"), format!("{b} {urbano}"));
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
}

#[test]
fn who_says_no_given_name_but_another_sex_is_another() {
    for (a, b, people) in [
        ("gender=male", "given=Ingrid", 2),
        ("gender=female", "given=Marc_Antoine", 2),
        ("gender=female", "given=Ingrid", 1),
        ("gender=x", "given=Ingrid", 1),
        // A name of both.
        ("gender=male", "given=Robin", 1),
    ] {
        let shared = format!("family=Quillfeather phone=2125551142 {HOME}");
        let (a, b) = (format!("{a} {shared}"), format!("{b} {shared}"));
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
}

#[test]
fn twins_have_one_day_of_birth_and_two_names() {
    let born = "family=Quillfeather birth=1999-06-09";
    for (a, b, people) in [
        ("given=Anna", "given=Anne", 2),
        ("given=Işık", "given=Işıl", 2),
        ("given=Darla", "given=Darlene", 2),
        ("given=Hannah", "given=Anna", 2),
        // A letter left out, and a contact of one's own.
        ("given=Michael", "given=Micael", 1),
        ("given=Anna email=a7@x.com", "given=Anne email=a7@x.com", 1),
    ] {
        let (a, b) = (format!("{a} {born} {HOME}"), format!("{b} {born} {HOME}"));
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
}

#[test]
fn a_short_name_is_nobodys_where_two_of_the_house_begin_so() {
    let of = |key: &str, given: &str, more: &str| {
        format!("{key} given={given} family=Quillfeather {HOME} {more}")
    };
    let house = [
        of("a", "Karl-Josef", "phone=2125551142"),
        of("b", "Karl-Heinz", "phone=2125551199"),
        of("c", "Karl", ""),
        of("d", "Karl", "phone=2125551199"),
    ];
    let found = clustering(&house.each_ref().map(String::as_str), &[]);
    assert_eq!(shown(&found), ["a", "b d", "c"]);
    let refused = found.refused.iter();
    let c = RecordKey::new("s", "c");
    assert!(
        refused
            .filter(|refusal| refusal.left == c || refusal.right == c)
            .any(|refusal| refusal.guard == Guard::Ambiguous),
        "what is not joined is named"
    );
    assert_eq!(clusters(&[&house[0], &house[2]]), ["a c"]);
}

#[test]
fn neighbours_of_one_name_are_two() {
    let name = "given=大輔 family=梅岡 country=JP city=名古屋市 postcode=460-0040";
    for (a, b, people) in [
        (
            "street=元町6丁目6-18_メゾン青葉504号室",
            "street=元町6-6-18-106",
            2,
        ),
        ("street=元町6丁目6番18号", "street=元町6-6-18", 1),
        // A mailbox with another number behind it does not excuse another date of birth.
        (
            "street=元町6-6-18 birth=1975-02-19 email=rufomige94@x.com",
            "street=元町6-6-18 birth=1967-05-07 email=rufomige746@x.com",
            2,
        ),
    ] {
        let (a, b) = (format!("{a} {name}"), format!("{b} {name}"));
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
    let home = "given=Sefer family=Quillfeather city=Gaziantep";
    for (a, b, people) in [
        ("street=555._Sokak_No:9", "street=555._Sokak_No:_9/7", 1),
        ("street=555._Sokak_No:9/6", "street=555._Sokak_No:_9/7", 2),
    ] {
        let (a, b) = (format!("{a} {home}"), format!("{b} {home}"));
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
}

#[test]
fn a_reading_in_kana_is_neither_the_name_nor_another() {
    let mailbox = "email=fama597@x.com street=元町3-3-16 city=大阪市 country=JP";
    for (a, b, people) in [
        ("family=フクノ given=ミホ", "family=福野 given=美穂", 1),
        (
            "family=フクノ given=ミホ phone=2125551142",
            "family=福野 given=美穂 phone=2125551142",
            1,
        ),
        // Two of a house may read one mailbox.
        (
            "family=フクノ given=ミホ phone=2125551142",
            "family=福野 given=美江 phone=2125551199",
            2,
        ),
        ("family=フクノ given=ミホ", "family=ふくの given=みほ", 1),
        ("family=フクノ given=ミホ", "family=ふくの given=みえ", 2),
        ("full=慎也梅岡", "full=梅岡慎也", 1),
        ("full=慎也梅岡", "full=梅岡慎介", 2),
    ] {
        let (a, b) = (format!("{a} {mailbox}"), format!("{b} {mailbox}"));
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
}

#[test]
fn both_family_names_of_spain_count() {
    for (a, b, people) in [
        ("Oller_Sanmartin", "Oller_Egea", 2),
        ("Oller_Egea", "Oller_Egea", 1),
        ("Oller_Egea", "Oller", 1),
        ("Oller_Egea", "Ollcr_Egea", 1),
        ("de_la_Cruz_Ruiz", "de_la_Cruz_Pons", 2),
    ] {
        let (a, b) = (
            format!("given=Juan_José family={a} {HOME}"),
            format!("given=Juan_José family={b} {HOME}"),
        );
        assert_eq!(found(&a, &b), people, "{a} and {b}");
    }
}

#[test]
fn one_who_left_out_the_flat_is_no_bridge_between_namesakes_of_the_house() {
    let of = |key: &str, street: &str, more: &str| {
        format!("{key} given=Sergei family=Quillfeather street={street} city=Riga {more}")
    };
    let house = [
        of("a", "Molodezhnaya_55-19", "phone=2125551142"),
        of("b", "Molodezhnaya_55", "phone=2125551142"),
        of("c", "Molodezhnaya_55-40", ""),
    ];
    let found = clustering(&house.each_ref().map(String::as_str), &[]);
    assert_eq!(shown(&found), ["a b", "c"]);
    let refused = found.refused.iter();
    let guards: Vec<String> = refused.map(|refusal| refusal.guard.name()).collect();
    assert!(guards.contains(&"flats_differ".to_owned()), "{guards:?}");
    assert_eq!(clusters(&[&house[1], &house[2]]), ["b c"]);
    // A contact of theirs says that they moved.
    let moved = of("c", "Molodezhnaya_55-40", "phone=2125551142");
    assert_eq!(clusters(&[&house[0], &house[1], &moved]), ["a b c"]);
}

#[test]
fn the_names_of_others_in_the_house_make_nobody_ambiguous() {
    let of = |key: &str, given: &str| format!("{key} given={given} family=Quillfeather {HOME}");
    let katie = [of("a", "Katie"), of("b", "Katie")];
    assert_eq!(clusters(&[&katie[0], &katie[1]]), ["a b"]);
    let house = [
        of("c", "Emma-Louise"),
        of("d", "Emma-Jane"),
        of("e", "Emma"),
    ];
    let all: Vec<&str> = katie.iter().chain(&house).map(String::as_str).collect();
    assert_eq!(clusters(&all), ["a b", "c", "d", "e"]);
}
