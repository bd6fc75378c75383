//! E-mail addresses, telephone numbers and other identifiers, with what is compared of them.

use super::name::Word;
use crate::identity::keys::BlockingKey;
use crate::identity::text;
use crate::model::{BelongsTo, IdentifierType};

/// The fewest letters of a mailbox name that tell one person from others.
const MIN_LOCAL: usize = 5;
/// The fewest digits that tell one line from others.
const MIN_DIGITS: usize = 7;

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Email {
    pub(in crate::identity) key: BlockingKey,
    pub(in crate::identity) whole: Word,
    /// The part before the `@`, without dots and tag.
    pub(in crate::identity) local: String,
    pub(in crate::identity) domain: String,
    /// Whether several people may read it.
    pub(in crate::identity) shared: bool,
}

impl Email {
    pub(super) fn new(value: &str, key: BlockingKey) -> Self {
        let folded = text::fold(value);
        let (local, domain) = folded.rsplit_once('@').unwrap_or((&folded, ""));
        let local = local.split('+').next().unwrap_or(local);
        Self {
            key,
            local: text::only(local, |letter| !matches!(letter, '.' | '-' | '_')),
            domain: domain.to_owned(),
            whole: Word::new(folded),
            shared: false,
        }
    }

    /// A mailbox that several people may read.
    pub(super) fn shared(value: &str, key: BlockingKey) -> Self {
        Self {
            shared: true,
            ..Self::new(value, key)
        }
    }

    /// What is left of an address that was hidden by stars or mangled on its way: its beginning, or
    /// a number that may be that of its mailbox.
    pub(super) fn malformed(value: &str, key: BlockingKey) -> Option<Self> {
        if value.contains('*') && value.contains('@') {
            return Some(Self::new(value, key));
        }
        let digits = digits(value);
        let mangled = (MIN_LOCAL..=20).contains(&digits.len()) && !value.contains('@');
        let email = || Self {
            key,
            whole: Word::new(digits.as_str()),
            local: digits.clone(),
            domain: String::new(),
            shared: false,
        };
        mangled.then(email)
    }

    /// The beginning of a mailbox name of which the rest is hidden by stars.
    pub(in crate::identity) fn masked(&self) -> Option<&str> {
        self.local.split_once('*').map(|(shown, _)| shown)
    }

    /// Whether its mailbox name tells one person from others.
    pub(in crate::identity) fn is_telling(&self) -> bool {
        !self.shared
            && self.local.len() >= MIN_LOCAL
            && self.masked().is_none()
            && !self.domain.is_empty()
    }

    /// A number, counted from its end, that is long enough to tell one person from others.
    pub(in crate::identity) fn number(&self) -> Option<&str> {
        let digits = self.local.bytes().filter(u8::is_ascii_digit).count();
        let mut parts = self.local.split(|letter: char| !letter.is_ascii_digit());
        (digits >= MIN_LOCAL)
            .then(|| parts.find(|digits| digits.len() >= MIN_LOCAL))
            .flatten()
            .map(|digits| &digits[digits.len().saturating_sub(6)..])
    }
}

/// A telephone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Phone {
    pub(in crate::identity) key: BlockingKey,
    /// All its digits, extension included.
    pub(in crate::identity) digits: Word,
}

impl Phone {
    pub(super) fn new(value: &str, key: BlockingKey) -> Self {
        Self {
            key,
            digits: Word::new(digits(value)),
        }
    }

    /// A number that does not fit its country's plan, as it was typed: its digits still say
    /// something.
    pub(super) fn malformed(value: &str, key: BlockingKey, kind: &IdentifierType) -> Option<Self> {
        let digits = digits(value);
        let varied = digits
            .bytes()
            .any(|byte| byte != digits.as_bytes()[digits.len() - 1]);
        let nobodys = kind.is_blocked(value) || kind.stands_for_nothing(value);
        let some = (MIN_DIGITS..=20).contains(&digits.len()) && varied && !nobodys;
        some.then(|| Self {
            key,
            digits: Word::new(digits),
        })
    }
}

fn digits(text: &str) -> String {
    text::only(text, |letter| letter.is_ascii_digit())
}

/// A number as it is compared: without what people put between its signs.
pub(super) fn comparable(value: &str) -> Word {
    let mut folded = text::fold(value);
    if folded.contains(|letter: char| letter.is_ascii_alphanumeric()) {
        folded.retain(|letter| letter.is_ascii_alphanumeric());
    }
    Word::new(folded)
}

/// An identifier that may link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Id {
    /// Its type, by place in the model.
    pub(in crate::identity) kind: u16,
    pub(in crate::identity) belongs_to: BelongsTo,
    pub(in crate::identity) exclusive: bool,
    /// An e-mail address or a telephone number, which are compared as such.
    pub(in crate::identity) contact: bool,
    pub(in crate::identity) key: BlockingKey,
    pub(in crate::identity) value: Word,
}
