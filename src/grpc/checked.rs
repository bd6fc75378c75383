//! Checks of a request's parts. Violations of all parts are collected, so that one answer names
//! everything that is wrong.

use profile_core::records::{Reason, Violation};

/// The faults that were found in a part of a request.
pub(super) type Checked<T> = Result<T, Vec<Violation>>;

/// Two parts of a request, or all that is wrong with either: one answer tells everything.
pub(super) fn both<A, B>(first: Checked<A>, second: Checked<B>) -> Checked<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => {
            let wrong = first.err().into_iter().chain(second.err());
            Err(wrong.flatten().collect())
        }
    }
}

/// A list in the request must not be empty or too long.
pub(super) fn count(field: &str, actual: usize, limit: usize, unit: &str) -> Checked<()> {
    match actual {
        0 => Err(vec![Violation::required(field)]),
        _ if actual > limit => Err(vec![Violation::limit(field, actual, limit, unit)]),
        _ => Ok(()),
    }
}

/// A page size by the rule of AIP-158: 0 is the default, too large is cut, negative is refused.
pub(super) fn page_size(wanted: i32, default: usize, max: usize) -> Checked<usize> {
    size("page_size", wanted, default, max)
}

/// Any other size, by the same rule.
pub(super) fn size(field: &str, wanted: i32, default: usize, max: usize) -> Checked<usize> {
    match usize::try_from(wanted) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(vec![Violation::new(
            Reason::Malformed,
            field,
            "must not be negative",
        )]),
    }
}
