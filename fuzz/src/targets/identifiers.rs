//! Telephone numbers, e-mail addresses and other identifiers.

use std::sync::LazyLock;

use profile_core::model::{IdentifierType, Model};

use super::{Answer, Target, bytes, ensure, outline, text};

/// Telephone numbers, read with the default regions of several countries.
pub(super) const TELEPHONE: Target = Target {
    name: "telephone",
    words: &[
        "+",
        "00",
        "011",
        "tel:",
        ";ext=",
        " ext. ",
        " x",
        "#",
        ";phone-context=",
        "(0)",
        "+1",
        "+49",
        "+39",
        "+44",
        "+800",
        "-",
        ".",
        "/",
        "0800-FLOWERS",
        "\u{ff0b}",
        "\u{ff10}",
        "٠",
        "~",
        ",,",
        ";isub=",
        "112",
    ],
    seeds: telephone_seeds,
    check: check_telephone,
};

/// Any identifier, read by each way of normalising.
pub(super) const IDENTIFIER: Target = Target {
    name: "identifier",
    words: &[
        "@",
        ".",
        "+tag",
        "gmail.com",
        "googlemail.com",
        "xn--",
        "\"",
        "..",
        "mailto:",
        "\u{3002}",
        "ß",
        "İ",
        "ǅ",
        "ﬁ",
        "\u{301}",
        "\u{345}",
        "\u{200d}",
        "é",
        "ς",
    ],
    seeds: identifier_seeds,
    check: check_identifier,
};

static TYPES: LazyLock<Result<Model, String>> = LazyLock::new(|| {
    let yaml = "identifiers:\n  us: { priority: 1, normalize: e164, default_region: US }\n  \
                de: { priority: 2, normalize: e164, default_region: DE }\n  \
                it: { priority: 3, normalize: e164, default_region: IT }\n  \
                ar: { priority: 4, normalize: e164, default_region: AR }\n  \
                trim: { priority: 5 }\n  fold: { priority: 6, normalize: case_fold }\n  \
                digits: { priority: 7, normalize: digits }\n  email: { priority: 8, normalize: email }\nsources: {}\n";
    Model::parse(yaml).map_err(|mistakes| format!("{mistakes:?}"))
});

fn types(names: &[&'static str]) -> Result<Vec<(&'static str, &'static IdentifierType)>, String> {
    let model = TYPES.as_ref().map_err(Clone::clone)?;
    Ok(names
        .iter()
        .filter_map(|name| model.identifiers.get(*name).map(|kind| (*name, kind)))
        .collect())
}

fn telephone_seeds() -> Vec<Vec<u8>> {
    bytes(&[
        "(212) 555-1142",
        "+1-686-855-5928 ext. 12",
        "tel:+49-89-123456;ext=7",
        "089 / 123456",
        "06 698 12345",
        "+39 06 698 12345",
        "011 54 9 11 2345-6789",
        "0049 (0)89 123456",
        "+800 1234 5678",
        "686.855.5928x44",
        "1-800-FLOWERS",
        "+52 1 55 1234 5678",
        "12345678901234567890",
        "+1 (686) 855 5928;phone-context=+1",
    ])
}

fn identifier_seeds() -> Vec<Vec<u8>> {
    bytes(&[
        "Ann.Lee+shop@Googlemail.COM.",
        "\"a b\"@shop.example",
        "müller@straße.de",
        "ann@[127.0.0.1]",
        " 92-46 49/63 ",
        "STRASSE",
        "ΣΊΣΥΦΟΣ",
        "\u{feff}e\u{200b}\u{301}",
        "１２３",
        "İ",
        "ﬁn",
        "none",
    ])
}

/// What holds of every way of normalising. Answers with the value and whether it links.
fn normalized(name: &str, kind: &IdentifierType, raw: &str) -> Result<(String, bool), String> {
    let value = kind.normalize(raw);
    let again = kind.normalize(&value);
    ensure(again == value, || {
        format!("{name}: {value:?} becomes {again:?} when it is normalised again")
    })?;
    ensure(!value.chars().any(char::is_control), || {
        format!("{name}: a control character in {value:?}")
    })?;
    let links = kind.links(&value);
    ensure(
        !links || (!value.is_empty() && value.trim() == value),
        || format!("{name}: {value:?} links"),
    )?;
    Ok((value, links))
}

fn check_telephone(input: &[u8]) -> Answer {
    let raw = text(input);
    let mut values = Vec::new();
    for (name, kind) in types(&["us", "de", "it", "ar"])? {
        let (value, links) = normalized(name, kind, &raw)?;
        if links {
            let (number, extension) = value.split_once(";ext=").unwrap_or((&value, "0"));
            let digits = number.strip_prefix('+').unwrap_or_default();
            let is_digits =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            ensure(
                is_digits(digits) && digits.len() <= 15 && is_digits(extension),
                || format!("{name}: {value:?} is not E.164"),
            )?;
            for (other, kind) in types(&["us", "de", "it", "ar"])? {
                ensure(kind.normalize(&value) == value, || {
                    format!("{value:?} is another number for {other}")
                })?;
            }
        }
        values.push(format!("{name} {links} {}", outline(&value)));
    }
    Ok(values.join(", "))
}

fn check_identifier(input: &[u8]) -> Answer {
    let raw = text(input);
    let mut values = Vec::new();
    for (name, kind) in types(&["trim", "fold", "digits", "email"])? {
        let (value, links) = normalized(name, kind, &raw)?;
        ensure(
            name != "email" || !links || value.matches('@').count() == 1,
            || format!("{value:?} links as an e-mail address"),
        )?;
        ensure(
            name != "digits" || !links || value.bytes().all(|byte| byte.is_ascii_digit()),
            || format!("{value:?} links"),
        )?;
        values.push(format!("{name} {links} {}", outline(&value)));
    }
    Ok(values.join(", "))
}
