//! The header of a CSV file: names of columns, and what is odd about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Columns of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    /// Names; empty where a column has none.
    pub(super) columns: Arc<[String]>,
    /// Names as the file has them.
    said: Vec<String>,
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
        let (mut notes, said) = (nameless(&columns), columns.clone());
        notes.extend(number_repeated(&mut columns));
        Ok(Self {
            columns: columns.into(),
            said,
            notes,
        })
    }
}

impl Header {
    /// Whether a row says the names of the columns again, in their order.
    pub(super) fn is_repeated_by<'a>(&self, mut fields: impl Iterator<Item = &'a [u8]>) -> bool {
        let mut names = self.said.iter();
        let repeats = names.all(|name| fields.next().is_some_and(|field| says(field, name)));
        repeats && fields.next().is_none()
    }

    /// Whether a row is the header of other columns: its fields are different names, and it says
    /// all names in another order, or most of them and others.
    pub(super) fn is_replaced_by<'a>(
        &self,
        fields: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> bool {
        // A single letter is as likely an answer as a name.
        let is_known = |field: &[u8]| {
            let mut names = self.said.iter().filter(|name| name.len() > 1);
            names.any(|name| says(field, name))
        };
        // The first field of a row of data is no name.
        if !fields.clone().next().is_some_and(is_known) {
            return false;
        }
        let (mut different, mut count, mut known) = (BTreeSet::new(), 0, 0);
        for field in fields.clone() {
            count += 1;
            known += usize::from(is_known(field));
            different.insert(field.trim_ascii().to_ascii_lowercase());
        }
        let is_permuted = count == self.said.len() && known == count;
        different.len() == count
            && count > 1
            && (is_permuted || known * 2 > count)
            && !self.is_repeated_by(fields)
    }
}

/// Whether a field is the name of a column, whatever its case and what surrounds it.
fn says(field: &[u8], name: &str) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| trimmed(text).eq_ignore_ascii_case(name))
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
