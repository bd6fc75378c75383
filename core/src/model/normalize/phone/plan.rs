//! Numbering plans: what libphonenumber's metadata says of each region.
//!
//! The metadata is that of the `phonenumber` crate; its parser is not used. That parser strips the
//! default region's trunk prefix from numbers of other countries and does not check a number to its
//! end. The rules here are those of libphonenumber's `PhoneNumberUtil`, stricter in one point:
//! where two readings fit, neither is taken.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use phonenumber::Metadata;
use phonenumber::Type;
use phonenumber::metadata::{DATABASE, Descriptor};
use regex::Regex;

/// Kinds of numbers that people have. A number that is none of them is possible, not valid.
const TYPES: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];
/// A plan whose landline numbers differ more than this in length does not tell a local number from
/// a whole one by its length.
const OPEN_PLAN_SPREAD: u16 = 2;
/// Maximum digits of a local number where the metadata does not say.
const MAX_LOCAL_DIGITS: usize = 8;
/// Shortest list of local lengths that is about subscribers' numbers rather than service codes.
const MIN_LOCAL_DIGITS: usize = 5;

/// The numbering plan of one region.
pub(super) struct Plan {
    meta: &'static Metadata,
    patterns: OnceLock<Patterns>,
    types: OnceLock<Vec<(Type, Regex)>>,
}

/// The patterns that reading a number needs.
struct Patterns {
    general: Regex,
    trunk: Option<Regex>,
    international: Option<Regex>,
}

struct Plans {
    by_region: HashMap<&'static str, &'static Plan>,
    by_code: HashMap<u16, Vec<&'static Plan>>,
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let mut plans = Plans {
        by_region: HashMap::new(),
        by_code: HashMap::new(),
    };
    for code in 1_u16..=999 {
        for meta in DATABASE.by_code(&code).unwrap_or_default() {
            let plan: &'static Plan = Box::leak(Box::new(Plan {
                meta,
                patterns: OnceLock::new(),
                types: OnceLock::new(),
            }));
            plans.by_region.insert(meta.id(), plan);
            plans.by_code.entry(code).or_default().push(plan);
        }
    }
    for regions in plans.by_code.values_mut() {
        regions.sort_by_key(|plan| !plan.meta.is_main_country_for_code());
    }
    plans
});

/// The plan of a region by its ISO 3166 code.
pub(super) fn of_region(region: &str) -> Option<&'static Plan> {
    let geographic = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase());
    geographic.then(|| PLANS.by_region.get(region).copied())?
}

/// The plans that share a calling code, the main region's first, and the digits after that code.
/// Calling codes have one to three digits, and none begins another.
pub(super) fn of_code(digits: &str) -> Option<(&'static [&'static Plan], &str, &str)> {
    (1..=3)
        .filter(|length| *length < digits.len())
        .find_map(|length| {
            let (code, national) = digits.split_at_checked(length)?;
            let plans = PLANS.by_code.get(&code.parse().ok()?)?;
            (!code.starts_with('0')).then_some((plans.as_slice(), code, national))
        })
}

fn compile(pattern: &str, whole: bool) -> Option<Regex> {
    let end = if whole { "$" } else { "" };
    Regex::new(&format!("(?x)^(?:{pattern}){end}")).ok()
}

impl Plan {
    fn patterns(&self) -> &Patterns {
        self.patterns.get_or_init(|| Patterns {
            general: compile(
                self.meta.descriptors().general().national_number().as_str(),
                true,
            )
            .unwrap_or_else(|| unreachable!("the crate has compiled the same pattern")),
            trunk: self
                .meta
                .national_prefix_for_parsing()
                .and_then(|pattern| compile(pattern.as_str(), false))
                .or_else(|| compile(self.meta.national_prefix()?, false)),
            international: self
                .meta
                .international_prefix()
                .and_then(|pattern| compile(pattern.as_str(), false)),
        })
    }

    /// The region's calling code.
    pub(super) fn code(&self) -> String {
        self.meta.country_code().to_string()
    }

    /// Whether a national number can exist: its length and its leading digits are of the plan.
    pub(super) fn fits(&self, national: &str) -> bool {
        let general = self.meta.descriptors().general();
        has_length(general, national)
            && (self.meta.country_code() != 1 || is_north_american(national))
            && self.patterns().general.is_match(national)
    }

    /// Whether a number is of a block that was given out to this type.
    fn is(&self, national: &str, wanted: impl Fn(Type) -> bool) -> bool {
        let types = self.types.get_or_init(|| {
            let compiled = TYPES.iter().filter_map(|kind| {
                let descriptor = self.meta.descriptors().get(*kind)?;
                Some((*kind, compile(descriptor.national_number().as_str(), true)?))
            });
            compiled.collect()
        });
        types.iter().any(|(kind, pattern)| {
            let descriptor = self.meta.descriptors().get(*kind);
            wanted(*kind)
                && descriptor.is_some_and(|descriptor| has_length(descriptor, national))
                && pattern.is_match(national)
        })
    }

    /// Whether a number is of a block that was given out.
    pub(super) fn is_valid(&self, national: &str) -> bool {
        self.fits(national) && self.is(national, |_| true)
    }

    /// Whether a number is of a block of mobile numbers.
    pub(super) fn is_mobile(&self, national: &str) -> bool {
        self.fits(national) && self.is(national, |kind| matches!(kind, Type::Mobile))
    }

    /// The national number behind the trunk prefix and the code of a carrier; `None` if it has no
    /// such prefix.
    pub(super) fn without_trunk(&self, digits: &str) -> Option<String> {
        let captures = self.patterns().trunk.as_ref()?.captures(digits)?;
        let whole = captures.get(0).filter(|whole| whole.end() > 0)?;
        let last = captures.len().checked_sub(1).filter(|last| *last > 0);
        let rule = self
            .meta
            .national_prefix_transform_rule()
            .filter(|_| last.is_some_and(|last| captures.get(last).is_some()));
        let rest = &digits[whole.end()..];
        Some(match rule {
            None => rest.to_owned(),
            Some(rule) => format!("{}{rest}", transformed(rule, &captures)),
        })
    }

    /// The digits after the prefix that callers in this region dial before a calling code.
    pub(super) fn without_international_prefix<'d>(&self, digits: &'d str) -> Option<&'d str> {
        let prefix = self.patterns().international.as_ref()?.find(digits)?;
        digits
            .get(prefix.end()..)
            .filter(|rest| !rest.is_empty() && !rest.starts_with('0'))
    }

    /// Whether callers dial a prefix before the area code.
    pub(super) fn has_trunk_prefix(&self) -> bool {
        self.meta.national_prefix().is_some()
    }

    /// Whether the lengths of this region's numbers do not tell a whole number from a local one.
    pub(super) fn is_open(&self) -> bool {
        let lengths = self
            .meta
            .descriptors()
            .fixed_line()
            .map(Descriptor::possible_length);
        let ends = lengths.and_then(|lengths| Some((lengths.iter().min()?, lengths.iter().max()?)));
        ends.is_some_and(|(least, most)| most - least > OPEN_PLAN_SPREAD)
    }

    /// Maximum digits of a number that callers dial within an area.
    pub(super) fn max_local_digits(&self) -> usize {
        let descriptors = self.meta.descriptors();
        let known = [Some(descriptors.general()), descriptors.fixed_line()];
        let longest = known
            .into_iter()
            .flatten()
            .flat_map(Descriptor::possible_local_length)
            .max()
            .map_or(0, |longest| usize::from(*longest));
        match longest {
            _ if !self.has_trunk_prefix() => 0,
            MIN_LOCAL_DIGITS.. => longest,
            _ if self.is_open() => MAX_LOCAL_DIGITS,
            _ => 0,
        }
    }
}

fn has_length(descriptor: &Descriptor, national: &str) -> bool {
    let lengths = descriptor.possible_length();
    lengths.is_empty()
        || lengths
            .iter()
            .any(|length| usize::from(*length) == national.len())
}

/// Area and exchange begin with 2 to 9.
///
/// Source: North American Numbering Plan, NXX-NXX-XXXX.
fn is_north_american(national: &str) -> bool {
    let begins = |at: usize| {
        national
            .as_bytes()
            .get(at)
            .is_some_and(|digit| *digit >= b'2')
    };
    national.len() == 10 && begins(0) && begins(3)
}

/// A transform rule such as `9$1` with its groups filled in.
fn transformed(rule: &str, captures: &regex::Captures<'_>) -> String {
    let mut text = String::new();
    let mut letters = rule.chars();
    while let Some(letter) = letters.next() {
        if letter != '$' {
            text.push(letter);
            continue;
        }
        let group = letters.next().and_then(|digit| digit.to_digit(10));
        let group = group.and_then(|group| captures.get(usize::try_from(group).ok()?));
        text.push_str(group.map_or("", |group| group.as_str()));
    }
    text
}
