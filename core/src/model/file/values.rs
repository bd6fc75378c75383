//! How values are read: a source's country and dates, and what mail providers ignore.

use super::reader::{At, Mistakes};
use crate::model::{Country, DateForm, DateNumbers, DateOrder, MailProvider, MailProviders};

const ORDERS: [(&str, DateOrder); 3] = [
    ("day_first", DateOrder::DayFirst),
    ("month_first", DateOrder::MonthFirst),
    ("year_first", DateOrder::YearFirst),
];
const NUMBERS: [(&str, DateNumbers); 3] = [
    ("excel", DateNumbers::Excel),
    ("unix_seconds", DateNumbers::UnixSeconds),
    ("unix_milliseconds", DateNumbers::UnixMilliseconds),
];
const CALENDARS: [(&str, bool); 2] = [("gregorian", false), ("buddhist", true)];

/// A country by its code or name.
pub(super) fn country(at: &At<'_>, mistakes: &mut Mistakes) -> Option<Country> {
    let text = at.text(mistakes)?;
    let country = Country::parse(text);
    if country.is_none() {
        mistakes.add(at, "must be a country by ISO 3166, such as DE");
    }
    country
}

/// How a source writes dates.
pub(super) fn date_form(at: &At<'_>, mistakes: &mut Mistakes) -> DateForm {
    let mut form = DateForm::default();
    let Some(mut fields) = at.fields(mistakes) else {
        return form;
    };
    form.order = fields
        .get("order")
        .and_then(|at| at.choice(&ORDERS, mistakes));
    form.numbers = fields
        .get("numbers")
        .and_then(|at| at.choice(&NUMBERS, mistakes));
    form.buddhist = fields
        .get("calendar")
        .and_then(|at| at.choice(&CALENDARS, mistakes))
        .unwrap_or(false);
    fields.finish(mistakes);
    form
}

/// The built-in providers with those of the model; `false` switches all of them off.
pub(super) fn providers(at: Option<&At<'_>>, mistakes: &mut Mistakes) -> MailProviders {
    let built_in = MailProviders::default();
    let Some(at) = at else {
        return built_in;
    };
    if at.is_scalar() {
        let on = at.boolean(mistakes).unwrap_or(true);
        return if on { built_in } else { MailProviders::none() };
    }
    at.list().iter().fold(built_in, |all, at| {
        provider(at, mistakes).map_or_else(|| all.clone(), |provider| all.with(provider))
    })
}

fn provider(at: &At<'_>, mistakes: &mut Mistakes) -> Option<MailProvider> {
    let mut fields = at.fields(mistakes)?;
    let listed = fields.required("domains", mistakes)?.list();
    let texts = listed.iter().filter_map(|at| at.text(mistakes));
    let domains: Vec<String> = texts.map(str::to_lowercase).collect();
    let ignored = fields
        .get("ignored")
        .and_then(|at| at.text(mistakes).map(str::to_owned));
    let tag = fields.get("tag").and_then(|at| {
        let mut letters = at.text(mistakes)?.chars();
        if let (Some(tag), None) = (letters.next(), letters.next()) {
            return Some(tag);
        }
        mistakes.add(&at, "must be one character, such as +");
        None
    });
    fields.finish(mistakes);
    Some(MailProvider {
        domains,
        ignored: ignored.unwrap_or_default(),
        tag,
    })
}
