//! Identifiers are shown, and written to, as a source wrote them.

use proptest::prelude::*;

use super::{ProfileIdentifier, fold_identifiers};
use crate::model::Model;
use crate::records::{Draft, DraftRecord, Identifier, Record, RecordKey, Statement, Timestamp};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

const MODEL: &str = "
identifiers:
  email: { priority: 1, normalize: email }
  phone: { priority: 2, normalize: e164, default_region: DE }
  card: { priority: 3, normalize: digits }
  account: { priority: 4, normalize: case_fold }
sources: { crm: { trust: 90 }, shop: { trust: 50 } }
";

fn record(model: &Model, key: &str, days: i64, (kind, value): (&str, &str)) -> Record {
    let (source, key) = key.split_once('/').unwrap_or(("shop", key));
    let time = Timestamp::from_micros(NOW.as_micros() - days * 86_400_000_000);
    let draft = DraftRecord {
        identifiers: vec![Identifier::new(kind, value)],
        source_time: Some(time),
        ..DraftRecord::new(RecordKey::new(source, key))
    };
    let Ok(Statement::Record(statement)) = model.check(Draft::Upsert(draft), NOW) else {
        panic!("a good statement")
    };
    let mut record = Record::new(statement.record.clone(), NOW);
    record.apply(&statement);
    record
}

fn model() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// Type, as said, normal form, as shown, where to write or call.
type Said = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const SAID: &[Said] = &[
    (
        "email",
        "Anna.Mueller@Gmail.com",
        "annamueller@gmail.com",
        "Anna.Mueller@Gmail.com",
        "Anna.Mueller@Gmail.com",
    ),
    (
        "email",
        "anna+news@outlook.com",
        "anna@outlook.com",
        "anna+news@outlook.com",
        "anna+news@outlook.com",
    ),
    (
        "email",
        "Anna@Me.com",
        "anna@icloud.com",
        "Anna@Me.com",
        "Anna@Me.com",
    ),
    (
        "email",
        "an-na@pm.me",
        "anna@proton.me",
        "an-na@pm.me",
        "an-na@pm.me",
    ),
    (
        "email",
        "anna@ya.ru",
        "anna@yandex.ru",
        "anna@ya.ru",
        "anna@ya.ru",
    ),
    (
        "email",
        "Anna Kern <Anna@Kern.example>",
        "anna@kern.example",
        "Anna@Kern.example",
        "Anna@Kern.example",
    ),
    (
        "email",
        "mailto:Anna@Kern.example?subject=x",
        "anna@kern.example",
        "Anna@Kern.example",
        "Anna@Kern.example",
    ),
    (
        "email",
        "'anna@kern.example",
        "anna@kern.example",
        "anna@kern.example",
        "anna@kern.example",
    ),
    (
        "email",
        "anna@kern.example;",
        "anna@kern.example",
        "anna@kern.example",
        "anna@kern.example",
    ),
    (
        "email",
        "anna@xn--mnchen-3ya.example",
        "anna@münchen.example",
        "anna@xn--mnchen-3ya.example",
        "anna@xn--mnchen-3ya.example",
    ),
    (
        "email",
        "ANNA@MÜNCHEN.example",
        "anna@münchen.example",
        "ANNA@MÜNCHEN.example",
        "ANNA@MÜNCHEN.example",
    ),
    (
        "email",
        "İnci@kern.example",
        "inci@kern.example",
        "İnci@kern.example",
        "İnci@kern.example",
    ),
    (
        "email",
        "not an address",
        "not an address",
        "not an address",
        "not an address",
    ),
    (
        "phone",
        "0151 / 212 345 67",
        "+4915121234567",
        "0151 / 212 345 67",
        "+4915121234567",
    ),
    (
        "phone",
        "+49 (0)30 123456",
        "+4930123456",
        "+49 (0)30 123456",
        "+4930123456",
    ),
    (
        "phone",
        "+54 9 11 2345-6789",
        "+541123456789",
        "+54 9 11 2345-6789",
        "+541123456789",
    ),
    (
        "phone",
        "٠٣٠ ١٢٣٤٥٦",
        "+4930123456",
        "٠٣٠ ١٢٣٤٥٦",
        "+4930123456",
    ),
    ("phone", "call me", "call me", "call me", "call me"),
    ("card", "92-46 49/63", "92464963", "92-46 49/63", "92464963"),
    ("account", "Kern-17", "kern-17", "Kern-17", "kern-17"),
];

#[test]
fn each_identifier_is_shown_and_written_to_as_it_was_said() {
    let model = model();
    let mut wrong = Vec::new();
    for &(kind, said, normal, shown, contact) in SAID {
        let found = fold_identifiers(&[record(&model, "1", 0, (kind, said))], &model);
        let read = found.first().map(|it: &ProfileIdentifier| {
            (
                it.identifier.value.as_str(),
                it.written(),
                it.contact_value(&model),
            )
        });
        if found.len() != 1 || read != Some((normal, shown, contact)) {
            wrong.push(format!("{kind} {said:?}: {read:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

proptest! {
    /// Whatever the order of the records: as the latest wrote it.
    #[test]
    fn of_several_spellings_that_of_the_latest_is_shown(
        all in prop::collection::vec(
            (
                prop::sample::select(vec!["crm", "shop"]),
                0_i64..4,
                prop::sample::select(vec!["Ann.Kern@gmail.com", "annkern+x@Gmail.com", "ANNKERN@googlemail.com", "annkern@gmail.com"]),
            ),
            1..6,
        ),
        rotation in 0_usize..6,
    ) {
        let model = model();
        let mut records: Vec<Record> = all
            .iter()
            .enumerate()
            .map(|(place, (source, days, said))| {
                record(&model, &format!("{source}/{place}"), *days, ("email", said))
            })
            .collect();
        let before = fold_identifiers(&records, &model);
        prop_assert_eq!(before.len(), 1);
        let latest = all.iter().map(|(_, days, _)| *days).min().unwrap_or_default();
        let shown = before[0].written();
        prop_assert!(all.iter().any(|(_, days, said)| *days == latest && *said == shown));
        let count = records.len();
        records.rotate_left(rotation % count);
        prop_assert_eq!(fold_identifiers(&records, &model), before);
    }
}
