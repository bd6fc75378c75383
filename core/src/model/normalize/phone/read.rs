//! From digits to a number in E.164.

use super::super::Unread;
use super::plan::{self, Plan};

/// The digits of one number, as its field has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    /// Whether they begin with a calling code: they follow a `+`.
    pub(super) international: bool,
    pub(super) digits: String,
}

/// A bare number of this many digits that begins with its own country's calling code has that code:
/// nobody writes as long a national number without its trunk prefix.
const MIN_DIGITS_WITH_CODE: usize = 12;

/// The number in E.164, without its extension.
pub(super) fn e164(number: &Digits, region: Option<&str>) -> Result<String, Unread> {
    if number.international {
        // `+00 49 …`: both ways of saying that a calling code follows.
        let digits = number.digits.strip_prefix("00").unwrap_or(&number.digits);
        return international(digits).ok_or(Unread::NoPlan);
    }
    let own = region.and_then(plan::of_region);
    match own {
        Some(own) => national(own, &number.digits),
        None => number
            .digits
            .strip_prefix("00")
            .and_then(international)
            .ok_or(Unread::NoRegion),
    }
}

/// A number that begins with a calling code. Only the plan of that code counts.
fn international(digits: &str) -> Option<String> {
    let (plans, code, national) = plan::of_code(digits)?;
    let fits = |national: &str| plans.iter().any(|plan| plan.fits(national));
    let national = [
        Some(national.to_owned()),
        plans.first()?.without_trunk(national),
        former_prefix(code, national).map(str::to_owned),
    ]
    .into_iter()
    .flatten()
    .map(|national| one_form(code, &national))
    .find(|national| fits(national))?;
    Some(["+", code, &national].concat())
}

/// A number as it is dialled in its region. A number that can be read in two ways is not read.
fn national(own: &Plan, digits: &str) -> Result<String, Unread> {
    let code = own.code();
    let in_plan = |national: &str| {
        let national = one_form(&code, national);
        own.fits(&national)
            .then(|| ["+", &code, &national].concat())
    };
    // Brazilians dial `00`, a carrier and the calling code; they also copy `0049 …`.
    let prefixes = [
        own.without_international_prefix(digits),
        digits.strip_prefix("00"),
    ];
    let abroad = prefixes.map(|rest| rest.and_then(international));
    let trunk = own
        .without_trunk(digits)
        .and_then(|national| in_plan(&national));
    let former = former_prefix(&code, digits).and_then(in_plan);
    let with_code = digits
        .strip_prefix(code.as_str())
        .and_then(|_| international(digits));
    let bare = in_plan(digits);
    let is_local = bare.is_some() && may_be_local(own, digits);
    let is_surely_with_code = digits.len() >= MIN_DIGITS_WITH_CODE
        && with_code
            .as_ref()
            .and_then(|number| number.strip_prefix('+')?.strip_prefix(code.as_str()))
            .is_some_and(|national| own.is_mobile(national));
    let bare = bare.filter(|_| !is_local && !is_surely_with_code);
    // So long a number without a trunk prefix may be another country's without its plus.
    let is_long = own.is_open() && digits.len() >= MIN_DIGITS_WITH_CODE;
    let elsewhere = bare
        .as_ref()
        .filter(|_| is_long && !own.is_mobile(digits))
        .and_then(|_| international(digits))
        .filter(|number| is_mobile(number));

    let mut readings: Vec<String> = abroad
        .into_iter()
        .chain([trunk, former, with_code, bare, elsewhere])
        .flatten()
        .collect();
    readings.sort();
    readings.dedup();
    match readings.as_slice() {
        [one] => Ok(one.clone()),
        [] if is_local => Err(Unread::Local),
        [] => Err(Unread::NoPlan),
        _ => Err(Unread::AmbiguousNumber),
    }
}

/// The national number behind a prefix that callers do not dial any more and lists still have:
/// until 2019 Mexicans dialled 01 before an area code, and 044 or 045 before a mobile number; until
/// 2009 Ukrainians dialled 8 before the 0.
///
/// Source: IFT, Plan Técnico Fundamental de Numeración, DOF 11/05/2018; ITU-T, Operational Bulletin
/// on Ukraine (code 380).
fn former_prefix<'d>(code: &str, digits: &'d str) -> Option<&'d str> {
    let (prefixes, length): (&[&str], usize) = match code {
        "52" => (&["044", "045", "01"], 10),
        "380" => (&["80"], 9),
        _ => return None,
    };
    let mut rest = prefixes
        .iter()
        .filter_map(|prefix| digits.strip_prefix(prefix));
    rest.find(|rest| rest.len() == length)
}

/// Whether a number without trunk prefix may be one that is dialled within an area only.
fn may_be_local(own: &Plan, digits: &str) -> bool {
    // Of Brazil's mobile numbers nine digits are dialled within an area.
    let may_lack_area = own.is_open() || own.code() == "55" && digits.len() == 9;
    own.has_trunk_prefix()
        && (digits.len() <= own.max_local_digits() || (may_lack_area && !own.is_valid(digits)))
}

/// The form of a national number that does not depend on who dials it, where a plan has two for one
/// line:
///
/// - Argentina: callers from abroad dial a 9 before the area code of a mobile number. The form is
///   without it: the ten digits are the line.
/// - Mexico: until 2019 callers from abroad dialled a 1 before a mobile number.
/// - Brazil: from 2012 to 2016 mobile numbers got a 9 before their eight digits. Those that began
///   with 7 did not all get it, so they stay.
///
/// Source: ENACOM, Plan Fundamental de Numeración Nacional; IFT, DOF 11/05/2018; Anatel, Resolução
/// 553/2010.
pub(super) fn one_form(code: &str, national: &str) -> String {
    let (first, rest) = national.split_at_checked(1).unwrap_or(("", national));
    let is_line = rest.len() == 10;
    match (code, first) {
        ("54", "9") if is_line && rest.starts_with(['1', '2', '3']) => rest.to_owned(),
        ("52", "1") if is_line => rest.to_owned(),
        ("55", _) if national.len() == 10 && first != "0" => match national.split_at_checked(2) {
            Some((area, line)) if line.starts_with(['6', '8', '9']) => format!("{area}9{line}"),
            _ => national.to_owned(),
        },
        _ => national.to_owned(),
    }
}

/// Whether a number is of a block that was given out.
pub(super) fn is_given_out(number: &str) -> bool {
    of_plan(number, Plan::is_valid)
}

fn is_mobile(number: &str) -> bool {
    of_plan(number, Plan::is_mobile)
}

fn of_plan(number: &str, is: impl Fn(&Plan, &str) -> bool) -> bool {
    let parts = number.strip_prefix('+').and_then(plan::of_code);
    parts.is_some_and(|(plans, _, national)| plans.iter().any(|plan| is(plan, national)))
}

/// Whether a number is in the form that [`e164`] gives.
pub(super) fn is_e164(number: &str) -> bool {
    number
        .strip_prefix('+')
        .filter(|digits| (1..=15).contains(&digits.len()))
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .is_some_and(|digits| {
            plan::of_code(digits).is_some_and(|(plans, code, national)| {
                plans.iter().any(|plan| plan.fits(national)) && one_form(code, national) == national
            })
        })
}
