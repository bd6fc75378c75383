//! Oddities of rows: foreign quotes, and lines that only underline.

/// Quotes that are letters unless they are declared, with their names.
const FOREIGN: [(&str, &str, &str); 6] = [
    ("'", "'", "'"),
    ("`", "`", "`"),
    ("\u{201C}", "\u{201D}", "typographic quotes"),
    ("\u{201E}", "\u{201C}", "typographic quotes"),
    ("\u{2018}", "\u{2019}", "typographic quotes"),
    ("\u{AB}", "\u{BB}", "typographic quotes"),
];

/// The name of the foreign quotes within which all fields are, where there are several.
pub(super) fn enclosing<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Option<&'static str> {
    let mut found: Option<(&str, &str, &'static str)> = None;
    let mut count = 0;
    for field in fields {
        let is_within = |(open, close, _): &(&str, &str, &'static str)| {
            let rest = field.strip_prefix(open.as_bytes());
            rest.is_some_and(|rest| rest.ends_with(close.as_bytes()))
        };
        found = match found {
            None if count == 0 => FOREIGN.into_iter().find(is_within),
            other => other.filter(is_within),
        };
        found?;
        count += 1;
    }
    found.filter(|_| count > 1).map(|(_, _, name)| name)
}

/// The refusal of what is within foreign quotes.
pub(super) fn undeclared(quotes: &str, what: &str) -> String {
    if quotes.len() == 1 {
        format!(
            "{what} within {quotes}: declare --quote \"{quotes}\", or --quote none if it is a letter"
        )
    } else {
        format!(
            "{what} within {quotes}: write \" instead, or declare --quote none if they are letters"
        )
    }
}

/// Whether a line has nothing but dashes and what parts them.
pub(super) fn is_underline(line: &[u8]) -> bool {
    let drawn = |byte: &u8| matches!(byte, b'-' | b'=');
    let parting = |byte: &u8| {
        matches!(
            byte,
            b'+' | b'|' | b':' | b',' | b';' | b'\t' | b' ' | b'\r'
        )
    };
    line.iter().all(|byte| drawn(byte) || parting(byte))
        && line.windows(2).any(|pair| pair.iter().all(drawn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_quotes_count_where_all_of_several_fields_are_within_them() {
        for (row, expected) in [
            (&["'1'", "'Ann'"][..], Some("'")),
            (&["`1`", "`Ann`"], Some("`")),
            (
                &["\u{201C}1\u{201D}", "\u{201C}Ann\u{201D}"],
                Some("typographic quotes"),
            ),
            (
                &["\u{201E}1\u{201C}", "\u{201E}Ann\u{201C}"],
                Some("typographic quotes"),
            ),
            (&["'1'", "Ann"], None),
            (&["1", "'Ann'"], None),
            (&["'1'", "\u{201C}Ann\u{201D}"], None),
            (&["'tis'"], None),
            (&["", ""], None),
        ] {
            let found = enclosing(row.iter().map(|field| field.as_bytes()));
            assert_eq!(found, expected, "{row:?}");
        }
    }

    #[test]
    fn an_underline_has_dashes_and_nothing_that_is_data() {
        for (line, expected) in [
            ("--,----", true),
            ("----+------", true),
            ("|----|:---:|", true),
            ("==\t====\r", true),
            ("---", true),
            ("-,-", false),
            ("-1,-2", false),
            (",,", false),
            ("", false),
            ("--,Ann", false),
        ] {
            assert_eq!(is_underline(line.as_bytes()), expected, "{line}");
        }
    }
}
