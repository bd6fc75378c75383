//! Files to import: CSV and NDJSON, plain and compressed.

use std::io::{self, Read, Write};

use customer_profile::sources::files::{FileReader, Options, Position, ReadError, Row};

use super::{Answer, Target, bytes, ensure, outline, refusal, text};

/// A file that begins like CSV.
pub(super) const CSV: Target = Target {
    name: "csv",
    words: &[
        "\"", "\"\"", ",", ";", "\t", "|", "\r\n", "\n\n", "id,name", "\u{feff}", "\r",
    ],
    seeds: csv_seeds,
    check: check_file,
};

/// Fields that are written as CSV and read back.
pub(super) const CSV_FIELDS: Target = Target {
    name: "csv-fields",
    words: &[
        "\"", "\"\"", ",", ";", "\r\n", "\n", "\t", "\u{1}", "\u{2}", "\u{feff}",
    ],
    seeds: field_seeds,
    check: check_fields,
};

/// A file that begins like NDJSON.
pub(super) const NDJSON: Target = Target {
    name: "ndjson",
    words: &[
        "{\"a\":1}\n",
        "\n",
        "\r\n",
        "{",
        "}",
        "[",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "1e999",
        "null",
        "\u{feff}{",
    ],
    seeds: ndjson_seeds,
    check: check_file,
};

fn csv_seeds() -> Vec<Vec<u8>> {
    let mut seeds = bytes(&[
        "id,name,total\n1,Ann,12.50\n2,\"Lee, Bob\",\"3\"\n",
        "id;name\r\n1;\"two\r\nlines\"\r\n\r\n2;\"a \"\"quoted\"\" word\"\r\n",
        "id\tname\n1\tAnn",
        "\u{feff}id|name\n1|Ann\n2|\n",
        "id,name\n1\n1,2,3\n\"open\n",
        "id\n\n\n7\n",
    ]);
    let packed: Vec<Vec<u8>> = seeds.iter().take(2).map(|seed| compressed(seed)).collect();
    seeds.extend(packed);
    seeds
}

fn ndjson_seeds() -> Vec<Vec<u8>> {
    let mut seeds = bytes(&[
        "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2}\n",
        " \n{\"id\":1}\r\n\r\n{\"id\":[1,{\"a\":null}]}",
        "{\"id\":1}\nnot json\n{\"id\":9007199254740993,\"x\":1.10}\n",
    ]);
    seeds.push(compressed(&seeds[0]));
    seeds
}

fn field_seeds() -> Vec<Vec<u8>> {
    bytes(&[
        "a\u{1}b\u{2}1\u{1}2\u{2}x, \"y\"\u{1}\u{2}",
        "\u{1}\u{1}\u{2}\r\n\u{1}\"\u{1};",
    ])
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory does not fail.
    drop(writer.write_all(bytes));
    writer.finish().unwrap_or_default()
}

/// A source that gives few bytes at a time, as pipes and decompressors do.
struct Chunked {
    bytes: Vec<u8>,
    at: usize,
    most: usize,
}

impl Read for Chunked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.most).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// The rows of a file from a position on, and why there are no more.
fn read(bytes: &[u8], most: usize, start: Position) -> (Vec<Row>, Option<String>) {
    let length = bytes.len() as u64;
    let source = Chunked {
        bytes: bytes.to_vec(),
        at: 0,
        most,
    };
    let reader = match FileReader::new(source, length, &Options::default(), start) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut rows = Vec::new();
    for row in reader {
        match row {
            Ok(row) => rows.push(row),
            Err(error @ ReadError { .. }) => return (rows, Some(error.to_string())),
        }
    }
    (rows, None)
}

/// Rows do not depend on how the bytes arrive; reading goes on from any row; positions only grow;
/// each refusal says what is wrong.
fn check_file(input: &[u8]) -> Answer {
    let (rows, error) = read(input, usize::MAX, Position::START);
    ensure(
        !error
            .iter()
            .any(|error| error.chars().any(char::is_control)),
        || format!("a control character in {error:?}"),
    )?;
    let mut before = Position::START;
    for row in &rows {
        ensure(
            row.end.offset > before.offset
                && row.line > before.lines
                && row.end.lines + 1 >= row.line,
            || {
                format!(
                    "a row at line {} ends at {:?}, the one before at {before:?}",
                    row.line, row.end
                )
            },
        )?;
        before = row.end;
        if let Err(violation) = &row.payload {
            refusal(std::slice::from_ref(violation))?;
        }
    }
    for most in [1, 7] {
        let chunked = read(input, most, Position::START);
        ensure(chunked == (rows.clone(), error.clone()), || {
            format!(
                "read by {most} bytes at a time, the rows are {chunked:?} instead of {rows:?}, {error:?}"
            )
        })?;
    }
    if let Some(row) = rows.get(rows.len() / 2) {
        let (rest, rest_error) = read(input, usize::MAX, row.end);
        ensure(
            rest == rows[rows.len() / 2 + 1..] && rest_error == error,
            || {
                format!(
                    "resumed at {:?}, the rows are {rest:?}, {rest_error:?} instead of those of {rows:?}, {error:?}",
                    row.end
                )
            },
        )?;
    }
    let mut shapes: Vec<String> = rows
        .iter()
        .map(|row| match &row.payload {
            Ok(json) => format!(
                "{} fields",
                json.as_object().map_or(0, serde_json::Map::len)
            ),
            Err(violation) => violation.description.clone(),
        })
        .collect();
    shapes.dedup();
    shapes.truncate(8);
    Ok(format!(
        "{} {}",
        shapes.join(", "),
        error.unwrap_or_default()
    ))
}

/// Maximum number of columns that are written: fewer than a header may have.
const MAX_COLUMNS: usize = 1_000;

/// A table of texts, written by a CSV writer and read back: each field is the same.
fn check_fields(input: &[u8]) -> Answer {
    let given = text(input);
    let table: Vec<Vec<&str>> = given
        .split('\u{2}')
        .map(|row| row.split('\u{1}').collect())
        .collect();
    let width = table.iter().map(Vec::len).max().unwrap_or(1);
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(Vec::new());
    if width > MAX_COLUMNS {
        return Ok("too many columns".to_owned());
    }
    if table.iter().flatten().any(|field| field.contains('\0')) {
        return Ok("bytes that no text has: refused".to_owned());
    }
    let header: Vec<String> = (0..width).map(|index| format!("c{index}")).collect();
    let mut written = writer.write_record(&header).is_ok();
    for row in &table {
        let fields = row.iter().copied().chain(std::iter::repeat("")).take(width);
        written &= writer.write_record(fields).is_ok();
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    ensure(written, || "the table cannot be written".to_owned())?;
    let (rows, error) = read(&bytes, usize::MAX, Position::START);
    ensure(error.is_none() && rows.len() == table.len(), || {
        format!("{} rows of {}: {error:?}", rows.len(), table.len())
    })?;
    for (row, expected) in rows.iter().zip(&table) {
        let Ok(read) = &row.payload else {
            return Err(format!("line {}: {:?}", row.line, row.payload));
        };
        for (index, name) in header.iter().enumerate() {
            let (field, expected) = (
                read[name].as_str().unwrap_or_default(),
                expected.get(index).copied().unwrap_or_default(),
            );
            ensure(field == expected, || {
                format!(
                    "line {}, {name}: {expected:?} is read as {field:?}",
                    row.line
                )
            })?;
        }
    }
    let (width, height) = (width.min(9), table.len().min(9));
    Ok(format!(
        "{} {} {}",
        "c".repeat(width),
        "r".repeat(height),
        outline(&given)
    ))
}
