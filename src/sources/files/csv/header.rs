//! The header of a CSV file: names of columns, and what is odd about them.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Columns of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    /// Names; empty where a column has none.
    pub(super) columns: Arc<[String]>,
    /// Oddities, and how they are read.
    pub(super) notes: Vec<String>,
}

impl Header {
    /// Reads the fields of a header line.
    ///
    /// # Errors
    /// It is no text, or names nothing.
    pub(super) fn read<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Self, String> {
        let mut columns = Vec::new();
        for (index, field) in fields.enumerate() {
            let name = std::str::from_utf8(field).map_err(|_| {
                let number = index + 1;
                format!("the header's column {number} is not in the encoding of the file: declare --encoding")
            })?;
            columns.push(trimmed(name).to_owned());
        }
        if columns.iter().all(String::is_empty) {
            return Err("the header names no column".to_owned());
        }
        let mut notes = nameless(&columns);
        notes.extend(number_repeated(&mut columns));
        Ok(Self {
            columns: columns.into(),
            notes,
        })
    }
}

/// Without blanks, marks of byte order and zero-width letters around it.
fn trimmed(name: &str) -> &str {
    name.trim_matches(|letter: char| {
        letter.is_whitespace()
            || matches!(letter, '\u{FEFF}' | '\u{200B}'..='\u{200D}' | '\u{2060}')
    })
}

fn nameless(columns: &[String]) -> Vec<String> {
    let numbers: Vec<String> = columns
        .iter()
        .enumerate()
        .filter(|(_, name)| name.is_empty())
        .map(|(index, _)| (index + 1).to_string())
        .collect();
    match numbers.as_slice() {
        [] => Vec::new(),
        [number] => vec![format!("column {number} has no name and is not read")],
        _ => vec![format!(
            "the columns {} have no name and are not read",
            numbers.join(", ")
        )],
    }
}

/// Columns of one name get numbers, so that a mapping never takes one of them by chance.
fn number_repeated(columns: &mut [String]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, name) in columns.iter().enumerate() {
        if !name.is_empty() {
            places.entry(name.clone()).or_default().push(index);
        }
    }
    let mut notes = Vec::new();
    for (name, places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
        for (number, place) in places.iter().enumerate() {
            columns[*place] = format!("{name} ({})", number + 1);
        }
        let (name, count) = (super::shown(&name), places.len());
        notes.push(format!(
            "the column `{name}` comes {count} times, and is read as `{name} (1)` to `{name} ({count})`"
        ));
    }
    notes
}
