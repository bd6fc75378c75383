//! The summary of an import, as the command prints it.

use std::path::Path;

use super::Args;
use super::progress::Tally;
use super::unread::Unread;
use crate::cli::output::{self, Format};

/// Outcome of a file.
pub(super) struct Imported {
    pub(super) tally: Tally,
    /// Counts of the values that are stored and not used.
    pub(super) unread: Unread,
    /// Format of the file, and how it is known.
    pub(super) described: String,
    pub(super) notes: Vec<String>,
    /// Whether no row has anything that the mapping reads.
    pub(super) useless: bool,
    /// Lines before the first row of this run.
    pub(super) after: u64,
}

impl Imported {
    pub(super) fn is_empty(&self) -> bool {
        self.tally.rows() == 0 && self.after == 0
    }

    pub(super) fn is_well(&self, args: &Args) -> bool {
        (self.tally.rejected == 0 || args.allow_rejects)
            && (!self.is_empty() || args.reading.allow_empty)
            && !self.useless
    }

    /// Remarks go to standard error; tables have no place for them.
    pub(super) fn note(&mut self, file: &Path, note: String) {
        eprintln!("{}: {note}", file.display());
        self.notes.push(note);
    }
}

pub(super) fn summary(
    args: &Args,
    file: &Path,
    rejects: &Path,
    imported: &Imported,
) -> anyhow::Result<()> {
    let (tally, unread, after) = (imported.tally, &imported.unread, imported.after);
    let rejects = (tally.rejected > 0).then(|| rejects.display().to_string());
    let text = match args.output {
        Format::Table => {
            let resumed = if after > 0 {
                format!(", resumed after line {after}")
            } else {
                String::new()
            };
            let rejects = rejects
                .map(|rejects| format!(" (see {rejects})"))
                .unwrap_or_default();
            format!("{}: {tally}{rejects}{resumed}{unread}", file.display())
        }
        Format::Json => serde_json::to_string(&serde_json::json!({
            "file": file.display().to_string(),
            "read_as": imported.described,
            "notes": imported.notes,
            "rows": tally.rows(),
            "stored": tally.stored,
            "duplicate": tally.duplicate,
            "rejected": tally.rejected,
            "left_out": tally.left_out,
            "rejects_file": rejects,
            "resumed_after_line": after,
            "unread": unread.to_json(),
            "unread_omitted": unread.omitted(),
        }))?,
    };
    output::print(&text)
}
