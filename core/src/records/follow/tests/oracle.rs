//! The same statuses by the definition alone: each question is asked anew at each time.

use proptest::prelude::*;

use super::*;
use crate::records::Meaning;

const KINDS: [&str; 3] = ["order", "shipment", "return"];
const STATUSES: [&str; 4] = ["a", "b", "c", "d"];
const LAST: i64 = 6;

struct Oracle<'a> {
    events: &'a [Event],
    rules: &'a Follows,
}

impl Oracle<'_> {
    fn own<'e>(&'e self, key: &'e ObjectKey) -> impl Iterator<Item = &'e Event> {
        let own = self.events.iter();
        own.filter(move |event| event.meaning.object.as_ref() == Some(key))
    }

    /// The latest own word at a time, with its rank.
    fn own_status(&self, key: &ObjectKey, hour: i64) -> Option<(String, u32)> {
        let said = self.own(key).filter(|event| event.meaning.status.is_some());
        let said = said.filter(|event| event.sort_time <= at(hour));
        let last =
            said.max_by_key(|event| (event.sort_time, event.meaning.rank, event.position()))?;
        Some((last.meaning.status.clone()?, last.meaning.rank))
    }

    fn related(&self, key: &ObjectKey, rule: &Follow) -> BTreeSet<&ObjectKey> {
        let names = |event: &Event, other: &ObjectKey| event.meaning.related.contains(other);
        let all = self.events.iter().flat_map(|event| event.meaning.objects());
        let all = all
            .map(|(key, _)| key)
            .filter(|other| other.kind == rule.kind);
        let related = all.filter(|other| {
            self.own(key).any(|event| names(event, other))
                || self.own(other).any(|event| names(event, key))
        });
        let counts = |other: &&ObjectKey| {
            let mut of_other = self.own(other).flat_map(|event| &event.meaning.related);
            !of_other.any(|named| rule.without.contains(&named.kind))
        };
        let mut related: BTreeSet<&ObjectKey> = related.filter(counts).collect();
        if rule.which == Which::Latest {
            let begin = |other: &ObjectKey| {
                naming(self.events, other)
                    .iter()
                    .map(|it| it.sort_time)
                    .min()
            };
            let latest = related.iter().map(|other| begin(other)).max();
            related.retain(|other| Some(begin(other)) == latest);
        }
        related
    }

    fn holds(&self, key: &ObjectKey, rule: &Follow, hour: i64) -> bool {
        let related = self.related(key, rule);
        let fit = related.iter().filter(|other| {
            self.status(other, hour)
                .is_some_and(|status| rule.are.contains(&status))
        });
        match rule.which {
            Which::Any => fit.count() > 0,
            Which::All | Which::Latest => !related.is_empty() && fit.count() == related.len(),
        }
    }

    /// The hour since which something has been so.
    fn since(hour: i64, so: impl Fn(i64) -> bool) -> i64 {
        (0..=hour)
            .rev()
            .take_while(|hour| so(*hour))
            .last()
            .expect("it is so")
    }

    fn status(&self, key: &ObjectKey, hour: i64) -> Option<String> {
        let rules = self.rules.get(&key.kind).map_or(&[][..], Vec::as_slice);
        let held = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| self.holds(key, rule, hour));
        let held = held.map(|(index, rule)| {
            (
                Self::since(hour, |hour| self.holds(key, rule, hour)),
                index,
                rule,
            )
        });
        let held = held.max_by_key(|(since, index, _)| (*since, *index));
        let own = self.own_status(key, hour).map(|(status, rank)| {
            let same = |hour| {
                self.own_status(key, hour)
                    .is_some_and(|(it, _)| it == status)
            };
            (Self::since(hour, same), rank, status.clone())
        });
        match (own, held) {
            (Some((time, rank, status)), Some((since, _, rule)))
                if (time, rank) > (since, rule.rank) =>
            {
                Some(status)
            }
            (_, Some((_, _, rule))) => Some(rule.status.clone()),
            (own, None) => own.map(|(_, _, status)| status),
        }
    }
}

fn object() -> impl Strategy<Value = ObjectKey> {
    (0..KINDS.len(), 1..3_u8).prop_map(|(kind, id)| ObjectKey::new(KINDS[kind], id.to_string()))
}

fn event_of() -> impl Strategy<Value = Event> {
    let related = proptest::collection::btree_set(object(), 0..3);
    let status = proptest::option::weighted(0.8, 0..STATUSES.len());
    (object(), related, status, 0..=LAST, 0..100_u8).prop_map(
        |(own, mut related, status, hour, id)| {
            related.remove(&own);
            let rank = |status: usize| u32::try_from(status).expect("small") + 1;
            Event {
                record: RecordKey::new("s", "1"),
                event_id: id.to_string(),
                kind: "any".to_owned(),
                event_time: Some(at(hour)),
                receive_time: at(LAST),
                sort_time: at(hour),
                properties: BTreeMap::new(),
                content: crate::records::ContentHash(0),
                meaning: Meaning {
                    rank: status.map_or(0, rank),
                    status: status.map(|status| STATUSES[status].to_owned()),
                    object: Some(own),
                    related: related.into_iter().collect(),
                    ..Meaning::default()
                },
                attachment: None,
            }
        },
    )
}

/// A rule over the kinds after this one.
fn rule(kind: usize) -> impl Strategy<Value = Follow> {
    let are = proptest::sample::subsequence(STATUSES.to_vec(), 1..3);
    let which = prop_oneof![Just(Which::All), Just(Which::Any), Just(Which::Latest)];
    (
        0..STATUSES.len(),
        which,
        kind + 1..KINDS.len(),
        are,
        any::<bool>(),
    )
        .prop_map(|(status, which, kind, are, without)| Follow {
            status: STATUSES[status].to_owned(),
            rank: u32::try_from(status).expect("small") + 1,
            which,
            kind: KINDS[kind].to_owned(),
            are: are.into_iter().map(str::to_owned).collect(),
            without: without.then(|| "return".to_owned()).into_iter().collect(),
            share: Share::Any,
        })
}

proptest! {
    #[test]
    fn a_status_is_that_of_the_definition_in_any_order(
        mut events in proptest::collection::vec(event_of(), 1..14),
        of_order in proptest::collection::vec(rule(0), 0..4),
        of_shipment in proptest::collection::vec(rule(1), 0..3),
        turned in 0..14_usize,
    ) {
        let objects = Follows::from([("order".to_owned(), of_order), ("shipment".to_owned(), of_shipment)]);
        let model = Model { objects, ..Model::default() };
        // An id names one event.
        events.sort_by(|left, right| left.event_id.cmp(&right.event_id));
        events.dedup_by(|left, right| left.event_id == right.event_id);
        let turned = turned % events.len();
        events.rotate_left(turned);
        let oracle = Oracle { events: &events, rules: &model.objects };
        let named = events.iter().flat_map(|event| event.meaning.objects()).map(|(key, _)| key);
        for key in named.collect::<BTreeSet<_>>() {
            let found = read(&model, &events, (&key.kind, &key.id)).0.status;
            prop_assert_eq!(found, oracle.status(key, LAST), "{:?}", key);
        }
    }
}
