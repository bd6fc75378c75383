//! Customers of many records, and people of one house.

use super::*;

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

#[test]
fn one_name_is_read_in_all_its_spellings() {
    for (a, b) in [
        // However a name in characters is cut, and in whatever forms of them it is written.
        ("full=竹島智子", "given=智子 family=竹島"),
        ("full=趙偉", "given=伟 family=赵"),
        ("full=福野恵", "given=恵 family=福野"),
        ("given=君 family=王", "full=王君"),
        // Characters that have several readings, beside a name in letters.
        (
            "given=智子 family=竹島 country=JP",
            "full=Takeshima_Tomoko country=JP",
        ),
        ("given=玉华女士 family=周", "full=周玉华"),
        ("full=斎藤様_翔真", "given=翔真 family=斎藤"),
        // Transcribed, family name first.
        ("full=Zhang_Zhiwei", "given=志伟 family=张"),
        ("full=Reed_James", "given=James family=Reed"),
        // Read in the wrong encoding.
        ("given=IÅŸÄ±k family=Tokman", "given=Işık family=Tokman"),
        // Vowels that a script does not write.
        ("given=فيصل family=صديقي", "given=Faisal family=Siddiqui"),
        // Changed places, one in a short form.
        ("given=Kern family=Bob", "given=Robert family=Kern"),
        // Called by the middle name, or by the initial of the whole name.
        ("given=James_Robert family=Kern", "given=Bob family=Kern"),
        ("given=W family=Kern", "given=Bill family=Kern"),
        ("full=г-н_Моисей_Котов", "given=Моисей family=Котов"),
    ] {
        let same = "email=one@y.com phone=2125551142";
        let (left, right) = (format!("a {a} {same}"), format!("b {b} {same}"));
        assert_eq!(clusters(&[&left, &right]), ["a b"], "{a} and {b}");
    }
}

#[test]
fn another_name_stays_another_in_all_spellings() {
    for (a, b) in [
        ("given=Deepak", "given=Deepika"),
        ("given=Anna", "given=Anne"),
        ("given=Marina", "given=Mariana"),
        ("full=竹島智子", "full=竹島智美"),
        ("full=王伟", "full=王薇"),
        // Chinese characters are read.
        ("given=智子 family=竹島 country=CN", "full=Takeshima_Tomoko"),
        (
            "given=君 family=王 country=JP",
            "given=江 family=王 country=JP",
        ),
        // An honorific of one language is a part of names in another.
        ("given=丽君 family=邓", "given=丽 family=邓"),
        ("given=Г._Иван family=Котов", "given=П._Иван family=Котов"),
        ("full=Zhang_Zhiwei", "given=丽 family=张"),
        ("given=W", "given=Peter"),
    ] {
        let same = "street=12_Oak_Street city=Salem email=one@y.com phone=2125551142";
        let (left, right) = (format!("a {a} {same}"), format!("b {b} {same}"));
        assert_eq!(clusters(&[&left, &right]), ["a", "b"], "{a} and {b}");
    }
}

#[test]
fn a_garbled_name_is_one_where_two_contacts_are_the_same() {
    let same = "family=Booth email=one@y.com phone=2125551142";
    let garbled = ["a given=Darlene", "b given=Narlhve"].map(|text| format!("{text} {same}"));
    assert_eq!(clusters(&[&garbled[0], &garbled[1]]), ["a b"]);
    let spouses = ["a given=Darlene", "b given=Dennis"].map(|text| format!("{text} {same}"));
    assert_eq!(clusters(&[&spouses[0], &spouses[1]]), ["a", "b"]);
}

#[test]
fn hidden_contacts_are_nobodys_and_what_is_seen_of_a_name_counts() {
    const PLACE: &str = "city=Salem postcode=97301 country=US";
    for (a, b) in [
        ("email=j***@gmail.com", "email=j***@gmail.com"),
        (
            "phone=+1212***1142 given=Ann",
            "phone=+1212***1142 given=Ann",
        ),
        ("card=****1234 given=Ann", "card=****1234 given=Ann"),
        ("given=王** phone=2125551142", "given=王** phone=2125551199"),
        // Who hides the name is not without one: it is not theirs with whom a contact is shared.
        (
            "given=J*** family=D*** phone=2125551142",
            "given=Ann family=Kern phone=2125551142",
        ),
        (
            "given=王** phone=2125551142",
            "given=明 family=李 phone=2125551142",
        ),
    ] {
        let (a, b) = (format!("a {a} {PLACE}"), format!("b {b} {PLACE}"));
        assert_eq!(clusters(&[&a, &b]), ["a", "b"], "{a}");
    }
    let (whole, hidden) = (
        "a given=Ann family=Kern email=ann@x.com",
        "b given=A** family=K*** email=ann@x.com",
    );
    assert_eq!(clusters(&[whole, hidden]), ["a b"]);
}
