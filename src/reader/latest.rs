//! The latest objects of a customer, cached: they change when something happens, which makes all
//! answers about the profile old.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;
use std::time::Instant;

use profile_core::model::{Model, Visible};
use profile_core::profile::Profile;
use profile_core::records::{
    Event, Object, ObjectKey, RecordKey, TenantId, fold_object, held_since,
};
use siphasher::sip::SipHasher13;

use super::batch::Gathered;
use super::cache::{Cached, Entry, LatestObjects};
use super::follow::Holder;
use super::objects::MAX_COURSE;
use super::{Answer, Error, Found, Freshness, Reader, Recency};
use crate::changes::CacheKey;
use crate::store::{self, EventPage, ObjectPage};
use crate::telemetry::metrics::Cache as Looked;

/// How many of a customer's latest events are looked at for objects. Who did more meanwhile is told
/// of fewer of them.
const MAX_EVENTS: usize = 500;

/// Which objects are wanted.
#[derive(Debug, Clone, Copy)]
pub struct LatestObjectsQuery<'a> {
    /// Of each kind at most so many.
    pub kinds: &'a [(String, usize)],
    /// By the types of their events that may be seen.
    pub visible: &'a Visible,
}

impl LatestObjectsQuery<'_> {
    /// A number for what is wanted: other objects have another one.
    fn digest(self) -> u64 {
        let mut hasher = SipHasher13::new();
        let mut text = |text: &str| {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        };
        for (kind, most) in self.kinds {
            text(kind);
            text(&most.to_string());
        }
        match self.visible {
            Visible::All => text("*"),
            Visible::Only(names) => names.iter().for_each(|name| text(name)),
        }
        hasher.finish()
    }

    /// The types of events that are states of such objects: those that may be seen, and the others.
    fn event_types(self, model: &Model) -> (Vec<String>, Vec<String>) {
        let of = |own: &str| self.kinds.iter().any(|(kind, _)| kind == own);
        let types = model.events.iter();
        let types = types.filter(|(_, kind)| kind.object.as_ref().is_some_and(|own| of(&own.kind)));
        let names = types.map(|(name, _)| name.clone());
        names.partition(|name| self.visible.has(name))
    }

    /// The objects of events, newest first, of each kind at most so many.
    fn pick(self, events: &[Event]) -> Vec<ObjectKey> {
        let mut left: BTreeMap<&str, usize> = self
            .kinds
            .iter()
            .map(|(kind, most)| (kind.as_str(), *most))
            .collect();
        let (mut seen, mut picked) = (BTreeSet::new(), Vec::new());
        for object in events
            .iter()
            .filter_map(|event| event.meaning.object.as_ref())
        {
            if let Some(left) = left.get_mut(object.kind.as_str()).filter(|left| **left > 0)
                && seen.insert(object)
            {
                *left -= 1;
                picked.push(object.clone());
            }
        }
        picked
    }
}

impl Reader {
    /// The latest objects of a profile that was read, the one that changed last first; and how
    /// current the profile with them is.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn latest_objects(
        &self,
        tenant: &TenantId,
        profile: &Answer,
        wanted: LatestObjectsQuery<'_>,
        freshness: Freshness,
    ) -> Result<(Arc<LatestObjects>, Recency), Error> {
        if wanted.kinds.is_empty() {
            return Ok((Arc::default(), profile.currency));
        }
        let scope = self.scope(tenant, freshness).await?;
        let slot = self.slot(
            &scope,
            CacheKey::Objects(profile.profile.id, wanted.digest()),
        );
        let load = Box::pin(async {
            let read_at = Instant::now();
            // The profile again, now that the slot is taken: the one that was read before may lack
            // a record of after.
            let found = self
                .by_id(&scope, profile.profile.id, &Gathered::default())
                .await?;
            let Recency {
                sequence, shown, ..
            } = found.currency;
            let Cached::Profile(current) = found.entry.value else {
                return Ok(Entry {
                    value: Cached::Objects(Arc::default()),
                    sequence,
                    shown,
                    read_at,
                });
            };
            let objects = self
                .load_objects(tenant, &current, wanted, &scope.active.model)
                .await?;
            // The events were read after the profile, and may be of later writes.
            let shown = if objects == LatestObjects::default() {
                shown
            } else {
                shown.max(self.head(tenant).await?)
            };
            Ok(Entry {
                value: Cached::Objects(Arc::new(objects)),
                sequence,
                shown,
                read_at,
            })
        });
        let (entry, cached) = self.cache.get(&slot, &scope.requirement, load).await?;
        self.metrics.cache_read(Looked::Objects, cached, false);
        let Found {
            entry, currency, ..
        } = scope.found(entry, cached);
        let currency = profile.currency.and(currency);
        match entry.value {
            Cached::Objects(objects) => Ok((objects, currency)),
            Cached::Profile(_) | Cached::Redirect(_) | Cached::Absent | Cached::Holders(_) => {
                Ok((Arc::default(), currency))
            }
        }
    }

    async fn load_objects(
        &self,
        tenant: &TenantId,
        profile: &Profile,
        wanted: LatestObjectsQuery<'_>,
        model: &Model,
    ) -> Result<LatestObjects, store::Error> {
        let (kinds, hidden) = wanted.event_types(model);
        let records: Vec<RecordKey> = profile
            .records
            .iter()
            .map(|record| record.key.clone())
            .collect();
        let since = held_since(&profile.records);
        let latest = async |kinds: Vec<String>, limit| {
            if kinds.is_empty() {
                return Ok(Vec::new());
            }
            let page = EventPage {
                kinds,
                held_since: since.clone(),
                limit,
                ..EventPage::default()
            };
            let listed = self.store.list_events(tenant, &records, &page);
            self.metrics.store("list_events", listed).await
        };
        let mut hides_some = !latest(hidden, 1).await?.is_empty();
        let picked = wanted.pick(&latest(kinds, MAX_EVENTS).await?);
        if picked.is_empty() {
            return Ok(LatestObjects {
                hides_some,
                ..LatestObjects::default()
            });
        }
        let page = ObjectPage {
            held_since: since.clone(),
            limit: MAX_COURSE,
            ..ObjectPage::default()
        };
        let naming = self
            .store
            .list_object_events(tenant, &picked, &records, &page);
        let naming = self.metrics.store("list_object_events", naming).await?;
        let fold = |(key, naming): (ObjectKey, Vec<store::NamingEvent>)| {
            let mut events: Vec<Event> = naming.into_iter().map(|naming| naming.event).collect();
            let count = events.len();
            events.retain(|event| wanted.visible.has(&event.kind));
            // Events of other objects name this one, too.
            hides_some |= events.len() < count;
            fold_object(key, events)
        };
        let mut objects: Vec<Object> = picked.into_iter().zip(naming).filter_map(fold).collect();
        let holder = Holder {
            records: &records,
            held_since: &since,
            visible: Some(wanted.visible),
            as_of: None,
        };
        let followed = self.follow(tenant, model, &mut objects, &holder).await?;
        hides_some |= followed.hides_some;
        objects.iter_mut().for_each(Object::pack);
        objects.sort_by(|a, b| (b.update_time, &b.key).cmp(&(a.update_time, &a.key)));
        Ok(LatestObjects {
            objects,
            hides_some,
        })
    }
}
