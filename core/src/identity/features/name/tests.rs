//! Whole names and fields, cut.

use super::*;

fn read(fields: &[(Role, &str)]) -> Vec<String> {
    let mut parts = Parts::default();
    for (role, text) in fields {
        parts.take(*role, text);
    }
    let (names, suffixes) = parts.into_names();
    let shown = |name: &Name| {
        let given = name.given.as_ref().map_or("-", |given| &given.word.text);
        let family = name.family.as_ref().map_or("-", |family| &family.word.text);
        let middle: Vec<&str> = name.middle.iter().map(|word| word.text.as_str()).collect();
        format!("{given} [{}] {family} {suffixes:?}", middle.join(" "))
    };
    names.iter().map(shown).collect()
}

#[test]
fn whole_names_are_cut_as_they_are_written() {
    for (raw, expected) in [
        ("Ann Mary Smith", "ann [mary] smith []"),
        ("Smith, Ann Mary", "ann [mary] smith []"),
        ("Dr. Robert E Smith Sr", "robert [e] smith [1]"),
        ("Henri fils Moulin", "henri [] moulin [2]"),
        ("John Jr. Smith", "john [] smith [2]"),
        ("Joan Pere Martí", "joan [pere] marti []"),
        ("王伟", "wei [] wang []"),
        ("Ellie O'Hare", "ellie [] ohare []"),
        ("Cher", "cher [] - []"),
        ("FRERICHS Marijn", "marijn [] frerichs []"),
        ("J.R. Smith", "j [r] smith []"),
        ("pani Anna Nowak", "anna [] nowak []"),
        (
            "Шилова Камилла Святославовна",
            "kamilla [sviatoslavovna] shilova []",
        ),
    ] {
        assert_eq!(read(&[(Role::FullName, raw)]), [expected], "{raw}");
    }
}

#[test]
fn fields_come_before_the_whole_and_fillers_do_not_count() {
    let fields = [
        (Role::GivenName, "Ann"),
        (Role::FamilyName, "Brown Jr."),
        (Role::FullName, "Someone Else"),
    ];
    assert_eq!(read(&fields), ["ann [] brown [2]"]);
    assert_eq!(
        read(&[(Role::GivenName, "NULL"), (Role::FamilyName, "none")]).len(),
        0
    );
}
