//! How the model file declares the reading of values: a source's country and dates, and mail
//! providers.

use serde_json::{Value as Json, json};

use super::forms::{Flag, Form, TextBy, list, mapping, one_of, text, text_by};
use super::keys::keys;
use super::reader::{At, Fields, Reader};
use super::schema::Definitions;
use crate::choices::choices;
use crate::model::placeholder::MAX_ENTRY_BYTES;
use crate::model::{
    Country, DateForm, DateNumbers, DateOrder, MailProvider, MailProviders, Placeholders,
};

keys! {
    /// How a source writes dates.
    #[derive(Clone, Copy)]
    pub(super) struct DateKeys as "Dates" => DateForm: date_form {
        /// Which number comes first where the last is the year. Default: that of the record's
        /// country.
        order: Option<DateOrder> = optional as one_of::<DateOrder>();
        /// The unit of a bare number. Default: such a number is not read.
        numbers: Option<DateNumbers> = optional as one_of::<DateNumbers>();
        /// The era of its years.
        calendar: Calendar = "gregorian" as one_of::<Calendar>();
    }

    /// A mail provider.
    pub(super) struct ProviderKeys as "Provider" => MailProvider: provider {
        /// Domains that lead to the same mailbox. The first is that of the normal form.
        domains: Vec<String> = required as list(text()).not_empty("must name a domain");
        /// Characters before the `@` that it ignores. Default: none.
        ignored: String = empty as text();
        /// The character that begins a tag, which it ignores too. Default: there are no tags.
        tag: Option<char> = optional as character();
    }
}

choices! {
    /// The era of years.
    pub(super) enum Calendar as "Calendar" {
        /// That of ISO 8601.
        Gregorian = "gregorian",
        /// 543 years more.
        Buddhist = "buddhist",
    }
}

/// A country by its code or name.
pub(super) fn country() -> TextBy<Country> {
    text_by(|text, at, reader| {
        let country = Country::parse(text);
        if country.is_none() {
            reader.error(at.place(), "must be a country by ISO 3166, such as DE");
        }
        country
    })
}

/// The form of mail providers: the built-in ones with those of a list; `false` is none.
pub(super) struct Providers;

impl Form for Providers {
    type Value = MailProviders;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<MailProviders> {
        let built_in = MailProviders::default();
        if at.as_text().is_some() {
            let is_on = Flag.read(at, reader)?;
            return Some(if is_on {
                built_in
            } else {
                MailProviders::none()
            });
        }
        let own = list(mapping::<ProviderKeys>()).read(at, reader)?;
        Some(own.into_iter().fold(built_in, |all, one| all.with(one)))
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        definitions.reference("Providers", |definitions| {
            let mut flag = Flag.schema(definitions);
            flag["description"] =
                json!("False: each address is a mailbox of its own. True: the built-in ones.");
            let provider = mapping::<ProviderKeys>().schema(definitions);
            let also = json!({
                "type": "array",
                "items": provider,
                "description": "The built-in ones and these, which take their domains from them.",
            });
            json!({ "description": "Mail providers.", "anyOf": [flag, also] })
        })
    }
}

/// The form of placeholders: the built-in list with those of a list; `false` is none.
pub(super) struct PlaceholderList;

impl Form for PlaceholderList {
    type Value = Placeholders;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Placeholders> {
        let flag = at.as_plain().and_then(|text| text.parse().ok());
        if let Some(is_on) = flag {
            return Some(if is_on {
                Placeholders::default()
            } else {
                Placeholders::none()
            });
        }
        let own = list(placeholder()).read(at, reader)?;
        Some(Placeholders::default().with(own.iter().map(String::as_str)))
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        definitions.reference("Placeholders", |definitions| {
            let mut flag = Flag.schema(definitions);
            flag["description"] = json!("False: no placeholders. True: the built-in list.");
            let also = list(placeholder()).schema(definitions);
            json!({
                "description": "Values that stand for none: the built-in list, with these.",
                "anyOf": [flag, also],
            })
        })
    }
}

fn date_form(keys: DateKeys, _: &Fields<'_>, _: &mut Reader) -> DateForm {
    DateForm {
        order: keys.order,
        numbers: keys.numbers,
        buddhist: keys.calendar == Calendar::Buddhist,
    }
}

fn provider(keys: ProviderKeys, _: &Fields<'_>, _: &mut Reader) -> MailProvider {
    let domains = keys.domains.iter().map(|domain| domain.to_lowercase());
    MailProvider {
        domains: domains.collect(),
        ignored: keys.ignored,
        tag: keys.tag,
    }
}

fn placeholder() -> TextBy<String> {
    text_by(|text, at, reader| {
        if text.len() > MAX_ENTRY_BYTES {
            let message = format!(
                "has {} bytes; at most {MAX_ENTRY_BYTES} are allowed",
                text.len()
            );
            reader.error(at.place(), message);
        } else if !text.contains(char::is_alphanumeric) {
            reader.error(at.place(), "must have a letter or a digit");
        }
        Some(text.to_owned())
    })
}

fn character() -> TextBy<char> {
    text_by(|text, at, reader| {
        let mut letters = text.chars();
        let only = letters.next().filter(|_| letters.next().is_none());
        if only.is_none() {
            reader.error(at.place(), "must be one character, such as +");
        }
        only
    })
}
