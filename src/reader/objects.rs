//! Objects on a timeline, and one with its whole course.
//!
//! **The problem.** An object has many events, over records that merges bring together and splits take apart, while somebody
//! turns the pages. It is to stand once, at its latest event; and that may change from page to page.
//!
//! **The choice.** Places are those of one moment: the write and the profile of the first page ([`Pinned`], carried by the
//! cursor). The place of an object is the latest of its events that were stored by that write and were on the profile's
//! records after it; what came later does not count. That is a fact of the past, so it is the same on every page, and an
//! object has one place. It is shown there if the record is still the customer's. So each object stands once, at most;
//! what was split off since is not shown any more, and what was merged in since is on the next first page. What is shown of it is
//! as of now.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::timeline::TimelineQuery;
use super::{Answer, Error, Holders, Reader};
use crate::model::Visible;
use crate::profile::{
    Event, Object, ObjectKey, ProfileId, RecordKey, Sequence, TenantId, TimelinePosition, fold_object,
};
use crate::store::{NamingEvent, ObjectPage};

/// An object is folded from its latest events, so many.
pub const MAX_COURSE: usize = 1_000;
/// How many records with an object are looked at to tell whose it is.
const MAX_HOLDERS: usize = 1_000;

/// The moment that places go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pinned {
    profile: ProfileId,
    sequence: Sequence,
}

/// The records of a timeline of objects.
pub(super) struct Pins {
    pub(super) pinned: Pinned,
    /// Those of the moment.
    then: BTreeSet<RecordKey>,
    /// Those of now.
    pub(super) current: Vec<RecordKey>,
}

impl Reader {
    /// The profile that has an object, to be read by its id.
    ///
    /// # Errors
    /// [`Error::ObjectNotFound`], [`Error::ObjectAmbiguous`], [`Error::Store`].
    pub async fn holder_of(&self, tenant: &TenantId, object: &ObjectKey) -> Result<ProfileId, Error> {
        let objects = std::slice::from_ref(object);
        let found = self.store.find_by_objects(tenant, objects, MAX_HOLDERS);
        let found = self.metrics.store("find_by_objects", found).await?;
        match Holders(found.value.into_iter().flatten().collect()).one() {
            Err(Error::NotFound) => Err(Error::ObjectNotFound),
            Err(Error::Ambiguous(profiles)) => Err(Error::ObjectAmbiguous(profiles)),
            one => one,
        }
    }

    /// An object of a profile that was read, with its course, from the events of the types that may be seen; none where none of
    /// them names it. Tells also whether there are events that may not be seen.
    ///
    /// # Errors
    /// [`Error::ObjectNotFound`] where no event names it, [`Error::Store`].
    pub async fn object(
        &self,
        tenant: &TenantId,
        profile: &Answer,
        object: &ObjectKey,
        visible: Option<&Visible>,
    ) -> Result<(Option<Object>, Hidden), Error> {
        let records: Vec<RecordKey> = profile.profile.records.iter().map(|record| record.key.clone()).collect();
        let naming = self.naming(tenant, std::slice::from_ref(object), &records, None).await?;
        let events: Vec<Event> = naming.into_iter().flatten().map(|naming| naming.event).collect();
        let count = events.len();
        if count == 0 {
            return Err(Error::ObjectNotFound);
        }
        let seen = seen(events, visible);
        let hidden = if seen.len() < count { Hidden::Some } else { Hidden::None };
        Ok((fold_object(object.clone(), seen), hidden))
    }

    async fn naming(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        after: Option<TimelinePosition>,
    ) -> Result<Vec<Vec<NamingEvent>>, Error> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let page = ObjectPage { after, limit: MAX_COURSE };
        let found = self.store.list_object_events(tenant, objects, records, &page);
        Ok(self.metrics.store("list_object_events", found).await?)
    }

    /// The records of now, and those of the moment that places go by: now, on the first page.
    pub(super) async fn pins(
        &self,
        tenant: &TenantId,
        profile: ProfileId,
        pinned: Option<Pinned>,
    ) -> Result<Pins, Error> {
        let now = self.metrics.store("profiles", self.store.profiles(tenant, &[profile])).await?;
        let stored = now.value.into_iter().next().flatten().ok_or(Error::NotFound)?;
        let current: Vec<RecordKey> = stored.records.into_iter().map(|record| record.key).collect();
        let Some(pinned) = pinned else {
            let pinned = Pinned { profile: stored.id, sequence: now.sequence };
            return Ok(Pins { pinned, then: current.iter().cloned().collect(), current });
        };
        let before = self.store.profile_after(tenant, pinned.profile, pinned.sequence);
        let before = self.metrics.store("profile_after", before).await?;
        let then = before.map(|before| before.records).unwrap_or_default();
        Ok(Pins { pinned, then: then.into_iter().map(|record| record.key).collect(), current })
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
        let objects: BTreeSet<ObjectKey> = admitted.filter_map(|event| event.meaning.object.clone()).collect();
        let objects: Vec<ObjectKey> = objects.into_iter().collect();
        let current: BTreeSet<&RecordKey> = pins.current.iter().collect();
        let records: Vec<RecordKey> = pins.then.iter().chain(current.iter().copied()).cloned().collect();
        let least = events.iter().map(Event::position).min();
        let naming = self.naming(tenant, &objects, &records, None).await?;
        let mut placed = BTreeMap::new();
        for (object, naming) in objects.into_iter().zip(naming) {
            let Some(place) = self.place(tenant, &object, &naming, least.as_ref(), query, pins).await? else {
                continue;
            };
            let of_now = naming.into_iter().map(|naming| naming.event).filter(|event| current.contains(&event.record));
            let seen = seen(of_now.collect(), query.visible.as_ref());
            placed.extend(fold_object(object, seen).map(|object| (place, object)));
        }
        Ok(placed)
    }

    /// Where an object stands: the latest of its events that count. Those that are less than `least` are of no interest.
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
                && naming.sequence <= pins.pinned.sequence
                && pins.then.contains(&naming.event.record)
                && query.admits(&naming.event)
        };
        let then: Vec<RecordKey> = pins.then.iter().cloned().collect();
        let mut more = latest.to_vec();
        loop {
            if let Some(found) = more.iter().find(counts) {
                return Ok(Some(found.event.position()));
            }
            let end = more.last().map(|naming| naming.event.position());
            if more.len() < MAX_COURSE || end.as_ref() < least {
                return Ok(None);
            }
            more = self.naming(tenant, std::slice::from_ref(object), &then, end).await?.into_iter().flatten().collect();
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
fn seen(mut events: Vec<Event>, visible: Option<&Visible>) -> Vec<Event> {
    events.retain(|event| visible.is_none_or(|visible| visible.has(&event.kind)));
    events
}
