//! Regular expressions of the model file and of expressions, each within bounds.
//!
//! The `regex` crate matches in linear time, but a short pattern can compile to much:
//! `(x{50}){300}` is a MiB. So a pattern has a maximum length, nesting and compiled size, and the
//! patterns of a model have a budget together. The crate does not say how large a compiled pattern
//! is; it is found by compiling under growing limits ([`SIZES`]).

use regex::{Regex, RegexBuilder};

/// Maximum length of a pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4_096;
/// Maximum nesting of its groups.
const MAX_NESTING: u32 = 50;
/// Maximum compiled size of a pattern. A match takes time by size and length of the text; this is
/// some 15,000 states.
pub(super) const MAX_BYTES: usize = 512 << 10;
/// The limits under which a pattern is compiled, one after the other.
const SIZES: [usize; 6] = [4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, MAX_BYTES];
/// Maximum memory of the part of an automaton that is kept between matches, in each thread.
const MAX_KEPT_BYTES: usize = 128 << 10;
/// Maximum compiled size of all patterns of a model together, those of its expressions among them:
/// 32 of the largest, or thousands of ordinary ones.
const MAX_MODEL_BYTES: usize = 16 << 20;
/// How much of a pattern an error quotes, in letters.
const QUOTED: usize = 40;

/// Compiles a pattern. Answers also a bound of its size.
///
/// # Errors
/// What is wrong with it, to follow the pattern.
pub(super) fn compile_sized(written: &str) -> Result<(Regex, usize), String> {
    if written.len() > MAX_PATTERN_BYTES {
        return Err(format!(
            "has {} bytes: at most {MAX_PATTERN_BYTES} are allowed",
            written.len()
        ));
    }
    for size in SIZES {
        let built = RegexBuilder::new(written)
            .nest_limit(MAX_NESTING)
            .size_limit(size)
            .dfa_size_limit(MAX_KEPT_BYTES)
            .build();
        match built {
            Ok(pattern) => return Ok((pattern, size)),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                return Err(format!(
                    "is no regular expression: {}",
                    last.trim_start_matches("error: ")
                ));
            }
        }
    }
    let most = MAX_BYTES >> 10;
    Err(format!(
        "is too large: compiled, at most {most} KiB are allowed; repetitions such as {{300}} multiply it"
    ))
}

/// What is left for the patterns of a model.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: MAX_MODEL_BYTES,
        }
    }
}

impl Budget {
    /// Compiles one of the patterns.
    ///
    /// # Errors
    /// The pattern and what is wrong with it.
    pub(super) fn compile(&mut self, written: &str) -> Result<Regex, String> {
        let named = |wrong: String| {
            let quoted: String = written.chars().take(QUOTED).collect();
            let more = if quoted.len() < written.len() {
                "…"
            } else {
                ""
            };
            format!("`{quoted}{more}` {wrong}")
        };
        // Nothing is compiled any more once the budget is used up, however many patterns follow.
        let fitting = if self.left == 0 {
            Ok(None)
        } else {
            compile_sized(written).map(Some)
        };
        let fitting = fitting.map_err(named)?;
        if let Some((pattern, size)) = fitting
            && let Some(left) = self.left.checked_sub(size)
        {
            self.left = left;
            return Ok(pattern);
        }
        self.left = 0;
        let most = MAX_MODEL_BYTES >> 20;
        Err(named(format!(
            "is one too many: the patterns of a model may have {most} MiB together, compiled"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_patterns_compile() {
        for written in [
            "^(noreply|info)@",
            r"^\+?1?(800|888)\d{7}$",
            r"(?i)^test.*@(example|test)\.(com|org)$",
            r"\w+@\w+",
        ] {
            assert!(compile_sized(written).is_ok(), "{written}");
        }
    }

    #[test]
    fn large_deep_long_and_broken_patterns_are_refused() {
        let (deep, long) = ("(".repeat(60) + &")".repeat(60), "a".repeat(5_000));
        for (written, expected) in [
            ("(x{50}){3000}", "too large"),
            (r"\w{1000}", "too large"),
            ("((((x{20}){20}){20}){20}){20}", "too large"),
            (deep.as_str(), "nest"),
            (long.as_str(), "5000 bytes"),
            ("(open", "no regular expression"),
        ] {
            let wrong = compile_sized(written).expect_err(written);
            assert!(wrong.contains(expected), "{written}: {wrong}");
        }
    }

    #[test]
    fn the_patterns_of_a_model_have_a_budget_together() {
        let mut budget = Budget::default();
        let compiled = (0..2_000)
            .take_while(|_| budget.compile(r"\w{10}x").is_ok())
            .count();
        assert!((32..300).contains(&compiled), "{compiled}");
        let wrong = budget.compile("^a+$").expect_err("the budget is used up");
        assert!(
            wrong.contains("`^a+$` is one too many") && wrong.contains("16 MiB"),
            "{wrong}"
        );
        let mut budget = Budget::default();
        assert!(
            (0..2_000).all(|number| budget.compile(&format!("^user{number}@example$")).is_ok())
        );
    }
}
