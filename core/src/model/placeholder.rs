//! Placeholders: values that forms, exports and people put where they have none.
//!
//! One list for each sort of value, compared without regard to case, white space and punctuation
//! around. Identifiers on the list link nobody, traits on it are not compared, and whoever says one
//! gets a note. A model extends the list of an identifier type or a trait, or goes without it.
//!
//! Every identifier of every write is asked about, so a value is compared without an allocation.
//!
//! Source: values reported publicly by users of `PostHog`, Segment, Splink and others as hubs of
//! false joins, RFC 2606 for reserved domains, and the constants of programs (`null`, `NaN`,
//! epochs).

mod folded;
mod masked;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::Date;
use folded::{Folded, lower};
pub(crate) use masked::is_masked;
use masked::is_masked_mailbox;

/// A kind of value, with a list of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A number or key of a system, an account, a device.
    Id,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A street, a town, a postal code.
    Place,
}

/// Placeholders of programs and people, whatever the field.
const NOTHING_WORDS: &str = include_str!("placeholder/nothing.txt");

/// Customers who are nobody in particular, names of fields, ends of the range of integers, and
/// hashes of an empty text (MD5, SHA-1, SHA-256).
const ID_WORDS: &str = include_str!("placeholder/ids.txt");

/// Streets and towns that are none.
const PLACE_WORDS: &str = include_str!("placeholder/places.txt");

/// Mailboxes that are nobody's, whatever the domain; without the signs between their words.
const MAILBOX_WORDS: &str = include_str!("placeholder/mailboxes.txt");

/// First labels of domains at which no mailbox is anybody's.
const HOST_WORDS: &str = include_str!("placeholder/hosts.txt");

/// Device identifiers that many devices have.
const DEVICE_WORDS: &str =
    "9774d56d682e549c 020000000000 000000000000000 004999010640000 012345678912345 35000000000000";

/// Maximum length of an entry of a list, in bytes.
pub(super) const MAX_ENTRY_BYTES: usize = 64;

/// The placeholders of one identifier type or trait: the built-in list of its sort with values that
/// a model adds, or without the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholders {
    built_in: bool,
    /// Folded as the values are that are compared with them.
    own: Vec<String>,
}

impl Default for Placeholders {
    /// The built-in list.
    fn default() -> Self {
        Self {
            built_in: true,
            own: Vec::new(),
        }
    }
}

impl Placeholders {
    /// No placeholders at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            built_in: false,
            own: Vec::new(),
        }
    }

    /// These values too, compared as the built-in ones are. An entry without `@` is also a mailbox
    /// at any domain.
    #[must_use]
    pub fn with<'v>(mut self, values: impl IntoIterator<Item = &'v str>) -> Self {
        let folded = values.into_iter().filter_map(Folded::of);
        let folded = folded.map(|value| value.as_str().to_owned());
        self.own.extend(folded.filter(|value| !value.is_empty()));
        self
    }

    /// Whether a value of a sort stands for nothing.
    #[must_use]
    pub fn has(&self, sort: Sort, value: &str) -> bool {
        self.built_in && is_placeholder(sort, value) || self.has_own(value)
    }

    /// Whether a date stands for nothing.
    #[must_use]
    pub fn has_date(&self, date: Date) -> bool {
        self.built_in && date.is_placeholder()
            || !self.own.is_empty() && self.has_own(&date.to_string())
    }

    fn has_own(&self, value: &str) -> bool {
        if self.own.is_empty() {
            return false;
        }
        let is_own = |value: &str| {
            Folded::of(value).is_some_and(|value| self.own.iter().any(|own| own == value.as_str()))
        };
        let mailbox = value.rsplit_once('@').map(|(mailbox, _)| mailbox);
        is_own(value) || mailbox.is_some_and(is_own)
    }
}

/// Whether a value stands for nothing by the built-in list.
fn is_placeholder(sort: Sort, value: &str) -> bool {
    let value = value.trim();
    match sort {
        Sort::Email => is_masked_mailbox(value) || is_no_mailbox(&lower(value)),
        Sort::Phone => is_masked(value) || is_no_line(value),
        Sort::Id => {
            is_nothing(value)
                || Folded::of(value).is_some_and(|value| value.is_in(&IDS))
                || is_no_number(value)
                || is_no_device(value)
                || is_numbered_test(value)
                || is_template(value)
                || is_masked(value)
        }
        Sort::Place => {
            let digits = || value.bytes().filter(u8::is_ascii_alphanumeric);
            let is_no_code = digits().all(|digit| digit == b'0') || value == "99999";
            is_nothing(value)
                || Folded::of(value).is_some_and(|value| value.is_in(&PLACES))
                || (value.is_ascii() && is_no_code)
                || is_masked(value)
        }
    }
}

/// A list of placeholders, looked up by hash: every identifier of every record is asked about.
struct List(LazyLock<Words>);

struct Words {
    all: HashSet<&'static str>,
    /// By the first byte of a word, a bit for each length in bytes: what few values have in common
    /// with a word.
    lengths: [u64; 256],
}

impl List {
    /// `words` splits them.
    const fn new(words: fn() -> Words) -> Self {
        Self(LazyLock::new(words))
    }
}

fn words(text: &'static str) -> Words {
    let all: HashSet<&'static str> = text.split_ascii_whitespace().collect();
    let mut lengths = [0; 256];
    for word in &all {
        lengths[usize::from(word.as_bytes()[0])] |= length_bit(word);
    }
    Words { all, lengths }
}

fn length_bit(word: &str) -> u64 {
    1 << word.len().min(MAX_ENTRY_BYTES - 1)
}

fn listed(list: &List, value: &str) -> bool {
    let Words { all, lengths } = &*list.0;
    let first = value.as_bytes().first();
    first.is_some_and(|first| lengths[usize::from(*first)] & length_bit(value) != 0)
        && all.contains(value)
}

static NOTHING: List = List::new(|| words(NOTHING_WORDS));
static IDS: List = List::new(|| words(ID_WORDS));
static PLACES: List = List::new(|| words(PLACE_WORDS));
static MAILBOXES: List = List::new(|| words(MAILBOX_WORDS));
static HOSTS: List = List::new(|| words(HOST_WORDS));
static DEVICES: List = List::new(|| words(DEVICE_WORDS));

/// Whether a value is blank, or a word that stands for nothing whatever the field.
pub(crate) fn is_nothing(value: &str) -> bool {
    Folded::of(value).is_some_and(|value| {
        let is_word = |word: &str| listed(&NOTHING, word);
        // `null null`, `N/A N/A`
        let has_words = || value.as_str().contains('-') && value.as_str().split('-').all(is_word);
        value.len == 0 || value.is_in(&NOTHING) || has_words()
    })
}

/// Whether the id of an object names none: nobody's events are found by it. Numbers that count up
/// are somebody's orders.
#[must_use]
pub fn is_no_object(id: &str) -> bool {
    let digits = || id.chars().filter(|letter| letter.is_alphanumeric());
    is_nothing(id) || id.trim() == "-1" || digits().all(|digit| digit == '0')
}

/// Identifiers of devices that many devices have.
fn is_no_device(value: &str) -> bool {
    Folded::plain(value).is_some_and(|value| value.is_in(&DEVICES))
}

/// Numbers that count up, down or not at all: `0`, `-1`, `999999`, `12345678`, zero UUIDs. Shorter
/// ones are somebody's where a system numbers its customers.
fn is_no_number(value: &str) -> bool {
    let letters = || value.chars().filter(|letter| letter.is_alphanumeric());
    let Some(first) = letters().next() else {
        return false;
    };
    if !letters().all(|letter| letter.is_ascii_hexdigit()) {
        let is_mask = letters().all(|letter| matches!(letter, 'x' | 'X'));
        return is_mask && letters().count() >= 4;
    }
    let first = first.to_ascii_lowercase();
    let count = letters().count();
    let same = letters().all(|letter| letter.to_ascii_lowercase() == first);
    let zeros = letters().rev().take_while(|letter| *letter == '0').count();
    // `-1` and the like.
    let negative = value.starts_with('-') && count <= 3;
    let run = count >= 6 && (counts(letters(), true) || counts(letters(), false));
    let leading = letters().take_while(|letter| *letter == '0').count();
    let nearly_zero = count >= 16 && leading + 1 >= count;
    let repeated = same && (first == '0' || count >= 6);
    repeated || nearly_zero || negative || run || (count >= 7 && zeros + 1 >= count)
}

/// Records of testers: `TEST001`.
fn is_numbered_test(value: &str) -> bool {
    const MAX_DIGITS: usize = 4;
    let word = value.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = value.len() - word.len();
    let word = word.trim_end_matches(['-', '_', ' ', '.', '#']);
    let tests = [
        "test", "dummy", "sample", "demo", "example", "fake", "testuser",
    ];
    (1..=MAX_DIGITS).contains(&digits) && tests.iter().any(|test| word.eq_ignore_ascii_case(test))
}

/// Whether each digit is one more than that before it (0 comes after 9), or one less.
fn counts(letters: impl Iterator<Item = char> + Clone, up: bool) -> bool {
    let next = letters.clone().skip(1);
    letters.zip(next).all(|(before, after)| {
        let [before, after] = [before, after].map(|letter| u32::from(letter.to_ascii_lowercase()));
        if up {
            after == before + 1 || (before == u32::from('9') && after == u32::from('0'))
        } else {
            before == after + 1
        }
    })
}

/// Whether a value is the name of a variable that a template left as it was: `{{customer.id}}`,
/// `${id}`, `<user_id>`, `%s`.
fn is_template(value: &str) -> bool {
    let is_sign = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | ' ');
    let is_name = |inner: &str| inner.contains(char::is_alphabetic) && inner.chars().all(is_sign);
    let within = |begin: &str, end: &str| {
        let inner = value
            .strip_prefix(begin)
            .and_then(|rest| rest.strip_suffix(end));
        inner.is_some_and(|inner| is_name(inner.trim()))
    };
    let pairs = [
        ("{{{", "}}}"),
        ("{{", "}}"),
        ("[[", "]]"),
        ("#{", "}"),
        ("<%=", "%>"),
        ("%(", ")s"),
        ("${", "}"),
        ("{", "}"),
        ("<", ">"),
        ("%", "%"),
    ];
    pairs.iter().any(|(begin, end)| within(begin, end)) || matches!(value, "%s" | "%d" | r"\N")
}

fn is_no_mailbox(folded: &str) -> bool {
    let Some((local, domain)) = folded.rsplit_once('@') else {
        return is_nothing(folded);
    };
    let local = local.split('+').next().unwrap_or(local);
    let name = local.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let is_sign = |letter: char| matches!(letter, '.' | '_' | '-');
    let plain = if name.contains(is_sign) {
        Cow::Owned(name.replace(is_sign, ""))
    } else {
        Cow::Borrowed(name)
    };
    let host = domain.split('.').next().unwrap_or(domain);
    let reserved = matches!(
        domain.rsplit('.').next(),
        Some("test" | "invalid" | "localhost" | "localdomain" | "local" | "masked")
    );
    // Nobody reads there, whatever follows: `no-reply-buyer@marketplace.example.it`.
    let is_silent = ["noreply", "donotreply"]
        .iter()
        .any(|word| plain.starts_with(word));
    let is_word =
        is_silent || listed(&MAILBOXES, &plain) || listed(&NOTHING, name) && name.len() > 3;
    let is_number = local.bytes().all(|byte| byte.is_ascii_digit());
    // `guest@guest.com`, `mail@mail.com`, `1@1.com`, `a@b.c`.
    let echo = local == host
        && (local.len() == 1
            || is_word
            || is_number
            || listed(&NOTHING, name)
            || listed(&IDS, name)
            || name == "mail");
    let letter = local.len() == 1 && host.len() == 1;
    let somebody = matches!(host, "example" | "domain" | "email" | "test" | "yourdomain")
        && matches!(
            &*plain,
            "name" | "johndoe" | "janedoe" | "maxmustermann" | "mail" | "me" | "you"
        );
    let keyboard = local.len() > 1
        && local.len() <= 8
        && local.bytes().all(|byte| byte == local.as_bytes()[0]);
    let run = is_number && (local.len() <= 3 || counts(local.chars(), true));
    let nowhere = listed(&HOSTS, host) || plain == "maxmustermann" && name.contains('.');
    reserved || echo || letter || is_word || somebody || keyboard || run || nowhere
}

fn is_no_line(value: &str) -> bool {
    let digits = || value.bytes().rev().filter(u8::is_ascii_digit);
    if digits().count() < 4 {
        return true;
    }
    // The national part at least: the last seven digits or more count up or do not change.
    let tail = || digits().take(8);
    let run = |step: i16| {
        tail().zip(tail().skip(1)).all(|(after, before)| {
            (i16::from(after) - i16::from(before) + 10) % 10 == (step + 10) % 10
        })
    };
    run(0) || run(1) || run(-1) || NO_LINES.contains(&value)
}

/// Numbers of services that people give as theirs.
const NO_LINES: [&str; 2] = ["+18005551212", "+8613800138000"];

#[cfg(test)]
#[path = "placeholder/tests.rs"]
mod world;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nothing_is_known_by_its_sort() {
        for (sort, values) in [
            (
                Sort::Id,
                "null|NULL|undefined|[object Object]|0|-1|None|NaN|N/A|-|anonymous|guest|true|\
                 00000000-0000-0000-0000-000000000000|not-logged-in|9999999|12345678|10000000|55555555|\
                 02:00:00:00:00:00|9774d56d682e549c|(null)|unknown",
            ),
            (
                Sort::Email,
                "test@test.com|none@none.com|noemail123@gmail.com|email@email.com|guest@guest.com|\
                 declined@declined.com|keine@keine.de|sinemail@sinemail.es|someone@example.com|a@a.com|\
                 na@na.com|no-reply@shop.com|x@x.de",
            ),
            (
                Sort::Phone,
                "0000000000|1111111111|+15555555555|1234567890|12345|+4912345678|+49987654321",
            ),
            (
                Sort::Place,
                "unknown|N/A|same|Homeless|General Delivery|123 Main St|-|poste restante|unbekannt|\
                 нет адреса|Test 1|same as billing",
            ),
        ] {
            for value in values.split('|') {
                assert!(is_placeholder(sort, value), "{sort:?} {value}");
            }
        }
    }

    #[test]
    fn what_somebody_has_is_none() {
        for (sort, values) in [
            (
                Sort::Id,
                "1111|12345|1|17|42|K100123|10010017|deadbeef|a1b2|12|user-17|guest-4411|2024-000017|100200",
            ),
            (
                Sort::Email,
                "mail@martakern.de|hello@janesmith.com|office@meier.at|a@meier.at|anna.test@gmail.com|noel@gmail.com|\
                 nonna@libero.it|nathan@web.de|abe@abe.com|xavier@x.com|bar@foo.com",
            ),
            (Sort::Phone, "+12025550143|+4915112345679|+442079460000"),
            (
                Sort::Place,
                "12 Main St|Unknown Road 4|Same Street 1|Nowhere Lane 7|Teststraße 12",
            ),
        ] {
            for value in values.split('|') {
                assert!(!is_placeholder(sort, value), "{sort:?} {value}");
            }
        }
    }
}
