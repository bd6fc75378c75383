//! An e-mail field as people paste it: an address or several, with what surrounds them.

use std::sync::LazyLock;

use regex::Regex;

use super::super::Unread;

/// Words beside an address that say what kind of address it is.
const LABELS: &str = "e-mail email mail mailto address work office business home private personal \
    other primary secondary main new old privat geschäftlich dienstlich arbeit büro travail bureau \
    domicile personnel perso trabajo casa oficina trabalho lavoro ufficio praca dom iş ev raboта \
    работа личный дом correo courriel эл почта адрес preferred adresse e-mail-adresse mailadresse
    dirección direccion electrónico electronico électronique electronique elettronica indirizzo
    eletrônico eletronico endereço e-post epost e-posta eposta adresi adres sähköposti e-mailadres
    メール メールアドレス 邮箱 郵箱 电子邮件 電子郵件 电邮 이메일 อีเมล البريد الإلكتروني بريد אימייל מייל";
/// Maximum length of a field that is looked through, in bytes.
const MAX_FIELD_BYTES: usize = 1024;

/// An address behind its display name.
static BRACKETED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"<\s*(?:mailto:)?([^<>]*@[^<>]*)>").ok());
/// An address in other brackets, behind a name.
static BEHIND_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[(\[]\s*(?:mailto:)?([^()\[\]<>@\s;,|]+@[^()\[\]<>@\s;,|]+)\s*[)\]]").ok()
});
/// A note without an address in it.
static NOTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\([^()@]*\)|\[[^\[\]@]*\]|\{[^{}@]*\}").ok());
static AROUND_AT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\s*@\s*").ok());
static HIDDEN_AT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\s*(?:\(at\)|\[at\]|\{at\})\s*").ok());
static HIDDEN_DOT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\s*(?:\(dot\)|\[dot\]|\{dot\})\s*").ok());
const ENTITIES: [(&str, &str); 13] = [
    ("&#64;", "@"),
    ("&#064;", "@"),
    ("&#x40;", "@"),
    ("&#X40;", "@"),
    ("&commat;", "@"),
    ("&#46;", "."),
    ("&period;", "."),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// Signs between two addresses.
const SEPARATORS: [char; 6] = [';', ',', '|', '\n', '、', '،'];

/// The addresses of a field, each without what surrounds it, not checked.
pub(super) fn pieces(clean: &str) -> Result<Vec<String>, Unread> {
    if clean.len() > MAX_FIELD_BYTES {
        return Err(Unread::NoAddress);
    }
    if is_bare(clean) {
        Ok(vec![clean.to_owned()])
    } else {
        taken_out(clean)
    }
}

/// The same for a text of any kind.
fn taken_out(clean: &str) -> Result<Vec<String>, Unread> {
    let text = decoded(clean);
    let bracketed = bracketed(&text)?;
    if !bracketed.is_empty() {
        return Ok(bracketed);
    }
    if let Some(address) = behind_name(&text) {
        return Ok(vec![address]);
    }
    let mut pieces = Vec::new();
    for piece in text.split(SEPARATORS) {
        if piece.contains('@') {
            pieces.extend(joined_by_slash(piece)?);
        } else if !is_beside_an_address(piece) {
            return Err(Unread::NoAddress);
        }
    }
    if pieces.is_empty() {
        return Err(Unread::NoAddress);
    }
    Ok(pieces)
}

/// Whether a text has nothing but one address in it, of letters that none of the patterns here
/// knows: what most fields hold.
fn is_bare(text: &str) -> bool {
    let is_plain = |letter: u8| {
        letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_' | b'+' | b'-' | b'@')
    };
    text.bytes().all(is_plain)
        && text.bytes().filter(|letter| *letter == b'@').count() == 1
        && !text.ends_with('.')
}

/// Addresses in angle brackets. The text before one is its display name, even an address,
/// unless that is another one.
fn bracketed(text: &str) -> Result<Vec<String>, Unread> {
    let Some(pattern) = BRACKETED.as_ref() else {
        return Ok(Vec::new());
    };
    let inside: Vec<String> = pattern
        .captures_iter(text)
        .filter_map(|found| bare(found.get(1)?.as_str()))
        .collect();
    let outside = pattern.replace_all(text, ";");
    let known = |piece: &str| {
        bare(piece).is_some_and(|piece| {
            inside
                .iter()
                .any(|other| other.eq_ignore_ascii_case(&piece))
        })
    };
    let has_other = outside
        .split(SEPARATORS)
        .any(|piece| piece.contains('@') && !known(piece));
    if has_other && !inside.is_empty() {
        return Err(Unread::SeveralAddresses);
    }
    Ok(inside)
}

/// The one address of a text, in brackets behind a name.
fn behind_name(text: &str) -> Option<String> {
    let found = BEHIND_NAME.as_ref()?.captures(text)?;
    let is_only = text.matches('@').count() == 1;
    is_only.then(|| bare(found.get(1)?.as_str()))?
}

/// `a@x.com / b@y.com`, `a@x.com or b@y.com`, `a@x.com b@y.com`; else the one address.
fn joined_by_slash(piece: &str) -> Result<Vec<String>, Unread> {
    let words: Vec<&str> = piece
        .split([' ', '/'])
        .filter(|word| !word.is_empty())
        .collect();
    let is_whole =
        |word: &&&str| !word.starts_with('@') && !word.ends_with('@') && word.contains('@');
    let whole = words.iter().filter(is_whole).count();
    if whole < 2 {
        return bare(piece)
            .map(|piece| vec![piece])
            .ok_or(Unread::NoAddress);
    }
    let joins = [
        "or", "and", "&", "+", "oder", "und", "ou", "et", "o", "y", "e", "или", "и", "ve", "veya",
        "-",
    ];
    let (addresses, others): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| word.contains('@'));
    if others
        .iter()
        .all(|word| joins.contains(word) || is_label(word))
    {
        let addresses: Option<Vec<String>> = addresses.into_iter().map(bare).collect();
        addresses.ok_or(Unread::SeveralAddresses)
    } else {
        Err(Unread::SeveralAddresses)
    }
}

/// Whether a piece without `@` says nothing of the address beside it: nothing, a label, or a name
/// of several words. One word may be a part of the address that a typing error cut off.
fn is_beside_an_address(piece: &str) -> bool {
    let piece = trimmed(piece);
    piece.is_empty() || is_label(piece) || piece.contains(char::is_whitespace)
}

fn is_label(word: &str) -> bool {
    let word = trimmed(word).to_lowercase();
    LABELS.split_whitespace().any(|label| label == word)
}

/// Without HTML entities, without the scheme and the query of a link.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    if text.contains('&') {
        for (entity, letter) in ENTITIES {
            text = text.replace(entity, letter);
        }
    }
    if !text.contains('@')
        && let Some(hidden) = HIDDEN_AT.as_ref()
        && hidden.find_iter(&text).count() == 1
    {
        text = hidden.replace(&text, "@").into_owned();
        if let Some(dots) = HIDDEN_DOT.as_ref() {
            text = dots.replace_all(&text, ".").into_owned();
        }
    }
    let scheme = |scheme: &&str| {
        let start = trimmed(&text).get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let Some(target) = ["mailto:", "smtp:"].into_iter().find(scheme) else {
        return text;
    };
    let link = trimmed(&text)[target.len()..].trim_start_matches('/');
    let address = link.split_once('?').map_or(link, |(address, _)| address);
    ["%40", "%2B", "%2b", "%2E", "%2e", "%20"]
        .into_iter()
        .zip(["@", "+", "+", ".", ".", " "])
        .fold(address.to_owned(), |text, (code, letter)| {
            text.replace(code, letter)
        })
}

/// One address without notes, labels, quotes and punctuation around; `None` where a word is left
/// beside it.
fn bare(piece: &str) -> Option<String> {
    let piece = match NOTE.as_ref() {
        Some(note) => note.replace_all(piece, " "),
        None => piece.into(),
    };
    let joined = match AROUND_AT.as_ref() {
        Some(around) => around.replace_all(&piece, "@"),
        None => piece,
    };
    let mut address = None;
    for word in joined.split_whitespace() {
        let word = match word.split_once(':') {
            Some((label, rest)) if is_label(label) => rest,
            _ => word,
        };
        match trimmed(word) {
            "" | "-" => {}
            word if word.contains('@') && address.is_none() => address = Some(word.to_owned()),
            word if is_label(word) => {}
            _ => return None,
        }
    }
    address.filter(|address| address.matches('@').count() == 1)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| {
        letter.is_whitespace() || "'\"`´‘’“”„«»<>()[]{};,:=•·「」『』【】〈〉、。،".contains(letter)
    })
    .trim_end_matches(['.', '/', '\\', '?'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bare_address_is_what_would_be_taken_out(text in "[ -]?[a-zA-Z0-9._+-]{0,9}@?[@./a-z0-9-]{0,9}[.:]?") {
            if is_bare(&text) {
                prop_assert_eq!(taken_out(&text), Ok(vec![text]));
            }
        }
    }
}
