use super::*;

fn whole(raw: &str) -> Option<(String, String)> {
    in_whole_name(raw).map(|several| (several.given, several.family.join(" ")))
}

#[test]
fn several_people_are_told_from_one() {
    for (raw, given, family) in [
        ("John & Mary Smith", "john&mary", "smith"),
        ("Mary and John Smith", "john&mary", "smith"),
        ("JOHN AND MARY SMITH", "john&mary", "smith"),
        ("John Smith & Mary Smith", "john&mary", "smith"),
        ("John Smith and Mary Jones", "john&mary", "jones smith"),
        ("John A. & Mary B. Smith", "john&mary", "smith"),
        ("John+Mary Smith", "john&mary", "smith"),
        ("Smith, John / Mary", "john&mary", "smith"),
        ("Smith, John & Mary", "john&mary", "smith"),
        ("John Smith, Mary Smith", "john&mary", "smith"),
        ("John Smith; Mary Jones", "john&mary", "jones"),
        ("Mr and Mrs Smith", "&all", "smith"),
        ("Mr. & Mrs. John Smith", "john&all", "smith"),
        ("Mr R & Mrs J Bloggs", "j&r", "bloggs"),
        (
            "Mr. & Mrs. Patrick & Rose McDonald",
            "patrick&rose",
            "mcdonald",
        ),
        ("Hans und Petra Müller", "hans&petra", "muller"),
        ("Hans u. Petra Müller", "hans&petra", "muller"),
        ("Herr und Frau Müller", "&all", "muller"),
        ("Juan y María García", "juan&maria", "garcia"),
        ("Sr. y Sra. García", "&all", "garcia"),
        ("Jean et Marie Dupont", "jean&marie", "dupont"),
        ("Marco e Giulia Rossi", "giulia&marco", "rossi"),
        ("Jan en Marie de Vries", "jan&marie", "de vries"),
        ("Anna i Jan Kowalscy", "anna&jan", "kowalscy"),
        ("Mehmet ve Ayşe Yılmaz", "ayse&mehmet", "yilmaz"),
        ("Familie Meyer", "&all", "meyer"),
        ("Fam. Meyer", "&all", "meyer"),
        ("The Smith Family", "&all", "smith"),
        ("The Smiths", "&all", "smith"),
        ("Famille Dupont", "&all", "dupont"),
        ("Иван и Мария Волковы", "ivan&mariia", "volkovy"),
    ] {
        let expected = Some((given.to_owned(), family.to_owned()));
        assert_eq!(whole(raw), expected, "{raw}");
    }
    for raw in [
        "José Ortega y Gasset",
        "Santiago Ramón y Cajal",
        "Lucía Rivas y Soto",
        "Luis Martínez y Martín",
        "Ana Costa e Silva",
        "Antoni Gaudí i Cornet",
        "Karl von und zu Brandt",
        "Ann Carver (they/them)",
        "Ann Kelly/Ryan",
        "Anna/Ann Smith",
        "Sunita Nair W/O Ramesh Nair",
        "Jan v/d Berg",
        "Herr/Frau Anna Meyer",
        "Ramesh Nair S/O Suresh",
        "Smith, John",
        "Brandt; Karl",
        "Kern, Ann, M.D.",
        "D&apos;Angelo, Marco",
        "The Hon. Ann Carver",
        "John E Smith",
        "マイケル・スミス",
        "約翰・史密斯さん",
    ] {
        assert_eq!(whole(raw), None, "{raw}");
    }
}

#[test]
fn a_field_of_many_words_takes_no_more_than_its_length() {
    for part in ["and ", "a and ", "Ann & ", "a/", "y Ana "] {
        let allocations = |bytes: usize| {
            let raw = part.repeat(bytes / part.len());
            let read = || drop((whole(&raw), in_given_name(&raw), in_family_name(&raw)));
            // Lists are read when they are first asked.
            read();
            allocation_counter::measure(read).count_total
        };
        let (short, long) = (allocations(2_000), allocations(8_000));
        assert!(long <= 6 * short, "{part}: {short} and {long}");
    }
}
