//! The part of the model file on metrics of customer experience.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compile::expression;
use super::purposes::event_types;
use super::reader::{At, Fields, Mistakes};
use crate::analytics::Scale;
use crate::model::Definition;
use crate::model::computed::{Parts, Taken};
use crate::model::experience::{Asked, Bought, Experience};
use crate::model::expression::Expression;
use crate::records::rollup::{Aggregate, Calendar, Window};

const WINDOW_DAYS: u16 = 365;
const MAX_WINDOW_DAYS: u16 = 3_660;
const HORIZON_MONTHS: u16 = 12;
const MAX_HORIZON_MONTHS: u16 = 120;
/// In millionths.
const MONTHLY_DISCOUNT: i32 = 10_000;
/// Scores are at most so great, to either side.
const MAX_SCORE: i64 = 1_000;

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

/// What feeds a metric.
struct Fed {
    events: BTreeSet<String>,
    value: Option<Expression>,
    condition: Option<Expression>,
    scale: Scale,
}

/// Reads the section `experience`.
pub(super) fn experience(at: &At<'_>, zone: &str, mistakes: &mut Mistakes) -> Option<Experience> {
    let mut fields = at.fields(mistakes)?;
    let kept = Kept {
        calendar: Arc::new(Calendar::of(zone)),
        zone,
    };
    let mut feed =
        |key, default: &Standard, scale| fed(fields.get(key).as_ref(), default, scale, mistakes);
    let purchases = feed("purchases", &PURCHASES, None);
    let nps = feed("nps", &NPS, None);
    let csat = feed("csat", &CSAT, Some(Scale::CSAT));
    let ces = feed("ces", &CES, Some(Scale::CES));
    let contacts = feed("contacts", &CONTACTS, None);
    let promises = feed("promises", &PROMISES, None);
    let mut number = |key, most, default| {
        fields
            .get(key)
            .and_then(|at| at.number(&(1..=most), mistakes))
            .unwrap_or(default)
    };
    let window_days = number("window_days", MAX_WINDOW_DAYS, WINDOW_DAYS);
    let horizon_months = number("horizon_months", MAX_HORIZON_MONTHS, HORIZON_MONTHS);
    let discount = fields
        .get("monthly_discount")
        .and_then(|at| at.probability(mistakes));
    fields.finish(mistakes);
    Some(Experience {
        purchases: purchases.map(|fed| kept.bought(&fed)),
        nps: nps.map(|fed| kept.asked(&fed)),
        csat: csat.map(|fed| kept.asked(&fed)),
        ces: ces.map(|fed| kept.asked(&fed)),
        contacts: contacts.map(|fed| kept.one(Aggregate::Count, &fed)),
        promises: promises.map(|fed| kept.one(VALUES, &fed)),
        window_days,
        horizon_months,
        monthly_discount: discount.unwrap_or(MONTHLY_DISCOUNT),
    })
}

/// What feeds one metric; none: it is left out. `scale`: it has one.
fn fed(
    at: Option<&At<'_>>,
    default: &Standard,
    scale: Option<Scale>,
    mistakes: &mut Mistakes,
) -> Option<Fed> {
    let built_in = |source: &str| {
        (!source.is_empty())
            .then(|| Expression::compile(source).ok())
            .flatten()
    };
    let default_events = || {
        default
            .events
            .iter()
            .map(|kind| (*kind).to_owned())
            .collect()
    };
    let Some(mut fields) = at.and_then(|at| at.fields(mistakes)) else {
        let (value, condition) = (built_in(default.value), built_in(default.condition));
        return Some(Fed {
            events: default_events(),
            value,
            condition,
            scale: scale.unwrap_or(Scale::NPS),
        });
    };
    let events = fields.get("events").map(|at| event_types(&at, mistakes));
    let given = fields.get("value");
    if let (true, Some(at)) = (default.value.is_empty(), &given) {
        mistakes.add(at, "events are counted: leave `value`");
    }
    let of_its_own = events.is_some() || given.is_some();
    let value = given.map_or_else(|| built_in(default.value), |at| expression(&at, mistakes));
    let condition = fields.get("where").map(|at| expression(&at, mistakes));
    let condition = condition.unwrap_or_else(|| {
        if of_its_own {
            None
        } else {
            built_in(default.condition)
        }
    });
    let scale = if let Some(scale) = scale {
        bounds(&mut fields, scale, mistakes)
    } else {
        Scale::NPS
    };
    fields.finish(mistakes);
    let events = events.unwrap_or_else(default_events);
    (!events.is_empty()).then_some(Fed {
        events,
        value,
        condition,
        scale,
    })
}

fn bounds(fields: &mut Fields<'_>, default: Scale, mistakes: &mut Mistakes) -> Scale {
    let (least, greatest) = (fields.get("min"), fields.get("max"));
    let range = -MAX_SCORE..=MAX_SCORE;
    let min = least
        .as_ref()
        .and_then(|at| at.number(&range, mistakes))
        .unwrap_or(default.min());
    let max = greatest
        .as_ref()
        .and_then(|at| at.number(&range, mistakes))
        .unwrap_or(default.max());
    Scale::new(min, max).unwrap_or_else(|error| {
        if let Some(at) = greatest.or(least) {
            mistakes.add(&at, error.to_string());
        }
        default
    })
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
        fed: &Fed,
        value: Taken,
        window: Window,
    ) -> Arc<Definition> {
        let (events, condition) = (fed.events.clone(), fed.condition.clone());
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

    fn one(&self, aggregate: Aggregate, fed: &Fed) -> Arc<Definition> {
        let value = fed.value.clone().map_or(Taken::Time, Taken::Expression);
        self.definition(aggregate, fed, value, Window::Daily)
    }

    fn asked(&self, fed: &Fed) -> Asked {
        let value = fed.value.clone().map_or(Taken::Time, Taken::Expression);
        let last = self.definition(Aggregate::Last, fed, value, Window::All);
        Asked {
            scores: self.one(VALUES, fed),
            last,
            scale: fed.scale,
        }
    }

    fn bought(&self, fed: &Fed) -> Bought {
        let currency = Expression::compile("currency").map_or(Taken::Time, Taken::Expression);
        Bought {
            amounts: self.one(Aggregate::Sum, fed),
            orders: self.definition(Aggregate::Count, fed, Taken::Time, Window::Daily),
            currencies: self.definition(VALUES, fed, currency, Window::Daily),
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
        order_placed
        order_placed, value currency
        survey_response, value score, where metric == 'nps'
        survey_response, value score, where metric == 'nps'
        survey_response, value score, where metric == 'csat'
        survey_response, value score, where metric == 'csat'
        survey_response, value score, where metric == 'ces'
        survey_response, value score, where metric == 'ces'
        call_started or conversation_started, where direction != 'outbound' && (event.type != 'call_started' || conversation_id == null)
        shipment_delivered, value time(delivery_time != null ? delivery_time : event.time) <= time(estimated_delivery_time), where estimated_delivery_time != null
        ");
        let some = "sources: { s: }\nexperience: { nps: { events: [] }, csat: { events: answer }, purchases: { where: total > 0 } }";
        let experience = Model::parse(some)
            .expect("a model")
            .experience
            .expect("the section");
        assert!(experience.nps.is_none());
        assert_eq!(
            experience.csat.expect("measured").scores.told(),
            "answer, value score"
        );
        let bought = experience.purchases.expect("measured");
        assert_eq!(bought.orders.told(), "order_placed, where total > 0");
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
        8:21: experience.monthly_discount: must be a probability between 0 and 1, with at most six decimals, such as 0.95
        9:36: purposes.p.experience[1]: must be one of nps, csat, ces, rfm, lifetime_value, churn, contact_rate, first_contact_resolution, promises
        ");
    }
}
