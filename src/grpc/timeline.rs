//! Timelines and objects: what happened with a customer, from the wire to the reader and back.
//!
//! A purpose that may see nothing of a customer is known before any event is read.

use profile_core::model::Visible;
use profile_core::model::check::{MAX_KEY_BYTES, MAX_NAME_BYTES, is_snake_case};
use profile_core::permission::view::{View, Withheld};
use profile_core::records::{
    ContentHash, ObjectKey, Reason, Sequence, Timestamp, Violation, folded,
};

use super::call_context::CallContext;
use super::checked::{Checked, both, page_size};
use super::encode::{self, PurposeScope, merged_from};
use super::error::ApiError;
use super::names::profile_name;
use super::preferences::encode::withheld as told;
use super::profiles::ProfileApi;
use super::{decode, token, v1};
use crate::lanes;
use crate::reader::{
    Answer, Counted, Hidden, Key, PastDerived, TimelineCursor, TimelineItem, TimelinePage,
    TimelineQuery, TimelineView,
};
use crate::store::EventFilter;

/// How many names each filter of a timeline may have.
const MAX_NAMES: usize = 50;
/// The longest text to look for, in bytes, and the shortest.
const TEXT_BYTES: std::ops::RangeInclusive<usize> = 2..=256;

impl ProfileApi {
    pub(super) async fn timeline(
        &self,
        request: v1::ListTimelineRequest,
        context: &CallContext,
    ) -> Result<v1::ListTimelineResponse, ApiError> {
        let asked = both(decode::key(request.key.clone(), "key"), query(&request));
        let ((key, mut query), as_of) = both(asked, as_of(&request))?;
        let bound_to = fingerprint(&query, &request.purpose, as_of);
        query.cursor = token::parse_page_token(&request.page_token, &bound_to)?;
        let model = self.model(context).await?;
        let bound = PurposeScope::new(request.purpose.clone(), &model)?;
        let view = bound.as_ref().and_then(PurposeScope::view);
        let (kinds, mut withheld) = view
            .map_or((Some(request.types.clone()), Vec::new()), |view| {
                seen(view, &request.types)
            });
        query.visible = view.map(|view| view.purpose.events.clone());
        let profile = self
            .timeline_owner(&key, as_of, request.consistency, context)
            .await?;
        query.as_of = profile.as_of.map(|_| profile.currency.sequence);
        let page = match (
            view.map_or(Ok(()), |view| {
                view.admits(&profile.profile, self.clock.now())
            }),
            kinds,
        ) {
            (Err(everything), _) => {
                withheld = vec![everything];
                TimelinePage::default()
            }
            (Ok(()), None) => TimelinePage::default(),
            (Ok(()), Some(kinds)) => {
                query.filter.kinds = kinds;
                let reading = self.reader.timeline(&context.tenant, &profile, &query);
                if query.is_heavy() {
                    lanes::heavy(reading).await?
                } else {
                    reading.await?
                }
            }
        };
        let withheld = (view, withheld);
        let withheld = self
            .there(context, &profile, &request.types, withheld)
            .await?;
        let token = |cursor: Option<TimelineCursor>| {
            cursor
                .map(|at| token::page_token(at, &bound_to))
                .unwrap_or_default()
        };
        let (events, items) = shown(page.items, query.view);
        let profile = match as_of {
            None => profile.showing(page.shown),
            Some(_) => profile,
        };
        Ok(v1::ListTimelineResponse {
            events,
            items,
            next_page_token: token(page.next),
            previous_page_token: token(page.previous),
            type_counts: page.counts.into_iter().map(type_count).collect(),
            profile: profile_name(&profile.profile.id),
            read_info: Some(self.read_info(&profile, context)),
            merged_from: merged_from(&profile),
            withheld: withheld.into_iter().map(told).collect(),
        })
    }

    /// Of what is withheld of the events, only that of which there is something.
    async fn there(
        &self,
        context: &CallContext,
        profile: &Answer,
        asked: &[String],
        (view, mut withheld): (Option<View<'_>>, Vec<Withheld>),
    ) -> Result<Vec<Withheld>, ApiError> {
        // Of the past it is not known.
        let Some(view) = view.filter(|_| profile.as_of.is_none()) else {
            return Ok(withheld);
        };
        if withheld
            .iter()
            .all(|withheld| !withheld.field.starts_with("events"))
        {
            return Ok(withheld);
        }
        let filter = EventFilter {
            kinds: asked.to_vec(),
            ..EventFilter::default()
        };
        let kinds = self
            .reader
            .event_types(&context.tenant, profile, &filter)
            .await?;
        let is_hidden = |kind: &String| !view.purpose.events.has(kind);
        withheld.retain(|withheld| match withheld.field.strip_prefix("events.") {
            Some(kind) => kinds.iter().any(|known| known == kind),
            None => withheld.field != "events" || kinds.iter().any(is_hidden),
        });
        Ok(withheld)
    }

    /// The profile whose timeline is read, now or as of a time.
    async fn timeline_owner(
        &self,
        key: &Key,
        as_of: Option<Timestamp>,
        consistency: Option<v1::Consistency>,
        context: &CallContext,
    ) -> Result<Answer, ApiError> {
        if let Some(time) = as_of {
            let past = PastDerived::LeftOut;
            let found = self.reader.profile_as_of(&context.tenant, key, time, past);
            return Ok(found.await?);
        }
        let freshness = self.freshness(consistency, context).await?;
        let found = self.reader.profile(&context.tenant, key, freshness).await;
        Ok(found?)
    }

    pub(super) async fn object(
        &self,
        request: v1::GetObjectRequest,
        context: &CallContext,
    ) -> Result<v1::GetObjectResponse, ApiError> {
        let key = request
            .key
            .map(|key| decode::key(Some(key), "key"))
            .transpose();
        let as_of = decode::as_of(request.as_of_time, request.consistency.as_ref());
        let ((object, key), as_of) = both(both(object_key(request.object), key), as_of)?;
        if as_of.is_some() && key.is_none() {
            return Err(vec![Violation::required("key")].into());
        }
        let model = self.model(context).await?;
        let bound = PurposeScope::new(request.purpose, &model)?;
        let view = bound.as_ref().and_then(PurposeScope::view);
        let (key, held) = if let Some(key) = key {
            (key, Sequence::default())
        } else {
            let (holder, held) = self.reader.holder_of(&context.tenant, &object).await?;
            (Key::Id(holder), held)
        };
        let profile = self
            .timeline_owner(&key, as_of, request.consistency, context)
            .await?
            .showing(held);
        let admitted = view.map_or(Ok(()), |view| {
            view.admits(&profile.profile, self.clock.now())
        });
        let (found, withheld, shown) = if let Err(everything) = admitted {
            (None, vec![everything], held)
        } else {
            let visible = view.map(|view| &view.purpose.events);
            let tenant = &context.tenant;
            let found = self.reader.object(tenant, &profile, &object, visible);
            let found = match as_of {
                Some(_) => lanes::heavy(found).await,
                None => found.await,
            };
            let (found, hidden, shown) = found?;
            let withheld = view
                .filter(|_| hidden == Hidden::Some)
                .map(|view| view.not_listed("events"));
            (found, Vec::from_iter(withheld), shown)
        };
        Ok(self.found(
            found.map(encode::object),
            &profile.showing(shown),
            withheld,
            context,
        ))
    }

    fn found(
        &self,
        object: Option<v1::Object>,
        profile: &Answer,
        withheld: Vec<Withheld>,
        context: &CallContext,
    ) -> v1::GetObjectResponse {
        v1::GetObjectResponse {
            object,
            profile: profile_name(&profile.profile.id),
            read_info: Some(self.read_info(profile, context)),
            merged_from: merged_from(profile),
            withheld: withheld.into_iter().map(told).collect(),
        }
    }
}

fn type_count((r#type, count): (String, i64)) -> v1::EventTypeCount {
    v1::EventTypeCount { r#type, count }
}

/// What a page token is bound to. The key is not part of it: after a merge the same timeline may be
/// asked for under another name.
fn fingerprint(query: &TimelineQuery, purpose: &str, as_of: Option<Timestamp>) -> ContentHash {
    let EventFilter {
        kinds,
        channels,
        sources,
        start,
        end,
        held_since: _,
    } = &query.filter;
    ContentHash::of(&(
        kinds,
        channels,
        start,
        end,
        sources,
        &query.text,
        query.view,
        purpose,
        as_of,
    ))
}

/// A page's items, by the view in which they are shown. An object on a timeline has no course.
fn shown(items: Vec<TimelineItem>, view: TimelineView) -> (Vec<v1::Event>, Vec<v1::TimelineItem>) {
    use v1::timeline_item::Item;
    let (mut events, mut shown) = (Vec::new(), Vec::new());
    for item in items {
        let item = match item {
            TimelineItem::Event(event) if view == TimelineView::Events => {
                events.push(encode::event(event));
                continue;
            }
            TimelineItem::Event(event) => Item::Event(encode::event(event)),
            TimelineItem::Object(object) => Item::Object(v1::Object {
                events: Vec::new(),
                ..encode::object(object)
            }),
        };
        shown.push(v1::TimelineItem { item: Some(item) });
    }
    (events, shown)
}

/// What is asked for, but for the page and the purpose.
fn query(request: &v1::ListTimelineRequest) -> Checked<TimelineQuery> {
    let limit = page_size(request.page_size, 50, 500);
    let words = both(
        names("channels", &request.channels, is_word),
        names("sources", &request.sources, is_snake_case),
    );
    let names = both(names("types", &request.types, is_snake_case), words);
    let times = both(
        instant(request.start_time, "start_time"),
        instant(request.end_time, "end_time"),
    );
    let rest = both(both(times, text(&request.text)), view(request.view));
    let ((limit, _), (((start, end), text), view)) = both(both(limit, names), rest)?;
    let filter = EventFilter {
        kinds: request.types.clone(),
        channels: request.channels.clone(),
        sources: request.sources.clone(),
        start,
        end,
        ..EventFilter::default()
    };
    Ok(TimelineQuery {
        filter,
        text,
        view,
        limit,
        counted: if request.include_counts {
            Counted::ByType
        } else {
            Counted::No
        },
        ..TimelineQuery::default()
    })
}

/// The time as of which to read. Objects, and how many events there are, are only known of now.
fn as_of(request: &v1::ListTimelineRequest) -> Checked<Option<Timestamp>> {
    let time = decode::as_of(request.as_of_time, request.consistency.as_ref());
    let only_now = |field: &str, asked: bool| {
        let description = "must not be set together with `as_of_time`: it is only known of now";
        let wrong = Violation::new(Reason::Malformed, field, description);
        if asked && request.as_of_time.is_some() {
            Err(vec![wrong])
        } else {
            Ok(())
        }
    };
    let objects = request.view() == v1::TimelineView::Objects;
    let rest = both(
        only_now("view", objects),
        only_now("include_counts", request.include_counts),
    );
    both(time, rest).map(|(time, _)| time)
}

fn instant(asked: Option<prost_types::Timestamp>, field: &str) -> Checked<Option<Timestamp>> {
    decode::instant(asked, field)
}

fn view(view: i32) -> Checked<TimelineView> {
    match v1::TimelineView::try_from(view) {
        Ok(v1::TimelineView::Unspecified | v1::TimelineView::Events) => Ok(TimelineView::Events),
        Ok(v1::TimelineView::Objects) => Ok(TimelineView::Objects),
        Err(_) => {
            let description = format!("{view} is not a view of this version");
            Err(vec![Violation::new(
                Reason::UnknownEnumValue,
                "view",
                description,
            )])
        }
    }
}

/// A text to look for, folded.
fn text(text: &str) -> Checked<Option<String>> {
    match text.trim() {
        "" => Ok(None),
        text if TEXT_BYTES.contains(&text.len()) => Ok(Some(folded(text))),
        _ => Err(vec![Violation::new(
            Reason::Malformed,
            "text",
            "must have 2 to 256 bytes",
        )]),
    }
}

fn object_key(key: Option<v1::ObjectKey>) -> Checked<ObjectKey> {
    let v1::ObjectKey { kind, id } = key.ok_or_else(|| vec![Violation::required("object")])?;
    let mut violations = Vec::new();
    if !is_snake_case(&kind) {
        let rule = "must be lower snake case (`order`), 1 to 64 bytes";
        violations.push(Violation::new(Reason::Malformed, "object.kind", rule));
    }
    if id.is_empty() || id.len() > MAX_KEY_BYTES || id.chars().any(char::is_control) {
        let rule = format!("must have 1 to {MAX_KEY_BYTES} bytes, without control characters");
        violations.push(Violation::new(Reason::Malformed, "object.id", rule));
    }
    if violations.is_empty() {
        Ok(ObjectKey { kind, id })
    } else {
        Err(violations)
    }
}

/// The event types to list for a purpose (empty: all; none: nothing), and what is withheld of those
/// that were asked for.
fn seen(view: View<'_>, asked: &[String]) -> (Option<Vec<String>>, Vec<Withheld>) {
    let Visible::Only(visible) = &view.purpose.events else {
        return (Some(asked.to_vec()), Vec::new());
    };
    if asked.is_empty() {
        let kinds: Vec<String> = visible.iter().cloned().collect();
        return (
            Some(kinds).filter(|kinds| !kinds.is_empty()),
            vec![view.not_listed("events")],
        );
    }
    let kinds: Vec<String> = asked
        .iter()
        .filter(|kind| visible.contains(*kind))
        .cloned()
        .collect();
    let withheld = asked
        .iter()
        .filter_map(|kind| view.withholds_event(kind))
        .collect();
    (Some(kinds).filter(|kinds| !kinds.is_empty()), withheld)
}

fn names(field: &str, names: &[String], fits: impl Fn(&str) -> bool) -> Checked<()> {
    if names.len() > MAX_NAMES {
        return Err(vec![Violation::limit(field, names.len(), MAX_NAMES, field)]);
    }
    let wrong = names.iter().enumerate().filter(|(_, name)| !fits(name));
    let rule = match field {
        "channels" => "must have 1 to 64 bytes, without control characters",
        "sources" => "must be lower snake case (`shop`), 1 to 64 bytes",
        _ => "must be lower snake case (`order_placed`), 1 to 64 bytes",
    };
    let violations: Vec<Violation> = wrong
        .map(|(index, _)| Violation::new(Reason::Malformed, format!("{field}[{index}]"), rule))
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

fn is_word(word: &str) -> bool {
    (1..=MAX_NAME_BYTES / 2).contains(&word.len()) && !word.chars().any(char::is_control)
}
