//! Declarations of a file, so that nothing of it need be read off its bytes.

use std::str::FromStr;

use encoding_rs::Encoding;

/// How a file's rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Fields between separators.
    Csv,
    /// A JSON object in each line.
    JsonLines,
    /// A JSON list, or JSON objects one after the other, over any number of lines.
    Json,
    /// Rows that an earlier import rejected.
    Rejects,
}

/// Separator of the fields of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// One ASCII character.
    Byte(u8),
    /// Any number of blanks; there are no quotes then.
    Blanks,
}

/// Enclosure of fields that contain separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// One ASCII character.
    Byte(u8),
    /// Nothing: quotes are letters like others.
    None,
}

/// Declared properties of a file. `None`: told from its content.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How rows are written.
    pub format: Option<Format>,
    /// Separator of CSV.
    pub separator: Option<Separator>,
    /// Quote of CSV. `None`: `"`.
    pub quote: Option<Quote>,
    /// Character before a quote within quotes. `None`: quotes within quotes are doubled.
    pub escape: Option<u8>,
    /// Encoding of a file that has no mark of its own. `None`: UTF-8.
    pub encoding: Option<&'static Encoding>,
    /// Lines before the header or the first row.
    pub skip_lines: u64,
    /// Names of the columns of a CSV file without a header.
    pub columns: Vec<String>,
    /// Names that lead from a JSON document's object to its list of rows.
    pub path: Vec<String>,
}

impl Options {
    /// Everything declared, as one text: two readings of a file are the same only if it is equal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let encoding = self.encoding.map(Encoding::name);
        format!(
            "{:?} {:?} {:?} {:?} {encoding:?} {} {:?} {:?}",
            self.format,
            self.separator,
            self.quote,
            self.escape,
            self.skip_lines,
            self.columns,
            self.path
        )
    }
}

/// The text names nothing that there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownOption(&'static str);

impl FromStr for Format {
    type Err = UnknownOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "csv" => Ok(Self::Csv),
            "ndjson" => Ok(Self::JsonLines),
            "json" => Ok(Self::Json),
            "rejects" => Ok(Self::Rejects),
            _ => Err(UnknownOption("must be csv, ndjson, json or rejects")),
        }
    }
}

/// One printable ASCII character that ends no line.
fn byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii_graphic() || *byte == b' ' => Some(*byte),
        _ => None,
    }
}

impl FromStr for Separator {
    type Err = UnknownOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tab" | "\\t" | "\t" => Ok(Self::Byte(b'\t')),
            "blanks" => Ok(Self::Blanks),
            _ => byte(text)
                .filter(|byte| !byte.is_ascii_alphanumeric())
                .map(Self::Byte)
                .ok_or(UnknownOption(
                    "must be one ASCII character that is no letter or digit, `tab` or `blanks`",
                )),
        }
    }
}

impl FromStr for Quote {
    type Err = UnknownOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            _ => byte(text)
                .map(Self::Byte)
                .ok_or(UnknownOption("must be one ASCII character, or `none`")),
        }
    }
}

/// The character that escapes quotes.
///
/// # Errors
/// It is not one ASCII character.
pub fn escape(text: &str) -> Result<u8, UnknownOption> {
    byte(text).ok_or(UnknownOption("must be one ASCII character"))
}

/// An encoding by a label of the WHATWG standard, such as `windows-1252`.
///
/// # Errors
/// There is no such label.
pub fn encoding(label: &str) -> Result<&'static Encoding, UnknownOption> {
    const RULE: &str =
        "must be a label of the WHATWG Encoding Standard, such as windows-1252 or utf-16le";
    Encoding::for_label(label.as_bytes())
        .filter(|encoding| *encoding != encoding_rs::REPLACEMENT)
        .ok_or(UnknownOption(RULE))
}
