//! Wrappings of an address: entities and tags of HTML, links, properties of cards.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::trimmed;

const ENTITIES: [(&str, &str); 13] = [
    ("&commat;", "@"),
    ("&period;", "."),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&rsquo;", "'"),
    ("&lsquo;", "'"),
    ("&ndash;", "-"),
    ("&hyphen;", "-"),
    ("&lowbar;", "_"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

static NUMBERED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"&#(?:[xX]([0-9A-Fa-f]{1,6})|([0-9]{1,7}));").ok());
/// A link of HTML with the text that it is under.
static ANCHOR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)<a\s[^<>]*?href\s*=\s*["']?mailto:([^<>"'?\s]*)[^<>]*>([^<>]*)</a>"#).ok()
});
static LINE_BREAK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)<(?:br|/p|/li|/div)\s*/?>").ok());
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)</?(?:p|b|i|u|em|strong|span|div|font|td|tr|li|ul)(?:\s[^<>@]*)?/?>").ok()
});
/// The name and the parameters of a property of a vCard.
static PROPERTY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)^(?:item\d+\.)?email(?:;[^:@]*)?:").ok());
static HIDDEN_AT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\s*(?:\(at\)|\[at\]|\{at\})\s*").ok());
static HIDDEN_DOT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\s*(?:\(dot\)|\[dot\]|\{dot\})\s*").ok());

/// The text without HTML, without the scheme and the query of a link.
pub(super) fn decoded(text: &str) -> String {
    let text = without_hiding(without_tags(without_entities(text)));
    let text = replaced(&PROPERTY, text, "");
    let text = text.trim_start_matches("%20").trim_end_matches("%20");
    let scheme = |scheme: &&str| {
        let start = trimmed(text).get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let Some(target) = ["mailto:", "smtp:"].into_iter().find(scheme) else {
        return text.to_owned();
    };
    let link = trimmed(text)[target.len()..].trim_start_matches('/');
    let address = link.split_once('?').map_or(link, |(address, _)| address);
    percent_decoded(address).unwrap_or_else(|| address.to_owned())
}

fn without_entities(text: &str) -> String {
    let mut text = text.to_owned();
    if !text.contains('&') {
        return text;
    }
    for (entity, letter) in ENTITIES {
        text = text.replace(entity, letter);
    }
    let letter = |found: &Captures<'_>| {
        let code = match (found.get(1), found.get(2)) {
            (Some(hex), _) => u32::from_str_radix(hex.as_str(), 16).ok(),
            (_, Some(number)) => number.as_str().parse().ok(),
            _ => None,
        };
        let letter = code.and_then(char::from_u32);
        letter.map_or_else(|| found[0].to_owned(), |letter| letter.to_string())
    };
    match NUMBERED.as_ref() {
        Some(numbered) => numbered.replace_all(&text, letter).into_owned(),
        None => text,
    }
}

fn without_tags(text: String) -> String {
    if !text.contains('<') {
        return text;
    }
    let text = replaced(&ANCHOR, text, "$2 <$1>");
    replaced(&TAG, replaced(&LINE_BREAK, text, ";"), " ")
}

/// `marta(at)kern(dot)example` with its signs.
fn without_hiding(text: String) -> String {
    let is_hidden = HIDDEN_AT
        .as_ref()
        .is_some_and(|hidden| !text.contains('@') && hidden.find_iter(&text).count() == 1);
    if is_hidden {
        replaced(&HIDDEN_DOT, replaced(&HIDDEN_AT, text, "@"), ".")
    } else {
        text
    }
}

fn replaced(pattern: &LazyLock<Option<Regex>>, text: String, by: &str) -> String {
    match pattern.as_ref() {
        Some(pattern) => pattern.replace_all(&text, by).into_owned(),
        None => text,
    }
}

/// A part of a link with its escapes read; none where they are no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let code = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(code).ok()?);
    }
    String::from_utf8(bytes).ok()
}
