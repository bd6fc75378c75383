//! The short form: a few thousand cases of each target, the same ones every time.

use profile_fuzz::harness::{Options, run};
use profile_fuzz::targets::{ALL, Target};

/// The scale of the long form, as for other random tests.
fn scale() -> u64 {
    std::env::var("CUSTOMER_PROFILE_TEST_SCALE")
        .ok()
        .and_then(|scale| scale.parse().ok())
        .unwrap_or(1)
}

/// Runs a target and requires a minimum number of different answers. Fewer mean that the mutations
/// no longer reach the reader.
fn short(name: &str, cases: u64, answers: usize) {
    let target = ALL
        .into_iter()
        .find(|target| target.name == name)
        .expect("a target");
    let options = Options {
        cases: cases * scale(),
        seed: 1,
    };
    let summary = run(target, options).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        summary.answers >= answers,
        "only {} different answers in {} cases",
        summary.answers,
        summary.cases
    );
}

macro_rules! short {
    ($($test:ident $name:literal $cases:literal $answers:literal;)*) => {
        $(#[test] fn $test() { short($name, $cases, $answers); })*

        #[test]
        fn every_target_has_a_short_run() {
            let run = [$($name),*];
            assert!(ALL.iter().all(|target| run.contains(&target.name)));
        }
    };
}

short! {
    statements_in_wire_form "statement-wire" 3_000 10;
    statements_in_json "statement-json" 3_000 10;
    requests_before_they_are_decoded "statement-batch" 3_000 3;
    payloads "payload" 1_500 10;
    model_files "model" 1_500 10;
    expressions "expression" 1_500 10;
    conditions "condition" 1_500 10;
    tokens "token" 3_000 3;
    csv_files "csv" 3_000 10;
    csv_fields "csv-fields" 3_000 3;
    ndjson_files "ndjson" 3_000 10;
    telephone_numbers "telephone" 2_000 10;
    identifiers "identifier" 2_000 5;
    dates "date" 3_000 5;
}

/// A reader with a fault: two braces in a row.
const FAULTY: Target = Target {
    name: "faulty",
    words: &["{"],
    seeds: || vec![b"some words before {a brace} and after it".to_vec()],
    check: |input| {
        assert!(!input.windows(2).any(|pair| pair == b"{{"), "two braces");
        Ok(input.len().to_string())
    },
};

#[test]
fn a_fault_is_found_and_its_input_made_small() {
    let options = Options {
        cases: 2_000,
        seed: 1,
    };
    let failure = run(&FAULTY, options).expect_err("a fault");
    assert_eq!(failure.input(), b"{{");
    assert!(
        failure.to_string().contains("panics: two braces"),
        "{failure}"
    );
}

#[test]
fn a_run_repeats_itself() {
    let options = Options {
        cases: 500,
        seed: 3,
    };
    for target in ALL {
        let runs = [run(target, options), run(target, options)].map(|run| run.expect("no fault"));
        assert_eq!(runs[0], runs[1], "{}", target.name);
    }
}
