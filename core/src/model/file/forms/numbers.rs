//! Forms of numbers: whole ones within a range, and fractions.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::Form;
use super::later::then;
use crate::model::file::reader::{At, Reader};
use crate::model::file::schema::Definitions;
use crate::model::matching::log2_millibits;

/// A whole number within bounds.
pub(in crate::model::file) struct Whole<N>(RangeInclusive<N>);

impl<N: FromStr + PartialOrd + Display + Serialize> Form for Whole<N> {
    type Value = N;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<N> {
        at.number(&self.0, reader)
    }

    fn schema(&self, _: &mut Definitions) -> Json {
        json!({ "type": "integer", "minimum": self.0.start(), "maximum": self.0.end() })
    }
}

/// A fraction between 0 and 1 with at most six decimals, in millionths.
pub(in crate::model::file) struct Fraction {
    noun: &'static str,
    example: &'static str,
}

const MILLION: u32 = 1_000_000;

impl Form for Fraction {
    type Value = u32;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<u32> {
        let digits = at.as_plain().and_then(|text| text.strip_prefix("0."));
        let digits = digits.filter(|digits| {
            (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        let millionths = digits.and_then(|digits| format!("{digits:0<6}").parse().ok());
        let millionths = millionths.filter(|millionths| *millionths > 0);
        if millionths.is_none() {
            let Self { noun, example } = self;
            reader.error(
                at.place(),
                format!(
                    "must be {noun} between 0 and 1, with at most six decimals, such as {example}"
                ),
            );
        }
        millionths
    }

    fn schema(&self, _: &mut Definitions) -> Json {
        json!({ "type": "number", "minimum": 0.000_001, "maximum": 0.999_999 })
    }
}

pub(in crate::model::file) fn whole<N>(least: N, most: N) -> Whole<N> {
    Whole(least..=most)
}

/// A probability, as the logarithm of its odds in millibits.
pub(in crate::model::file) fn probability() -> impl Form<Value = i32> {
    let fraction = Fraction {
        noun: "a probability",
        example: "0.95",
    };
    then(fraction, |millionths, _, _| {
        Some(log2_millibits(
            u64::from(millionths),
            u64::from(MILLION - millionths),
        ))
    })
}

/// A rate, in millionths.
pub(in crate::model::file) fn rate(example: &'static str) -> impl Form<Value = u32> {
    Fraction {
        noun: "a rate",
        example,
    }
}
