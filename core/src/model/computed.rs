//! Computed traits: what is counted of which events, and how an event is added to the states that
//! count it.

mod payload;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::hash::Hasher;
use std::sync::Arc;

use serde_json::Value as Json;
use siphasher::sip::SipHasher13;

use super::Model;
use super::event::Catalogue;
use super::expression::time::Zones;
use super::expression::types::Kind;
use super::expression::{Expression, Payload, kind};
use super::feed::Feed;
use crate::records::rollup::{
    Aggregate, Amount, Answer, Calendar, DefinitionId, Rollup, State, Window, each,
};
use crate::records::{ContentHash, Event, Record, Timestamp, Value};

pub(super) use payload::json_of;
use payload::payload;

/// What a computed trait counts.
#[derive(Debug, Clone)]
pub struct Definition {
    /// By what it counts.
    pub id: DefinitionId,
    /// What is made of the values.
    pub aggregate: Aggregate,
    /// Of which types of events.
    pub events: BTreeSet<String>,
    /// Of objects: the types that begin one, and the kinds of such objects.
    begins: BTreeSet<String>,
    kinds: BTreeSet<String>,
    /// Which value of them.
    value: Taken,
    /// Of which of them; none: of all.
    condition: Option<Expression>,
    /// Over which time.
    pub window: Window,
    /// What it is, in words.
    pub description: String,
    calendar: Arc<Calendar>,
}

/// Which value is taken of an event.
#[derive(Debug, Clone)]
pub(super) enum Taken {
    /// The time of the event.
    Time,
    /// What an expression gives; a list counts as each of its values.
    Expression(Expression),
    /// The result of an expression, as a fact about an object.
    Object(Feed, Expression),
}

impl Taken {
    fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Time => None,
            Self::Expression(expression) | Self::Object(_, expression) => Some(expression),
        }
    }
}

/// What the model file says of a computed trait.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) aggregate: Aggregate,
    pub(super) events: BTreeSet<String>,
    pub(super) value: Taken,
    pub(super) condition: Option<Expression>,
    pub(super) window: Window,
    pub(super) description: String,
}

impl Definition {
    pub(super) fn new(parts: Parts, calendar: &Arc<Calendar>, zone: &str) -> Self {
        let Parts {
            aggregate,
            events,
            value,
            condition,
            window,
            description,
        } = parts;
        let mut hasher = SipHasher13::new();
        // Each text with its end told, so that no two definitions are written alike.
        let mut text = |text: &str| {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        };
        text(kept_for(aggregate));
        text(&window.to_string());
        let sources = condition.iter().chain(value.expression());
        // Only by an expression with a time a day without one has to be on some calendar.
        let mut sources = sources.map(Expression::source);
        let has_days = !window.is_all() || sources.any(|source| source.contains("time"));
        text(if has_days { zone } else { "" });
        text(condition.as_ref().map_or("", Expression::source));
        text(value.expression().map_or("", Expression::source));
        if let Taken::Object(feed, _) = &value {
            text(&format!("{feed:?}"));
        }
        for kind in &events {
            text(kind);
        }
        let id = DefinitionId(hasher.finish());
        Self {
            id,
            aggregate,
            begins: events.clone(),
            kinds: BTreeSet::new(),
            events,
            value,
            condition,
            window,
            description,
            calendar: calendar.clone(),
        }
    }

    /// The same, of objects that the types of a catalogue go on with.
    pub(super) fn follow(&self, catalogue: &Catalogue) -> Self {
        let Taken::Object(feed, _) = &self.value else {
            return self.clone();
        };
        let followers = feed.followers(&self.begins, catalogue);
        let kinds = Feed::kinds(&self.begins, catalogue);
        let mut hasher = SipHasher13::new();
        hasher.write_u64(self.id.0);
        for name in followers.iter().chain(&kinds) {
            hasher.write(name.as_bytes());
            hasher.write(&[0]);
        }
        Self {
            id: DefinitionId(hasher.finish()),
            events: self.begins.union(&followers).cloned().collect(),
            kinds,
            ..self.clone()
        }
    }

    /// The day of a time on the calendar by which it counts.
    #[must_use]
    pub fn day(&self, time: Timestamp) -> i32 {
        self.calendar.day(time)
    }

    /// What its answers are.
    pub(super) fn kind(&self) -> Kind {
        super::scope::of_aggregate(self.aggregate, matches!(self.value, Taken::Time))
    }

    /// Its expressions, by key.
    pub(super) fn expressions(&self) -> impl Iterator<Item = (&'static str, &Expression)> {
        let value = self.value.expression().map(|value| ("value", value));
        let condition = self.condition.as_ref();
        value
            .into_iter()
            .chain(condition.map(|condition| ("where", condition)))
    }

    /// The state of no event.
    #[must_use]
    pub fn empty(&self) -> State {
        State::empty(self.aggregate)
    }

    /// Adds an event, if it is one that counts, and drops what nobody can ask for any more.
    fn add(&self, state: &mut State, event: &Event, payload: &Json, now: Timestamp) {
        if let (Taken::Object(feed, _), State::Objects(objects)) = (&self.value, &mut *state) {
            let values = self.values(event, payload);
            let begins = self.begins.contains(&event.kind) && values.is_some();
            let value = values.unwrap_or_default().into_iter().next();
            feed.add(objects, event, (begins, &self.kinds), value);
            return;
        }
        let at = (event.sort_time, event.source(), event.event_id.as_str());
        let oldest = (!self.window.is_all()).then(|| self.window.oldest(now, &self.calendar));
        let bucket = self.window.bucket(event.sort_time, &self.calendar);
        if oldest.is_some_and(|oldest| bucket < oldest) {
            return;
        }
        for value in self.values(event, payload).unwrap_or_default() {
            state.add(bucket, at, &value);
        }
        if let Some(oldest) = oldest {
            state.drop_before(oldest);
        }
    }

    /// The values of an event that count, if the condition holds for it.
    fn values(&self, event: &Event, payload: &Json) -> Option<Vec<Value>> {
        let zones = Zones {
            of_days: self.calendar.zone().clone(),
            ..Zones::UTC
        };
        let payload = Payload::of_zones(payload, zones);
        let found = |expression: &Expression| {
            expression
                .evaluate(&payload)
                .ok()
                .and_then(super::expression::Outcome::value)
        };
        // A condition that does not fit an event does not hold of it.
        if let Some(condition) = &self.condition {
            match found(condition) {
                Some(Value::Bool(true)) => {}
                Some(Value::Bool(false)) | None => return None,
                Some(other) => {
                    condition.refuse_result(no_condition(&other));
                    return None;
                }
            }
        }
        Some(match &self.value {
            Taken::Time => vec![Value::Time(event.sort_time)],
            Taken::Expression(expression) => {
                // Two lines of one price are two amounts; to what is not added, one value.
                let values = match found(expression) {
                    Some(Value::List(values)) if adds(self.aggregate) => values,
                    found => found.map(each).unwrap_or_default(),
                };
                self.that_count(expression, values)
            }
            Taken::Object(_, expression) => {
                self.that_count(expression, found(expression).into_iter().collect())
            }
        })
    }

    /// The values that can be added up, where they are to be. Another is a failure of their
    /// expression.
    fn that_count(&self, expression: &Expression, mut values: Vec<Value>) -> Vec<Value> {
        if adds(self.aggregate) || matches!(self.value, Taken::Object(Feed::Purchase, _)) {
            values.retain(|value| {
                let is_amount = Amount::of(value).is_some();
                if !is_amount {
                    let kind = kind(value);
                    expression.refuse_result(format!(
                        "a number is to be added, and here is a {kind}: write decimal(…)"
                    ));
                }
                is_amount
            });
        }
        values
    }

    /// What it counts, in words: `order_placed, value total, where currency == 'EUR'`.
    #[must_use]
    pub fn told(&self) -> String {
        let kinds: Vec<&str> = self.begins.iter().map(String::as_str).collect();
        let mut text = kinds.join(" or ");
        let parts = [
            ("value", self.value.expression()),
            ("where", self.condition.as_ref()),
        ];
        for (word, expression) in parts
            .into_iter()
            .filter_map(|(word, found)| Some((word, found?)))
        {
            text = format!("{text}, {word} {}", expression.source());
        }
        text
    }

    /// The share of a part in the answer of a whole at a time: see [`State::share`].
    #[must_use]
    pub fn share(&self, part: &State, whole: &State, now: Timestamp) -> u128 {
        part.share(whole, self.aggregate, (self.window, now, &self.calendar))
    }

    /// When the day after that of a time begins.
    #[must_use]
    pub fn next_day(&self, time: Timestamp) -> Timestamp {
        self.calendar.start_of(self.calendar.day(time) + 1)
    }

    /// What a state answers at a time.
    #[must_use]
    pub fn answer(&self, state: &State, now: Timestamp) -> Answer {
        state.answer(self.aggregate, self.window, now, &self.calendar)
    }
}

/// Whether values are added up, so that of a list each counts.
fn adds(aggregate: Aggregate) -> bool {
    matches!(aggregate, Aggregate::Sum | Aggregate::Average)
}

/// Why the result of a condition is none.
pub(super) fn no_condition(result: &Value) -> String {
    format!("a condition is true or false, and here a {}", kind(result))
}

/// What kind of state: aggregates that keep the same have one id.
fn kept_for(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Count => "count",
        Aggregate::Sum | Aggregate::Average => "amount",
        Aggregate::Min | Aggregate::Max => "extremes",
        Aggregate::First | Aggregate::Last => "ends",
        Aggregate::MostFrequent(_) => "values",
        Aggregate::Distinct => "distinct",
        Aggregate::DaysSince => "latest",
        Aggregate::Objects => "objects",
    }
}

impl Model {
    /// Everything that is counted of events.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        let measured = self
            .experience
            .iter()
            .flat_map(super::Experience::definitions);
        self.computed.values().chain(measured).map(AsRef::as_ref)
    }

    /// Adds an event, which was not counted before, to what its record's events add up to; one of a
    /// former holder of the key adds nothing. `first`: the record had no event before. A state that
    /// is not complete yet stays so. A state that this model does not ask for is forgotten: later
    /// events would be missing from it.
    ///
    /// # Examples
    /// ```
    /// use profile_core::model::Model;
    /// use profile_core::records::{
    ///     Draft, DraftEvent, Record, RecordKey, Statement, Timestamp, Value,
    /// };
    ///
    /// let model = Model::parse("sources: { shop: }\ncomputed: { orders: { count: order_placed } }")
    ///     .expect("a model");
    /// let now = Timestamp::from_micros(1_767_225_600_000_000);
    /// let draft = DraftEvent {
    ///     record: RecordKey::new("shop", "1"),
    ///     attach: Vec::new(),
    ///     event_id: "o-1".to_owned(),
    ///     kind: "order_placed".to_owned(),
    ///     event_time: Some(now),
    ///     properties: [("order_id".to_owned(), Value::String("o-1".to_owned()))].into(),
    /// };
    /// let Ok(Statement::Event(event)) = model.check(Draft::Event(draft), now) else {
    ///     panic!("an event")
    /// };
    /// let mut record = Record::new(event.record.clone(), now);
    /// model.count(&mut record, &event, true, now);
    ///
    /// let orders = &model.computed["orders"];
    /// let state = record.rollup.get(orders.id).expect("counted");
    /// assert_eq!(orders.answer(state, now).value, Some(Value::Int(1)));
    /// ```
    pub fn count(&self, record: &mut Record, event: &Event, first: bool, now: Timestamp) {
        record.rollup.retain(|id| self.asks_for(id));
        if first {
            self.definitions()
                .for_each(|definition| record.rollup.set(definition.id, definition.empty()));
        }
        if !record.was_anothers(event.sort_time) {
            self.add(&mut record.rollup, event, |_| true, now);
        }
    }

    /// Begins to count a record's events anew for what is not complete yet, and forgets what this
    /// model does not ask for. Answers what is to be counted, if anything was changed: all of the
    /// record's events, each by [`Model::recount`].
    pub fn begin_recount(&self, record: &mut Record) -> Option<BTreeSet<DefinitionId>> {
        let missing: BTreeSet<DefinitionId> = self
            .definitions()
            .map(|definition| definition.id)
            .filter(|id| record.rollup.get(*id).is_none())
            .collect();
        let unasked = record.rollup.ids().any(|id| !self.asks_for(id));
        if !record.has_events || (missing.is_empty() && !unasked) {
            return None;
        }
        record.rollup.retain(|id| self.asks_for(id));
        for definition in self
            .definitions()
            .filter(|definition| missing.contains(&definition.id))
        {
            record.rollup.set(definition.id, definition.empty());
        }
        Some(missing)
    }

    /// Counts one of a record's events for some of the definitions.
    pub fn recount(
        &self,
        rollup: &mut Rollup,
        event: &Event,
        of: &BTreeSet<DefinitionId>,
        now: Timestamp,
    ) {
        self.add(rollup, event, |id| of.contains(&id), now);
    }

    fn asks_for(&self, id: DefinitionId) -> bool {
        self.definitions().any(|definition| definition.id == id)
    }

    /// Adds an event to the states that count it, each once however many names it has.
    fn add(
        &self,
        rollup: &mut Rollup,
        event: &Event,
        of: impl Fn(DefinitionId) -> bool,
        now: Timestamp,
    ) {
        let (mut seen, mut told) = (BTreeSet::new(), None);
        let counting = self
            .definitions()
            .filter(|definition| definition.events.contains(&event.kind));
        for definition in counting.filter(|definition| of(definition.id)) {
            if let (true, Some(state)) = (seen.insert(definition.id), rollup.get_mut(definition.id))
            {
                let payload = told.get_or_insert_with(|| payload(event, &definition.calendar));
                definition.add(state, event, payload, now);
            }
        }
    }

    /// Names everything that is counted: another set of definitions has another name.
    #[must_use]
    pub fn counted(&self) -> String {
        let ids: BTreeSet<DefinitionId> =
            self.definitions().map(|definition| definition.id).collect();
        ContentHash::of(&ids).to_string()
    }
}
