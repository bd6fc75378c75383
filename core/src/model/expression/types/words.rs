//! Texts of which it is known what they can be: a comparison with another one holds of nobody.

use cel::IdedExpr;
use cel::common::ast::{Expr, ListExpr, LiteralValue};

use super::walk::Walk;
use super::{Kind, near};
use crate::model::language;
use crate::records::listed;
use crate::time_zone;

/// The texts that a field can have.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) enum Words {
    /// One of these.
    OneOf(Vec<String>),
    /// A language in its canonical spelling.
    Language,
    /// The name of a time zone in the IANA database.
    TimeZone,
}

impl Words {
    /// Why a field never has a text. `None`: it may.
    fn mistake(&self, field: &str, text: &str) -> Option<String> {
        let kept = match self {
            Self::OneOf(words) => {
                let all = || words.iter().map(String::as_str);
                if all().any(|word| word == text) {
                    return None;
                }
                return Some(match near(text, all()) {
                    Some(near) => format!("`{field}` is never `{text}`; did you mean `{near}`?"),
                    None => format!("`{field}` is never `{text}`; there are: {}", listed(all())),
                });
            }
            Self::Language => language::read(text).map_err(str::to_owned),
            Self::TimeZone => time_zone::read(text).map_err(|unread| unread.to_string()),
        };
        match kept {
            Ok(kept) if kept == text => None,
            Ok(kept) => Some(format!("`{field}` is never `{text}`, but `{kept}`")),
            Err(rule) => Some(format!("`{field}` is never `{text}`: it {rule}")),
        }
    }
}

impl Walk<'_> {
    /// Notes a text that is compared with a field and that the field never has.
    pub(super) fn known_texts(&mut self, one: &IdedExpr, other: &IdedExpr, at: usize) {
        for (field, value) in [(one, other), (other, one)] {
            let Some((name, words)) = self.words_of(field) else {
                continue;
            };
            let values = match &value.expr {
                Expr::List(ListExpr { elements, .. }) => elements.as_slice(),
                _ => std::slice::from_ref(value),
            };
            let texts = values.iter().filter_map(|value| match &value.expr {
                Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
                _ => None,
            });
            let wrong: Vec<String> = texts
                .filter_map(|text| words.mistake(&name, text))
                .collect();
            for message in wrong {
                self.mistake(at, message);
            }
        }
    }

    /// The texts that a field can have, with its name.
    fn words_of(&self, node: &IdedExpr) -> Option<(String, Words)> {
        let is_bound = |name: &str| self.bound.iter().any(|(bound, _)| bound == name);
        match &node.expr {
            Expr::Ident(name) if !is_bound(name) => {
                let words = self.names.words.get(name)?;
                Some((name.clone(), words.clone()))
            }
            Expr::Select(select) => {
                let Expr::Ident(base) = &select.operand.expr else {
                    return None;
                };
                let Some(Kind::Map(shape)) = self.names.fields.get(base) else {
                    return None;
                };
                let words = shape.words.get(&select.field)?;
                (!is_bound(base)).then(|| (format!("{base}.{}", select.field), words.clone()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Model;

    const MODEL: &str = "
sources: { s: }
events:
  visit: { properties: { place: { type: text, one_of: [shop, web] }, note: text } }
  call: { properties: { place: { type: text, one_of: [phone] } } }
  talk: { properties: { place: text } }
";

    fn told(section: &str) -> String {
        match Model::parse(&format!("{MODEL}{section}\n")) {
            Ok(_) => String::new(),
            Err(errors) => errors[0].to_string(),
        }
    }

    #[test]
    fn a_text_that_a_field_never_has_is_a_mistake() {
        for (types, condition, expected) in [
            (
                "visit",
                "event.type == 'visti'",
                "never `visti`; did you mean `visit`?",
            ),
            (
                "visit",
                "event.type != 'nothing_like_it'",
                "never `nothing_like_it`; there are",
            ),
            ("visit", "event.type == 'call'", ""),
            (
                "visit",
                "'order_placd' == event.type",
                "did you mean `order_placed`?",
            ),
            (
                "visit",
                "event.type in ['visit', 'cal']",
                "did you mean `call`?",
            ),
            ("visit", "place == 'shop'", ""),
            (
                "visit",
                "place == 'Shop'",
                "`place` is never `Shop`; did you mean `shop`?",
            ),
            (
                "visit",
                "place == 'phone'",
                "`place` is never `phone`; there are: shop, web",
            ),
            ("visit", "note == 'phone'", ""),
            ("[visit, call]", "place == 'phone'", ""),
            ("[visit, call]", "place in ['phone', 'fax']", "never `fax`"),
            ("[visit, talk]", "place == 'anything'", ""),
            ("visit", "['a'].exists(place, place == 'a')", ""),
        ] {
            let section =
                format!("computed: {{ a: {{ count: {types}, where: \"{condition}\" }} }}");
            let found = told(&section);
            let fits = found.contains(expected) && found.is_empty() == expected.is_empty();
            assert!(fits, "{types} {condition}: {found}");
        }
    }

    #[test]
    fn a_language_and_a_time_zone_are_compared_as_they_are_kept() {
        for (condition, expected) in [
            ("preferences.language == 'en-US'", ""),
            ("preferences.language == 'de'", ""),
            (
                "preferences.language == 'en_US'",
                "never `en_US`, but `en-US`",
            ),
            (
                "preferences.language in ['de', 'ger']",
                "never `ger`, but `de`",
            ),
            (
                "preferences.language != 'german'",
                "must be a language by BCP 47",
            ),
            ("preferences.language.startsWith('en')", ""),
            ("preferences.time_zone == 'Europe/Berlin'", ""),
            ("preferences.time_zone == 'CST'", "is an abbreviation"),
            (
                "preferences.time_zone == 'W. Europe Standard Time'",
                "but `Europe/Berlin`",
            ),
        ] {
            let found = told(&format!("segments: {{ a: {{ when: \"{condition}\" }} }}"));
            let fits = found.contains(expected) && found.is_empty() == expected.is_empty();
            assert!(fits, "{condition}: {found}");
        }
    }
}
