use super::*;
use crate::records::{Draft, DraftRecord, Identifier, RecordKey, Statement, Timestamp};

/// A model with one field of each kind that is read.
fn model(source: &str) -> Model {
    let yaml = format!(
        r#"
identifiers:
  phone: {{ priority: 1, normalize: e164, default_region: US }}
  email: {{ priority: 2, normalize: email, blocked: ["^blocked@"] }}
  card: {{ priority: 3, normalize: digits }}
  account: {{ priority: 4, placeholders: [no account] }}
traits:
  born: {{ match: birth_date }}
  country: {{ match: country }}
  street: {{ match: street }}
  city: {{ match: city, placeholders: false }}
  postcode: {{ match: postcode }}
  given: {{ match: given_name }}
  middle: {{ match: middle_name }}
  family: {{ match: family_name }}
  full: {{ match: full_name }}
  suffix: {{ match: suffix }}
  gender: {{ match: gender }}
  note:
sources:
  s: {source}
"#
    );
    Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn draft(identifiers: &[(&str, &str)], traits: &[(&str, &str)]) -> DraftRecord {
    let identifiers = identifiers.iter();
    let traits = traits.iter();
    DraftRecord {
        identifiers: identifiers
            .map(|(kind, value)| Identifier::new(*kind, *value))
            .collect(),
        traits: traits
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect(),
        ..DraftRecord::new(RecordKey::new("s", "1"))
    }
}

/// The notes about a statement. Those about the record that it makes are the same.
fn noted(model: &Model, draft: DraftRecord) -> Notes {
    let mut notes = Notes::default();
    let checked = model.check_and_note(
        Draft::Upsert(draft),
        Timestamp::default(),
        &mut notes,
        crate::identity::unread,
    );
    let Ok(Statement::Record(statement)) = checked else {
        panic!("{checked:?}")
    };
    let mut record = Record::new(statement.record.clone(), Timestamp::default());
    record.apply(&statement);
    let mut sorted = notes.list.clone();
    sorted.sort_by(|a, b| a.field.cmp(&b.field));
    let mut of_record = model.notes(&record, crate::identity::unread).list;
    of_record.sort_by(|a, b| a.field.cmp(&b.field));
    assert_eq!(of_record, sorted, "what explain tells");
    notes
}

fn told(model: &Model, draft: DraftRecord) -> String {
    let short = |note: &Note| format!("{}={}", note.field, note.reason.name());
    let notes = noted(model, draft);
    notes.list.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// Values as users of other systems report them: rows dropped or joined without a word.
#[test]
fn each_reported_value_is_noted_with_its_reason() {
    let model = model("{}");
    for (field, value, expected) in [
        // Numbers that a spreadsheet, a form or a colleague left behind.
        ("phone", "6.46322E+09", "incomplete"),
        ("phone", "075-622-8531 or call my mum", "impossible"),
        ("phone", "321-7788", "impossible"),
        ("phone", "+49 151", "impossible"),
        ("phone", "n/a", "placeholder"),
        ("phone", "none", "placeholder"),
        ("phone", "+1 555 555 5555", "placeholder"),
        // Addresses of imports that other programs drop without a message.
        ("email", "invalid", "placeholder"),
        ("email", "marta.kern", "malformed"),
        ("email", "ann@shop@example.com", "malformed"),
        ("email", "noemail123@gmail.com", "placeholder"),
        ("email", "test@test.com", "placeholder"),
        ("email", "blocked@shop.example", "blocked"),
        // Keys of customers that stand for nobody.
        ("account", "undefined", "placeholder"),
        ("account", "[object Object]", "placeholder"),
        ("account", "No Account", "placeholder"),
        ("card", "lost card, see ticket 4411", "malformed"),
        ("card", "4.57632E+09", "malformed"),
        ("card", "none", "placeholder"),
        ("card", "00000000", "placeholder"),
    ] {
        let told = told(&model, draft(&[(field, value)], &[]));
        assert_eq!(told, format!("identifiers.{field}={expected}"), "{value}");
    }
    for (field, value, expected) in [
        ("born", "11/10/16", "ambiguous"),
        ("born", "00-00-0000", "impossible"),
        ("born", "1990", "incomplete"),
        ("born", "1990-02-30", "impossible"),
        ("born", "1900-01-01", "placeholder"),
        ("born", "32994", "ambiguous"),
        ("born", "soon", "malformed"),
        ("country", "Atlantis", "malformed"),
        ("street", "General Delivery", "placeholder"),
        ("street", "same as billing", "placeholder"),
        ("street", "12", "malformed"),
        ("city", "...", "malformed"),
        ("postcode", "unknown", "placeholder"),
        ("postcode", "00000", "placeholder"),
        ("given", "Baby Boy", "placeholder"),
        ("given", "customer", "placeholder"),
        ("given", "FNU", "placeholder"),
        ("given", "N/A", "placeholder"),
        ("given", "--", "placeholder"),
        ("given", "Mrs.", "malformed"),
        ("given", "4711", "malformed"),
        ("given", "John & Mary", "ambiguous"),
        ("given", "未知", "placeholder"),
        ("middle", "NMN", "placeholder"),
        ("family", "unbekannt", "placeholder"),
        ("family", "LNU", "placeholder"),
        ("family", "Familie Meyer", "ambiguous"),
        ("full", "Valued Customer", "placeholder"),
        ("full", "Max Mustermann", "placeholder"),
        ("full", "Walk-in Customer", "placeholder"),
        ("full", "Mr and Mrs Smith", "ambiguous"),
        ("full", "Hans und Petra Müller", "ambiguous"),
        ("suffix", "n/a", "placeholder"),
        ("suffix", "qq", "malformed"),
        ("gender", "unknown", "placeholder"),
        ("gender", "prefer not to say", "placeholder"),
        ("gender", "2", "malformed"),
        ("gender", "blue", "malformed"),
    ] {
        let told = told(&model, draft(&[], &[(field, value)]));
        assert_eq!(told, format!("traits.{field}={expected}"), "{value}");
    }
}

#[test]
fn what_is_read_is_not_noted() {
    let model = model("{}");
    let read = draft(
        &[
            ("phone", "(212) 555-1234"),
            ("email", "Marta Kern <Marta@Kern.example>"),
            ("card", "92-46 49/63"),
            ("account", "A-17"),
        ],
        &[
            ("born", "May 17, 1990"),
            ("country", "Deutschland"),
            ("street", "12 Main St"),
            ("city", "unknown"),
            ("note", "n/a"),
        ],
    );
    // `city` goes without placeholders, and nothing is read from `note`.
    assert_eq!(told(&model, read), "");
    for (field, value) in [
        ("given", "Ann"),
        ("given", "A."),
        ("given", "Guest-Anne"),
        ("given", "Baby Ann"),
        ("given", "أحمد"),
        ("given", "太郎"),
        ("middle", "B"),
        ("family", "Kern"),
        ("family", "O'Brien"),
        ("family", "Ó Briain"),
        ("family", "Li"),
        ("full", "Kern, Ann, M.D."),
        ("full", "José Ortega y Gasset"),
        ("full", "김철수"),
        ("suffix", "Jr."),
        ("suffix", "M.D."),
        ("gender", "M"),
        ("gender", "weiblich"),
        ("gender", " F "),
        ("street", "12 Oak St"),
        ("street", "Lindenweg 7, 2. OG links"),
        ("street", "北京路12号"),
        ("city", "Ås"),
        ("postcode", "SW1A 1AA"),
        ("postcode", "〒100-0001"),
        ("given", " "),
    ] {
        assert_eq!(
            told(&model, draft(&[], &[(field, value)])),
            "",
            "{field} {value}"
        );
    }
}

#[test]
fn a_letter_for_both_genders_of_a_country_is_noted() {
    let model = model("{ country: ES }");
    let told = |value| told(&model, draft(&[], &[("gender", value)]));
    assert_eq!(told("M"), "traits.gender=ambiguous");
    assert_eq!(told("H") + &told("F") + &told("mujer"), "");
}

/// A name is noted once, however many words it has, and so is a list.
#[test]
fn a_field_is_noted_once() {
    let model = model("{}");
    let said = draft(&[], &[("given", "no name given"), ("family", "n/a n/a")]);
    assert_eq!(
        told(&model, said),
        "traits.family=placeholder traits.given=placeholder"
    );
}

#[test]
fn a_note_says_what_would_help_and_never_quotes_the_value() {
    let draft = draft(
        &[("phone", "0151 21234567")],
        &[("born", "03/04/1990"), ("country", "Atlantis")],
    );
    let notes = noted(&model("{}"), draft);
    let lines: Vec<String> = notes.list.iter().map(ToString::to_string).collect();
    let all = lines.join("\n");
    assert!(
        all.contains("identifiers.phone: has no country code"),
        "{all}"
    );
    assert!(
        all.contains("declare the source's `dates.order` or its `country`"),
        "{all}"
    );
    assert!(!all.contains("1990") && !all.contains("Atlantis") && !all.contains("0151"));
}

#[test]
fn the_country_of_the_row_or_of_the_source_reads_dates_and_numbers() {
    let said = |country: Option<&str>, phone| {
        let country = country.map(|country| ("country", country));
        let traits: Vec<_> = [("born", "03/04/1990")]
            .into_iter()
            .chain(country)
            .collect();
        draft(&[("phone", phone)], &traits)
    };
    for (source, country, phone, expected) in [
        ("{}", Some("Deutschland"), "0151 21234567", 0),
        ("{ country: DE }", None, "0151 21234567", 0),
        ("{}", None, "0151 21234567", 2),
        (
            "{ dates: { order: month_first } }",
            None,
            "+49 151 21234567",
            0,
        ),
    ] {
        let notes = noted(&model(source), said(country, phone));
        assert_eq!(
            notes.list.len(),
            expected,
            "{source} {country:?}: {notes:?}"
        );
    }
}

#[test]
fn notes_beyond_the_limit_are_counted() {
    let values: Vec<String> = (0..27)
        .map(|number| format!("no address {number}"))
        .collect();
    let emails: Vec<(&str, &str)> = values
        .iter()
        .map(|value| ("email", value.as_str()))
        .collect();
    let notes = noted(&model("{}"), draft(&emails, &[]));
    assert_eq!((notes.list.len(), notes.omitted), (MAX_NOTES, 7));
}

#[test]
fn both_numbers_of_a_field_are_values_of_the_record_as_they_are_written() {
    let said = draft(&[("phone", "0151 21234567 / 0152 98765432")], &[]);
    let checked = model("{ country: DE }").check(Draft::Upsert(said), Timestamp::default());
    let Ok(Statement::Record(statement)) = checked else {
        panic!("{checked:?}")
    };
    let crate::records::Change::Replace(fields) = statement.change else {
        panic!("an upsert")
    };
    let held: Vec<(&str, &str)> = fields.identifiers["phone"]
        .iter()
        .map(|held| (held.value.as_str(), held.written()))
        .collect();
    assert_eq!(
        held,
        [
            ("+4915121234567", "0151 21234567"),
            ("+4915298765432", "0152 98765432")
        ]
    );
}

#[test]
fn a_statement_without_notes_allocates_nothing_for_them() {
    let model = model("{ country: US }");
    let allocations = |said: &DraftRecord, noting: bool| {
        let draft = Draft::Upsert(said.clone());
        let mut notes = Notes::default();
        let counted = allocation_counter::measure(|| {
            let notes = noting.then_some((&mut notes, crate::identity::unread as TraitReader));
            let checked = model.check_with(draft, Timestamp::default(), notes);
            assert!(checked.is_ok());
        });
        assert!(notes.is_empty(), "{notes:?}");
        counted.count_total
    };
    for (identifiers, traits) in [
        ([("phone", "+12125551234")].as_slice(), [].as_slice()),
        (&[("email", "marta@kern.example")], &[]),
        (&[("card", "92464963")], &[]),
        (&[("account", "A-17")], &[]),
        (&[], &[("born", "1990-05-17")]),
        (&[], &[("street", "12 Main Street"), ("note", "Likes tea")]),
        (&[], &[("given", "Ann"), ("family", "O'Brien")]),
        (&[], &[("full", "Dr. Ann Kern-Meyer"), ("gender", "Female")]),
        (&[], &[("city", "Salem"), ("postcode", "97301")]),
    ] {
        let said = draft(identifiers, traits);
        // The lists are made, and caches of patterns filled, when they are first asked.
        allocations(&said, true);
        let counts = (allocations(&said, true), allocations(&said, false));
        assert_eq!(counts.0, counts.1, "{identifiers:?} {traits:?}");
    }
}
