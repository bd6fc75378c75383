//! What many share joins nobody: hundreds of people who have in common a device, a call centre's
//! telephone or what is put into a form that insists, each with two records of their own, through
//! the built-in model.

use std::collections::{BTreeMap, BTreeSet};

use customer_profile::grpc::v1;

use crate::support::service::{Service, by_record, upsert};

const PEOPLE: usize = 240;
const GIVEN: [&str; 40] = [
    "Aaron",
    "Beatrice",
    "Carlos",
    "Daphne",
    "Edgar",
    "Fatima",
    "Gustav",
    "Helen",
    "Ivan",
    "Josephine",
    "Karim",
    "Lucia",
    "Marcus",
    "Nadia",
    "Oscar",
    "Priya",
    "Quentin",
    "Rosalind",
    "Stefan",
    "Tamara",
    "Ulrich",
    "Veronica",
    "Walter",
    "Ximena",
    "Yusuf",
    "Zelda",
    "Adrian",
    "Bridget",
    "Conrad",
    "Dolores",
    "Emil",
    "Felicity",
    "Gregor",
    "Harriet",
    "Igor",
    "Jasmine",
    "Konrad",
    "Lorraine",
    "Matthias",
    "Noemi",
];
const FAMILY: [&str; 40] = [
    "Abernathy",
    "Bellweather",
    "Castellano",
    "Drummond",
    "Eastwood",
    "Fitzgerald",
    "Goldstein",
    "Hathaway",
    "Ibrahim",
    "Jankowski",
    "Kowalczyk",
    "Lindqvist",
    "Montgomery",
    "Nakamura",
    "Oyelaran",
    "Pemberton",
    "Quintero",
    "Rasmussen",
    "Silverman",
    "Thornbury",
    "Underhill",
    "Vasquez",
    "Whitfield",
    "Xavier",
    "Yamamoto",
    "Zimmermann",
    "Ashdown",
    "Brookfield",
    "Chandler",
    "Delacroix",
    "Everhart",
    "Featherstone",
    "Gallagher",
    "Holloway",
    "Ingersoll",
    "Jefferies",
    "Kensington",
    "Lockwood",
    "Merriweather",
    "Northcott",
];

/// What is shared: by all, by some, by two.
const SHARED: [(&str, &str); 5] = [
    ("device_id", "till-17"),
    ("phone", "+1 212 736 5000"),
    ("phone", "212-555-0100"),
    ("email", "test@test.com"),
    ("email", "walk.in.customer@gmail.com"),
];

/// The two records of a person: what they say of the person, and one combination or other of what
/// is shared.
fn records(person: usize) -> [v1::Statement; 2] {
    let given = GIVEN[person % 40];
    let family = FAMILY[(person * 7 + person / 40) % 40];
    let email = format!("{family}.{given}{person}@example.net").to_lowercase();
    let (tablet, extension) = (
        format!("tablet-{}", person / 2),
        format!("+1 303 442 {:04}", 1_000 + person / 3),
    );
    let record = |source: &str, combination: usize| {
        let mut identifiers = vec![("email", email.as_str())];
        identifiers.extend(
            SHARED
                .iter()
                .enumerate()
                .filter(|(at, _)| combination >> at & 1 == 1)
                .map(|(_, said)| *said),
        );
        if combination >> 5 & 1 == 1 {
            identifiers.push(("device_id", &tablet));
        }
        if combination >> 6 & 1 == 1 {
            identifiers.push(("phone", &extension));
        }
        let mut traits = vec![("given_name", given), ("family_name", family)];
        if combination >> 7 & 1 == 1 {
            traits.push(("birth_date", ["1900-01-01", "1970-01-01"][combination % 2]));
        }
        upsert(
            (source, &format!("{source}-{person}")),
            &identifiers,
            &traits,
            1,
        )
    };
    // Every combination of the eight comes up, and the two records mostly have different ones.
    [
        record("web", person * 11 % 256),
        record("pos", (person * 11 + 137) % 256),
    ]
}

/// Says everything in some order, and answers with the profile of each record.
async fn resolved(order: u64) -> BTreeMap<(String, usize), String> {
    let service = Service::start().await;
    let mut statements: Vec<_> = (0..PEOPLE).flat_map(records).zip(1_u64..).collect();
    // An order of its own for each factor: neighbours in one are far apart in another.
    statements.sort_by_key(|(_, number)| (number * order) % 100_003);
    for batch in statements.chunks(60) {
        let answer = service
            .say(
                batch
                    .iter()
                    .map(|(statement, _)| statement.clone())
                    .collect(),
            )
            .await;
        assert!(
            answer
                .results
                .iter()
                .all(|result| result.outcome() == v1::StatementOutcome::Stored)
        );
    }
    let records: Vec<(String, usize)> = (0..PEOPLE)
        .flat_map(|person| ["web", "pos"].map(|source| (source.to_owned(), person)))
        .collect();
    let keys = records
        .iter()
        .map(|(source, person)| by_record(source, &format!("{source}-{person}")));
    let request = v1::BatchGetProfilesRequest {
        keys: keys.collect(),
        ..v1::BatchGetProfilesRequest::default()
    };
    let answer = service
        .profiles()
        .batch_get_profiles(request)
        .await
        .expect("an answer")
        .into_inner();
    let names = answer
        .results
        .into_iter()
        .map(|result| result.profile.expect("a profile").name);
    records.into_iter().zip(names).collect()
}

#[tokio::test]
async fn people_who_share_a_device_a_telephone_or_a_placeholder_stay_apart_and_their_own_records_meet()
 {
    for order in [1, 7_919, 54_321, 99_991] {
        let resolved = resolved(order).await;
        let mut people: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for ((_, person), profile) in &resolved {
            people.entry(profile).or_default().insert(*person);
        }
        let merged: Vec<_> = people.values().filter(|people| people.len() > 1).collect();
        assert!(merged.is_empty(), "in order {order}, together: {merged:?}");
        assert_eq!(
            people.len(),
            PEOPLE,
            "in order {order} each person's two records are one profile"
        );
    }
}
