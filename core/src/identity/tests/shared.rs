//! Mailboxes such as `office@`: one person's at one domain, a department's at another.

use super::*;

/// A record with a name and an address.
fn record(source: &str, name: &str, mailbox: &str, model: &Model) -> Record {
    let (given, family) = name.split_once(' ').unwrap_or_default();
    let mut draft = DraftRecord::new(RecordKey::new(source, "1"));
    draft.identifiers.push(Identifier::new("email", mailbox));
    for (name, value) in [("given_name", given), ("family_name", family)] {
        draft.traits.insert(name.to_owned(), value.into());
    }
    let mut record = Record::new(draft.record.clone(), NOW);
    match model.check(Draft::Upsert(draft), NOW) {
        Ok(Statement::Record(statement)) => record.apply(&statement),
        other => panic!("not a record: {other:?}"),
    }
    record
}

#[test]
fn a_shared_mailbox_joins_records_of_one_whole_name_only() {
    let model = Model::built_in();
    for (left, right, expected) in [
        ("Marta Kern", "Marta Kern", 1),
        ("Marta Kern", "Jan Kern", 2),
        ("Marta Kern", "Marta Klein", 2),
        ("Marta Kern", "", 2),
        ("", "", 2),
    ] {
        for mailbox in [
            "Mail@MartaKern.de",
            "hello@janesmith.com",
            "office@meier.at",
        ] {
            let records =
                [("web", left), ("pos", right)].map(|(s, name)| record(s, name, mailbox, &model));
            let features = records
                .each_ref()
                .map(|record| Features::of(record, &model));
            let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
            let found = cluster(&all, &Context::of(&all, &model), &[], &model);
            let count = found.clusters.len();
            assert_eq!(count, expected, "{left:?} {right:?} {mailbox}");
        }
    }
}
