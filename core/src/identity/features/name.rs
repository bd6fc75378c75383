//! Names: cut into parts, folded, with what they may be forms of.

mod affixes;
mod given;
mod native;
mod order;
mod other_script;
mod several;
mod syllables;
#[cfg(test)]
mod tests;
mod unread;
mod words;

use std::borrow::Cow;

use crate::identity::given_names::{self, Sex};
use crate::identity::{scripts, text};
use crate::model::placeholder::is_nothing;
use crate::model::{Home, Role, clean};
pub(in crate::identity) use given::Given;
pub(in crate::identity) use native::{Native, Script};
use order::in_order;
pub(in crate::identity) use other_script::OtherScript;
use other_script::other_script;
pub(super) use unread::unread;
use words::{generation, generation_of, is_filler, is_no_name, is_particle, is_title, servant_of};

/// A folded word with what comparisons ask of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Word {
    pub(in crate::identity) text: String,
    pub(in crate::identity) hash: u64,
}

impl Word {
    pub(in crate::identity) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            hash: crate::hash::hash(&text),
            text,
        }
    }

    /// A place: a text with all between its letters and digits taken out; none where nothing is
    /// left.
    pub(in crate::identity) fn of_place(raw: &str) -> Option<Self> {
        let mut joined = text::fold(raw);
        joined.retain(|letter| letter.is_ascii_alphanumeric());
        (!joined.is_empty()).then(|| Self::new(joined))
    }

    pub(in crate::identity) fn is_initial(&self) -> bool {
        self.text.len() == 1
    }
}

/// One name of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::identity) struct Name {
    pub(in crate::identity) given: Option<Given>,
    /// Further given names, those of the given name itself first.
    pub(in crate::identity) middle: Vec<Word>,
    pub(in crate::identity) family: Option<Family>,
    /// As it is written in Han, Hangul or kana: many names have one reading in Latin letters.
    pub(in crate::identity) native: Option<Native>,
    /// Whether it is written in a script without vowels.
    pub(in crate::identity) is_without_vowels: bool,
    /// Whether it names the father: `Ali bin Abu`.
    pub(in crate::identity) is_patronymic: bool,
    /// The script beside letters in which the person's name is likely written too.
    pub(in crate::identity) other_script: Option<OtherScript>,
    /// A given name of two syllables of East Asia in letters, in one spelling.
    pub(in crate::identity) syllables: Option<String>,
}

/// A family name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Family {
    /// Its parts joined.
    pub(in crate::identity) word: Word,
    pub(in crate::identity) sound: String,
    /// More than one where it is double-barrelled.
    pub(in crate::identity) parts: Vec<Word>,
    /// In one word with the particles before it in a whole name: `Deluca` of `Marco De Luca`.
    pub(in crate::identity) glued: Option<Word>,
}

impl Family {
    fn new(tokens: &[String]) -> Self {
        let joined = tokens.concat();
        let parts = if tokens.len() > 1 {
            tokens.iter().map(Word::new).collect()
        } else {
            Vec::new()
        };
        Self {
            sound: text::sound(&joined),
            word: Word::new(joined),
            parts,
            glued: None,
        }
    }
}

/// The names of a record as they come in, field by field.
#[derive(Debug, Default)]
pub(super) struct Parts {
    home: Home,
    given: Vec<String>,
    /// The given and the family name as they are written.
    written: (String, String),
    middle: Vec<String>,
    family: Vec<String>,
    /// The given name where the family name is said to be a whole family's.
    of_family: Vec<String>,
    full: Vec<Name>,
    other: Vec<Name>,
    suffixes: Vec<u8>,
}

impl Parts {
    pub(super) fn new(home: Home) -> Self {
        Self {
            home,
            ..Self::default()
        }
    }

    pub(super) fn take(&mut self, role: Role, raw: &str) {
        // Spanish writes Maria so; the sign is a letter to Unicode.
        let raw = if raw.contains("Mª") {
            Cow::Owned(raw.replace("Mª", "Maria "))
        } else {
            Cow::Borrowed(raw)
        };
        let raw = clean(&raw);
        let raw = if raw.is_ascii() {
            order::with_father(&raw).into_owned()
        } else {
            order::without_honorifics(&native::one_form(&raw), self.home)
        };
        let raw = &*raw;
        let raw = match words::elder_or_younger(raw) {
            Some((name, suffix)) => {
                self.suffixes.push(suffix);
                name
            }
            None => raw,
        };
        if !raw.is_ascii() && (is_nothing(raw) || words::is_nobody_natively(raw)) {
            return;
        }
        match role {
            Role::GivenName if is_no_name(&text::fold(raw)) => {}
            Role::FullName if words::is_nobody(&text::fold(raw)) => {}
            Role::GivenName => {
                self.written.0.push_str(raw);
                let given = match several::in_given_name(raw) {
                    Some(several) => vec![several.given],
                    None => self.without_suffix(raw, 1),
                };
                self.given.extend(given);
            }
            Role::MiddleName => self.middle.extend(tokens(raw)),
            Role::FamilyName => {
                self.written.1.push_str(raw);
                let family = match several::in_family_name(raw) {
                    Some(several) => {
                        self.of_family = vec![several.given];
                        several.family
                    }
                    None => self.without_suffix(raw, 1),
                };
                self.family.extend(family);
            }
            Role::FullName => self.take_full_name(raw),
            Role::OtherNames => {
                for one in raw.split(['|', ';']) {
                    let name = self.full_name(one);
                    self.other.extend(name);
                }
            }
            Role::Suffix => {
                let folded = text::fold(raw);
                let words = folded.split_whitespace().map(|word| format!("{word}."));
                self.suffixes
                    .extend(words.filter_map(|word| generation(&word)));
            }
            _ => {}
        }
    }

    fn take_full_name(&mut self, raw: &str) {
        if let Some(several) = several::in_whole_name(raw) {
            self.full
                .push(name(&[several.given], &[], &several.family, None));
            return;
        }
        let raw = affixes::without_degrees(raw);
        let (raw, called) =
            affixes::called(&raw).map_or((raw, None), |(rest, called)| (rest, Some(called)));
        let name = self.full_name(&raw);
        let called = name
            .as_ref()
            .and_then(|name| called_otherwise(name, &called?));
        self.full.extend(name);
        self.other.extend(called);
    }

    /// Takes the suffix of a generation off the end of a name; `stay` words remain. A single letter
    /// is an initial where no family name is before it.
    fn without_suffix(&mut self, raw: &str, stay: usize) -> Vec<String> {
        let mut tokens = tokens(raw);
        let written = |last: &String| {
            let is_dotted = || text::fold(raw).contains(&format!("{last}."));
            generation_of(last, generation_of(last, true).is_some() && is_dotted())
        };
        while tokens.len() > stay
            && let Some(last) = tokens.last().filter(|last| stay > 1 || last.len() > 1)
            && let Some(suffix) = written(last)
        {
            self.suffixes.push(suffix);
            tokens.pop();
        }
        tokens
    }

    /// Takes the suffix of a generation out of the middle of a whole name: `Henri fils Moulin`.
    fn without_suffix_within(&mut self, mut words: Vec<String>) -> Vec<String> {
        let within = 1..words.len().saturating_sub(1);
        let is_suffix = |place: &usize| words::is_never_a_name(&words[*place]);
        if let Some(place) = within.clone().find(is_suffix) {
            self.suffixes.extend(generation(&words.remove(place)));
        }
        words
    }

    /// Takes what Hungarian says of the generation off the beginning of a whole name: `ifj. Nagy
    /// István`.
    fn without_prefix<'n>(&mut self, raw: &'n str) -> &'n str {
        let Some((first, rest)) = raw.split_once(' ') else {
            return raw;
        };
        let first = text::fold(first);
        if !matches!(&*first, "ifj." | "ifj" | "ifjabb" | "id." | "idosb") {
            return raw;
        }
        self.suffixes.extend(generation(&first));
        rest.trim_start()
    }

    /// A whole name, cut into given and family name as its script and spelling say.
    fn full_name(&mut self, raw: &str) -> Option<Name> {
        let raw = self.without_prefix(raw);
        let parts = in_order(raw, self.home);
        let native = Native::of(&parts.given, &parts.family, self.home);
        let (given, family) = if parts.family.is_empty() {
            let words = self.without_suffix(&parts.given, 2);
            let words = self.without_suffix_within(words);
            if syllables::is_family_first(&words, self.home) {
                (words[1..].to_vec(), words[..1].to_vec())
            } else {
                order::by_words(words)
            }
        } else {
            let given = self.without_suffix(&parts.given, 1);
            (given, self.without_suffix(&parts.family, 1))
        };
        let named = !given.is_empty() || !family.is_empty();
        let mut whole = name(&given, &[], &family, native);
        if let Some(family) = &mut whole.family {
            family.glued = affixes::glued(&given, &family.word);
        }
        whole.is_without_vowels = scripts::is_without_vowels(raw);
        whole.other_script = other_script(&whole, self.home);
        whole.syllables = syllables::of(&whole, self.home);
        named.then_some(whole)
    }

    /// All names: that of the fields, or else of the whole; and those that the person also goes by.
    pub(super) fn into_names(mut self) -> (Vec<Name>, Vec<u8>) {
        let (given, family) = &self.written;
        if !family.is_empty() && words::is_nobody(&text::fold(&format!("{given} {family}"))) {
            self.given.clear();
            self.family.clear();
        }
        if self.given.is_empty() {
            self.given.append(&mut self.of_family);
        }
        let mut names = Vec::new();
        if self.given.is_empty() && self.family.is_empty() {
            names.append(&mut self.full);
        }
        if names.is_empty()
            && !(self.given.is_empty() && self.middle.is_empty() && self.family.is_empty())
        {
            let (given, family) = &self.written;
            let native = Native::of(given, family, self.home);
            let mut own = name(&self.given, &self.middle, &self.family, native);
            own.is_without_vowels = [given, family]
                .iter()
                .any(|raw| scripts::is_without_vowels(raw));
            own.other_script = other_script(&own, self.home);
            own.syllables = syllables::of(&own, self.home);
            names.push(own);
        }
        names.append(&mut self.other);
        names.truncate(super::MAX_VALUES);
        self.suffixes.sort_unstable();
        self.suffixes.dedup();
        (names, self.suffixes)
    }
}

/// The name of a person with the given name that they go by. A name of the other sex is a
/// spouse's.
fn called_otherwise(name: &Name, called: &str) -> Option<Name> {
    let given = Given::new(tokens(called).first()?);
    let own = name.given.as_ref()?;
    let differ = matches!((own.sex(), given.sex()), (Some(own), Some(other)) if own != other);
    let is_form = own.forms.iter().any(|form| given.forms.contains(form));
    (!differ && !is_form && own.word != given.word).then(|| Name {
        given: Some(given),
        family: name.family.clone(),
        ..Name::default()
    })
}

/// The words of a given name that tell it from others: particles are left out, and names of two
/// words that are written as one are cut.
fn compound(given: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(given.len());
    for (place, word) in given.iter().enumerate() {
        match servant_of(word) {
            // `Umm Omar` is Omar's mother.
            _ if place > 0
                && matches!(given[0].as_str(), "abu" | "abou" | "umm" | "um" | "oum") =>
            {
                words[0].push_str(word);
            }
            Some(rest) if place == 0 && (given.len() > 1 || !rest.is_empty()) => {
                words.push("abdul".to_owned());
                words.extend((!rest.is_empty()).then(|| rest.to_owned()));
            }
            _ if place > 0 && is_particle(word) => {}
            _ => words.push(word.clone()),
        }
    }
    words
}

fn name(given: &[String], middle: &[String], family: &[String], native: Option<Native>) -> Name {
    let all = [given, middle].concat();
    let given = compound(given);
    let (first, rest) = given
        .split_first()
        .map_or((None, &given[..]), |(first, rest)| (Some(first), rest));
    Name {
        given: first.map(|first| Given::new(first)),
        middle: rest
            .iter()
            .chain(middle.iter().filter(|word| !is_particle(word)))
            .map(Word::new)
            .collect(),
        family: (!family.is_empty()).then(|| Family::new(family)),
        native,
        is_without_vowels: false,
        is_patronymic: all.iter().any(|word| words::is_son_of(word)),
        other_script: None,
        syllables: None,
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
    let mut words: Vec<String> = plain.filter(|word| !is_filler(word)).take(12).collect();
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    if words.first().is_some_and(|word| !is_number(word)) {
        words.retain(|word| !is_number(word)); // `Ann Kern (2)`
    }
    if matches!(words.as_slice(), [de, heer, _, ..] if de == "de" && heer == "heer") {
        words.drain(..2);
    }
    let mut titled = false;
    if let [title, given, ..] = words.as_slice()
        && words::is_womans_title(title)
        && given_names::known(given).is_some_and(|known| known.sex == Sex::Male)
    {
        let wife = [title.as_str(), given].concat(); // `Mrs. Karl Kern`
        return std::iter::once(wife)
            .chain(words.into_iter().skip(2))
            .collect();
    }
    while words.len() > 1
        && (is_title(&words[0])
            || words.len() > 2 && words::is_title_before_whole_name(&words[0], &words[1])
            || titled && words.len() > 2 && words::is_behind_title(&words[0])
            || words::is_spanish_title(&words[0]) && given_names::is_romance(&words[1]))
    {
        words.remove(0);
        titled = true;
    }
    while words.len() > 1 && words.last().is_some_and(|last| words::is_credential(last)) {
        words.pop();
    }
    if words.len() == 1 && is_title(&words[0]) {
        words.clear();
    }
    words.truncate(8);
    words
}
