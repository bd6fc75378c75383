//! Whether a file has what its mapping reads.
//!
//! A column that the mapping reads and the file lacks would empty a field of every customer, so
//! such a file is not imported unless the caller allows it. Columns that the mapping does not read
//! are named once. Of JSON, where each row has names of its own, both are named after the last row.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;
use profile_core::model::MappedFields;

/// How many names a message lists.
const MAX_NAMES: usize = 20;

/// Compares the columns of a file with what its mapping reads. Returns what to tell.
pub(super) fn of_header(
    file: &Path,
    columns: &[&str],
    mapped: &MappedFields,
    allow_missing: bool,
) -> anyhow::Result<Option<String>> {
    let columns: BTreeSet<&str> = columns.iter().copied().collect();
    let missing = missing(&columns, mapped);
    if !missing.is_empty() && !allow_missing {
        let (file, missing, columns) = (file.display(), listed(missing), listed(columns));
        bail!(
            "{file}: lacks columns that the mapping reads: {missing}; it has: {columns}; \
             map other names, or import it with --allow-missing-columns"
        );
    }
    let mut told = Vec::new();
    if !missing.is_empty() {
        told.push(format!(
            "lacks columns that the mapping reads: {}",
            listed(missing)
        ));
    }
    let unread = unread(&columns, mapped);
    if !unread.is_empty() {
        told.push(format!(
            "columns that the mapping does not read: {}",
            listed(unread)
        ));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

/// Differences of the rows of a file from its mapping.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// Remarks for the caller.
    pub(super) told: Vec<String>,
    /// Whether no row has anything that the mapping reads.
    pub(super) useless: bool,
}

/// Compares the names of all rows of a JSON file with what its mapping reads.
pub(super) fn of_rows(names: &BTreeSet<String>, mapped: &MappedFields) -> Compared {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let (missing, unread) = (missing(&names, mapped), unread(&names, mapped));
    let useless = !names.is_empty() && !mapped.reads_any_of(&names);
    let mut told = Vec::new();
    if !missing.is_empty() {
        told.push(format!(
            "the mapping reads fields that no row has: {}",
            listed(missing)
        ));
    }
    if !unread.is_empty() {
        told.push(format!(
            "fields that the mapping does not read: {}",
            listed(unread)
        ));
    }
    Compared { told, useless }
}

fn missing<'a>(names: &BTreeSet<&str>, mapped: &'a MappedFields) -> Vec<&'a str> {
    let required = mapped.required.iter().map(String::as_str);
    required.filter(|name| !names.contains(name)).collect()
}

fn unread<'a>(names: &BTreeSet<&'a str>, mapped: &MappedFields) -> Vec<&'a str> {
    let names = names.iter().copied();
    names.filter(|name| !mapped.may_read(name)).collect()
}

/// Names for people.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<String> = names.into_iter().map(shown).collect();
    match all.get(MAX_NAMES..) {
        Some(more) if !more.is_empty() => {
            format!("{} and {} more", all[..MAX_NAMES].join(", "), more.len())
        }
        _ => all.join(", "),
    }
}

fn shown(name: &str) -> String {
    const MAX_LETTERS: usize = 64;
    let letters = name.chars().filter(|letter| !letter.is_control());
    format!("`{}`", letters.take(MAX_LETTERS).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use profile_core::model::Model;

    fn mapped(traits: &str) -> MappedFields {
        let file = format!(
            "identifiers: {{ email: {{ priority: 1 }} }}\ntraits: {{ name: {{}}, tier: {{}} }}\n\
             sources: {{ crm: {{ records: {{ customers: {{ key: id, traits: {traits} }} }} }} }}\n"
        );
        let model = Model::parse(&file).unwrap_or_else(|errors| panic!("{errors:?}"));
        model.mapped_fields("crm", "customers").expect("a mapping")
    }

    #[test]
    fn a_header_must_have_what_the_mapping_reads() {
        let file = Path::new("a.csv");
        let of = |traits: &str, columns: &[&str], allow| {
            of_header(file, columns, &mapped(traits), allow)
                .map_or_else(|error| format!("! {error}"), Option::unwrap_or_default)
        };
        let plain = "{ name: first_name }";
        assert_eq!(of(plain, &["id", "first_name"], false), "");
        let refused = of(plain, &["id", "First Name"], false);
        assert!(
            refused.starts_with("! a.csv: lacks columns that the mapping reads: `first_name`; it has: `First Name`, `id`"),
            "{refused}"
        );
        let allowed = of(plain, &["id", "First Name"], true);
        assert!(allowed.contains("does not read: `First Name`"), "{allowed}");
        assert_eq!(
            of(
                "{ name: \"payload['First Name']\" }",
                &["id", "First Name"],
                false
            ),
            ""
        );
        assert_eq!(
            of(
                "{ name: \"has(payload.nick) ? payload.nick : first\" }",
                &["id", "first"],
                false
            ),
            "",
            "what is asked for need not be there"
        );
        let whole = of(
            "{ tier: \"size(payload) > 3 ? 'a' : 'b'\" }",
            &["id", "x"],
            false,
        );
        assert_eq!(whole, "", "everything is read");
    }

    #[test]
    fn rows_without_anything_that_is_read_are_useless() {
        let mapped = mapped("{ name: first_name }");
        let of = |names: &[&str]| of_rows(&names.iter().map(|&n| n.to_owned()).collect(), &mapped);
        assert_eq!(of(&["id", "first_name"]), Compared::default());
        assert!(of(&["Id", "FirstName"]).useless);
        assert!(!of(&["id"]).useless && of(&["id"]).told[0].contains("`first_name`"));
        assert!(!of(&[]).useless, "no rows are another fault");
    }
}
