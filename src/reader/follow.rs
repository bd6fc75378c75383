//! Statuses of objects that follow related objects: the events of those are read, too.

use std::collections::BTreeMap;

use profile_core::model::{Model, Visible};
use profile_core::records::{
    Event, MAX_FOLLOWED, MAX_FOLLOWED_EVENTS, Object, ObjectKey, RecordKey, Sequence, TenantId,
    Timestamp, follow, unread,
};

use super::Reader;
use super::objects::seen;
use crate::store::{self, EventPage, NamingEvent, ObjectPage};

/// The customer of whom events are read.
pub(super) struct Holder<'a> {
    /// The records of the customer.
    pub(super) records: &'a [RecordKey],
    /// Since when their keys are their present holders'.
    pub(super) held_since: &'a BTreeMap<RecordKey, Timestamp>,
    /// The event types that may be seen. `None`: all.
    pub(super) visible: Option<&'a Visible>,
    /// The write after which to read. `None`: the last one.
    pub(super) as_of: Option<Sequence>,
}

/// The outcome of reading the events of related objects.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Followed {
    /// The last write of which an event was read.
    pub(super) shown: Sequence,
    /// Whether there are events that may not be seen.
    pub(super) hides_some: bool,
}

impl Reader {
    /// Gives objects of a customer the statuses that follow related objects. Reads nothing where
    /// the model declares none.
    pub(super) async fn follow(
        &self,
        tenant: &TenantId,
        model: &Model,
        objects: &mut [Object],
        holder: &Holder<'_>,
    ) -> Result<Followed, store::Error> {
        let rules = &model.objects;
        let (mut followed, mut events) = (Followed::default(), BTreeMap::new());
        loop {
            let open = unread(rules, &*objects, &events);
            if open.is_empty() {
                break;
            }
            let open: Vec<ObjectKey> = open.into_iter().collect();
            for some in open.chunks(MAX_FOLLOWED) {
                let naming = self.naming_followed(tenant, some, holder).await?;
                // An object of which nothing is known is not asked for again.
                let naming = naming.into_iter().chain(std::iter::repeat_with(Vec::new));
                for (key, naming) in some.iter().zip(naming) {
                    let last = naming.iter().map(|naming| naming.sequence).max();
                    followed.shown = followed.shown.max(last.unwrap_or_default());
                    let naming = naming.into_iter();
                    let naming: Vec<Event> = naming.map(|naming| naming.event).collect();
                    let count = naming.len();
                    let naming = seen(naming, holder.visible);
                    followed.hides_some |= naming.len() < count;
                    events.insert(key.clone(), naming);
                }
            }
        }
        for object in objects {
            follow(object, rules, &events);
        }
        Ok(followed)
    }

    /// The latest events of each object.
    async fn naming_followed(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        holder: &Holder<'_>,
    ) -> Result<Vec<Vec<NamingEvent>>, store::Error> {
        let held_since = holder.held_since.clone();
        if holder.as_of.is_some() {
            let page = EventPage {
                as_of: holder.as_of,
                held_since,
                limit: MAX_FOLLOWED_EVENTS,
                ..EventPage::default()
            };
            return self
                .naming_after(tenant, objects, holder.records, page)
                .await;
        }
        let page = ObjectPage {
            held_since,
            limit: MAX_FOLLOWED_EVENTS,
            ..ObjectPage::default()
        };
        let found = self
            .store
            .list_object_events(tenant, objects, holder.records, &page);
        self.metrics.store("list_object_events", found).await
    }
}
