//! Events that find their record by an object, by loops.

use async_trait::async_trait;
use profile_core::records::{Claim, Event, EventKey, ObjectKey, add_claim};

use super::view::View;
use crate::store::{Attachments, Result};

/// Whether an event names an object, and whether it is its own.
fn names(event: &Event, object: &ObjectKey) -> Option<bool> {
    let named = event.meaning.objects();
    named
        .filter(|(named, _)| *named == object)
        .map(|(_, own)| own)
        .max()
}

#[async_trait]
impl Attachments for View {
    async fn attached_events(&mut self, objects: &[ObjectKey]) -> Result<Vec<EventKey>> {
        let attached = |event: &&Event| {
            event.attachment.is_some()
                && objects.iter().any(|object| names(event, object).is_some())
        };
        Ok(self.of(|data| {
            let found = data.events.values().filter(attached);
            found.map(Event::key).collect()
        }))
    }

    async fn claims(
        &mut self,
        objects: &[ObjectKey],
        except: &[EventKey],
        limit: usize,
    ) -> Result<Vec<(ObjectKey, Claim)>> {
        let of_object = |object: &ObjectKey| {
            let mut claims: Vec<Claim> = self.of(|data| {
                let mut claims = Vec::new();
                let others = data
                    .events
                    .values()
                    .filter(|event| event.attachment.is_none() && !except.contains(&event.key()));
                for event in others {
                    if let Some(own) = names(event, object) {
                        add_claim(&mut claims, Claim::of(event, own));
                    }
                }
                claims
            });
            claims.sort_by(|left, right| left.record.cmp(&right.record));
            claims.truncate(limit);
            claims
        };
        let of_each = |object: &ObjectKey| {
            let claims = of_object(object).into_iter();
            claims
                .map(|claim| (object.clone(), claim))
                .collect::<Vec<_>>()
        };
        Ok(objects.iter().flat_map(of_each).collect())
    }

    async fn count_waiting(&mut self, limit: usize) -> Result<usize> {
        Ok(self.of(|data| {
            let waiting = data.events.values().filter(|event| event.is_waiting());
            waiting.take(limit).count()
        }))
    }
}
