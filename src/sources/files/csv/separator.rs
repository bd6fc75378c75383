//! Which separator a CSV file has, by its first rows.
//!
//! A separator counts where it parts the header and the rows into as many fields, outside quotes.
//! Where two do so, or none parts the rows as the header, the file is refused: nothing is guessed.

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::sources::files::options::{Quote, Separator};

const SEPARATORS: [u8; 4] = *b",;\t|";
/// Number of rows that are looked at.
const SAMPLE_ROWS: usize = 20;
const MAX_SAMPLE_FIELDS: usize = 4_096;

/// A separator, and how it is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) separator: Separator,
    pub(super) why: &'static str,
}

/// How a separator parts the beginning of a file.
#[derive(Debug, Clone, Copy)]
struct Parts {
    separator: u8,
    /// Fields of the header.
    header: usize,
    /// Fields of the first row.
    first: usize,
    /// Rows with as many fields as the header.
    fitting: usize,
    rows: usize,
    /// Whether all rows have as many fields as the first, and more than one.
    even: bool,
}

/// The separator that a first line such as `sep=;` declares, and the length of the line.
pub(super) fn declared(beginning: &[u8]) -> Option<(u8, usize)> {
    let end = beginning
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let line = beginning[..end].trim_ascii_end();
    let line = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line);
    let windows = beginning[end..].starts_with(b"\r\n");
    let passed = end + 1 + usize::from(windows);
    match line {
        // The tab is a blank, too.
        [s, e, p, b'='] if is_sep([*s, *e, *p]) && beginning[..end].contains(&b'\t') => {
            Some((b'\t', passed))
        }
        [s, e, p, b'=', separator] if is_sep([*s, *e, *p]) => Some((*separator, passed)),
        _ => None,
    }
}

fn is_sep(word: [u8; 3]) -> bool {
    word.eq_ignore_ascii_case(b"sep")
}

/// The separator of a file without a declaration. `whole`: the beginning is all there is.
///
/// # Errors
/// Several separators fit, or none.
pub(super) fn told(
    beginning: &[u8],
    whole: bool,
    quote: Quote,
    escape: Option<u8>,
) -> Result<Known, String> {
    let all = SEPARATORS.map(|separator| parts(beginning, whole, separator, (quote, escape)));
    let parting = || all.iter().filter(|parts| parts.header > 1);
    let known = |separator, why| {
        let separator = Separator::Byte(separator);
        Ok(Known { separator, why })
    };
    let Some(best) = parting().max_by_key(|parts| (share(parts), parts.header)) else {
        return match all.iter().find(|parts| parts.even) {
            Some(parts) => Err(format!(
                "line 1 has one field, and the rows after it have {} between {}: \
                 is it a title? Declare --skip-lines, or --separator if the file has one column",
                parts.first,
                shown(parts.separator)
            )),
            None => known(b',', "it has one column"),
        };
    };
    if best.rows == 0 {
        return known(best.separator, "most frequent in the header");
    }
    if best.fitting == 0 {
        return Err(format!(
            "the header has {} fields between {}, and no row has as many: the first has {}; \
             declare --separator, --quote or --skip-lines",
            best.header,
            shown(best.separator),
            best.first
        ));
    }
    let equal = |parts: &&Parts| {
        parts.separator != best.separator
            && (share(parts), parts.header) == (share(best), best.header)
    };
    match parting().find(equal) {
        Some(other) => Err(format!(
            "the separator may be {} or {}: declare --separator",
            shown(other.separator),
            shown(best.separator)
        )),
        None => known(
            best.separator,
            "as it parts the header and the first rows alike",
        ),
    }
}

/// Rows that fit, in thousandths of all.
fn share(parts: &Parts) -> usize {
    parts.fitting * 1_000 / parts.rows.max(1)
}

/// A separator in a message.
pub(super) fn shown(separator: u8) -> String {
    match separator {
        b'\t' => "tabs".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

fn parts(
    beginning: &[u8],
    whole: bool,
    separator: u8,
    (quote, escape): (Quote, Option<u8>),
) -> Parts {
    let counts = field_counts(beginning, whole, separator, (quote, escape));
    let header = counts.first().copied().unwrap_or_default();
    let rows = counts.get(1..).unwrap_or_default();
    let first = rows.first().copied().unwrap_or_default();
    Parts {
        separator,
        header,
        first,
        fitting: rows.iter().filter(|count| **count == header).count(),
        rows: rows.len(),
        even: first > 1 && rows.iter().all(|count| *count == first),
    }
}

/// How many fields the header and the first rows have.
fn field_counts(
    beginning: &[u8],
    whole: bool,
    separator: u8,
    (quote, escape): (Quote, Option<u8>),
) -> Vec<usize> {
    let mut parser = super::parser(&mut ReaderBuilder::new(), separator, quote, escape);
    let (mut output, mut ends) = (vec![0; beginning.len() + 1], vec![0; MAX_SAMPLE_FIELDS]);
    let (mut counts, mut rest) = (Vec::new(), beginning);
    while counts.len() <= SAMPLE_ROWS {
        let (result, read, _, fields) = parser.read_record(rest, &mut output, &mut ends);
        rest = &rest[read..];
        match result {
            ReadRecordResult::Record => counts.push(fields),
            // The last row may be cut off, unless the file ends here.
            ReadRecordResult::InputEmpty if whole && read > 0 => {
                let (result, _, _, more) =
                    parser.read_record(b"", &mut output, &mut ends[fields..]);
                if result == ReadRecordResult::Record {
                    counts.push(fields + more);
                }
                break;
            }
            _ => break,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        match told(text.as_bytes(), true, Quote::Byte(b'"'), None) {
            Ok(Known {
                separator: Separator::Byte(byte),
                ..
            }) => shown(byte),
            Ok(_) => "blanks".to_owned(),
            Err(what) => what,
        }
    }

    #[test]
    fn a_separator_parts_header_and_rows_alike() {
        for (text, separator) in [
            ("id,name\n1,Ann\n", "`,`"),
            ("id,name", "`,`"),
            ("id;price\n1;2,50\n2;3,50\n", "`;`"),
            (
                "id;first_name;\"Opt-in (yes, no, maybe)\"\n1;Ann;yes\n",
                "`;`",
            ),
            ("id;name (last, first), title\n1;Lee\n2;Roe\n", "`;`"),
            (
                "SKU (new, old);Name (100 letters, or less);Brand (known, new)\n1;a;b\n",
                "`;`",
            ),
            ("id\tnote\n1\ta,b;c\n", "tabs"),
            ("id|a\n1|x,y\n", "`|`"),
            ("id\n1\n2\n", "`,`"),
            ("name\n\"Lee, Ann\"\n", "`,`"),
            ("id;list\n1;['112', '112']\n2;['345']\n", "`;`"),
        ] {
            assert_eq!(of(text), separator, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_refused_with_what_to_declare() {
        for (text, part) in [
            ("a,b;c\n1,2;3\n", "may be"),
            ("Customers of May\nid,name\n1,Ann\n", "is it a title?"),
            (
                "Customers, May\nid,name,city\n1,Ann,Rome\n",
                "no row has as many",
            ),
        ] {
            assert!(of(text).contains(part), "{text}: {}", of(text));
        }
    }

    #[test]
    fn a_first_line_may_declare_the_separator() {
        assert_eq!(declared(b"sep=;\r\nid"), Some((b';', 7)));
        assert_eq!(declared(b"SEP=,\nid"), Some((b',', 6)));
        assert_eq!(declared(b"sep=;\rid;name\r"), Some((b';', 6)));
        assert_eq!(declared(b"sep=\t\nid"), Some((b'\t', 6)));
        assert_eq!(declared(b"\"sep=|\"\nid"), Some((b'|', 8)));
        assert_eq!(declared(b"separator;b\n"), None);
        assert_eq!(declared(b"sep=;"), None);
    }
}
