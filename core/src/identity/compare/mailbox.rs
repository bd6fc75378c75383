//! E-mail addresses, which often repeat the name.
//!
//! A mailbox that is made of the name is no second evidence: whoever has the name may have it, at
//! another provider or with another number behind it. The number is there because there are several
//! of that name, so another one speaks against. The whole address is a different matter: the same
//! one is one person's.

use std::borrow::Cow;

use crate::identity::features::{Email, Name};
use crate::identity::text::{edits, is_similar};
use crate::model::matching::{AgreementLevel, Field, Weights};

/// At most this much for a mailbox made of the name with the same number in it, elsewhere.
const SAME_NUMBER: i32 = 6_000;
/// At most this much for a mailbox made of the name without a number, elsewhere.
const NAME_ONLY: i32 = 1_500;
/// Another number behind one name.
const OTHER_NUMBER: i32 = -6_000;

/// A number of fewer digits is shared by chance.
const TELLING_DIGITS: usize = 2;
/// Letters of a mailbox that are of no name: an initial, `de`, `xx`.
const MOST_OTHER_LETTERS: usize = 3;
/// A shorter part of a name is in many mailboxes by chance.
const LEAST_NAME: usize = 3;

/// How far two addresses of people with these names agree, and what that is worth.
pub(super) fn compare(
    (a, a_names): (&Email, &[Name]),
    (b, b_names): (&Email, &[Name]),
    weights: &Weights,
) -> (AgreementLevel, i32) {
    let level = level(a, b);
    let worth = weights.of(Field::Email, level);
    if matches!(level, AgreementLevel::Exact | AgreementLevel::Missing)
        || a.domain.is_empty()
        || b.domain.is_empty()
    {
        return (level, worth);
    }
    if a.local == b.local && level == AgreementLevel::Close {
        return (level, worth); // The domain is mistyped, and the mailbox is the same.
    }
    let (x, y) = (Mailbox(a), Mailbox(b));
    if !x.letters().eq(y.letters()) {
        // Each repeats its own name: where they differ, the names do.
        let own_names = || x.is_made_of(a_names) && y.is_made_of(b_names);
        return (level, if worth > 0 && own_names() { 0 } else { worth });
    }
    let same_number = x.number().eq(y.number());
    // One mailbox with another number behind it is rather another one than a slip.
    let level = match level {
        AgreementLevel::Close if !same_number => AgreementLevel::Similar,
        level => level,
    };
    let worth = weights.of(Field::Email, level);
    let of_name = x.is_made_of(a_names) || y.is_made_of(b_names);
    let digits = |mailbox: &Mailbox<'_>| mailbox.number().count();
    let most = match (of_name, same_number) {
        (true, true) if digits(&x) >= TELLING_DIGITS => SAME_NUMBER,
        (true, true) => NAME_ONLY,
        (true, false) if digits(&x) == 0 || digits(&y) == 0 => 0,
        (true, false) => OTHER_NUMBER,
        (false, false) => 0,
        (false, true) => worth,
    };
    (level, worth.min(most))
}

/// The part before the `@` of an address.
struct Mailbox<'a>(&'a Email);

impl Mailbox<'_> {
    /// All of it but the digits.
    fn letters(&self) -> impl Iterator<Item = char> {
        self.0
            .local
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
    }

    /// The digits, in one number.
    fn number(&self) -> impl Iterator<Item = char> {
        self.0.local.chars().filter(char::is_ascii_digit)
    }

    /// Whether its letters are those of a name, but for a few.
    fn is_made_of(&self, names: &[Name]) -> bool {
        let letters = self.letters().collect::<String>();
        let letters = plain(&letters);
        names.iter().any(|name| {
            let given = name.given.iter().map(|given| given.word.text.as_str());
            let family = name.family.iter().map(|family| family.word.text.as_str());
            let middle = name.middle.iter().map(|word| word.text.as_str());
            let mut rest = Cow::Borrowed(&*letters);
            let mut found = false;
            for part in family.chain(given).chain(middle).map(plain) {
                if part.len() >= LEAST_NAME
                    && let Some(place) = rest.find(&*part)
                {
                    rest.to_mut().replace_range(place..place + part.len(), "");
                    found = true;
                }
            }
            found && rest.len() <= MOST_OTHER_LETTERS
        })
    }
}

/// Umlauts in their two spellings are one.
fn plain(word: &str) -> Cow<'_, str> {
    let is_spelled_out = |pair: &[u8]| matches!(pair, [b'a' | b'o' | b'u', b'e']);
    if !word.as_bytes().windows(2).any(is_spelled_out) {
        return Cow::Borrowed(word);
    }
    let plain = word.replace("ae", "a");
    Cow::Owned(plain.replace("oe", "o").replace("ue", "u"))
}

fn level(a: &Email, b: &Email) -> AgreementLevel {
    if a.domain.is_empty() || b.domain.is_empty() || a.masked().is_some() || b.masked().is_some() {
        return mangled_level(a, b);
    }
    if a.whole.hash == b.whole.hash {
        return AgreementLevel::Exact;
    }
    if a.domain == b.domain
        && a.local.len().min(b.local.len()) >= 5
        && edits(&a.local, &b.local, 1) <= 1
    {
        return AgreementLevel::Close;
    }
    if a.local == b.local {
        return match (a.is_telling(), is_slip_of_domain(&a.domain, &b.domain)) {
            (_, true) => AgreementLevel::Close,
            (true, false) => AgreementLevel::SameLocalPart,
            (false, false) => AgreementLevel::Different,
        };
    }
    if edits(&a.whole.text, &b.whole.text, 2) <= 2 {
        return AgreementLevel::Close;
    }
    let same_number = a.number().is_some() && a.number() == b.number();
    let long = a.local.len().min(b.local.len()) >= 6;
    let alike = same_number
        || (long && is_similar(&a.local, &b.local, 940))
        || is_similar(&a.whole.text, &b.whole.text, 950);
    if alike {
        AgreementLevel::Similar
    } else {
        AgreementLevel::Different
    }
}

/// Whether one domain is the other mistyped. Two providers (`mail.com`, `gmail.com`), and the
/// branches of one in two countries (`yahoo.de`, `yahoo.es`), are not one mailbox.
fn is_slip_of_domain(a: &str, b: &str) -> bool {
    let provider = |domain: &str| {
        domain
            .split('.')
            .next()
            .is_some_and(|name| PROVIDERS.contains(&name))
    };
    let country = |domain: &str| domain.rsplit('.').next().is_some_and(|end| end.len() == 2);
    let first = |domain| str::split(domain, '.').next();
    let two = if first(a) == first(b) {
        country(a) && country(b)
    } else {
        provider(a) && provider(b)
    };
    !two && edits(a, b, 2) <= 2
}

/// The first part of the domains of providers that few letters tell apart.
const PROVIDERS: [&str; 20] = [
    "mail", "gmail", "ymail", "email", "hotmail", "rmail", "inbox", "gmx", "web", "aol", "msn",
    "live", "me", "mac", "qq", "163", "126", "ya", "bk", "sky",
];

/// Addresses of which a part is hidden or lost: what is left agrees, or says nothing.
fn mangled_level(a: &Email, b: &Email) -> AgreementLevel {
    let shown = |email: &Email| email.masked().map(str::len);
    let prefix = shown(a).into_iter().chain(shown(b)).min();
    let same_start = prefix.is_some_and(|length| {
        length >= 3 && a.domain == b.domain && a.local.get(..length) == b.local.get(..length)
    });
    let same_number = a.number().is_some() && a.number() == b.number();
    if same_start || same_number {
        AgreementLevel::Similar
    } else {
        AgreementLevel::Missing
    }
}
