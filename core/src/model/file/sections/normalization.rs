//! How an identifier is normalized: its kind, region and pattern.

use super::{IdentifierKeys, Normalize};
use regex::Regex;

use crate::model::file::forms::{TextBy, text_by};
use crate::model::file::reader::{At, Fields, Reader};
use crate::model::{Normalization, normalize};

pub(super) fn normalization(
    keys: &IdentifierKeys,
    fields: &Fields<'_>,
    reader: &mut Reader,
) -> Normalization {
    let region = keys.default_region.as_ref();
    if let (Some(region), true) = (region, keys.normalize != Normalize::E164) {
        reader.error(region.place.clone(), "goes with `normalize: e164` only");
    }
    let providers = keys.providers.as_ref();
    if let (Some(providers), true) = (providers, keys.normalize != Normalize::Email) {
        reader.error(providers.place.clone(), "goes with `normalize: email` only");
    }
    match keys.normalize {
        Normalize::Trim => Normalization::Trim,
        Normalize::CaseFold => Normalization::CaseFold,
        Normalize::Digits => Normalization::Digits,
        Normalize::Email => Normalization::Email {
            providers: providers.map(|it| it.value.clone()).unwrap_or_default(),
        },
        Normalize::E164 => {
            if let (None, Some(place)) = (region, fields.place_of("normalize")) {
                reader.error(place, "`e164` needs a `default_region`, such as US");
            }
            let default_region = region.map(|region| region.value.clone());
            Normalization::E164 {
                default_region: default_region.unwrap_or_default(),
            }
        }
    }
}

pub(super) fn region() -> TextBy<String> {
    text_by(|region, at, reader| {
        if !normalize::is_region(region) {
            let message = "must be a region by ISO 3166 with telephone numbers, such as US";
            reader.error(at.place(), message);
        }
        Some(region.to_owned())
    })
}

pub(super) fn pattern() -> TextBy<Regex> {
    text_by(|written, at: &At<'_>, reader| {
        let compiled = reader.allowance.patterns.compile(written);
        compiled
            .map_err(|wrong| reader.error(at.place(), wrong))
            .ok()
    })
}
