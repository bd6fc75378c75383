//! Which expressions of a model failed since this process read it.

use super::Model;
use super::expression::Expression;
use super::expression::failures::Failures;

/// An expression that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Where in the model: `segments.gold.when`.
    pub path: String,
    /// The expression as it is written.
    pub expression: String,
    /// The counts and the first reason.
    pub failures: Failures,
}

impl Model {
    /// The expressions that failed on a value since this process read the model, in order of path.
    #[must_use]
    pub fn failing(&self) -> Vec<Failing> {
        let mut found = Vec::new();
        let mut add = |path: String, expression: &Expression| {
            if let Some(failures) = expression.failures() {
                found.push(Failing {
                    path,
                    expression: expression.source().to_owned(),
                    failures,
                });
            }
        };
        for (source, mappings) in &self.sources {
            for (kind, mapping) in &mappings.kinds {
                for expression in mapping.expressions() {
                    add(format!("sources.{source}.{kind}"), expression);
                }
            }
        }
        for (name, definition) in &self.computed {
            for (key, expression) in definition.expressions() {
                add(format!("computed.{name}.{key}"), expression);
            }
        }
        let measured = self.experience.iter();
        for definition in measured.flat_map(super::Experience::definitions) {
            for (key, expression) in definition.expressions() {
                add(format!("experience.{key}"), expression);
            }
        }
        for (name, segment) in &self.segments {
            add(format!("segments.{name}.when"), &segment.condition);
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Draft, DraftEvent, Record, RecordKey, Statement, Timestamp, Value};

    /// An amount or a flag that a mapping leaves as a text adds up to nothing.
    #[test]
    fn a_value_that_does_not_count_is_a_failure_of_its_expression() {
        let model = Model::parse(
            "sources: { shop: { events: { orders: { type: order_placed, id: id, record: id, \
             properties: { paid: paid, wrapped: wrapped } } } } }\n\
             computed: { spent: { sum: order_placed, value: paid }, \
             gifts: { count: order_placed, where: wrapped } }",
        )
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let now = Timestamp::from_micros(1_767_225_600_000_000);
        let said = [("paid", "12.50"), ("wrapped", "yes")];
        let draft = Draft::Event(DraftEvent {
            record: RecordKey::new("shop", "1"),
            attach: Vec::new(),
            event_id: "1".to_owned(),
            kind: "order_placed".to_owned(),
            event_time: Some(now),
            properties: said
                .map(|(name, text)| (name.to_owned(), Value::from(text)))
                .into(),
        });
        let Ok(Statement::Event(event)) = model.check(draft, now) else {
            panic!("an event")
        };
        let mut record = Record::new(event.record.clone(), now);
        model.count(&mut record, &event, true, now);
        let failing = model.failing().into_iter();
        let told: Vec<String> = failing
            .map(|one| {
                format!(
                    "{} {}: {}",
                    one.path, one.failures.failed, one.failures.reason
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "computed.gifts.where 1: a condition is true or false, and here a text",
                "computed.spent.value 1: a number is to be added, and here is a text: write \
                 decimal(…)",
            ]
        );
    }
}
