//! Whether a row keeps to the rules of quotes: RFC 4180, section 2, rules 5 to 7.
//!
//! The parser is lenient and would read another value than was meant, silently.

use crate::sources::files::options::Quote;

/// The fault of the quotes of a row.
pub(super) fn fault(
    row: &[u8],
    separator: u8,
    quote: Quote,
    escape: Option<u8>,
) -> Option<&'static str> {
    const AFTER: &str = "has a character after a closing quote: a quote within quotes is doubled; \
         declare --escape '\\' if a backslash escapes it, or --quote none if quotes mean nothing";
    const BEFORE: &str = "has a blank before an opening quote: write none, or declare --quote none";
    let Quote::Byte(quote) = quote else {
        return None;
    };
    let is_end = |byte: u8| byte == separator || byte == b'\r' || byte == b'\n';
    let mut at = 0;
    while at < row.len() {
        let blanks = blanks(&row[at..], separator);
        if row.get(at) == Some(&quote) {
            at = after_quotes(row, at + 1, quote, escape)?;
            if row.get(at).is_some_and(|byte| !is_end(*byte)) {
                return Some(AFTER);
            }
        } else if separator != b' ' && row.get(at + blanks) == Some(&quote) {
            return Some(BEFORE);
        }
        at += row[at..].iter().take_while(|byte| !is_end(**byte)).count() + 1;
    }
    None
}

/// Length of the blanks at the beginning: spaces, tabs, and spaces that do not break.
fn blanks(bytes: &[u8], separator: u8) -> usize {
    const NO_BREAK: &[u8] = "\u{a0}".as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        if matches!(byte, b' ' | b'\t') && *byte != separator {
            length += 1;
        } else if bytes[length..].starts_with(NO_BREAK) {
            length += NO_BREAK.len();
        } else {
            break;
        }
    }
    length
}

/// The place after the closing quote. `None`: there is none; the caller refuses such rows before.
fn after_quotes(row: &[u8], mut at: usize, quote: u8, escape: Option<u8>) -> Option<usize> {
    loop {
        let byte = *row.get(at)?;
        if escape == Some(byte) {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if escape.is_none() && row.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// The text of a field that a spreadsheet writes as a formula, so that it stays a text: `="00123"`.
pub(super) fn unformula(text: &str) -> &str {
    text.strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|inner| !inner.contains('"'))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_do_not_fit_are_found() {
        let of = |row: &str| fault(row.as_bytes(), b',', Quote::Byte(b'"'), None).is_some();
        for fine in [
            "a,b\r\n",
            "\"a\",\"b\"\"c\"\n",
            "\"a\nb\",c",
            "5\" pipe,b",
            "\"C:\\\",b\n",
            "\"\",\"\"\n",
            "a, b\n",
            "{\"type\": 1},b\n",
            "=\"00123\",b\n",
        ] {
            assert!(!of(fine), "{fine}");
        }
        for wrong in [
            "1,\"Ann \\\"Lee\\\"\"\n",
            "\"a\"b,c\n",
            "\"a\" ,b\n",
            "a, \"b\"\n",
            "a,\t\"b\"\n",
            "a,\u{a0}\"b\"\n",
        ] {
            assert!(of(wrong), "{wrong}");
        }
        let escaped = fault(
            b"1,\"Ann \\\"Lee\\\"\"\n",
            b',',
            Quote::Byte(b'"'),
            Some(b'\\'),
        );
        assert_eq!(escaped, None);
    }

    #[test]
    fn a_formula_that_is_a_text_is_that_text() {
        for (field, text) in [
            ("=\"00123\"", "00123"),
            ("=\"\"", ""),
            ("=1+1", "=1+1"),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
            ("\"a\"", "\"a\""),
        ] {
            assert_eq!(unformula(field), text);
        }
    }
}
