//! JSON documents: a list of rows, perhaps within an object, or values one after the other, over
//! any number of lines.
//!
//! Values are found by their brackets alone, so one that is not JSON within them is one wrong row.
//! Where the brackets themselves do not fit, the file ends with an error.

use profile_core::records::Violation;

use super::input::Input;
use super::ndjson::parse;
use super::{Content, MAX_ROW_BYTES, ReadError, Row};

/// How many names a message lists.
const MAX_NAMES: usize = 20;

pub(super) struct Rows {
    shape: Shape,
    /// Names that lead to the list.
    path: Vec<String>,
    /// Whether a value has been read, so that a comma comes before the next.
    begun: bool,
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A list, and nothing after it.
    List,
    /// A list within an object, of which nothing else is read; perhaps several such objects.
    Within,
    /// Values one after the other.
    Sequence,
}

impl Rows {
    /// Goes to the first value.
    pub(super) fn new(input: &mut Input, path: &[String]) -> Result<Self, ReadError> {
        let first = follow(input, path)?;
        let shape = match (first, path) {
            (Some(b'['), []) => Shape::List,
            (Some(b'['), _) => Shape::Within,
            (_, []) => Shape::Sequence,
            _ => {
                let path = path.join(".");
                return Err(input.error(format!("`{path}` is no list of rows: see --path")));
            }
        };
        if shape != Shape::Sequence {
            input.pass(1);
        }
        Ok(Self {
            shape,
            path: path.to_vec(),
            begun: false,
            over: false,
        })
    }

    /// Goes on after a row.
    pub(super) fn resume(&mut self) {
        self.begun = true;
    }

    /// Shape of the document.
    pub(super) fn described(&self) -> &'static str {
        match self.shape {
            Shape::List => "a JSON list",
            Shape::Within => "a list within a JSON object, whose other members are not read",
            Shape::Sequence => "JSON objects one after the other",
        }
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Option<Row>, ReadError> {
        if self.over || !self.go_to_value(input)? {
            self.over = true;
            return Ok(None);
        }
        let line = input.position().lines + 1;
        let length = pass_value(input)?;
        self.begun = true;
        let value = input.row();
        let (payload, content) = if length > MAX_ROW_BYTES {
            let violation = Violation::limit("row", length, MAX_ROW_BYTES, "bytes");
            (Err(violation), Some(Content::text(value, length)))
        } else {
            let payload = parse(value);
            let content = payload.is_err().then(|| Content::text(value, length));
            (payload, content)
        };
        Ok(Some(input.take_row(line, payload, content)))
    }

    /// Goes to the next value; `false` after the last.
    fn go_to_value(&mut self, input: &mut Input) -> Result<bool, ReadError> {
        let mut next = input.pass_blanks()?;
        if self.shape == Shape::Sequence {
            return Ok(next.is_some());
        }
        while next == Some(b']') {
            input.pass(1);
            if self.shape != Shape::Within || !self.go_to_page(input)? {
                return self.end(input).map(|()| false);
            }
            next = input.pass_blanks()?;
        }
        match next {
            Some(b',') if self.begun => {
                input.pass(1);
                match input.pass_blanks()? {
                    None => Err(input.error("the file is cut off: its list is not closed")),
                    Some(b',' | b']') => Err(input.error("a comma is not followed by a value")),
                    Some(_) => Ok(true),
                }
            }
            None => Err(input.error("the file is cut off: its list is not closed")),
            Some(_) if self.begun => {
                Err(input.error("a comma, or the end of the list, must follow a value"))
            }
            Some(_) => Ok(true),
        }
    }

    /// Goes to the list of the next object, after the rest of this one; `false` after the last. A
    /// program that reads page after page writes one such object after the other.
    fn go_to_page(&mut self, input: &mut Input) -> Result<bool, ReadError> {
        for _ in &self.path {
            pass_members(input)?;
        }
        if input.pass_blanks()? != Some(b'{') {
            return Ok(false);
        }
        if follow(input, &self.path)? != Some(b'[') {
            let path = self.path.join(".");
            return Err(input.error(format!("`{path}` is no list of rows: see --path")));
        }
        input.pass(1);
        self.begun = false;
        Ok(true)
    }

    fn end(&self, input: &mut Input) -> Result<(), ReadError> {
        if input.pass_blanks()?.is_none() {
            return Ok(());
        }
        let what = match self.shape {
            Shape::Within => "object with the list",
            Shape::List | Shape::Sequence => "list",
        };
        Err(input.error(format!("something follows the end of the {what}")))
    }
}

/// Goes to the value that names lead to. Returns its first byte.
fn follow(input: &mut Input, path: &[String]) -> Result<Option<u8>, ReadError> {
    let mut first = input.pass_blanks()?;
    for (depth, name) in path.iter().enumerate() {
        if first != Some(b'{') {
            let before = path[..depth].join(".");
            return Err(input.error(format!(
                "`{before}` is no object that could have `{name}`: see --path"
            )));
        }
        find_member(input, name)?;
        first = input.pass_blanks()?;
    }
    Ok(first)
}

/// Passes over the members of an object that follow one, and its end.
fn pass_members(input: &mut Input) -> Result<(), ReadError> {
    const BROKEN: &str = "the object is broken after the list of rows";
    loop {
        match input.pass_blanks()? {
            Some(b'}') => {
                input.pass(1);
                return Ok(());
            }
            Some(b',') => input.pass(1),
            None => return Err(input.error("the file is cut off: its object is not closed")),
            Some(_) => return Err(input.error(BROKEN)),
        }
        for next in [Some(b':'), None] {
            input.pass_blanks()?;
            if pass_value(input)? == 0 {
                return Err(input.error(BROKEN));
            }
            input.end_row();
            if next.is_some() {
                if input.pass_blanks()? != next {
                    return Err(input.error(BROKEN));
                }
                input.pass(1);
            }
        }
    }
}

/// Goes to the value of a member of the object that comes next.
fn find_member(input: &mut Input, wanted: &str) -> Result<(), ReadError> {
    input.pass(1);
    let mut names: Vec<String> = Vec::new();
    loop {
        match input.pass_blanks()? {
            Some(b'"') => {}
            Some(b',') if !names.is_empty() => {
                input.pass(1);
                continue;
            }
            Some(b'}') => {
                let names = names.join(", ");
                return Err(input.error(format!("there is no `{wanted}`; there are: {names}")));
            }
            _ => return Err(input.error("the object is broken before the list of rows")),
        }
        pass_value(input)?;
        let name: String = serde_json::from_slice(input.row()).unwrap_or_default();
        input.end_row();
        if input.pass_blanks()? != Some(b':') {
            return Err(input.error("the object is broken before the list of rows"));
        }
        input.pass(1);
        if name == wanted {
            return Ok(());
        }
        if names.len() < MAX_NAMES {
            let shown = name.chars().filter(|letter| !letter.is_control()).take(64);
            names.push(shown.collect());
        }
        input.pass_blanks()?;
        pass_value(input)?;
        input.end_row();
    }
}

/// Open brackets and texts of a value.
#[derive(Default)]
struct Open {
    depth: usize,
    text: bool,
    escaped: bool,
    begun: bool,
}

impl Open {
    /// Whether the value ends before this byte, or with it.
    fn end(&mut self, byte: u8) -> Option<usize> {
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.text = false;
                    return (self.depth == 0).then_some(1);
                }
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' | b'{' | b'[' if self.depth == 0 && self.begun => return Some(0),
            b'"' => self.text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' | b',' | b':' if self.depth == 0 => return Some(usize::from(!self.begun)),
            b'}' | b']' => {
                self.depth -= 1;
                return (self.depth == 0).then_some(1);
            }
            _ if self.depth == 0 && byte.is_ascii_whitespace() => return Some(0),
            _ => {}
        }
        self.begun = true;
        None
    }
}

/// Takes a value into the present row. Returns its length.
fn pass_value(input: &mut Input) -> Result<usize, ReadError> {
    let (mut open, mut length) = (Open::default(), 0);
    loop {
        let bytes = input.peek()?;
        if bytes.is_empty() {
            if open.depth > 0 || open.text {
                return Err(input.error("the file is cut off within a value"));
            }
            return Ok(length);
        }
        let all = bytes.len();
        let end = bytes
            .iter()
            .enumerate()
            .find_map(|(at, byte)| open.end(*byte).map(|more| at + more));
        input.consume(end.unwrap_or(all));
        length += end.unwrap_or(all);
        if end.is_some() {
            return Ok(length);
        }
    }
}
