//! A value in the form in which it is looked up in the lists.

use super::MAX_ENTRY_BYTES;
use std::borrow::Cow;

use super::{List, listed};

/// A value as it is compared with a list: in lower case, without brackets, quotes and punctuation
/// around it, its inner spaces as hyphens. It has a fixed size, so folding allocates nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) bytes: [u8; MAX_ENTRY_BYTES],
    pub(super) len: usize,
}

impl Folded {
    const EMPTY: Self = Self {
        bytes: [0; MAX_ENTRY_BYTES],
        len: 0,
    };

    /// `None`: the value is longer than any entry of a list.
    pub(super) fn of(value: &str) -> Option<Self> {
        if value.is_ascii() {
            Self::of_ascii(value)
        } else {
            Self::of_any(value)
        }
    }

    fn of_any(value: &str) -> Option<Self> {
        let mut folded = Self::EMPTY;
        let mut after_space = false;
        for letter in value
            .trim_matches(|letter: char| !letter.is_alphanumeric())
            .chars()
        {
            if letter.is_whitespace() || matches!(letter, '_' | ',') {
                after_space = true;
                continue;
            }
            if std::mem::take(&mut after_space) {
                folded.push('-')?;
            }
            for lower in letter.to_lowercase() {
                folded.push(lower)?;
            }
        }
        Some(folded)
    }

    fn of_ascii(value: &str) -> Option<Self> {
        let mut folded = Self::EMPTY;
        let mut after_space = false;
        let is_around = |letter: char| !letter.is_ascii_alphanumeric();
        for letter in value.trim_matches(is_around).bytes() {
            if char::from(letter).is_whitespace() || matches!(letter, b'_' | b',') {
                after_space = true;
                continue;
            }
            if std::mem::take(&mut after_space) {
                folded.push_byte(b'-')?;
            }
            folded.push_byte(letter.to_ascii_lowercase())?;
        }
        Some(folded)
    }

    fn push_byte(&mut self, letter: u8) -> Option<()> {
        *self.bytes.get_mut(self.len)? = letter;
        self.len += 1;
        Some(())
    }

    /// The letters and digits alone.
    pub(super) fn plain(value: &str) -> Option<Self> {
        let mut folded = Self::EMPTY;
        let letters = value.chars().filter(|letter| letter.is_alphanumeric());
        for lower in letters.flat_map(char::to_lowercase) {
            folded.push(lower)?;
        }
        Some(folded)
    }

    fn push(&mut self, letter: char) -> Option<()> {
        let end = self.len + letter.len_utf8();
        letter.encode_utf8(self.bytes.get_mut(self.len..end)?);
        self.len = end;
        Some(())
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    pub(super) fn is_in(&self, list: &List) -> bool {
        listed(list, self.as_str())
    }
}

/// The value in lower case, copied only if it is not so already.
pub(super) fn lower(value: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if value.bytes().all(is_lower) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(value.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_is_folded_as_any_text_is(value in "[\\x00-\\x7f]{0,12}|[ -~]{50,80}") {
            prop_assert_eq!(Folded::of_ascii(&value), Folded::of_any(&value));
        }
    }
}
