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
