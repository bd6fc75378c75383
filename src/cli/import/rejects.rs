//! Refused rows, with their reasons, to be mended and imported again: one JSON object a line.
//!
//! Each line has the payload as `row`. Where the row could not be read there is none, and its
//! `fields` or its `text` can be mended instead: `import` takes the file as it is.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::Value as Json;

use crate::sources::files::{Content, Row};

/// The file is made with the first refused row. It holds personal data, so it is for its owner's
/// eyes.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    bytes: u64,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    /// `ErrorReason` of the API.
    #[serde(rename = "reason")]
    pub(super) name: &'static str,
    pub(super) field: String,
    pub(super) description: String,
}

#[derive(Serialize)]
struct Refused<'a> {
    line: u64,
    reasons: &'a [Reason],
    row: Option<&'a Json>,
    #[serde(flatten)]
    content: Option<&'a Content>,
}

impl Rejects {
    /// Goes on after `bytes` of an earlier run's file; with none, an earlier file goes away.
    pub(super) fn open(path: PathBuf, bytes: u64) -> anyhow::Result<Self> {
        if bytes == 0 {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| path.display().to_string());
                }
                _ => {}
            }
        }
        Ok(Self {
            path,
            file: None,
            bytes,
        })
    }

    /// Writes a row down.
    pub(super) fn add(&mut self, row: &Row, reasons: &[Reason]) -> anyhow::Result<()> {
        let line = Refused {
            line: row.line,
            reasons,
            row: row.payload.as_ref().ok(),
            content: row.content.as_ref(),
        };
        let text = serde_json::to_string(&line)?;
        let (path, bytes) = (&self.path, self.bytes);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(make(path, bytes)?)),
        };
        writeln!(file, "{text}").with_context(|| path.display().to_string())?;
        self.bytes += text.len() as u64 + 1;
        Ok(())
    }

    /// Hands all to the system; answers how long the file is.
    pub(super) fn flush(&mut self) -> anyhow::Result<u64> {
        if let Some(file) = &mut self.file {
            file.flush()
                .with_context(|| self.path.display().to_string())?;
        }
        Ok(self.bytes)
    }
}

fn make(path: &Path, bytes: u64) -> anyhow::Result<File> {
    let make = || -> std::io::Result<File> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)?;
        // Rows that an earlier run wrote after its last position come again.
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    };
    make().with_context(|| path.display().to_string())
}
