//! Checks how an event that names no record is to find one.

use super::Check;
use crate::model::event::EventType;
use crate::model::placeholder::is_no_object;
use crate::records::{Attachment, DraftEvent, Meaning, ObjectKey, Reason, listed};

/// How many kinds of objects an event may be attached by.
const MAX_KINDS: usize = 10;

impl Check<'_> {
    /// The objects by which an event finds its record. There must be one: an event without any
    /// would wait for ever.
    pub(super) fn attachment(
        &mut self,
        path: &str,
        kind: Option<&EventType>,
        draft: &DraftEvent,
        meaning: &Meaning,
    ) -> Attachment {
        let field = format!("{path}.attach");
        if !draft.record.key.is_empty() {
            let rule = "must be empty where the record has a key: an event names its record, or is \
                        attached to one";
            self.add(Reason::Malformed, field.clone(), rule);
        }
        self.limit(&field, draft.attach.len(), MAX_KINDS, "kinds of objects");
        let named = kind.map(|kind| kind.object.iter().chain(&kind.relates));
        let named: Vec<_> = named.into_iter().flatten().collect();
        let mut properties = Vec::new();
        for wanted in draft.attach.iter().take(MAX_KINDS) {
            if let Some(known) = named.iter().find(|known| known.kind == *wanted) {
                properties.push(known.property.as_str());
                continue;
            }
            let known = listed(named.iter().map(|known| known.kind.as_str()));
            let rule = format!(
                "names a kind of object that events of this type do not name; they name: {known}"
            );
            self.add(Reason::NotDeclared, field.clone(), rule);
        }
        let mut by: Vec<ObjectKey> = Vec::new();
        for wanted in draft.attach.iter().take(MAX_KINDS) {
            let objects = meaning.objects().map(|(object, _)| object);
            let found = objects.filter(|it| it.kind == *wanted && !is_no_object(&it.id));
            by.extend(found.cloned());
        }
        if by.is_empty() && properties.len() == draft.attach.len() {
            let rule = format!(
                "the event names no object to find its customer by: say {}",
                listed(properties.into_iter())
            );
            self.add(Reason::Required, field, rule);
        }
        Attachment {
            source: draft.record.source.clone(),
            kinds: draft.attach.clone(),
            by,
        }
    }
}
