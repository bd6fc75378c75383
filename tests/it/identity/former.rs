//! Addresses and numbers that were changed: they still find whoever had them, until somebody else
//! has them.

use customer_profile::grpc::v1;

use crate::support::service::{Service, by_identifier, by_record, upsert};

const OLD: (&str, &str) = ("email", "marta.kern@web.de");
const NEW: (&str, &str) = ("email", "m.kern@gmx.de");

const MARTA: [(&str, &str); 2] = [("given_name", "Marta"), ("family_name", "Kern")];
const BORIS: [(&str, &str); 2] = [("given_name", "Boris"), ("family_name", "Lang")];

async fn name(service: &Service, key: v1::ProfileKey) -> String {
    let request = v1::GetProfileRequest {
        key: Some(key),
        ..v1::GetProfileRequest::default()
    };
    match service.profiles().get_profile(request).await {
        Ok(answer) => answer.into_inner().profile.expect("a profile").name,
        Err(status) => format!("{:?}", status.code()),
    }
}

/// Which of the keys lead to one profile: a letter for each profile, in order.
async fn partition(service: &Service, keys: &[v1::ProfileKey]) -> String {
    let (mut known, mut letters) = (Vec::new(), String::new());
    for key in keys {
        let found = name(service, key.clone()).await;
        if found == "NotFound" {
            letters.push('-');
            continue;
        }
        let place = known.iter().position(|name| *name == found);
        let place = place.unwrap_or_else(|| {
            known.push(found);
            known.len() - 1
        });
        letters.push(char::from(b'a' + u8::try_from(place).expect("few")));
    }
    letters
}

/// Says the statements in several orders, each alone, and answers with the one partition.
async fn in_orders(said: &[v1::Statement], keys: &[v1::ProfileKey]) -> String {
    let mut expected = None;
    for turn in 0..said.len() {
        for reversed in [false, true] {
            let mut order = said.to_vec();
            order.rotate_left(turn);
            if reversed {
                order.reverse();
            }
            let service = Service::start().await;
            for one in &order {
                service.say(vec![one.clone()]).await;
            }
            let found = partition(&service, keys).await;
            assert_eq!(
                expected.get_or_insert(found.clone()),
                &found,
                "{turn} {reversed}"
            );
        }
    }
    expected.expect("some")
}

fn by(kind: (&str, &str)) -> v1::ProfileKey {
    by_identifier(kind.0, kind.1)
}

#[tokio::test]
async fn a_newsletter_under_the_old_address_stays_and_later_mails_from_it_come_in() {
    let keys = [
        by_record("web", "1"),
        by_record("newsletter", "1"),
        by_record("helpdesk", "1"),
        by(OLD),
        by(NEW),
    ];
    let before = [
        upsert(("web", "1"), &[OLD], &MARTA, 1),
        upsert(("newsletter", "1"), &[OLD], &[], 1),
    ];
    assert_eq!(in_orders(&before, &keys).await, "aa-a-");
    let mut said = before.to_vec();
    said.push(upsert(("web", "1"), &[NEW], &MARTA, 2));
    assert_eq!(in_orders(&said, &keys).await, "aa-aa");
    said.push(upsert(("helpdesk", "1"), &[OLD], &[], 1));
    assert_eq!(in_orders(&said, &keys).await, "aaaaa");
}

#[tokio::test]
async fn an_old_address_alone_finds_its_former_holder_until_somebody_else_has_it() {
    let keys = [by_record("web", "1"), by(OLD), by_record("web", "2")];
    let mut said = vec![
        upsert(("web", "1"), &[OLD], &MARTA, 1),
        upsert(("web", "1"), &[NEW], &MARTA, 2),
    ];
    assert_eq!(in_orders(&said, &keys).await, "aa-");
    said.push(upsert(("web", "2"), &[OLD], &BORIS, 1));
    assert_eq!(in_orders(&said, &keys).await, "abb");
    // Gone again: there is nobody else any more.
    said.push(crate::support::service::delete(("web", "2"), 2));
    assert_eq!(in_orders(&said, &keys).await, "aa-");
}

#[tokio::test]
async fn an_old_address_joins_namesakes_and_nobody_else() {
    let keys = [by_record("web", "1"), by_record("pos", "1")];
    let changed = [
        upsert(("web", "1"), &[OLD], &MARTA, 1),
        upsert(("web", "1"), &[NEW], &MARTA, 2),
    ];
    for (who, expected) in [(MARTA, "aa"), (BORIS, "ab")] {
        let mut said = changed.to_vec();
        said.push(upsert(("pos", "1"), &[OLD], &who, 1));
        assert_eq!(in_orders(&said, &keys).await, expected);
    }
}

#[tokio::test]
async fn the_reason_is_told() {
    let service = Service::start().await;
    let said = [
        upsert(("web", "1"), &[OLD], &MARTA, 1),
        upsert(("newsletter", "1"), &[OLD], &[], 1),
        upsert(("web", "1"), &[NEW], &MARTA, 2),
    ];
    for one in said {
        service.say(vec![one]).await;
    }
    let request = v1::ExplainProfileRequest {
        name: name(&service, by(OLD)).await,
    };
    let answer = service.identity().explain_profile(request).await;
    let records = answer.expect("an explanation").into_inner().records;
    for record in records {
        let evidence = record.link.and_then(|link| link.evidence);
        let Some(v1::match_link::Evidence::SharedIdentifier(shared)) = evidence else {
            panic!("{evidence:?}");
        };
        assert!(shared.former);
        assert_eq!(shared.values, [OLD.1]);
    }
}

#[tokio::test]
async fn more_former_values_than_are_kept_are_told() {
    let service = Service::start().await;
    let mut told = Vec::new();
    for number in 0..40 {
        let address = format!("relay{number}@gmx.de");
        let said = upsert(("web", "1"), &[("email", &address)], &MARTA, number + 1);
        let answer = service.say(vec![said]).await;
        let notes = answer.results.iter().flat_map(|result| &result.notes);
        told.extend(notes.map(|note| (number, note.field.clone(), note.reason())));
    }
    let expected = (33..40).map(|number| {
        let field = "identifiers.email".to_owned();
        (number, field, v1::NoteReason::Forgotten)
    });
    assert_eq!(told, expected.collect::<Vec<_>>());
    let first = name(&service, by(("email", "relay0@gmx.de"))).await;
    let last = name(&service, by(("email", "relay39@gmx.de"))).await;
    assert_eq!((first.as_str(), last == "NotFound"), ("NotFound", false));
}

#[tokio::test]
async fn a_corrected_customer_number_is_nobodys() {
    let keys = [by_record("web", "1"), by_identifier("customer_id", "20417")];
    let said = [
        upsert(("web", "1"), &[("customer_id", "20417"), NEW], &MARTA, 1),
        upsert(("web", "1"), &[("customer_id", "20471"), NEW], &MARTA, 2),
    ];
    assert_eq!(in_orders(&said, &keys).await, "a-");
}
