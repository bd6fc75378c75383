//! How far an import is: a bar on a terminal, counts for the summary.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::sink::{Done, Outcome};
use super::unread::Unread;

/// Counts of rows by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Rows with something new.
    pub(crate) stored: u64,
    /// Rows that were known already.
    pub(crate) duplicate: u64,
    /// Rejected rows.
    pub(crate) rejected: u64,
    /// Rows of which the mapping makes no statement.
    pub(crate) left_out: u64,
}

impl Tally {
    /// All rows.
    pub(crate) fn rows(&self) -> u64 {
        self.stored + self.duplicate + self.rejected + self.left_out
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stored,
            duplicate,
            rejected,
            left_out,
        } = *self;
        let (stored, duplicate, rejected) = (
            HumanCount(stored),
            HumanCount(duplicate),
            HumanCount(rejected),
        );
        let rows = HumanCount(self.rows());
        write!(
            f,
            "{rows} rows: {stored} stored, {duplicate} duplicate, {rejected} rejected"
        )?;
        if left_out > 0 {
            write!(f, ", {} left out by the mapping", HumanCount(left_out))?;
        }
        Ok(())
    }
}

/// A bar, and the counts. No bar where there is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    tally: Mutex<Tally>,
    unread: Mutex<Unread>,
}

impl Progress {
    /// Begins, with the number of bytes that are to be read.
    pub(crate) fn start(name: &str, total_bytes: u64) -> Self {
        let bar = ProgressBar::new(total_bytes);
        let template = "{prefix} {bar:30} {percent:>3}%  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.to_owned());
        Self {
            bar,
            started: Instant::now(),
            tally: Mutex::default(),
            unread: Mutex::default(),
        }
    }

    /// Counts a batch.
    pub(super) fn add(&self, done: &Done) {
        self.counted().merge(&done.unread);
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, outcome) in &done.rows {
            match outcome {
                Outcome::Stored => tally.stored += 1,
                Outcome::Duplicate => tally.duplicate += 1,
                Outcome::Rejected(_) => tally.rejected += 1,
                Outcome::LeftOut => tally.left_out += 1,
            }
        }
        let rows = tally.rows();
        let rate = u128::from(rows) * 1000 / self.started.elapsed().as_millis().max(1);
        let rate = HumanCount(u64::try_from(rate).unwrap_or(u64::MAX));
        self.bar
            .set_message(format!("{} rows, {rate} rows/s", HumanCount(rows)));
        self.bar.set_position(done.bytes_read);
    }

    /// Counts of the values that are stored and not used.
    pub(crate) fn unread(&self) -> Unread {
        self.counted().clone()
    }

    fn counted(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) -> Tally {
        self.bar.finish_and_clear();
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
