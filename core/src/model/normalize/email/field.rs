//! An e-mail field as people paste it: an address or several, with what surrounds them.

mod decoded;

use std::sync::LazyLock;

use regex::Regex;

use super::super::Unread;
use super::super::denied::is_denial;
use decoded::decoded;

/// Words beside an address that say what kind of address it is.
const LABEL_WORDS: &str = include_str!("field/labels.txt");
/// Words and signs between two addresses.
const JOIN_WORDS: &str = "or and & + oder und ou et o y e или и ve veya - / tai ja vagy és nebo a lub \
    albo oraz sau și eller och og of en ali ili або та أو و או 或 或者 和 または と 또는 및 hoặc và หรือ และ atau dan";
/// Maximum length of a field that is looked through, in bytes.
const MAX_FIELD_BYTES: usize = 1024;

/// An address behind its display name, of which the closing bracket may be lost.
static BRACKETED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"<\s*(?:mailto:)?([^<>]*@[^<>,;]*)(?:>|[,;]|$)").ok());
/// An address in other brackets, behind a name.
static BEHIND_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?ix)[(\[{]\s*(?:mailto:)?([^()\[\]{}<>@\s;,|]+@[^()\[\]{}<>@\s;,|?]+)(?:\?[^()\[\]\s]*)?\s*[)\]}]")
        .ok()
});
/// A note without an address in it.
static NOTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\([^()@]*\)|\[[^\[\]@]*\]|\{[^{}@]*\}").ok());
static AROUND_AT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\s*@\s*").ok());
/// The place of an address in brackets, in the text around.
const MARK: &str = "\u{1};";

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
    if let Some(note) = NOTE.as_ref()
        && note.find_iter(&text).any(|note| is_denial(note.as_str()))
    {
        return Err(Unread::Denied);
    }
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

/// Addresses in angle brackets, and those of a list between them. The text before a bracket is its
/// display name, even an address, unless that is another one.
fn bracketed(text: &str) -> Result<Vec<String>, Unread> {
    let Some(pattern) = BRACKETED.as_ref() else {
        return Ok(Vec::new());
    };
    let mut inside: Vec<String> = pattern
        .captures_iter(text)
        .filter_map(|found| bare(found.get(1)?.as_str()))
        .collect();
    if inside.is_empty() {
        return Ok(inside);
    }
    let outside = pattern.replace_all(text, MARK);
    let mut others = Vec::new();
    for piece in outside
        .split(SEPARATORS)
        .filter(|piece| piece.contains('@'))
    {
        let is_known = bare(piece.trim_matches('\u{1}'))
            .is_some_and(|piece| inside.iter().any(|one| one.eq_ignore_ascii_case(&piece)));
        match (is_known, piece.contains('\u{1}')) {
            (true, _) => {}
            (false, true) => return Err(Unread::SeveralAddresses),
            (false, false) => {
                others.extend(joined_by_slash(piece).map_err(|_| Unread::SeveralAddresses)?);
            }
        }
    }
    inside.append(&mut others);
    Ok(inside)
}

/// The one address of a text, in brackets behind a name, once or more.
fn behind_name(text: &str) -> Option<String> {
    let pattern = BEHIND_NAME.as_ref()?;
    let mut inside = pattern
        .captures_iter(text)
        .filter_map(|found| bare(found.get(1)?.as_str()));
    let one = inside.next()?;
    let is_same = |other: &str| other.eq_ignore_ascii_case(&one);
    let outside = pattern.replace_all(text, ";");
    let mut outside = outside
        .split(SEPARATORS)
        .filter(|piece| piece.contains('@'));
    let is_only = inside.all(|other| is_same(&other))
        && outside.all(|piece| bare(piece).is_some_and(|piece| is_same(&piece)));
    is_only.then_some(one)
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
    let (addresses, others): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| word.contains('@'));
    if others.iter().all(|word| is_join(word) || is_label(word)) {
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
    LABEL_WORDS.split_whitespace().any(|label| label == word)
}

fn is_join(word: &str) -> bool {
    let word = word.to_lowercase();
    JOIN_WORDS.split_whitespace().any(|join| join == word)
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
        let word = match word.split_once([':', '=']) {
            Some((label, rest)) if is_label(label) => rest,
            _ => word,
        };
        match trimmed(word) {
            word if word.contains('@') && address.is_none() => address = Some(word.to_owned()),
            word if !word.contains(char::is_alphanumeric) => {}
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
    .trim_start_matches(['/', '\\'])
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
