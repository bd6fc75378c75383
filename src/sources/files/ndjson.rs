//! One JSON object a line.

use profile_core::records::{Reason, Violation};

use super::input::Input;
use super::{MAX_ROW_BYTES, ReadError, Row};

#[derive(Default)]
pub(super) struct Rows {
    line: Vec<u8>,
}

impl Rows {
    pub(super) fn next(&mut self, input: &mut Input) -> Result<Option<Row>, ReadError> {
        loop {
            let line = input.position().lines + 1;
            let Some(length) = self.read_line(input)? else {
                return Ok(None);
            };
            let payload = if length > MAX_ROW_BYTES {
                Err(Violation::limit("row", length, MAX_ROW_BYTES, "bytes"))
            } else if self.line.trim_ascii().is_empty() {
                continue;
            } else {
                parse(&self.line)
            };
            return Ok(Some(Row {
                line,
                end: input.position(),
                payload,
            }));
        }
    }

    /// Reads a line, keeps as much of it as a row may have, and says how long it is; none at the
    /// end.
    fn read_line(&mut self, input: &mut Input) -> Result<Option<usize>, ReadError> {
        self.line.clear();
        let mut length = 0;
        loop {
            let bytes = input.peek()?;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if length + part.len() <= MAX_ROW_BYTES {
                self.line.extend_from_slice(part);
            }
            let (count, last) = (part.len(), bytes.is_empty());
            length += count;
            input.consume(count + usize::from(end.is_some()));
            if end.is_some() || last {
                return Ok((length > 0 || end.is_some()).then_some(length));
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<serde_json::Value, Violation> {
    let malformed = |what: String| Violation::new(Reason::Malformed, "row", what);
    let text = std::str::from_utf8(line).map_err(|error| {
        malformed(format!(
            "is not UTF-8 after byte {} of the line",
            error.valid_up_to()
        ))
    })?;
    serde_json::from_str(text)
        .map_err(|error| malformed(format!("is not JSON: error in column {}", error.column())))
}
