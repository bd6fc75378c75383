//! Loops whose odd elements cost only themselves.
//!
//! `lines.map(line, decimal(line.price))` over three lines, of which one says `n/a`, gives two
//! values, and tells that one was left out. `filter` leaves out what its condition fails on.
//! `exists`, `all` and `exists_one` answer yes or no of the whole list: an element that fails is an
//! error there, unless another one decides. A loop over nothing is nothing.
//!
//! CEL absorbs errors in `&&` and `||` only. So each body of a `map` becomes a condition that
//! keeps its value, and the step takes what was kept. Each loop has a place of its own; a thread
//! evaluates one program at a time.

use std::cell::RefCell;

use cel::common::types::{
    CelBool, CelInt, CelList, CelMap, CelOptional, CelString, DYN_TYPE, INT_TYPE,
};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::copies;
use super::operators::{self, Called, boolean, fault, is_null, kind, null};

/// `@range(place, x)`: what a loop runs over. Nothing is an empty list, and is kept in mind.
pub(super) const RANGE: &str = "@range";
/// `@loop(place, x)`: what a loop gives, or nothing if it ran over nothing.
pub(super) const LOOP: &str = "@loop";
/// `@keep(place, x) || true`: keeps a value, if there is one.
pub(super) const KEEP: &str = "@keep";
/// `@kept(place)`: the value as an optional.
pub(super) const KEPT: &str = "@kept";
/// `@holds(place, x) && @held(place)`: whether a condition holds. An error does not.
pub(super) const HOLDS: &str = "@holds";
pub(super) const HELD: &str = "@held";
/// `@true(x)`: a condition that nothing is not true of.
pub(super) const TRUE: &str = "@true";

#[derive(Default)]
struct Loops {
    over_nothing: Vec<bool>,
    kept: Vec<Option<Box<dyn Val>>>,
    held: Vec<bool>,
    left_out: LeftOut,
    last_fault: Option<String>,
}

/// Elements that a loop left out, because its expression failed on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) count: u64,
    /// The first reason.
    pub(super) reason: Option<String>,
}

/// The remarks of one run.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) left_out: LeftOut,
    /// The last error that CEL absorbed or answered.
    pub(super) fault: Option<String>,
}

impl Loops {
    fn leave_out(&mut self) {
        self.left_out.count += 1;
        let reason = self.last_fault.take();
        let reason = reason.unwrap_or_else(|| "the expression does not take it".to_owned());
        self.left_out.reason.get_or_insert(reason);
    }
}

thread_local! {
    static LOOPS: RefCell<Loops> = RefCell::default();
}

/// Runs a program, and answers what its loops left out.
pub(super) fn watched<T>(run: impl FnOnce() -> T) -> (T, Watched) {
    LOOPS.with_borrow_mut(|loops| *loops = Loops::default());
    let result = run();
    let loops = LOOPS.take();
    let watched = Watched {
        left_out: loops.left_out,
        fault: loops.last_fault,
    };
    (result, watched)
}

/// Why an element was left out, if one was: of what is left no sum is right.
pub(super) fn reason_left_out() -> Option<String> {
    LOOPS.with_borrow(|loops| loops.left_out.reason.clone())
}

/// Remembers the last error, which CEL may absorb.
pub(super) fn note(text: &str) {
    LOOPS.with_borrow_mut(|loops| loops.last_fault = Some(text.to_owned()));
}

/// Adds the functions to an environment.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let with_place: [(&str, operators::Function); 4] = [
        (RANGE, range),
        (LOOP, result),
        (KEEP, |arguments| keep(&arguments)),
        (HOLDS, |arguments| holds(&arguments)),
    ];
    for (name, function) in with_place {
        env.add_overload(name, name, vec![INT_TYPE, DYN_TYPE], function)?;
    }
    env.add_overload(KEPT, KEPT, vec![INT_TYPE], |arguments| Ok(kept(&arguments)))?;
    env.add_overload(HELD, HELD, vec![INT_TYPE], |arguments| Ok(held(&arguments)))?;
    env.add_overload(TRUE, TRUE, vec![DYN_TYPE], |arguments| {
        truth(arguments[0].as_ref()).map(boolean)
    })
}

/// The place of a loop, and its list long enough for it.
fn place<T: Default>(arguments: &[CowVal<'_, '_>], list: &mut Vec<T>) -> usize {
    let place = arguments.first().and_then(|place| {
        let place = place.downcast_ref::<CelInt>()?;
        usize::try_from(*place.inner()).ok()
    });
    let place = place.unwrap_or(0);
    if list.len() <= place {
        list.resize_with(place + 1, T::default);
    }
    place
}

fn range<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    let value = arguments
        .pop()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let nothing = is_null(value.as_ref())
        || value
            .downcast_ref::<CelString<'_>>()
            .is_some_and(|text| text.inner().trim().is_empty());
    LOOPS.with_borrow_mut(|loops| {
        let place = place(&arguments, &mut loops.over_nothing);
        loops.over_nothing[place] = nothing;
    });
    if nothing {
        return Ok(CowVal::owned(CelList::from(Vec::new())));
    }
    let is_range = value.downcast_ref::<CelList<'_>>().is_some()
        || value.downcast_ref::<CelMap<'_>>().is_some();
    if is_range {
        return Ok(value);
    }
    let what = kind(value.as_ref());
    Err(fault(
        &format!("a loop runs over a list or a map, and is given a {what}").into(),
    ))
}

fn result<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    let value = arguments
        .pop()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let nothing = LOOPS.with_borrow_mut(|loops| {
        let place = place(&arguments, &mut loops.over_nothing);
        loops.over_nothing[place]
    });
    Ok(if nothing { null() } else { value })
}

fn keep<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let value = arguments
        .last()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    super::budget::charge_made(value.as_ref())?;
    let copy = copies::copied(value.as_ref())
        .ok_or_else(|| fault(&"the value of a loop is none".into()))?;
    LOOPS.with_borrow_mut(|loops| {
        let place = place(arguments, &mut loops.kept);
        loops.kept[place] = Some(copy);
    });
    Ok(boolean(true))
}

fn kept<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> CowVal<'b, 'v> {
    let value = LOOPS.with_borrow_mut(|loops| {
        let place = place(arguments, &mut loops.kept);
        let value = loops.kept[place].take();
        if value.is_none() {
            loops.leave_out();
        }
        value
    });
    CowVal::owned(value.map_or_else(CelOptional::none, CelOptional::of))
}

fn truth(value: &dyn Val) -> Result<bool, ExecutionError> {
    if is_null(value) {
        return Ok(false);
    }
    let flag = value.downcast_ref::<CelBool>().map(|flag| *flag.inner());
    flag.ok_or_else(|| {
        let what = kind(value);
        fault(&format!("a condition is true or false, and here a {what}").into())
    })
}

fn holds<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let value = arguments
        .last()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let truth = truth(value.as_ref())?;
    LOOPS.with_borrow_mut(|loops| {
        let place = place(arguments, &mut loops.held);
        loops.held[place] = truth;
    });
    Ok(boolean(truth))
}

/// Asked only after a condition that held or failed.
fn held<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> CowVal<'b, 'v> {
    let held = LOOPS.with_borrow_mut(|loops| {
        let place = place(arguments, &mut loops.held);
        let held = std::mem::take(&mut loops.held[place]);
        if !held {
            loops.leave_out();
        }
        held
    });
    boolean(held)
}
