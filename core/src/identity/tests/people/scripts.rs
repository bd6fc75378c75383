//! Names of one person in two scripts.

use super::*;

#[test]
fn a_name_in_letters_is_that_in_hebrew_arabic_or_hangul() {
    for (own, latin) in [
        ("given=משה family=כהן", "given=Moshe family=Cohen"),
        ("given=יעקב family=לוי", "given=Yaakov family=Levi"),
        ("full=רבקה_כהן", "given=Rivka family=Cohen"),
        ("given=رانيا family=زكي", "given=Rania family=Zaki"),
        ("given=محمد family=منصور", "given=Mohammed family=Mansour"),
        ("given=حسین family=قاسمی", "given=Hossein family=Ghasemi"),
        ("given=민서 family=조", "given=Min-seo family=Cho"),
        ("full=이지훈", "full=Lee_Ji-hoon"),
        ("full=박영희", "given=Younghee family=Park"),
    ] {
        for contact in ["phone=2125551142", "email=qx77@x.com"] {
            let (left, right) = (format!("a {own} {contact}"), format!("b {latin} {contact}"));
            assert_eq!(clusters(&[&left, &right]), ["a b"], "{own} and {latin}");
        }
    }
}

#[test]
fn another_name_in_another_script_is_of_another_person() {
    for (own, latin) in [
        ("given=משה family=כהן", "given=Miriam family=Cohen"),
        ("given=محمد family=منصور", "given=Salma family=Mansour"),
        ("given=민서 family=조", "given=Ji-hoon family=Cho"),
    ] {
        let contact = "phone=2125551142 street=12_Oak_Street city=Salem";
        let (left, right) = (format!("a {own} {contact}"), format!("b {latin} {contact}"));
        assert_eq!(clusters(&[&left, &right]), ["a", "b"], "{own} and {latin}");
    }
}

#[test]
fn the_date_of_birth_finds_names_in_two_scripts() {
    let people = [
        "a given=משה family=כהן birth=1984-07-15",
        "b given=Moshe family=Cohen birth=1984-07-15",
        "c given=민서 family=조 birth=1990-03-02",
        "d given=Min-seo family=Cho birth=1990-03-02 country=KR",
    ];
    assert_eq!(clusters(&people), ["a b", "c d"]);
}
