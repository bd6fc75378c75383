//! What was learned, in words and as a chart.

use std::fmt;

use crate::model::matching::{AgreementLevel, Field, Weights};

/// What training found.
#[derive(Debug, Clone)]
pub struct Report {
    records: usize,
    pairs: usize,
    matches: f64,
    rows: Vec<Row>,
}

/// One level of one field.
#[derive(Debug, Clone, Copy)]
struct Row {
    field: Field,
    level: AgreementLevel,
    m: u64,
    u: u64,
    millibits: i32,
    shipped: i32,
}

impl Report {
    pub(super) fn new(records: usize, pairs: usize, matches: f64, weights: &Weights) -> Self {
        let shipped = Weights::shipped();
        let all = weights
            .chances()
            .iter()
            .flat_map(|(field, levels)| levels.iter().map(move |level| (*field, level)));
        let rows = all.map(|(field, (level, chance))| Row {
            field,
            level: *level,
            m: chance.m,
            u: chance.u,
            millibits: weights.of(field, *level),
            shipped: shipped.of(field, *level),
        });
        Self {
            records,
            pairs,
            matches,
            rows: rows.collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Learned from {} records: {} pairs share a match key, of which about {:.0} are of one person.",
            self.records, self.pairs, self.matches
        )?;
        writeln!(
            f,
            "Weights are in bits: each bit doubles the odds that two records are one person."
        )?;
        let mut last = None;
        for row in &self.rows {
            if last != Some(row.field) {
                writeln!(
                    f,
                    "\n{:<34} {:>8} {:>11} {:>7} {:>7}",
                    row.field.name(),
                    "one",
                    "two people",
                    "bits",
                    "shipped"
                )?;
                last = Some(row.field);
            }
            writeln!(
                f,
                "  {:<32} {:>7}% {:>10}% {:>+7.1} {:>+7.1}  {}",
                row.level.words(),
                percent(row.m, 1),
                percent(row.u, 5),
                f64::from(row.millibits) / 1_000.0,
                f64::from(row.shipped) / 1_000.0,
                bar(row.millibits)
            )?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "parts per thousand million fit")]
fn percent(parts: u64, decimals: usize) -> String {
    format!("{:.decimals$}", parts as f64 / 1e7)
}

/// A bar of a sign for each bit: `+` speaks for one person, `-` against.
fn bar(millibits: i32) -> String {
    let length = usize::try_from((millibits.abs() + 500) / 1_000).unwrap_or(0);
    if millibits < 0 {
        "-".repeat(length)
    } else {
        "+".repeat(length)
    }
}
