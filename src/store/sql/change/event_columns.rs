//! The columns of events, corrected or not, and of the objects that they name.

use std::collections::BTreeSet;

use profile_core::records::{ContentHash, Event, EventKey, ObjectKey, Sequence};
use uuid::Uuid;

use super::Columns;
use super::columns::json;
use crate::store::sql::statement::Column;
use crate::store::{CorrectedEvent, CorrectionKey, Result, StoredCorrection};

/// The columns of an event beside its key and its record.
pub(super) const EVENT: [&str; 8] = [
    "record_source",
    "record_key",
    "type",
    "sort_time",
    "channel",
    "content_hash",
    "body",
    "correction",
];

pub(super) fn event_columns(events: &[Event]) -> Result<Columns> {
    let each = || events.iter();
    let mut columns = event_key_columns(each().map(Event::key));
    columns.extend(told_columns(&each().map(Some).collect::<Vec<_>>())?);
    columns.push(hashes(each().map(|event| event.content)));
    Ok(columns)
}

/// The rows of corrected events.
pub(super) fn corrected_columns(events: &[CorrectedEvent]) -> Result<Columns> {
    let kept = || events.iter().map(|corrected| &corrected.after);
    let told: Vec<Option<&Event>> = kept().map(|kept| kept.event.as_ref()).collect();
    let corrections = kept()
        .map(|kept| {
            kept.correction
                .as_ref()
                .map_or_else(|| Ok(String::new()), json)
        })
        .collect::<Result<_>>()?;
    let mut columns = event_key_columns(kept().map(|kept| kept.key.clone()));
    columns.extend(told_columns(&told)?);
    columns.push(hashes(
        kept().map(|kept| kept.original().unwrap_or_default()),
    ));
    columns.push(("correction", Column::Text(corrections)));
    Ok(columns)
}

/// The names of corrected events.
pub(super) fn corrected_key(events: &[CorrectedEvent]) -> Columns {
    event_key_columns(events.iter().map(|corrected| corrected.after.key.clone()))
}

fn event_key_columns(keys: impl Iterator<Item = EventKey>) -> Columns {
    let (sources, ids) = keys.map(|key| (key.source, key.event_id)).unzip();
    vec![
        ("source", Column::Text(sources)),
        ("event_id", Column::Text(ids)),
    ]
}

/// What an event says. One that was taken back says nothing and has no record.
fn told_columns(events: &[Option<&Event>]) -> Result<Columns> {
    let text = |of: fn(&Event) -> &str| {
        let said = events.iter().map(|event| event.map_or("", of));
        Column::text(said)
    };
    let each = || events.iter().copied();
    let body = |event: Option<&Event>| event.map_or_else(|| Ok(String::new()), json);
    let sort_time = |event: Option<&Event>| event.map_or(0, |event| event.sort_time.as_micros());
    Ok(vec![
        ("record_source", text(|event| &event.record.source)),
        ("record_key", text(|event| &event.record.key)),
        ("type", text(|event| &event.kind)),
        ("sort_time", Column::Int(each().map(sort_time).collect())),
        (
            "channel",
            text(|event| event.meaning.channel.as_deref().unwrap_or_default()),
        ),
        (
            "body",
            Column::Text(each().map(body).collect::<Result<_>>()?),
        ),
    ])
}

fn hashes(contents: impl Iterator<Item = ContentHash>) -> (&'static str, Column) {
    let hashes = contents.map(|content| Uuid::from_u128(content.0));
    ("content_hash", Column::Id(hashes.collect()))
}

/// An event with an object that it names, and whether it is its own.
type Named<'a> = (&'a Event, &'a ObjectKey, bool);

fn named(event: &Event) -> impl Iterator<Item = Named<'_>> {
    let objects = event.meaning.objects();
    objects.map(move |(object, own)| (event, object, own))
}

/// Which objects events name.
pub(super) fn event_object_columns(events: &[Event], sequence: Sequence) -> Columns {
    object_columns(&events.iter().flat_map(named).collect::<Vec<_>>(), sequence)
}

/// Which objects corrected events name now.
pub(super) fn corrected_object_columns(events: &[CorrectedEvent], sequence: Sequence) -> Columns {
    let now = events
        .iter()
        .filter_map(|corrected| corrected.after.event.as_ref());
    object_columns(&now.flat_map(named).collect::<Vec<_>>(), sequence)
}

/// Which objects corrected events do not name any more, in the columns of the primary key.
pub(super) fn unnamed_object_columns(events: &[CorrectedEvent]) -> Columns {
    let gone = events.iter().flat_map(|corrected| {
        let row =
            |(event, object, _): Named<'_>| (event.record.clone(), event.sort_time, object.clone());
        let now = corrected.after.event.iter().flat_map(named).map(row);
        let now: BTreeSet<_> = now.collect();
        let before = corrected.before.event.iter().flat_map(named);
        before.filter(move |named| !now.contains(&row(*named)))
    });
    let mut columns = object_columns(&gone.collect::<Vec<_>>(), Sequence(0));
    columns.retain(|(name, _)| !matches!(*name, "own" | "sequence" | "attached"));
    columns
}

fn object_columns(named: &[Named<'_>], sequence: Sequence) -> Columns {
    let text = |of: fn(&Event) -> &str| Column::text(named.iter().map(|(event, ..)| of(event)));
    let flags = |of: fn(&Named<'_>) -> bool| {
        Column::Int(named.iter().map(|named| i64::from(of(named))).collect())
    };
    let times = named
        .iter()
        .map(|(event, ..)| event.sort_time.as_micros())
        .collect();
    vec![
        (
            "kind",
            Column::text(named.iter().map(|(_, object, _)| object.kind.as_str())),
        ),
        (
            "object_id",
            Column::text(named.iter().map(|(_, object, _)| object.id.as_str())),
        ),
        ("record_source", text(|event| &event.record.source)),
        ("record_key", text(|event| &event.record.key)),
        ("sort_time", Column::Int(times)),
        ("source", text(Event::source)),
        ("event_id", text(|event| &event.event_id)),
        ("own", flags(|(.., own)| *own)),
        ("sequence", Column::Int(vec![sequence.0; named.len()])),
        ("attached", flags(|(event, ..)| event.attachment.is_some())),
    ]
}

/// Corrections as they were said.
pub(super) fn correction_columns(corrections: &[StoredCorrection]) -> Result<Columns> {
    let drafts = corrections
        .iter()
        .map(|stored| json(&stored.draft))
        .collect::<Result<_>>()?;
    let number =
        |of: fn(&StoredCorrection) -> i64| Column::Int(corrections.iter().map(of).collect());
    let mut columns = correction_key_columns(corrections.iter().map(|stored| &stored.key));
    columns.extend([
        ("sequence", number(|stored| stored.sequence.0)),
        ("ordinal", number(|stored| stored.ordinal.into())),
        (
            "receive_time",
            number(|stored| stored.receive_time.as_micros()),
        ),
        ("draft", Column::Text(drafts)),
    ]);
    Ok(columns)
}

/// The name of a correction, in the columns of its primary key.
pub(in crate::store::sql) fn correction_key_columns<'a>(
    keys: impl Iterator<Item = &'a CorrectionKey> + Clone,
) -> Columns {
    let mut columns = event_key_columns(keys.clone().map(|key| key.event.clone()));
    let versions = keys.clone().map(|key| key.stamp.version).collect();
    let times = keys.clone().map(|key| key.stamp.time.as_micros()).collect();
    let hashes = keys.map(|key| Uuid::from_u128(key.stamp.content.0));
    columns.extend([
        ("version", Column::Int(versions)),
        ("stamp_time", Column::Int(times)),
        ("content_hash", Column::Id(hashes.collect())),
    ]);
    columns
}
