//! Objects on a timeline, and one with its whole course.
//!
//! **The problem.** An object has many events, over records that merges bring together and splits
//! take apart, while somebody turns the pages. It is to stand once, at its latest event; and that
//! may change from page to page.
//!
//! **The choice.** Places are facts of the past, so that they are the same on every page. The
//! cursor carries the write and the profile of the first page; where the profile has other records
//! on a later page, also those of that page, for what lies below it ([`Epoch`]). An event *counts*
//! if it was stored by the write, and on a record of the profile after it, of the epoch that it
//! lies in. An object's place is the latest of its events that count; a new epoch changes nothing
//! above its beginning, and below it nothing was shown yet. So each object stands once, if the
//! record at its place is still the customer's, whatever is merged, split and written between
//! pages. What is shown of it is as of now. Objects that are new since are on the next first page.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::Visible;
use profile_core::records::{
    Event, Object, ObjectKey, ProfileId, RecordKey, Sequence, TenantId, TimelinePosition,
    Timestamp, fold_object, held_since,
};
use serde::{Deserialize, Serialize};

use super::follow::Holder;
use super::found::only_holder;
use super::timeline::TimelineQuery;
use super::{Answer, Error, Reader};
use crate::store::{self, EventPage, NamingEvent, ObjectPage};

/// An object is folded from its latest events, so many.
pub const MAX_COURSE: usize = 1_000;
/// How many times a profile may change while pages of it are turned, so that each object still
/// stands once; after more, what comes and goes is not shown any more.
const MAX_EPOCHS: usize = 32;
/// How many records with an object are looked at to tell whose it is.
const MAX_HOLDERS: usize = 1_000;

/// What places go by, from the first page on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pinned {
    epochs: Vec<Epoch>,
}

/// A profile as it was after a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Epoch {
    /// It is for what lies below; none: for all.
    below: Option<TimelinePosition>,
    profile: ProfileId,
    sequence: Sequence,
}

/// The records of a timeline of objects.
pub(super) struct Pins {
    pub(super) pinned: Pinned,
    /// Those of each epoch.
    then: Vec<BTreeSet<RecordKey>>,
    /// Those of now.
    pub(super) current: BTreeSet<RecordKey>,
    /// Since when the keys of all of them are their present holders'.
    pub(super) held_since: BTreeMap<RecordKey, Timestamp>,
}

impl Pins {
    /// Whether an event counts for the place of its object.
    fn count(&self, naming: &NamingEvent) -> bool {
        let position = naming.event.position();
        let epochs = self.pinned.epochs.iter().zip(&self.then).rev();
        let mut covering =
            epochs.filter(|(epoch, _)| epoch.below.as_ref().is_none_or(|below| position < *below));
        let counts = |(epoch, records): (&Epoch, &BTreeSet<RecordKey>)| {
            naming.sequence <= epoch.sequence && records.contains(&naming.event.record)
        };
        covering.next().is_some_and(counts)
    }

    /// Events of these records.
    fn page(&self, after: Option<TimelinePosition>) -> ObjectPage {
        ObjectPage {
            held_since: self.held_since.clone(),
            after,
            ..ObjectPage::default()
        }
    }

    /// All records that events may be on that count or are shown.
    fn records(&self) -> Vec<RecordKey> {
        let all: BTreeSet<&RecordKey> = self.then.iter().flatten().chain(&self.current).collect();
        all.into_iter().cloned().collect()
    }
}

impl Reader {
    /// The profile that has an object, to be read by its id, and the write as of which it does.
    ///
    /// # Errors
    /// [`Error::ObjectNotFound`], [`Error::ObjectAmbiguous`], [`Error::Store`].
    pub async fn holder_of(
        &self,
        tenant: &TenantId,
        object: &ObjectKey,
    ) -> Result<(ProfileId, Sequence), Error> {
        let objects = std::slice::from_ref(object);
        let found = self.store.find_by_objects(tenant, objects, MAX_HOLDERS);
        let found = self.metrics.store("find_by_objects", found).await?;
        let holders: Vec<_> = found.value.into_iter().flatten().collect();
        match only_holder(&holders) {
            Err(Error::NotFound) => Err(Error::ObjectNotFound),
            Err(Error::Ambiguous(profiles)) => Err(Error::ObjectAmbiguous(profiles)),
            one => Ok((one?, found.sequence)),
        }
    }

    /// An object of a profile that was read, with its course, from the events of the types that may
    /// be seen; none where none of them names it. Tells also whether there are events that may not
    /// be seen, and the last write of which any was read.
    ///
    /// # Errors
    /// [`Error::ObjectNotFound`] where no event names it, [`Error::Store`].
    pub async fn object(
        &self,
        tenant: &TenantId,
        profile: &Answer,
        object: &ObjectKey,
        visible: Option<&Visible>,
    ) -> Result<(Option<Object>, Hidden, Sequence), Error> {
        let records: Vec<RecordKey> = profile
            .profile
            .records
            .iter()
            .map(|record| record.key.clone())
            .collect();
        let held_since = held_since(&profile.profile.records);
        let as_of = profile.as_of.map(|_| profile.currency.sequence);
        let objects = std::slice::from_ref(object);
        let naming = if as_of.is_some() {
            let page = EventPage {
                as_of,
                held_since: held_since.clone(),
                limit: MAX_COURSE,
                ..EventPage::default()
            };
            self.naming_after(tenant, objects, &records, page).await?
        } else {
            let page = ObjectPage {
                held_since: held_since.clone(),
                ..ObjectPage::default()
            };
            self.naming(tenant, objects, &records, page).await?
        };
        let shown = naming
            .iter()
            .flatten()
            .map(|naming| naming.sequence)
            .max()
            .unwrap_or_default();
        let events: Vec<Event> = naming
            .into_iter()
            .flatten()
            .map(|naming| naming.event)
            .collect();
        let count = events.len();
        if count == 0 {
            return Err(Error::ObjectNotFound);
        }
        let seen = seen(events, visible);
        let hides_some = seen.len() < count;
        let mut object = fold_object(object.clone(), seen);
        let active = match profile.model_then {
            Some(version) => self.models.past(tenant, version).await?,
            None => self.models.of(tenant).await?,
        };
        let holder = Holder {
            records: &records,
            held_since: &held_since,
            visible,
            as_of,
        };
        let objects = object.as_mut_slice();
        let followed = self.follow(tenant, &active.model, objects, &holder).await?;
        let hidden = if hides_some || followed.hides_some {
            Hidden::Some
        } else {
            Hidden::None
        };
        Ok((object, hidden, shown.max(followed.shown)))
    }

    /// The events that named objects after a write, of each the latest, as many as a page has. All
    /// events of the records are gone through: what named an object then is not kept by object.
    pub(super) async fn naming_after(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        mut page: EventPage,
    ) -> Result<Vec<Vec<NamingEvent>>, store::Error> {
        let sequence = page.as_of.unwrap_or_default();
        let most = page.limit;
        page.limit = MAX_COURSE;
        let places: BTreeMap<&ObjectKey, usize> = objects.iter().zip(0..).collect();
        let mut found = vec![Vec::new(); objects.len()];
        loop {
            let listed = self.store.list_events(tenant, records, &page);
            let events = self.metrics.store("list_events", listed).await?;
            let is_last = events.len() < page.limit;
            page.after = events.last().map(Event::position);
            for event in events {
                for (named, _) in event.meaning.objects() {
                    let of_object = places.get(named).and_then(|place| found.get_mut(*place));
                    if let Some(naming) = of_object.filter(|naming| naming.len() < most) {
                        let event = event.clone();
                        naming.push(NamingEvent { sequence, event });
                    }
                }
            }
            if is_last || found.iter().all(|naming| naming.len() == most) {
                return Ok(found);
            }
        }
    }

    async fn naming(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        page: ObjectPage,
    ) -> Result<Vec<Vec<NamingEvent>>, Error> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let page = ObjectPage {
            limit: MAX_COURSE,
            ..page
        };
        let found = self
            .store
            .list_object_events(tenant, objects, records, &page);
        Ok(self.metrics.store("list_object_events", found).await?)
    }

    /// The records of now, and those that places go by. A page below a position, where the records
    /// are others than before, begins an epoch.
    pub(super) async fn pins(
        &self,
        tenant: &TenantId,
        profile: ProfileId,
        pinned: Option<Pinned>,
        below: Option<TimelinePosition>,
    ) -> Result<Pins, Error> {
        let now = self
            .metrics
            .store("profiles", self.store.profiles(tenant, &[profile]))
            .await?;
        let stored = now
            .value
            .into_iter()
            .next()
            .flatten()
            .ok_or(Error::NotFound)?;
        let mut held = held_since(&stored.records);
        let current: BTreeSet<RecordKey> = stored
            .records
            .into_iter()
            .map(|record| record.key)
            .collect();
        let mut pinned = pinned.unwrap_or(Pinned { epochs: Vec::new() });
        let mut then = Vec::new();
        for Epoch {
            profile, sequence, ..
        } in &pinned.epochs
        {
            let before = self
                .metrics
                .store(
                    "profile_after",
                    self.store.profile_after(tenant, *profile, *sequence),
                )
                .await?;
            let records = before.map(|before| before.records).unwrap_or_default();
            for (record, since) in held_since(&records) {
                if !current.contains(&record) {
                    held.insert(record, since);
                }
            }
            then.push(records.into_iter().map(|record| record.key).collect());
        }
        let first = pinned.epochs.is_empty();
        let other = below.is_some() && then.last() != Some(&current) && then.len() < MAX_EPOCHS;
        if first || other {
            pinned.epochs.push(Epoch {
                below,
                profile: stored.id,
                sequence: now.sequence,
            });
            then.push(current.clone());
        }
        Ok(Pins {
            pinned,
            then,
            current,
            held_since: held,
        })
    }

    /// The objects whose place is at one of these events, by place.
    pub(super) async fn objects_placed(
        &self,
        tenant: &TenantId,
        events: &[Event],
        query: &TimelineQuery,
        pins: &Pins,
    ) -> Result<BTreeMap<TimelinePosition, Object>, Error> {
        let admitted = events.iter().filter(|event| query.admits(event));
        let objects: BTreeSet<ObjectKey> = admitted
            .filter_map(|event| event.meaning.object.clone())
            .collect();
        let objects: Vec<ObjectKey> = objects.into_iter().collect();
        let records = pins.records();
        let least = events.iter().map(Event::position).min();
        let page = pins.page(None);
        let naming = self.naming(tenant, &objects, &records, page).await?;
        let (mut places, mut folded) = (Vec::new(), Vec::new());
        for (object, naming) in objects.into_iter().zip(naming) {
            let Some(place) = self
                .place(tenant, &object, &naming, least.as_ref(), query, pins)
                .await?
            else {
                continue;
            };
            let of_now = naming
                .into_iter()
                .map(|naming| naming.event)
                .filter(|event| pins.current.contains(&event.record));
            let seen = seen(of_now.collect(), query.visible.as_ref());
            if let Some(object) = fold_object(object, seen) {
                places.push(place);
                folded.push(object);
            }
        }
        let active = self.models.of(tenant).await?;
        let current: Vec<RecordKey> = pins.current.iter().cloned().collect();
        let holder = Holder {
            records: &current,
            held_since: &pins.held_since,
            visible: query.visible.as_ref(),
            as_of: None,
        };
        self.follow(tenant, &active.model, &mut folded, &holder)
            .await?;
        Ok(places.into_iter().zip(folded).collect())
    }

    /// Where an object stands: the latest of its events that count. Those that are less than
    /// `least` are of no interest.
    async fn place(
        &self,
        tenant: &TenantId,
        object: &ObjectKey,
        latest: &[NamingEvent],
        least: Option<&TimelinePosition>,
        query: &TimelineQuery,
        pins: &Pins,
    ) -> Result<Option<TimelinePosition>, Error> {
        let counts = |naming: &&NamingEvent| {
            naming.event.meaning.object.as_ref() == Some(object)
                && pins.count(naming)
                && query.admits(&naming.event)
        };
        let records = pins.records();
        let mut more = latest.to_vec();
        loop {
            if let Some(found) = more.iter().find(counts) {
                return Ok(Some(found.event.position()));
            }
            let end = more.last().map(|naming| naming.event.position());
            if more.len() < MAX_COURSE || end.as_ref() < least {
                return Ok(None);
            }
            more = self
                .naming(
                    tenant,
                    std::slice::from_ref(object),
                    &records,
                    pins.page(end),
                )
                .await?
                .into_iter()
                .flatten()
                .collect();
        }
    }
}

/// Whether there is something that may not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing.
    None,
    /// Some of it.
    Some,
}

/// The events of the types that may be seen.
pub(super) fn seen(mut events: Vec<Event>, visible: Option<&Visible>) -> Vec<Event> {
    events.retain(|event| visible.is_none_or(|visible| visible.has(&event.kind)));
    events
}
