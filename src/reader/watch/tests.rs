//! Watches of a service in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use profile_core::records::{Draft, DraftRecord, Identifier};

use super::*;
use crate::reader::Key;
use crate::tests::{World, key, record};

/// A heartbeat says how far the watch is.
const HEARTBEAT: Duration = Duration::from_millis(20);

fn request(world: &World, keys: Vec<Key>, place: Option<ResumePosition>) -> Request {
    Request {
        tenant: world.tenant.clone(),
        keys,
        fields: None,
        include_profiles: false,
        place,
        max_pending: 10_000,
        heartbeat: HEARTBEAT,
    }
}

async fn begin(world: &World, request: Request) -> Watch {
    let watch = Watch::begin(
        &world.follower,
        world.reader.clone(),
        world.store.clone(),
        request,
    );
    watch.await.expect("a watch")
}

/// A line about an event that depends on the log alone.
fn line(event: &WatchEvent) -> String {
    match event {
        WatchEvent::Snapshot { key, profile } => match profile {
            Ok(answer) => format!("snapshot of key {key}: {}", answer.profile.id),
            Err(error) => format!("snapshot of key {key}: {error}"),
        },
        WatchEvent::Change { change, keys, .. } => format!(
            "{:?} {} to revision {} for keys {keys:?}",
            change.kind, change.profile, change.revision
        ),
        WatchEvent::Heartbeat => "heartbeat".to_owned(),
    }
}

/// The events of a watch up to the last write, each with the place after it.
async fn told(world: &World, watch: &mut Watch) -> Vec<(String, ResumePosition)> {
    let head = world.head().await;
    let mut told = Vec::new();
    loop {
        let (event, place) = watch.next().await.expect("an event");
        if !matches!(event, WatchEvent::Heartbeat) {
            told.push((line(&event), place));
        } else if place.sequence >= head {
            return told;
        }
    }
}

/// The same without the places.
async fn lines(world: &World, watch: &mut Watch) -> Vec<String> {
    let told = told(world, watch).await;
    told.into_iter().map(|(line, _)| line).collect()
}

fn account(value: &str) -> Key {
    Key::Identifier(Identifier::new("account", value))
}

/// A record that holds an account and a card.
fn both(id: &str, account: &str, card: &str) -> Draft {
    let mut draft = DraftRecord::new(key(id));
    draft.identifiers = vec![
        Identifier::new("account", account),
        Identifier::new("card", card),
    ];
    Draft::Upsert(draft)
}

#[tokio::test]
async fn a_key_is_shown_as_it_is_then_each_change_of_it_alone() {
    let world = World::new();
    let id = world.store(record("1", "account", "a")).await;
    let mut watch = begin(&world, request(&world, vec![account("a")], None)).await;
    let (first, _) = watch.next().await.expect("an event");
    assert_eq!(line(&first), format!("snapshot of key 0: {id}"));

    world.store(record("9", "account", "somebody else")).await;
    world.store(record("2", "account", "a")).await;
    let lines = lines(&world, &mut watch).await;
    assert_eq!(lines, [format!("Updated {id} to revision 2 for keys [0]")]);
}

#[tokio::test]
async fn a_key_that_leads_nowhere_says_so_and_is_told_of_its_first_profile() {
    let world = World::new();
    let mut watch = begin(&world, request(&world, vec![account("new")], None)).await;
    let (first, _) = watch.next().await.expect("an event");
    let WatchEvent::Snapshot { profile, .. } = first else {
        panic!("{first:?}");
    };
    assert!(profile.is_err());
    let id = world.store(record("1", "account", "new")).await;
    let lines = lines(&world, &mut watch).await;
    assert!(
        lines.iter().any(|line| line.contains(&id.to_string())),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_key_follows_its_record_through_a_merge() {
    let world = World::new();
    world.store(record("1", "account", "a")).await;
    let merged = world.store(record("2", "card", "c")).await;
    let keys = vec![Key::Record(key("2"))];
    let mut watch = begin(&world, request(&world, keys, None)).await;
    let (first, _) = watch.next().await.expect("an event");
    assert_eq!(line(&first), format!("snapshot of key 0: {merged}"));

    let survivor = world.store(both("3", "a", "c")).await;
    assert_ne!(survivor, merged);
    let lines = lines(&world, &mut watch).await;
    let of = format!(" {merged} to revision");
    let is_merged = |line: &String| line.starts_with("Merged(") && line.contains(&of);
    assert!(lines.iter().any(is_merged), "{lines:?}");
    let after = survivor.to_string();
    assert!(lines.iter().any(|line| line.contains(&after)), "{lines:?}");
}

#[tokio::test]
async fn a_watch_of_all_tells_every_change_of_a_write_that_is_larger_than_it_holds() {
    let world = World::new();
    let mut watch = begin(&world, request(&world, Vec::new(), None)).await;
    let (first, _) = watch.next().await.expect("an event");
    assert_eq!(line(&first), "heartbeat", "there is nothing to show");

    let many = 3 * SOME + 1;
    let drafts = (0..many)
        .map(|id| Ok(record(&format!("r{id:03}"), "account", &format!("a{id}"))))
        .collect();
    world.write(drafts).await;
    let lines = lines(&world, &mut watch).await;
    assert_eq!(lines.len(), many);
    assert_eq!(
        lines.iter().collect::<BTreeSet<_>>().len(),
        many,
        "each once"
    );
    assert!(lines.iter().all(|line| line.starts_with("Created ")));
}

#[tokio::test]
async fn a_watch_that_is_resumed_at_any_place_leaves_nothing_out() {
    let world = World::new();
    world.store(record("1", "account", "a")).await;
    let keys = || vec![account("a"), Key::Record(key("2"))];
    let mut unbroken = begin(&world, request(&world, keys(), None)).await;
    // Both keys, as they are at the beginning.
    let mut lines = Vec::new();
    for _ in 0..2 {
        let (event, place) = unbroken.next().await.expect("an event");
        lines.push((line(&event), place));
    }
    world.store(record("2", "card", "c")).await;
    world
        .write(vec![
            Ok(record("8", "account", "x")),
            Ok(record("4", "account", "a")),
            Ok(record("9", "account", "y")),
        ])
        .await;
    world.store(record("5", "card", "c")).await;
    lines.extend(told(&world, &mut unbroken).await);
    assert!(lines.len() >= 4, "{lines:?}");

    for (at, (_, place)) in lines.iter().enumerate().skip(1) {
        let mut resumed = begin(&world, request(&world, keys(), Some(*place))).await;
        let rest = self::lines(&world, &mut resumed).await;
        // A change that a snapshot has shown already may be told again.
        let mut later = rest.iter();
        for (line, _) in &lines[at + 1..] {
            assert!(
                later.any(|told| told == line),
                "resumed after {:?}: {line} is missing or late in {rest:?}",
                lines[at]
            );
        }
    }
}

#[tokio::test]
async fn only_changes_of_the_fields_that_were_asked_for_are_told() {
    let world = World::new();
    world.store(record("1", "account", "a")).await;
    let fields = |field: &str| Some(BTreeSet::from([field.to_owned()]));
    let of_traits = Request {
        fields: fields("traits"),
        ..request(&world, vec![account("a")], None)
    };
    let of_identifiers = Request {
        fields: fields("identifiers"),
        ..request(&world, vec![account("a")], None)
    };
    let mut traits = begin(&world, of_traits).await;
    let mut identifiers = begin(&world, of_identifiers).await;
    for watch in [&mut traits, &mut identifiers] {
        watch.next().await.expect("a snapshot");
    }
    world.store(both("1", "a", "c")).await;
    assert_eq!(lines(&world, &mut traits).await.len(), 0);
    assert_eq!(lines(&world, &mut identifiers).await.len(), 1);
}

#[tokio::test]
async fn a_type_of_identifier_that_is_not_declared_is_refused() {
    let world = World::new();
    let keys = vec![Key::Identifier(Identifier::new("passport", "1"))];
    let refused = Watch::begin(
        &world.follower,
        world.reader.clone(),
        world.store.clone(),
        request(&world, keys, None),
    );
    assert!(matches!(
        refused.await.err(),
        Some(crate::reader::Error::UnknownIdentifierType(_))
    ));
}
