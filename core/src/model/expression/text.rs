//! Functions of CEL over texts whose own implementation in the `cel` crate has no bound.
//!
//! `replace` and `join` can make a text as long as the product of their arguments, `indexOf` and
//! `lastIndexOf` take as many steps, and `matches` compiles its pattern at each call, up to 10 MiB.
//! Here each charges the meter before it begins.
//!
//! A pattern that is written out is compiled with its program, which keeps it. One that comes from
//! data is compiled where it is used, and charged by its compiled size at each use: what a thread
//! keeps of them makes it faster, never cheaper.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use cel::common::types::{CelBool, CelInt, CelString, DYN_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};
use regex::Regex;

use super::budget::{charge, charge_text};
use super::format;
use super::operators::{Called, Function, is_null, null};
use crate::model::pattern;

pub(super) const MATCHES: &str = "matches";
pub(super) const OWN_MATCHES: &str = "@matches";
/// The pattern is written out.
pub(super) const OWN_MATCHES_WRITTEN: &str = "@matches_written";

/// Steps that compiling the smallest pattern takes.
const STEPS_PER_PATTERN: u64 = 1_000;
/// Bytes of a compiled pattern that take a step.
const PATTERN_BYTES_PER_STEP: usize = 8;
/// Steps that matching takes for a byte, at most, with a pattern of the largest size.
const STEPS_PER_BYTE: u64 = 8;
/// How many bytes of compiled patterns from data a thread keeps.
const MAX_KEPT_BYTES: usize = 2 << 20;

/// The functions: CEL's name, ours, how many arguments with the target, the implementation.
const OWN: [(&str, &str, usize, Function); 10] = [
    ("format", "@format", 2, |arguments| {
        format::formatted(&arguments)
    }),
    ("replace", "@replace", 3, replace),
    ("replace", "@replace_some", 4, replace),
    ("join", "@join", 1, join),
    ("join", "@join_with", 2, join),
    ("indexOf", "@index_of", 2, index_of),
    ("indexOf", "@index_of_from", 3, index_of),
    ("lastIndexOf", "@last_index_of", 2, last_index_of),
    ("lastIndexOf", "@last_index_of_from", 3, last_index_of),
    (MATCHES, OWN_MATCHES, 2, |arguments| matches(&arguments)),
];

/// Our name of a function of CEL.
pub(super) fn own_name(name: &str, arguments: usize) -> Option<&'static str> {
    OWN.iter()
        .find(|(theirs, _, count, _)| *theirs == name && *count == arguments)
        .map(|(_, own, ..)| *own)
}

/// CEL's names of them.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OWN.iter().map(|(name, ..)| *name)
}

/// Adds the functions to an environment.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let any = |count| (0..count).map(|_| DYN_TYPE).collect();
    for (_, own, count, function) in OWN {
        env.add_overload(own, own, any(count), function)?;
    }
    env.add_overload(
        OWN_MATCHES_WRITTEN,
        OWN_MATCHES_WRITTEN,
        any(3),
        |arguments| matches_written(&arguments),
    )
}

fn of_nothing(arguments: &[CowVal<'_, '_>]) -> bool {
    arguments.iter().any(|argument| is_null(argument.as_ref()))
}

/// The arguments as texts, or what CEL answers for others.
fn texts<'a, const N: usize>(
    name: &str,
    arguments: &'a [CowVal<'_, '_>],
) -> Result<[&'a str; N], ExecutionError> {
    let mut texts = [""; N];
    for (text, argument) in texts.iter_mut().zip(arguments) {
        *text = argument
            .downcast_ref::<CelString<'_>>()
            .ok_or_else(|| unfit(name, arguments))?
            .inner();
    }
    Ok(texts)
}

fn whole_number(
    name: &str,
    arguments: &[CowVal<'_, '_>],
    at: usize,
) -> Result<Option<i64>, ExecutionError> {
    let Some(argument) = arguments.get(at) else {
        return Ok(None);
    };
    argument
        .downcast_ref::<CelInt>()
        .map(|number| Some(*number.inner()))
        .ok_or_else(|| unfit(name, arguments))
}

fn unfit(name: &str, arguments: &[CowVal<'_, '_>]) -> ExecutionError {
    let types = arguments
        .iter()
        .map(|argument| argument.get_type().name().to_owned())
        .collect();
    ExecutionError::no_such_member_overload(name, types)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the type of functions in `cel`"
)]
fn replace<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    if of_nothing(&arguments) {
        return Ok(null());
    }
    let [text, from, to] = texts("replace", &arguments)?;
    let most = whole_number("replace", &arguments, 3)?.and_then(|most| usize::try_from(most).ok());
    let found = text.matches(from).take(most.unwrap_or(usize::MAX)).count();
    let grown = (text.len() - found * from.len()).saturating_add(found.saturating_mul(to.len()));
    charge_text(grown)?;
    let replaced = match most {
        Some(most) => text.replacen(from, to, most),
        None => text.replace(from, to),
    };
    Ok(CowVal::owned(CelString::from(replaced)))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the type of functions in `cel`"
)]
fn join<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    if of_nothing(&arguments) {
        return Ok(null());
    }
    let separator = match arguments.get(1) {
        Some(separator) => separator
            .downcast_ref::<CelString<'_>>()
            .ok_or_else(|| unfit("join", &arguments))?
            .inner(),
        None => "",
    };
    let list = arguments[0]
        .as_iterable()
        .ok_or_else(|| unfit("join", &arguments))?;
    let (mut items, mut parts, mut bytes) = (list.iter(), Vec::new(), 0_usize);
    while let Some(item) = items.next() {
        if is_null(item) {
            continue;
        }
        let part =
            item.downcast_ref::<CelString<'_>>()
                .ok_or_else(|| ExecutionError::UnexpectedType {
                    got: item.get_type().name().to_owned(),
                    want: "string".to_owned(),
                })?;
        bytes = bytes
            .saturating_add(part.inner().len())
            .saturating_add(separator.len());
        parts.push(part.inner());
    }
    charge_text(bytes)?;
    Ok(CowVal::owned(CelString::from(parts.join(separator))))
}

/// The place of a letter in a text, both ways: CEL counts letters, not bytes.
fn letters_before(text: &str, byte: usize) -> i64 {
    i64::try_from(text[..byte].chars().count()).unwrap_or(i64::MAX)
}

fn byte_of_letter(text: &str, letter: usize) -> usize {
    text.char_indices()
        .nth(letter)
        .map_or(text.len(), |(byte, _)| byte)
}

fn out_of_range(function: &str, index: i64) -> ExecutionError {
    ExecutionError::function_error(function, format!("index out of range: {index}"))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the type of functions in `cel`"
)]
fn index_of<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    if of_nothing(&arguments) {
        return Ok(null());
    }
    let [text, wanted] = texts("indexOf", &arguments)?;
    let from = offset("indexOf", &arguments, text, wanted)?;
    let found = match from {
        Some(from) if wanted.is_empty() => letters(from),
        from => {
            let start = byte_of_letter(text, from.unwrap_or(0));
            text[start..]
                .find(wanted)
                .map_or(-1, |at| letters_before(text, start + at))
        }
    };
    Ok(CowVal::owned(CelInt::from(found)))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the type of functions in `cel`"
)]
fn last_index_of<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    if of_nothing(&arguments) {
        return Ok(null());
    }
    let [text, wanted] = texts("lastIndexOf", &arguments)?;
    let from = offset("lastIndexOf", &arguments, text, wanted)?;
    let found = match from {
        Some(from) if wanted.is_empty() => letters(from),
        from => {
            // What begins at that letter ends later.
            let end = from.map_or(text.len(), |from| {
                (byte_of_letter(text, from) + wanted.len()).min(text.len())
            });
            text[..text.floor_char_boundary(end)]
                .rfind(wanted)
                .map_or(-1, |at| letters_before(text, at))
        }
    };
    Ok(CowVal::owned(CelInt::from(found)))
}

fn letters(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The letter to begin at, if one is given, within the bounds that CEL has for it.
fn offset(
    function: &str,
    arguments: &[CowVal<'_, '_>],
    text: &str,
    wanted: &str,
) -> Result<Option<usize>, ExecutionError> {
    let Some(given) = whole_number(function, arguments, 2)? else {
        return Ok(None);
    };
    let length = text.chars().count();
    let offset = usize::try_from(given).map_err(|_| out_of_range(function, given))?;
    if wanted.is_empty() {
        return Ok(Some(offset.min(length)));
    }
    if offset >= length {
        return Err(out_of_range(function, given));
    }
    Ok(Some(offset))
}

/// Steps of matching a text.
fn match_steps(text: &str) -> u64 {
    let bytes = text.len() as u64;
    1 + STEPS_PER_BYTE.saturating_mul(bytes) / 64 + bytes / 8
}

fn matches<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    if of_nothing(arguments) {
        return Ok(null());
    }
    let [text, written] = texts(MATCHES, arguments)?;
    charge(STEPS_PER_PATTERN + match_steps(text), 0)?;
    let found = with_pattern(written, |pattern| pattern.is_match(text))?;
    Ok(CowVal::owned(CelBool::from(found)))
}

fn matches_written<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    // The third is the place of the pattern.
    if of_nothing(arguments) {
        return Ok(null());
    }
    let [text, _] = texts(MATCHES, &arguments[..2])?;
    let place = whole_number(MATCHES, arguments, 2)?.and_then(|place| usize::try_from(place).ok());
    charge(match_steps(text), 0)?;
    let found = WRITTEN.with_borrow(|patterns| Some(patterns.get(place?)?.is_match(text)));
    found
        .map(|found| CowVal::owned(CelBool::from(found)))
        .ok_or_else(|| unfit(MATCHES, &arguments[..2]))
}

thread_local! {
    /// The patterns of the program that this thread evaluates.
    static WRITTEN: RefCell<Arc<[Regex]>> = RefCell::new(Arc::default());
}

/// Evaluates a program that has these patterns.
pub(super) fn with_patterns<T>(patterns: &Arc<[Regex]>, run: impl FnOnce() -> T) -> T {
    if patterns.is_empty() {
        return run();
    }
    WRITTEN.replace(patterns.clone());
    let result = run();
    WRITTEN.replace(Arc::default());
    result
}

/// What a thread keeps of patterns from data.
#[derive(Default)]
struct Kept {
    patterns: HashMap<String, (Regex, usize)>,
    bytes: usize,
}

/// Uses a compiled pattern from data.
fn with_pattern<T>(written: &str, used: impl FnOnce(&Regex) -> T) -> Result<T, ExecutionError> {
    thread_local! {
        static KEPT: RefCell<Kept> = RefCell::default();
    }
    // By the compiled size, whether it is kept or not: each server decides the same.
    let charge_size = |size: usize| charge((size / PATTERN_BYTES_PER_STEP) as u64, 0);
    KEPT.with_borrow_mut(|kept| {
        if let Some((pattern, size)) = kept.patterns.get(written) {
            charge_size(*size)?;
            return Ok(used(pattern));
        }
        let (pattern, size) = pattern::compile_sized(written).map_err(|wrong| {
            // The largest was tried. If that was too much, the meter says so.
            drop(charge_size(pattern::MAX_BYTES));
            ExecutionError::function_error(MATCHES, wrong)
        })?;
        charge_size(size)?;
        if kept.bytes + size > MAX_KEPT_BYTES {
            *kept = Kept::default();
        }
        let result = used(&pattern);
        kept.bytes += size;
        kept.patterns.insert(written.to_owned(), (pattern, size));
        Ok(result)
    })
}
