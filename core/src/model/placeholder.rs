//! Placeholders: values that forms, exports and people put where they have none.
//!
//! One list for each sort of value, compared without regard to case, white space and punctuation
//! around. Identifiers on the list link nobody, traits on it are not compared. A model extends the
//! list by `blocked` patterns.
//!
//! Source: values reported publicly by users of `PostHog`, Segment, Splink and others as hubs of
//! false joins, RFC 2606 for reserved domains, and the constants of programs (`null`, `NaN`,
//! epochs).

use std::collections::HashSet;
use std::sync::LazyLock;

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
const NOTHING_WORDS: &str = "null nil none nan na n/a n.a undefined unknown unkown unspecified anonymous anon guest visitor \
    user customer client test testing tester dummy sample example demo default temp tmp empty blank missing \
    invalid void false true yes no object object,object [object,object] nobody noone no-one not-set notset \
    not_set not-available notavailable not-logged-in notloggedin logged-out not-applicable notapplicable tbd tba \
    todo xxx xx x xxxx aaa asdf qwerty abc abc123 foo bar same dito ditto see-notes as-above \
    unbekannt keine kein inconnu inconnue desconocido desconocida sconosciuto onbekend okand okänd ukendt ukjent nieznany \
    неизвестно 不明 未知 なし 無 없음 tidak-ada belum-ada sin-datos sem-dados";

/// Streets and towns that are none.
const PLACE_WORDS: &str = "homeless no-fixed-abode nofixedabode nofixedaddress no-fixed-address general-delivery generaldelivery \
    poste-restante posterestante postlagernd unknown-street unknownstreet no-address noaddress kein-adresse \
    same-as-billing sameasbilling same-as-above sameasabove same-as-shipping sameasshipping address street strasse \
    123-main-st 123-main-street 1-main-street 1-test-street test-street test-1 teststreet teststrasse \
    1-anywhere-street anywhere нет-адреса адрес-неизвестен";

/// Mailboxes that are nobody's, whatever the domain.
const MAILBOX_WORDS: &str = "test tests testing tester none no noone nobody na n.a n-a null nil unknown anonymous anon guest nomail \
    noemail no-email no.email no_email noreply no-reply no_reply donotreply do-not-reply do_not_reply declined decline refused \
    notprovided not.provided notavailable email fake fakeemail dummy sample example someone somebody \
    asdf asdfg asdfasdf qwerty xxx xx aaa aa abc keine keinemail keine.mail sinemail sincorreo notiene semmail sem.email \
    ingen brak brakmaila mailer-daemon postmaster hostmaster webmaster abuse root customer user";

/// Device identifiers that many devices have.
const DEVICE_WORDS: &str =
    "9774d56d682e549c 020000000000 000000000000000 004999010640000 012345678912345 35000000000000";

/// Whether a value stands for nothing.
#[must_use]
pub fn is_placeholder(sort: Sort, value: &str) -> bool {
    let folded = value.trim().to_lowercase();
    match sort {
        Sort::Email => is_no_mailbox(&folded),
        Sort::Phone => is_no_line(&folded),
        Sort::Id => {
            is_nothing(&folded) || is_no_number(&folded) || listed(&DEVICES, &plain(&folded))
        }
        Sort::Place => is_nothing(&folded) || listed(&PLACES, &spaced(&folded)),
    }
}

/// A list of placeholders, looked up by hash: every identifier of every record is asked about.
struct List(LazyLock<HashSet<&'static str>>);

impl List {
    const fn new(words: fn() -> HashSet<&'static str>) -> Self {
        Self(LazyLock::new(words))
    }
}

fn listed(list: &List, value: &str) -> bool {
    list.0.contains(value)
}

static NOTHING: List = List::new(|| NOTHING_WORDS.split_ascii_whitespace().collect());
static PLACES: List = List::new(|| PLACE_WORDS.split_ascii_whitespace().collect());
static MAILBOXES: List = List::new(|| MAILBOX_WORDS.split_ascii_whitespace().collect());
static DEVICES: List = List::new(|| DEVICE_WORDS.split_ascii_whitespace().collect());

/// A value without brackets, quotes and punctuation around it, its inner spaces as hyphens.
fn spaced(folded: &str) -> String {
    let trimmed = folded.trim_matches(|letter: char| !letter.is_alphanumeric());
    let words: Vec<&str> = trimmed
        .split(|letter: char| letter.is_whitespace() || letter == '_' || letter == ',')
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

/// Letters and digits only.
fn plain(folded: &str) -> String {
    folded
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect()
}

fn is_nothing(folded: &str) -> bool {
    let value = spaced(folded);
    value.is_empty() || listed(&NOTHING, &value) || value == "object-object"
}

/// Numbers that count up, down or not at all: `0`, `-1`, `999999`, `12345678`, zero UUIDs. Shorter
/// ones are somebody's where a system numbers its customers.
fn is_no_number(folded: &str) -> bool {
    let plain = plain(folded);
    let digits = plain.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let same = digits.iter().all(|digit| *digit == digits[0]);
    let zeros = digits
        .iter()
        .rev()
        .take_while(|digit| **digit == b'0')
        .count();
    // `-1` and the like.
    let negative = folded.starts_with('-') && digits.len() <= 3;
    let run = digits.len() >= 6
        && (digits
            .windows(2)
            .all(|pair| pair[1] == pair[0] + 1 || (pair[0] == b'9' && pair[1] == b'0'))
            || digits.windows(2).all(|pair| pair[0] == pair[1] + 1));
    let repeated = same && (digits[0] == b'0' || digits.len() >= 6);
    repeated || negative || run || (digits.len() >= 7 && zeros + 1 >= digits.len())
}

fn is_no_mailbox(folded: &str) -> bool {
    let Some((local, domain)) = folded.rsplit_once('@') else {
        return is_nothing(folded);
    };
    let name = local.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let name = name.split('+').next().unwrap_or(name);
    let host = domain.split('.').next().unwrap_or(domain);
    let reserved = matches!(
        domain.rsplit('.').next(),
        Some("test" | "invalid" | "localhost")
    );
    // `guest@guest.com`, `email@email.com`.
    let echo =
        local == host && (local.len() == 1 || listed(&MAILBOXES, name) || listed(&NOTHING, name));
    let mailbox = listed(&MAILBOXES, name) || listed(&NOTHING, name) && name.len() > 3;
    let keyboard = local.len() > 1
        && local.len() <= 8
        && local.bytes().all(|byte| byte == local.as_bytes()[0]);
    reserved || echo || mailbox || keyboard
}

fn is_no_line(folded: &str) -> bool {
    let digits: Vec<u8> = folded.bytes().filter(u8::is_ascii_digit).collect();
    if digits.len() < 4 {
        return true;
    }
    // The national part at least: the last seven digits or more count up or do not change.
    let tail = &digits[digits.len().saturating_sub(8)..];
    let same = tail.iter().all(|digit| *digit == tail[0]);
    let run = |step: i16| {
        tail.windows(2)
            .all(|pair| (i16::from(pair[1]) - i16::from(pair[0]) + 10) % 10 == (step + 10) % 10)
    };
    same || run(1) || run(-1)
}

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
