//! What the model file says of metrics of customer experience.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::forms::{Located, event_type, expression, list, located, mapping, rate, set, whole};
use super::keys::keys;
use super::reader::{Fields, Reader};
use crate::analytics::Scale;
use crate::model::Definition;
use crate::model::computed::{Parts, Taken};
use crate::model::experience::{Asked, Bought, Experience};
use crate::model::expression::Expression;
use crate::model::expression::types::Wanted;
use crate::model::feed::Feed as Kind;
use crate::records::rollup::{Aggregate, Calendar, Window};

/// Greatest score, to either side.
const MAX_SCORE: i64 = 1_000;

keys! {
    /// What metrics of customer experience are computed from: `GetExperienceMetrics`. With the
    /// section there, however empty, what it does not name is as by default; `events: []` leaves a
    /// metric out.
    ///
    /// Expressions see what those of computed traits see.
    pub(super) struct ExperienceKeys as "Experience" => Experience: experience {
        /// What customers buy: for recency, frequency and monetary value, lifetime value and churn.
        /// Default: `order_placed`, value `total`. All of one currency: where there are several,
        /// choose one by `where`.
        purchases: Measured = empty as mapping::<Measured>();
        /// Net promoter score, from 0 to 10. Default: `survey_response`, value `score`, where
        /// `metric == 'nps'`.
        nps: Measured = empty as mapping::<Measured>();
        /// Satisfaction, from 1 to 5 unless `min` and `max` say otherwise. Default:
        /// `survey_response`, value `score`, where `metric == 'csat'`.
        csat: Scored = empty as mapping::<Scored>();
        /// Effort, from 1 to 7 unless `min` and `max` say otherwise; the greatest is the least
        /// effort. Default: `survey_response`, value `score`, where `metric == 'ces'`.
        ces: Scored = empty as mapping::<Scored>();
        /// When customers ask for help. No `value`. Default: `conversation_started` and
        /// `call_started`, but for calls that we made and those within a conversation.
        contacts: Measured = empty as mapping::<Measured>();
        /// Whether what was promised was kept. The value is true or false; without one the event
        /// does not count. Default: `shipment_delivered` with an `estimated_delivery_time`: whether
        /// `delivery_time`, or else the event, is not after it.
        promises: Measured = empty as mapping::<Measured>();
        /// Over how many days surveys, contacts and promises are counted, unless a request says
        /// otherwise.
        window_days: u16 = "365" as whole(1, 3_660);
        /// Over how many months the value of customers is predicted.
        horizon_months: u16 = "12" as whole(1, 120);
        /// What a month takes of the worth of what comes after it.
        monthly_discount: u32 = "0.01" as rate("0.01");
    }

    /// What feeds a metric.
    #[derive(Debug, Default)]
    pub(super) struct Measured as "Measured" {
        /// Which types of events. None: it is not measured.
        events: Option<BTreeSet<String>> = optional as set(list(event_type()));
        /// Which value of an event: an expression.
        value: Option<Located<Expression>> = optional as located(expression());
        /// Only events of which this expression is true. Default, where `events` or `value` are
        /// named: all.
        condition("where"): Option<Located<Expression>> = optional as located(expression());
    }

    /// What feeds a metric of scores.
    #[derive(Debug, Default)]
    pub(super) struct Scored as "Scored" {
        /// As in a metric without scores.
        measured: Measured = inline as mapping::<Measured>();
        /// The least score.
        min: Option<Located<i64>> = optional as located(whole(-MAX_SCORE, MAX_SCORE));
        /// The greatest score.
        max: Option<Located<i64>> = optional as located(whole(-MAX_SCORE, MAX_SCORE));
    }
}

/// What feeds a metric unless the file says otherwise. No value: events are counted.
struct Standard {
    events: &'static [&'static str],
    value: &'static str,
    condition: &'static str,
}

const PURCHASES: Standard = Standard {
    events: &["order_placed"],
    value: "total",
    condition: "",
};
const NPS: Standard = Standard {
    events: &["survey_response"],
    value: "score",
    condition: "metric == 'nps'",
};
const CSAT: Standard = Standard {
    condition: "metric == 'csat'",
    ..NPS
};
const CES: Standard = Standard {
    condition: "metric == 'ces'",
    ..NPS
};
const CONTACTS: Standard = Standard {
    events: &["conversation_started", "call_started"],
    value: "",
    condition: "direction != 'outbound' && (event.type != 'call_started' || conversation_id == null)",
};
const PROMISES: Standard = Standard {
    events: &["shipment_delivered"],
    value: "time(delivery_time != null ? delivery_time : event.time) <= time(estimated_delivery_time)",
    condition: "estimated_delivery_time != null",
};

fn experience(keys: ExperienceKeys, _: &Fields<'_>, reader: &mut Reader) -> Experience {
    if let Some(value) = &keys.contacts.value {
        let message = "events are counted: leave `value`";
        reader.error(value.place.clone(), message);
    }
    let (csat, ces) = (
        keys.csat.scale(Scale::CSAT, reader),
        keys.ces.scale(Scale::CES, reader),
    );
    for (feed, standard, wanted) in [
        (&keys.purchases, &PURCHASES, Wanted::Number),
        (&keys.nps, &NPS, Wanted::Number),
        (&keys.csat.measured, &CSAT, Wanted::Number),
        (&keys.ces.measured, &CES, Wanted::Number),
        (&keys.contacts, &CONTACTS, Wanted::Anything),
        (&keys.promises, &PROMISES, Wanted::Condition),
    ] {
        let events = feed.events(standard);
        reader.check_over_events(feed.value.as_ref(), &events, wanted);
        reader.check_over_events(feed.condition.as_ref(), &events, Wanted::Condition);
    }
    let zone = reader.declared.time_zone.as_str();
    let kept = Kept {
        calendar: Arc::new(Calendar::of(zone)),
        zone,
    };
    let purchases = keys.purchases.or(&PURCHASES);
    Experience {
        purchases: purchases.map(|feed| kept.bought(&feed)),
        nps: kept.asked(keys.nps.or(&NPS), (Scale::NPS, Scale::NPS)),
        csat: kept.asked(keys.csat.measured.or(&CSAT), (csat, Scale::CSAT)),
        ces: kept.asked(keys.ces.measured.or(&CES), (ces, Scale::CES)),
        contacts: (keys.contacts.or(&CONTACTS)).map(|feed| kept.one(Aggregate::Count, &feed)),
        promises: (keys.promises.or(&PROMISES)).map(|feed| kept.one(VALUES, &feed)),
        window_days: keys.window_days,
        horizon_months: keys.horizon_months,
        monthly_discount: keys.monthly_discount,
    }
}

/// What feeds a metric: the file's words, or else the standard.
struct Feed {
    events: BTreeSet<String>,
    value: Option<Expression>,
    condition: Option<Expression>,
}

impl Measured {
    /// The types of events that feed it.
    fn events(&self, standard: &Standard) -> BTreeSet<String> {
        let standard = standard.events.iter().map(|kind| (*kind).to_owned());
        self.events.clone().unwrap_or_else(|| standard.collect())
    }

    /// What feeds the metric. `None` leaves it out.
    fn or(self, standard: &Standard) -> Option<Feed> {
        let built_in = |source: &str| {
            let source = Some(source).filter(|source| !source.is_empty());
            source.and_then(|source| Expression::compile(source).ok())
        };
        let is_standard = self.events.is_none() && self.value.is_none();
        let events = self.events(standard);
        let value = self.value.map(|value| value.value);
        let condition = self.condition.map(|condition| condition.value);
        let condition = condition.or_else(|| {
            let condition = is_standard.then_some(standard.condition)?;
            built_in(condition)
        });
        (!events.is_empty()).then(|| Feed {
            events,
            value: value.or_else(|| built_in(standard.value)),
            condition,
        })
    }
}

impl Scored {
    fn scale(&self, default: Scale, reader: &mut Reader) -> Scale {
        let (min, max) = (self.min.as_ref(), self.max.as_ref());
        let least = min.map_or(default.min(), |min| min.value);
        let greatest = max.map_or(default.max(), |max| max.value);
        Scale::new(least, greatest).unwrap_or_else(|error| {
            if let Some(bound) = max.or(min) {
                reader.error(bound.place.clone(), error.to_string());
            }
            default
        })
    }
}

const VALUES: Aggregate = Aggregate::MostFrequent(1);

/// By which days it is kept.
struct Kept<'a> {
    calendar: Arc<Calendar>,
    zone: &'a str,
}

impl Kept<'_> {
    fn definition(
        &self,
        aggregate: Aggregate,
        feed: &Feed,
        value: Taken,
        window: Window,
    ) -> Arc<Definition> {
        let (events, condition) = (feed.events.clone(), feed.condition.clone());
        let parts = Parts {
            aggregate,
            events,
            value,
            condition,
            window,
            description: String::new(),
        };
        Arc::new(Definition::new(parts, &self.calendar, self.zone))
    }

    fn one(&self, aggregate: Aggregate, feed: &Feed) -> Arc<Definition> {
        let value = feed.value.clone().map_or(Taken::Time, Taken::Expression);
        self.definition(aggregate, feed, value, Window::Daily)
    }

    fn objects(&self, kept: Kind, feed: &Feed) -> Arc<Definition> {
        let value = feed.value.clone();
        let value = value.map_or(Taken::Time, |value| Taken::Object(kept, value));
        self.definition(Aggregate::Objects, feed, value, Window::Daily)
    }

    fn asked(&self, feed: Option<Feed>, (scale, usual): (Scale, Scale)) -> Option<Asked> {
        let whole = scale == Scale::NPS;
        let kept = Kind::Answer {
            scale,
            whole,
            usual,
        };
        let answers = self.objects(kept, &feed?);
        Some(Asked { answers, scale })
    }

    fn bought(&self, feed: &Feed) -> Bought {
        Bought {
            orders: self.objects(Kind::Purchase, feed),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Model;

    #[test]
    fn a_section_that_says_nothing_measures_everything() {
        let none = Model::parse("sources: { s: }").expect("a model");
        assert!(none.experience.is_none() && none.definitions().count() == 0);
        let model = Model::parse("sources: { s: }\nexperience: {}").expect("a model");
        let told: Vec<String> = model
            .definitions()
            .map(crate::model::Definition::told)
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        order_placed, value total
        survey_response, value score, where metric == 'nps'
        survey_response, value score, where metric == 'csat'
        survey_response, value score, where metric == 'ces'
        call_started or conversation_started, where direction != 'outbound' && (event.type != 'call_started' || conversation_id == null)
        shipment_delivered, value time(delivery_time != null ? delivery_time : event.time) <= time(estimated_delivery_time), where estimated_delivery_time != null
        ");
        let some = "events: { answer: }\nsources: { s: }\nexperience: { nps: { events: [] }, csat: { events: answer }, purchases: { where: total > 0 } }";
        let experience = Model::parse(some)
            .expect("a model")
            .experience
            .expect("the section");
        assert!(experience.nps.is_none());
        assert_eq!(
            experience.csat.expect("measured").answers.told(),
            "answer, value score"
        );
        let bought = experience.purchases.expect("measured");
        assert_eq!(
            bought.orders.told(),
            "order_placed, value total, where total > 0"
        );
    }

    #[test]
    fn a_monthly_discount_is_kept_in_millionths() {
        let discount = |section: &str| {
            let yaml = format!("sources: {{ s: }}\nexperience: {{ {section} }}");
            let experience = Model::parse(&yaml).expect("a model").experience;
            experience.expect("the section").monthly_discount
        };
        assert_eq!(discount("monthly_discount: 0.025"), 25_000);
        assert_eq!(discount("monthly_discount: 0.01"), discount(""));
    }

    #[test]
    fn mistakes_are_told_with_line_and_column() {
        let yaml = "sources: { s: }
experience:
  purchases: { events: Order, min: 0 }
  csat: { min: 5, max: 5, value: 'a +' }
  ces: { max: many }
  contacts: { value: duration }
  window_days: 4000
  monthly_discount: 2
purposes: { p: { experience: [nps, happiness] } }
";
        let errors = Model::parse(yaml).expect_err("has mistakes");
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        3:24: experience.purchases.events: must be an event type in lower snake case, such as order_placed
        3:31: experience.purchases.min: is no key that is known here: there are events, value, where
        4:24: experience.csat.max: a scale from 5 to 5: the least score must be below the greatest
        4:34: experience.csat.value: is not CEL: at character 4, mismatched input '<EOF>'
        5:15: experience.ces.max: must be a whole number from -1000 to 1000
        6:22: experience.contacts.value: events are counted: leave `value`
        7:16: experience.window_days: must be a whole number from 1 to 3660
        8:21: experience.monthly_discount: must be a rate between 0 and 1, with at most six decimals, such as 0.01
        9:36: purposes.p.experience[1]: must be one of nps, csat, ces, rfm, lifetime_value, churn, contact_rate, first_contact_resolution, promises
        ");
    }
}
