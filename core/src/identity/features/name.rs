//! Names: cut into parts, folded, with what they may be forms of.

use crate::identity::{nicknames, text};
use crate::model::{Role, clean};

/// A folded word with what comparisons ask of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Word {
    pub(in crate::identity) text: String,
    pub(in crate::identity) hash: u64,
}

impl Word {
    pub(in crate::identity) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            hash: crate::hash::Hash::new().part(text).finish(),
        }
    }

    /// A text with all between its letters and digits taken out; none where nothing is left.
    pub(in crate::identity) fn joined(raw: &str) -> Option<Self> {
        let mut joined = text::fold(raw);
        joined.retain(|letter| letter.is_ascii_alphanumeric());
        (!joined.is_empty() && !is_filler(&joined)).then(|| Self::new(&joined))
    }

    pub(in crate::identity) fn is_initial(&self) -> bool {
        self.text.len() == 1
    }
}

/// One name of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::identity) struct Name {
    pub(in crate::identity) given: Option<Given>,
    pub(in crate::identity) middle: Vec<Word>,
    pub(in crate::identity) family: Option<Family>,
}

/// A first name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Given {
    pub(in crate::identity) word: Word,
    pub(in crate::identity) sound: String,
    /// The names that it may be a form of.
    pub(in crate::identity) forms: &'static [u16],
}

/// A family name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Family {
    /// Its parts joined.
    pub(in crate::identity) word: Word,
    pub(in crate::identity) sound: String,
    /// More than one where it is double-barrelled.
    pub(in crate::identity) parts: Vec<Word>,
}

impl Given {
    fn new(text: &str) -> Self {
        Self {
            word: Word::new(text),
            sound: text::sound(text),
            forms: nicknames::groups(text),
        }
    }
}

impl Family {
    fn new(tokens: &[String]) -> Self {
        let joined = tokens.concat();
        let parts = if tokens.len() > 1 {
            tokens.iter().map(|token| Word::new(token)).collect()
        } else {
            Vec::new()
        };
        Self {
            word: Word::new(&joined),
            sound: text::sound(&joined),
            parts,
        }
    }
}

/// The names of a record as they come in, field by field.
#[derive(Debug, Default)]
pub(super) struct Parts {
    given: Vec<String>,
    middle: Vec<String>,
    family: Vec<String>,
    full: Vec<(Vec<String>, Vec<String>)>,
    other: Vec<(Vec<String>, Vec<String>)>,
    suffixes: Vec<u8>,
}

impl Parts {
    pub(super) fn take(&mut self, role: Role, raw: &str) {
        match role {
            Role::GivenName => self.given.extend(tokens(raw)),
            Role::MiddleName => self.middle.extend(tokens(raw)),
            Role::FamilyName => {
                let tokens = tokens(raw);
                let family = self.without_suffix(tokens);
                self.family.extend(family);
            }
            Role::FullName => {
                let name = self.full_name(raw);
                self.full.extend(name);
            }
            Role::OtherNames => {
                for one in raw.split(['|', ';']) {
                    let name = self.full_name(one);
                    self.other.extend(name);
                }
            }
            Role::Suffix => self
                .suffixes
                .extend(tokens(raw).iter().filter_map(|token| generation(token))),
            _ => {}
        }
    }

    /// Takes the suffix of a generation off the end of a name.
    fn without_suffix(&mut self, mut tokens: Vec<String>) -> Vec<String> {
        while let (true, Some(suffix)) = (
            tokens.len() > 1,
            tokens.last().and_then(|last| generation(last)),
        ) {
            self.suffixes.push(suffix);
            tokens.pop();
        }
        tokens
    }

    /// Given and family names of a whole name: `Ann Mary Smith`, `Smith, Ann Mary`, or in Chinese
    /// characters.
    fn full_name(&mut self, raw: &str) -> Option<(Vec<String>, Vec<String>)> {
        if let Some((family, given)) = raw
            .split_once(',')
            .filter(|(_, rest)| generation(&text::fold(rest)).is_none())
        {
            let family = self.without_suffix(tokens(family));
            let given = self.without_suffix(tokens(given));
            return (!given.is_empty() || !family.is_empty()).then_some((given, family));
        }
        let mut words = tokens(raw);
        words = self.without_suffix(words);
        if words.len() < 2 {
            return (!words.is_empty()).then_some((words, Vec::new()));
        }
        let is_han = |letter: char| ('\u{3400}'..='\u{9fff}').contains(&letter);
        let family_first = clean(raw).chars().all(is_han);
        let family = if family_first {
            words.remove(0)
        } else {
            words.pop().unwrap_or_default()
        };
        Some((words, vec![family]))
    }

    /// All names: that of the fields, or else of the whole; and those that the person also goes by.
    pub(super) fn into_names(mut self) -> (Vec<Name>, Vec<u8>) {
        let mut names = Vec::new();
        if self.given.is_empty() && self.family.is_empty() {
            names.extend(
                self.full
                    .iter()
                    .map(|(given, family)| name(given, &[], family)),
            );
        }
        if names.is_empty()
            && !(self.given.is_empty() && self.middle.is_empty() && self.family.is_empty())
        {
            names.push(name(&self.given, &self.middle, &self.family));
        }
        names.extend(
            self.other
                .iter()
                .map(|(given, family)| name(given, &[], family)),
        );
        names.truncate(super::MAX_VALUES);
        self.suffixes.sort_unstable();
        self.suffixes.dedup();
        (names, self.suffixes)
    }
}

fn name(given: &[String], middle: &[String], family: &[String]) -> Name {
    let (first, rest) = given
        .split_first()
        .map_or((None, given), |(first, rest)| (Some(first), rest));
    Name {
        given: first.map(|first| Given::new(first)),
        middle: rest
            .iter()
            .chain(middle)
            .map(|token| Word::new(token))
            .collect(),
        family: (!family.is_empty()).then(|| Family::new(family)),
    }
}

/// The words of a name; titles and what stands for no name are left out.
fn tokens(raw: &str) -> Vec<String> {
    if matches!(raw, "nan" | "NaN") {
        return Vec::new(); // What programs write for nothing; Nan is a name.
    }
    let folded = text::fold(raw);
    let words = folded
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '\'' && letter != '`');
    let plain = words
        .map(|word| word.replace(['\'', '`'], ""))
        .filter(|word| !word.is_empty());
    plain
        .filter(|word| !is_title(word) && !is_filler(word))
        .take(8)
        .collect()
}

fn is_title(word: &str) -> bool {
    matches!(
        word,
        "mr" | "mrs"
            | "ms"
            | "miss"
            | "mx"
            | "dr"
            | "prof"
            | "sir"
            | "herr"
            | "frau"
            | "mme"
            | "rev"
    )
}

/// What forms that insist on a value are given.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "null"
            | "none"
            | "unknown"
            | "na"
            | "nil"
            | "test"
            | "xxx"
            | "tbd"
            | "anonymous"
            | "noname"
    )
}

fn generation(word: &str) -> Option<u8> {
    match word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()) {
        "sr" | "snr" | "senior" => Some(1),
        "jr" | "jnr" | "junior" | "ii" | "2nd" => Some(2),
        "iii" | "3rd" => Some(3),
        "iv" | "4th" => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(Role, &str)]) -> Vec<String> {
        let mut parts = Parts::default();
        for (role, text) in fields {
            parts.take(*role, text);
        }
        let (names, suffixes) = parts.into_names();
        let shown = |name: &Name| {
            let given = name.given.as_ref().map_or("-", |given| &given.word.text);
            let family = name.family.as_ref().map_or("-", |family| &family.word.text);
            let middle: Vec<&str> = name.middle.iter().map(|word| word.text.as_str()).collect();
            format!("{given} [{}] {family} {suffixes:?}", middle.join(" "))
        };
        names.iter().map(shown).collect()
    }

    #[test]
    fn whole_names_are_cut_as_they_are_written() {
        for (raw, expected) in [
            ("Ann Mary Smith", "ann [mary] smith []"),
            ("Smith, Ann Mary", "ann [mary] smith []"),
            ("Dr. Robert E Smith Sr", "robert [e] smith [1]"),
            ("王伟", "wei [] wang []"),
            ("Ellie O'Hare", "ellie [] ohare []"),
            ("Cher", "cher [] - []"),
        ] {
            assert_eq!(read(&[(Role::FullName, raw)]), [expected], "{raw}");
        }
    }

    #[test]
    fn fields_come_before_the_whole_and_fillers_do_not_count() {
        let fields = [
            (Role::GivenName, "Ann"),
            (Role::FamilyName, "Brown Jr."),
            (Role::FullName, "Someone Else"),
        ];
        assert_eq!(read(&fields), ["ann [] brown [2]"]);
        assert_eq!(
            read(&[(Role::GivenName, "NULL"), (Role::FamilyName, "none")]).len(),
            0
        );
    }
}
