//! First names.

use super::Word;
use crate::identity::given_names::{self, KnownName, Sex};
use crate::identity::{nicknames, text};

/// A first name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Given {
    pub(in crate::identity) word: Word,
    pub(in crate::identity) sound: String,
    /// The names that it may be a form of.
    pub(in crate::identity) forms: &'static [u16],
    /// The sex and the cultures that it is given to, if it is known as a name.
    pub(in crate::identity) known: Option<KnownName>,
    /// Whether it is among the frequent names of a country.
    pub(in crate::identity) frequent: bool,
}

impl Given {
    pub(super) fn new(text: &str) -> Self {
        let known = given_names::known(text).or_else(|| of_another(text));
        Self {
            word: Word::new(text),
            sound: text::sound(text),
            forms: nicknames::groups(text),
            known,
            frequent: given_names::is_frequent(text),
        }
    }
}

/// A name that is made of somebody else's: `Istvánné` is István's wife, `Umm Omar` Omar's mother.
fn of_another(text: &str) -> Option<KnownName> {
    let of = |rest: Option<&str>, sex| Some(given_names::known(rest?)?.of_sex(sex));
    let husband = of(text.strip_suffix("ne"), Sex::Female).filter(|_| {
        given_names::known(&text[..text.len() - 2]).is_some_and(|h| h.sex == Sex::Male)
    });
    husband
        .or_else(|| of(text.strip_prefix("umm"), Sex::Female))
        .or_else(|| of(text.strip_prefix("abu"), Sex::Male))
}

impl Given {
    /// The sex that it is given to, as the gender of a person is said; none where to both.
    pub(in crate::identity) fn sex(&self) -> Option<char> {
        match self.known?.sex {
            Sex::Male => Some('m'),
            Sex::Female => Some('f'),
            Sex::Either => None,
        }
    }

    /// The given name in one word with those that follow it: `Ji-hoon` is `jihoon`.
    pub(in crate::identity) fn whole(&self, middle: &[Word]) -> String {
        let rest = middle.iter().map(|word| word.text.as_str());
        std::iter::once(self.word.text.as_str())
            .chain(rest)
            .collect()
    }
}
