//! Format of a file by its first bytes.
//!
//! JSON begins with a bracket; other text is CSV. Known other formats are refused by their name.

use serde_json::Value as Json;

use super::options::Format;

/// How many bytes are looked at for zeros.
const SAMPLE_BYTES: usize = 4 * 1024;
/// Keys of a rejected row, as an import writes it.
pub(super) const REJECTED_KEYS: [&str; 3] = ["line", "reasons", "row"];

/// Format of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Detected {
    pub(super) format: Format,
    /// The evidence, in words.
    pub(super) why: &'static str,
    /// Names of the lists in a file that is one JSON object.
    pub(super) lists: Vec<String>,
}

impl Detected {
    fn new(format: Format, why: &'static str) -> Self {
        Self {
            format,
            why,
            lists: Vec::new(),
        }
    }
}

/// First bytes of formats that are not read, with their name and what to do.
const OTHERS: [(&[u8], &str); 24] = [
    (b"PK\x03\x04", ""),
    (
        b"\xD0\xCF\x11\xE0",
        "an Office document such as .xls: save it as CSV in UTF-8",
    ),
    (
        b"PAR1",
        "a Parquet file, which is read by its end first: decompress it, and give its path",
    ),
    (b"PARE", "an encrypted Parquet file: decrypt it"),
    (b"Obj\x01", "an Avro file: convert it to NDJSON"),
    (b"ORC", "an ORC file: convert it to NDJSON"),
    (b"ARROW1", "an Arrow file: convert it to NDJSON"),
    (b"FEA1", "a Feather file: convert it to NDJSON"),
    (b"%PDF", "a PDF document"),
    (
        b"SQLite format 3\0",
        "a SQLite database: export its table as CSV",
    ),
    (
        b"\x1F\x8B",
        "gzip data within gzip data: decompress it once",
    ),
    (
        b"\x1F\x9D",
        "compressed by compress (.Z): decompress it, or use gzip",
    ),
    (b"BZh", "compressed by bzip2: decompress it, or use gzip"),
    (
        b"\xFD7zXZ\0",
        "compressed by xz: decompress it, or use gzip",
    ),
    (
        b"\x28\xB5\x2F\xFD",
        "compressed by zstd: decompress it, or use gzip",
    ),
    (
        b"\x04\x22\x4D\x18",
        "compressed by lz4: decompress it, or use gzip",
    ),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"{\\rtf", "an RTF document: save it as plain text"),
    (b"\x89PNG", "a picture"),
    (b"\xFF\xD8\xFF", "a picture"),
    (b"GIF8", "a picture"),
    (b"-----BEGIN ", "PEM data, such as an encrypted message"),
    (b"MZ\x90\0", "a program"),
];

/// The refusal of bytes that no declaration makes rows.
pub(super) fn refusal(beginning: &[u8]) -> Option<String> {
    if beginning.starts_with(b"PK\x03\x04") {
        let office = [
            &b"xl/"[..],
            b"[Content_Types].xml",
            b"mimetypeapplication/vnd.oasis",
        ];
        let office = office.iter().any(|name| contains(beginning, name));
        return Some(refused(if office {
            "a spreadsheet or Office document such as .xlsx: save it as CSV in UTF-8"
        } else {
            "a zip archive: unpack it"
        }));
    }
    // Short words may begin a header, too: they count only with what no text has.
    let sample = &beginning[..beginning.len().min(SAMPLE_BYTES)];
    let binary =
        sample.contains(&0) || std::str::from_utf8(sample).is_err_and(|e| e.error_len().is_some());
    let known = OTHERS.iter().find(|(magic, _)| {
        let printable = magic.iter().all(u8::is_ascii_graphic) && magic.len() < 5;
        beginning.starts_with(magic)
            && (binary || !printable || magic.starts_with(b"PAR") || *magic == b"%PDF")
    });
    if let Some((_, what)) = known {
        return Some(refused(what));
    }
    if beginning.get(257..262) == Some(b"ustar") {
        return Some(refused("a tar archive: unpack it"));
    }
    sample.contains(&0).then(|| zeros(sample))
}

/// The refusal of text that is no rows, unless it is declared to be.
fn markup(beginning: &[u8]) -> Option<String> {
    if beginning.first() != Some(&b'<') {
        return None;
    }
    let start = &beginning[..beginning.len().min(SAMPLE_BYTES)].to_ascii_lowercase();
    let html = [
        &b"<!doctype html"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<table",
    ];
    Some(refused(if html.iter().any(|tag| contains(start, tag)) {
        "an HTML page, such as a sign-in page in place of the download"
    } else {
        "XML: convert it to NDJSON or CSV"
    }))
}

fn refused(what: &str) -> String {
    format!("the file is {what}; files are CSV, NDJSON or JSON, plain or gzip, or Parquet")
}

/// The refusal of a file with zero bytes.
fn zeros(sample: &[u8]) -> String {
    let zeros = |odd: usize| {
        let half = sample.iter().skip(odd).step_by(2);
        half.filter(|byte| **byte == 0).count() * 4 > sample.len()
    };
    let what = match (zeros(1), zeros(0)) {
        (true, false) => "UTF-16 without a mark, it seems: declare --encoding utf-16le",
        (false, true) => "UTF-16 without a mark, it seems: declare --encoding utf-16be",
        _ => "no text: it has bytes that are zero",
    };
    refused(what)
}

/// The format of a file by its beginning, which has no blanks in front. `whole`: there is no more.
pub(super) fn detect(beginning: &[u8], whole: bool, path: &[String]) -> Result<Detected, String> {
    if let Some(what) = markup(beginning) {
        return Err(what);
    }
    match beginning.first() {
        None => Err("the file is empty: it has neither a header nor an object".to_owned()),
        Some(b'[') if begins_list(beginning) => {
            Ok(Detected::new(Format::Json, "it begins with `[`"))
        }
        Some(b'{') if !path.is_empty() => Ok(Detected::new(Format::Json, "a path is declared")),
        Some(b'{') => Ok(objects(beginning, whole)),
        Some(_) => Ok(Detected::new(Format::Csv, "it is text and no JSON")),
    }
}

/// Whether a value of JSON follows the bracket: a header may begin with one too.
fn begins_list(beginning: &[u8]) -> bool {
    let next = beginning[1..].trim_ascii_start().first();
    next.is_none_or(|byte| matches!(byte, b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9'))
        || [&b"null"[..], b"true", b"false"]
            .iter()
            .any(|word| beginning[1..].trim_ascii_start().starts_with(word))
}

fn objects(beginning: &[u8], whole: bool) -> Detected {
    let mut lines = beginning.split(|byte| matches!(byte, b'\r' | b'\n'));
    let first = lines.next().unwrap_or_default();
    let second = lines.find(|line| !line.trim_ascii().is_empty());
    let one = whole && second.is_none();
    match serde_json::from_slice::<Json>(first) {
        Ok(Json::Object(object)) if REJECTED_KEYS.iter().all(|key| object.contains_key(*key)) => {
            Detected::new(Format::Rejects, "its first line is a rejected row")
        }
        Ok(object) => Detected {
            lists: if one { lists(&object) } else { Vec::new() },
            ..Detected::new(Format::JsonLines, "its first line is a JSON object")
        },
        Err(error) if error.is_eof() && !begins_line(second) && (second.is_some() || !whole) => {
            let object = whole
                .then(|| serde_json::from_slice(beginning).ok())
                .flatten();
            Detected {
                lists: object.as_ref().map(lists).unwrap_or_default(),
                ..Detected::new(Format::Json, "its first object has several lines")
            }
        }
        Err(_) => Detected::new(Format::JsonLines, "it begins with `{`"),
    }
}

/// Whether a line is an object of its own.
fn begins_line(line: Option<&[u8]>) -> bool {
    line.is_some_and(|line| serde_json::from_slice::<Json>(line).is_ok_and(|row| row.is_object()))
}

/// The members of an object that are lists of objects.
fn lists(object: &Json) -> Vec<String> {
    let members = object.as_object().into_iter().flatten();
    let rows = |value: &Json| {
        value
            .as_array()
            .is_some_and(|rows| rows.iter().any(Json::is_object))
    };
    members
        .filter(|(_, value)| rows(value))
        .map(|(name, _)| name.clone())
        .collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
