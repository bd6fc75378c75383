//! Against published numbers (`cdnow`), against numbers of high precision (`models`), and by
//! definition (`counts`).

mod cdnow;
mod counts;
mod models;

/// Whether two numbers agree to a part of the second.
#[track_caller]
fn assert_near(found: f64, expected: f64, part: f64) {
    assert!(
        (found - expected).abs() <= part * expected.abs(),
        "{found} is not {expected}"
    );
}
