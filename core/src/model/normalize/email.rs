//! E-mail addresses.
//!
//! - **The address is found in what people paste**: a display name, brackets, quotes, a link, a
//!   label, punctuation of a list. A field that holds two addresses says both. A text in which
//!   words are beside an address without brackets is not read: they may belong to it.
//! - **The part before the `@` is lower case**: RFC 5321 calls it case-sensitive, and nobody's
//!   server is. Letters are not folded beyond that: `weiß@` and `weiss@` are two mailboxes.
//! - **The domain is in the form of IDNA** (UTS 46, non-transitional), as people read it: `ß` and
//!   `ς` are letters of their own, and `xn--` is the same domain as what it stands for.
//! - **What one provider ignores is ignored only there**: see [`providers`].
//!
//! Source: RFC 5321 §4.5.3.1 (lengths), RFC 5322 §3.2.3 (what needs quoting; quoted forms are not
//! taken), UTS 46.

mod field;
pub(in crate::model) mod providers;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use super::Unread;
use crate::records::IdentifierValue;
use providers::MailProviders;

/// The one form of each address of a field, with the address as it is written there.
pub(super) fn canonical(
    clean: &str,
    providers: &MailProviders,
) -> Result<Vec<IdentifierValue>, Unread> {
    let pieces = field::pieces(clean)?;
    let one = |piece: &String| {
        let address = address(piece, providers)?;
        Ok(IdentifierValue::new(address, piece))
    };
    match pieces.as_slice() {
        [piece] => one(piece).map(|address| vec![address]),
        several => {
            let read: Result<Vec<IdentifierValue>, Unread> = several.iter().map(one).collect();
            let mut addresses = read.map_err(|_| Unread::SeveralAddresses)?;
            addresses.sort_by(|a, b| a.value.cmp(&b.value));
            addresses.dedup_by(|a, b| a.value == b.value);
            Ok(addresses)
        }
    }
}

fn address(piece: &str, providers: &MailProviders) -> Result<String, Unread> {
    let (local, domain) = piece.rsplit_once('@').ok_or(Unread::NoAddress)?;
    let domain = domain_name(domain).ok_or(Unread::NoDomain)?;
    let local = lower_case(local);
    let (local, domain) = providers.one_form(&local, &domain);
    // A letter and a mark may have had a dot between them: they compose without it.
    let local = lower_case(&local);
    let address = [&*local, "@", &domain].concat();
    if is_well_formed(&address) {
        Ok(address)
    } else {
        Err(Unread::NoAddress)
    }
}

/// Lower case, composed. The dotted capital `İ` and the dotless `ı` are `i`: they are from Turkish
/// rules of case, and their capital is that of `i` for everybody else.
fn lower_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let plain: String = text.chars().map(as_typed).collect();
    plain.to_lowercase().nfkc().collect()
}

/// A letter as mail systems have it: word processors make other apostrophes and hyphens.
fn as_typed(letter: char) -> char {
    match letter {
        'İ' | 'ı' => 'i',
        '‘' | '’' | 'ʼ' | '‛' | '´' => '\'',
        '‐' | '‑' | '‒' | '–' | '—' | '−' => '-',
        other => other,
    }
}

/// A domain by UTS 46, with its labels in Unicode; `None` if it cannot be one.
fn domain_name(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches('.');
    let is_other = |letter: char| letter != 'ı' && as_typed(letter) != letter;
    let domain = if domain.contains(is_other) {
        let typed = |letter| {
            if letter == 'ı' {
                letter
            } else {
                as_typed(letter)
            }
        };
        Cow::Owned(domain.chars().map(typed).collect())
    } else {
        Cow::Borrowed(domain)
    };
    let unicode = unicode_domain(&domain)?;
    is_domain(&unicode).then(|| unicode.into_owned())
}

fn unicode_domain(domain: &str) -> Option<Cow<'_, str>> {
    if is_plain_domain(domain) {
        Some(Cow::Borrowed(domain))
    } else {
        by_uts46(domain)
    }
}

fn by_uts46(domain: &str) -> Option<Cow<'_, str>> {
    let processor = Uts46::new();
    let (unicode, read) = processor.to_unicode(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
    );
    read.ok()?;
    processor
        .to_ascii(
            unicode.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    Some(unicode)
}

/// Whether a domain is one that UTS 46 leaves as it is: labels of ASCII in lower case, none of them
/// in Punycode.
fn is_plain_domain(domain: &str) -> bool {
    let (mut length, mut before) = (0, b'.');
    for (place, letter) in domain.bytes().enumerate() {
        match letter {
            b'.' if before == b'.' || before == b'-' => return false,
            b'.' => length = 0,
            b'a'..=b'z' | b'0'..=b'9' => length += 1,
            b'-' if before != b'.' => length += 1,
            _ => return false,
        }
        if length > 63 || (length == 1 && domain[place..].starts_with("xn--")) {
            return false;
        }
        before = letter;
    }
    domain.len() <= 253 && before != b'.' && before != b'-'
}

/// Whether a value has the form of a normalised address.
pub(super) fn is_well_formed(value: &str) -> bool {
    value.rsplit_once('@').is_some_and(|(local, domain)| {
        is_local(local)
            && is_domain(domain)
            && unicode_domain(domain).is_some_and(|unicode| unicode == domain)
    })
}

fn is_local(local: &str) -> bool {
    let needs_quotes = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(
                letter,
                '@' | '(' | ')' | '<' | '>' | '[' | ']' | '\\' | ',' | ';' | ':' | '"'
            )
    };
    if !(1..=64).contains(&local.len()) {
        return false;
    }
    if local.is_ascii() {
        !(local.bytes()).any(|letter| letter.is_ascii_uppercase() || needs_quotes(letter.into()))
    } else {
        !local.contains(needs_quotes) && lower_case(local) == local
    }
}

/// Two labels or more, of which the last is not a number.
fn is_domain(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(rest, last)| {
        !rest.is_empty() && last.contains(|l: char| !l.is_ascii_digit())
    })
}
