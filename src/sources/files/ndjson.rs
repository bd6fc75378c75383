//! One JSON object a line, or one row a line that an earlier import rejected.

use profile_core::records::{Reason, Violation};
use serde_json::Value as Json;

use super::input::Input;
use super::{Content, MAX_ROW_BYTES, ReadError, Row, content};
use crate::sources::payload;

pub(super) struct Rows {
    /// The payload of a line.
    read: fn(&[u8]) -> Result<Json, Violation>,
    /// Content of a line of some length that is no payload.
    keep: fn(&[u8], usize) -> Content,
}

impl Rows {
    /// Each line is a payload.
    pub(super) fn payloads() -> Self {
        Self {
            read: parse,
            keep: Content::text,
        }
    }

    /// Each line has a payload, and why it was rejected.
    pub(super) fn rejects() -> Self {
        Self {
            read: |line| content::mended(&parse(line)?),
            keep: Content::rejected,
        }
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Option<Row>, ReadError> {
        loop {
            let line = input.position().lines + 1;
            let Some(length) = pass_line(input)? else {
                return Ok(None);
            };
            let text = input.row().trim_ascii_end();
            if text.is_empty() {
                input.end_row();
                continue;
            }
            let payload = if length > MAX_ROW_BYTES {
                Err(Violation::limit("row", length, MAX_ROW_BYTES, "bytes"))
            } else {
                (self.read)(text)
            };
            let content = payload.is_err().then(|| (self.keep)(text, length));
            return Ok(Some(input.take_row(line, payload, content)));
        }
    }
}

/// Takes a line into the present row. Returns its length without the line end; none at the end.
fn pass_line(input: &mut Input) -> Result<Option<usize>, ReadError> {
    let (ends, mut length) = (input.line_ends(), 0);
    loop {
        let bytes = input.peek()?;
        let (end, last) = (ends.find(bytes), bytes.is_empty());
        let count = end.unwrap_or(bytes.len());
        length += count;
        input.consume(count + usize::from(end.is_some()));
        if end.is_some() || last {
            return Ok((length > 0 || end.is_some()).then_some(length));
        }
    }
}

pub(super) fn parse(line: &[u8]) -> Result<Json, Violation> {
    let malformed = |what: String| Violation::new(Reason::Malformed, "row", what);
    let text = std::str::from_utf8(line).map_err(|error| {
        malformed(format!(
            "is not in the encoding of the file after byte {}",
            error.valid_up_to()
        ))
    })?;
    // A mark of byte order, where one file was put after another.
    let text = text.trim_start_matches('\u{FEFF}');
    payload::parse(text).map_err(|fault| malformed(fault.to_string()))
}
