//! A payload that expressions are evaluated over, with the steps that are left to it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::budget::Over;
use super::time::Zones;
use super::{Fault, Outcome, budget, cel, path};
use crate::computation;

/// A payload under evaluation.
pub(in crate::model) struct Payload<'a> {
    pub(super) json: &'a Json,
    /// Those of its times that say none.
    pub(super) zones: Zones,
    /// The fields that were asked for so far.
    context: RefCell<Option<::cel::Context<'static, 'static>>>,
    /// Steps that are left for all expressions over it.
    steps: Cell<u64>,
}

impl<'a> Payload<'a> {
    /// Evaluates a program over it: here, or elsewhere from the beginning if it takes long.
    pub(super) fn run(&self, program: &cel::Program) -> cel::Run {
        let mut bound = self.context.borrow_mut();
        let context = bound.get_or_insert_with(cel::empty_context);
        cel::bind(context, self.json, program.names());
        let context = &*context;
        let left = self.steps.get();
        let inline = budget::MAX_INLINE_STEPS
            .saturating_sub(budget::MAX_PAYLOAD_STEPS - left)
            .min(left);
        let here = if computation::holds_up_others() {
            inline
        } else {
            left
        };
        let first = (here > 0).then(|| program.run(context, here, &self.zones));
        let run = match first {
            Some(run) if here == left || !is_over_steps(&run.outcome) => run,
            _ => computation::elsewhere(|| program.run(context, left, &self.zones)),
        };
        self.steps.set(left.saturating_sub(run.taken));
        run
    }

    /// The run of a program over nothing, if the payload says nothing of all that it asks for.
    pub(super) fn run_over_nothing(&self, program: &cel::Program) -> Option<cel::Run> {
        let left = self.steps.get();
        let run = program.run_over_nothing(self.json, &self.zones)?;
        if run.taken > left {
            return None;
        }
        self.steps.set(left - run.taken);
        Some(run.clone())
    }

    /// The same with other fields, on what is left of the budget, less what binding them takes.
    pub(in crate::model) fn with_fields<'b>(
        &self,
        json: &'b Json,
        names: &BTreeSet<String>,
    ) -> Payload<'b> {
        let bound = names.iter().filter_map(|name| match name.as_str() {
            path::PAYLOAD => Some(json),
            name => json.get(name),
        });
        let bytes: usize = bound.map(written_bytes).sum();
        let taken = bytes as u64 / budget::BYTES_PER_STEP;
        Payload {
            json,
            zones: self.zones.clone(),
            context: RefCell::default(),
            steps: Cell::new(self.steps.get().saturating_sub(taken)),
        }
    }

    /// Whether nothing is left of the budget.
    pub(in crate::model) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Goes on with what another has left.
    pub(in crate::model) fn take_steps_from(&self, other: &Payload<'_>) {
        self.steps.set(other.steps.get());
    }

    /// The zones of its times that say none.
    pub(in crate::model) fn zones(&self) -> &Zones {
        &self.zones
    }

    /// A payload whose times are in UTC where they say no zone.
    pub(in crate::model) fn new(json: &'a Json) -> Self {
        Self::of_zones(json, Zones::UTC)
    }

    /// A payload whose times are of these zones where they say none.
    pub(in crate::model) fn of_zones(json: &'a Json, zones: Zones) -> Self {
        Self {
            json,
            zones,
            context: RefCell::default(),
            steps: Cell::new(budget::MAX_PAYLOAD_STEPS),
        }
    }
}

/// About as many bytes as a JSON text of it has.
fn written_bytes(json: &Json) -> usize {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => 8,
        Json::String(text) => text.len() + 2,
        Json::Array(values) => values.iter().map(|value| written_bytes(value) + 1).sum(),
        Json::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + written_bytes(value) + 4)
            .sum(),
    }
}

fn is_over_steps(outcome: &Result<Outcome, Fault>) -> bool {
    matches!(
        outcome,
        Err(Fault {
            over: Some(Over::Steps | Over::PayloadSteps),
            ..
        })
    )
}
