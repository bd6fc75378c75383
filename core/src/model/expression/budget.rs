//! What an expression may cost.
//!
//! **The problem.** CEL always ends, but not soon: ten nested `all` over lists of ten are 10^10
//! steps, twenty `replace` of a letter by two are a mebibyte, and a chain of additions is as deep
//! as it is long. The `cel` crate has no limit on steps or bytes, its default parser none on stack
//! or memory, and a thread that runs it cannot be stopped from outside.
//!
//! **The choice.** cel-go counts *cost* while it runs (`CostLimit`) and Kubernetes gives each call
//! 1,000,000 units and each object 10,000,000. The same is done here, by rewriting the program:
//! [`super::meter`] puts calls into the syntax tree that charge this module's [meter](charge) for
//! each turn of a loop, for the size of what an operator reads, and for the size of what is
//! produced. Functions whose result may be much larger than their arguments ([`super::text`])
//! charge it before they make it. A meter that is used up stays so: no later turn of a loop is
//! taken, also where CEL would absorb an error (`error || true`).
//!
//! The limits are on numbers, not on time, so that each server decides the same about a statement,
//! however busy it is. A step takes some 0.1 µs; the most that an evaluation may take
//! ([`MAX_STEPS`]) is some 50 ms. Whoever evaluates for a caller can also stop it at the caller's
//! deadline ([`crate::computation`]).
//!
//! Before it runs: a source has at most [`MAX_SOURCE_BYTES`], its tree at most [`MAX_NODES`] nodes
//! and [`MAX_DEPTH`] levels. A deep tree runs on a thread of its own, whose stack is large enough.
//!
//! Sources: cel-go `cel.CostLimit`; Kubernetes `PerCallLimit` and `RuntimeCELCostBudget`
//! (apiserver/pkg/apis/cel/config.go); cel-rust issues 212, 305 and 306 (stack and memory of its
//! parser).

use std::cell::Cell;
use std::fmt;

use cel::ExecutionError;
use cel::common::types::{CelBytes, CelList, CelMap, CelOptional, CelString};
use cel::common::value::Val;

use crate::computation;

/// Maximum length of an expression, in bytes.
pub(in crate::model) const MAX_SOURCE_BYTES: usize = 16 * 1024;
/// Maximum number of nodes of its syntax tree. Kubernetes' own validation rules have at most some
/// hundred.
pub(super) const MAX_NODES: usize = 5_000;
/// Maximum depth of its syntax tree. Each operator of a chain is a level, except those of `&&` and
/// `||`.
pub(super) const MAX_DEPTH: usize = 100;
/// Maximum nesting of brackets, macros and conditionals that the parser follows.
pub(super) const MAX_NESTING: u16 = 64;
/// Maximum number of different patterns of `matches` in one expression.
pub(super) const MAX_PATTERNS: usize = 16;
/// Maximum number of steps of an evaluation: nodes evaluated, and a step for each 64 bytes read.
pub(super) const MAX_STEPS: u64 = 500_000;
/// Maximum number of steps of an evaluation over a payload without any field, which is tried when
/// it is compiled.
pub(super) const MAX_STEPS_OVER_NOTHING: u64 = 50_000;
/// Maximum number of steps of all expressions of a model together in those trials: what reading a
/// model may take.
pub(super) const MAX_TRIAL_STEPS: u64 = 5_000_000;
/// Maximum number of steps of all expressions over one payload or profile together.
pub(super) const MAX_PAYLOAD_STEPS: u64 = 2_000_000;
/// How many steps all expressions over one payload take on a thread that answers calls: some
/// milliseconds. What needs more is evaluated where it holds up nobody else
/// ([`computation::elsewhere`]).
pub(super) const MAX_INLINE_STEPS: u64 = 20_000;
/// Maximum number of bytes that an evaluation produces.
pub(super) const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes that are read in a step.
pub(super) const BYTES_PER_STEP: u64 = 64;
/// Bytes that a value takes beside its content.
const VALUE_BYTES: u64 = 32;
/// The caller is asked whether it still waits once in so many steps.
const STEPS_PER_LOOK: u64 = 1_024;

/// Which budget an evaluation went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Over {
    /// More steps of one evaluation than [`MAX_STEPS`].
    Steps,
    /// More steps over one payload than [`MAX_PAYLOAD_STEPS`].
    PayloadSteps,
    /// More bytes produced than [`MAX_BYTES`].
    Bytes,
    /// The time of whoever asked.
    Time,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps => write!(f, "goes over its budget of {MAX_STEPS} steps"),
            Self::PayloadSteps => {
                write!(
                    f,
                    "goes over the budget of {MAX_PAYLOAD_STEPS} steps that all expressions over one payload share"
                )
            }
            Self::Bytes => write!(f, "goes over its budget of {MAX_BYTES} bytes produced"),
            Self::Time => f.write_str("was stopped: its caller's time is over"),
        }
    }
}

/// What is left of the budget of the evaluation on this thread.
struct Meter {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    over: Cell<Option<Over>>,
}

thread_local! {
    static METER: Meter = const { Meter { steps: Cell::new(0), bytes: Cell::new(0), over: Cell::new(None) } };
}

/// Runs an evaluation on a budget of steps, and answers how many it took and what it went over.
pub(super) fn metered<T>(
    steps: u64,
    nodes: u64,
    run: impl FnOnce() -> T,
) -> (T, u64, Option<Over>) {
    METER.with(|meter| {
        meter.steps.set(steps);
        meter.bytes.set(MAX_BYTES);
        meter.over.set(None);
    });
    // What it takes without any loop.
    let began = charge(nodes, 0);
    let result = run();
    drop(began);
    METER.with(|meter| (result, steps - meter.steps.get(), meter.over.take()))
}

/// Takes from the budget of the evaluation on this thread.
///
/// # Errors
/// The budget is used up. It then stays so, until the evaluation has ended.
pub(super) fn charge(steps: u64, bytes: u64) -> Result<(), ExecutionError> {
    METER.with(|meter| {
        let (steps_left, bytes_left) = (meter.steps.get(), meter.bytes.get());
        if meter.over.get().is_none() {
            let crosses =
                steps_left / STEPS_PER_LOOK != steps_left.saturating_sub(steps) / STEPS_PER_LOOK;
            meter.over.set(if steps > steps_left {
                Some(Over::Steps)
            } else if bytes > bytes_left {
                Some(Over::Bytes)
            } else if crosses && computation::is_cancelled() {
                Some(Over::Time)
            } else {
                None
            });
        }
        meter.steps.set(steps_left.saturating_sub(steps));
        meter.bytes.set(bytes_left.saturating_sub(bytes));
        match meter.over.get() {
            Some(over) => Err(ExecutionError::InternalError(over.to_string())),
            None => Ok(()),
        }
    })
}

/// Charges for reading a value as a whole.
pub(super) fn charge_read(value: &dyn Val) -> Result<(), ExecutionError> {
    let left = METER.with(|meter| meter.steps.get());
    charge(
        1 + size_of(value, left.saturating_mul(BYTES_PER_STEP)) / BYTES_PER_STEP,
        0,
    )
}

/// Charges for a value that was made or copied.
pub(super) fn charge_made(value: &dyn Val) -> Result<(), ExecutionError> {
    let size = size_of(value, METER.with(|meter| meter.bytes.get()));
    charge(1 + size / BYTES_PER_STEP, size)
}

/// Charges for a text that is about to be made.
pub(super) fn charge_text(bytes: usize) -> Result<(), ExecutionError> {
    let bytes = VALUE_BYTES + bytes as u64;
    charge(1 + bytes / BYTES_PER_STEP, bytes)
}

/// The size of a value in bytes, or something above `most`.
fn size_of(value: &dyn Val, most: u64) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return VALUE_BYTES + text.inner().len() as u64;
    }
    if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        return VALUE_BYTES + bytes.inner().len() as u64;
    }
    let mut size = VALUE_BYTES;
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        for item in list.inner() {
            size += size_of(item.as_ref(), most.saturating_sub(size));
            if size > most {
                break;
            }
        }
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        for (key, item) in map.inner() {
            size += size_of(key.inner(), most) + size_of(item.as_ref(), most.saturating_sub(size));
            if size > most {
                break;
            }
        }
    } else if let Some(inner) = value
        .downcast_ref::<CelOptional<'_>>()
        .and_then(CelOptional::option)
    {
        size += size_of(inner, most);
    }
    size
}
