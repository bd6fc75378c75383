//! A value in the form in which it is looked up in the lists.

use super::MAX_ENTRY_BYTES;
use std::borrow::Cow;

use super::{List, listed};

/// A value as it is compared with a list: in lower case, without brackets, quotes and punctuation
/// around it, its inner spaces as hyphens. It has a fixed size, so folding allocates nothing.
#[derive(Debug)]
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
