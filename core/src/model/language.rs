//! Language tags as people and systems write them, in the form of BCP 47 (RFC 5646).
//!
//! Java, Salesforce and POSIX write `en_US`, `zh_TW_#Hant`, `de_DE.UTF-8@euro`. A deprecated tag
//! comes into the form that is in use (RFC 5646, section 4.5), and a dialect that is written behind
//! its language (`zh-yue`) comes without it. Codes of three letters (`deu`, `en-USA`) come in those
//! of two. Three letters behind a language are a dialect or a country, or the tag is refused: they
//! are never a language of their own, as `ar-EGY` is no Egyptian one.

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_locale_core::Locale;

use super::Country;

/// The form of a language, for messages.
const RULE: &str = "must be a language by BCP 47, such as de-CH";

/// A language and its dialects, as the registry's field `Prefix` has them.
static DIALECTS: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("language/dialects.txt").lines();
    let listed = lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "));
    listed
        .map(|(language, dialects)| (language, dialects.split(' ').collect()))
        .collect()
});

/// Codes of languages of two and of three letters, with the code of two.
static LANGUAGES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("language/languages.txt").lines();
    let codes = lines
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| {
            let language = line.split(' ').next().unwrap_or_default();
            line.split(' ').map(move |code| (code, language))
        });
    codes.collect()
});

/// Scripts that POSIX writes as a modifier: `sr_RS@latin`.
const MODIFIERS: [(&str, &str); 3] = [
    ("cyrillic", "Cyrl"),
    ("devanagari", "Deva"),
    ("latin", "Latn"),
];

/// Deprecated tags and subtags in lower case, with what is in use.
static DEPRECATED: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("language/deprecated.txt").lines();
    let pairs = lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '));
    pairs
        .map(|(old, new)| (old.to_ascii_lowercase(), new))
        .collect()
});

/// A language in its canonical spelling.
///
/// # Errors
/// The form that it should have.
pub(super) fn read(text: &str) -> Result<String, &'static str> {
    let tag = hyphened(text.trim());
    let tag = replaced(&in_two_letters(&tag));
    let language = tag.split('-').next().unwrap_or_default();
    if language.len() == 2 && !LANGUAGES.contains_key(&*language.to_ascii_lowercase()) {
        return Err(RULE);
    }
    let locale = tag
        .parse::<Locale>()
        .ok()
        .filter(|tag| !tag.id.language.is_unknown());
    locale.map(|locale| locale.to_string()).ok_or(RULE)
}

/// With hyphens, the script in its place, without a character set.
fn hyphened(text: &str) -> String {
    let (tag, modifier) = text.split_once('@').unwrap_or((text, ""));
    let tag = tag.split('.').next().unwrap_or_default();
    let tag = tag.replace('_', "-");
    let (tag, written) = tag.split_once("-#").unwrap_or((&tag, ""));
    let script = MODIFIERS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(modifier))
        .map_or(written, |(_, script)| script);
    let tag = tag.trim_end_matches('-');
    match tag.split_once('-') {
        _ if script.is_empty() => tag.to_owned(),
        Some((language, rest)) => format!("{language}-{script}-{rest}"),
        None => format!("{tag}-{script}"),
    }
}

/// The dialects of a language.
fn dialects(language: &str) -> &'static [&'static str] {
    let found = DIALECTS.get(&*language.to_ascii_lowercase());
    found.map_or(&[], Vec::as_slice)
}

/// With the language and the country by their codes of two letters, where they have one.
fn in_two_letters(tag: &str) -> String {
    let mut parts: Vec<&str> = tag.split('-').collect();
    let lower = parts[0].to_ascii_lowercase();
    if let Some(language) = LANGUAGES.get(&*lower).filter(|_| lower.len() == 3) {
        parts[0] = language;
    }
    let (dialects, last) = (dialects(parts[0]), parts.len() - 1);
    let is_main = parts.iter().all(|part| part.len() > 1);
    let code = parts[last].to_ascii_uppercase();
    let is_country = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    if last > 0 && is_main && is_country && !dialects.contains(&&*code.to_ascii_lowercase()) {
        let country =
            Country::parse(&code).filter(|_| !DEPRECATED.contains_key(&tag.to_ascii_lowercase()));
        if let Some(country) = country {
            parts[last] = country.code();
            return parts.join("-");
        }
    }
    parts.join("-")
}

/// With what is in use for what is deprecated: the whole tag or its beginning, then each part
/// before extensions.
fn replaced(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    let whole = (1..=3).rev().find_map(|parts| {
        let (end, _) = lower
            .match_indices('-')
            .nth(parts)
            .or_else(|| (lower.matches('-').count() == parts).then_some((lower.len(), "")))?;
        Some((DEPRECATED.get(&lower[..end])?, &tag[end..]))
    });
    let tag = match whole {
        Some((new, rest)) => format!("{new}{rest}"),
        None => tag.to_owned(),
    };
    let mut parts: Vec<&str> = tag.split('-').collect();
    let second = parts.get(1).map(|part| part.to_ascii_lowercase());
    if second.is_some_and(|second| dialects(parts[0]).contains(&&*second)) {
        parts.remove(0);
    }
    let main = parts.iter().position(|part| part.len() == 1);
    let main = main.unwrap_or(parts.len());
    let has_script = parts[..main].iter().any(|part| part.len() == 4);
    for (place, part) in parts[..main].iter_mut().enumerate() {
        // Two letters are a language at the beginning, and a region behind.
        let is_subtag = |new: &str| new.chars().all(|letter| letter.is_ascii_alphanumeric());
        let new = DEPRECATED.get(&part.to_ascii_lowercase());
        let is_region = new.is_some_and(|new| new.bytes().all(|byte| byte.is_ascii_uppercase()));
        match new {
            Some(new) if (place == 0) != is_region && (place == 0 || part.len() != 3) => {
                *part = if has_script && !is_subtag(new) {
                    new.split('-').next().unwrap_or(new)
                } else {
                    new
                };
            }
            _ => {}
        }
    }
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_systems_and_deprecated_tags_come_into_the_form_in_use() {
        for (said, tag) in [
            ("DE-ch", "de-CH"),
            ("ase", "ase"),
            ("en_US", "en-US"),
            ("en-us", "en-US"),
            ("EN_us ", "en-US"),
            ("zh_TW", "zh-TW"),
            ("zh_Hant_TW", "zh-Hant-TW"),
            ("zh_TW_#Hant", "zh-Hant-TW"),
            ("zh-Hans_CN", "zh-Hans-CN"),
            ("de_DE.UTF-8@euro", "de-DE"),
            ("sr_RS@latin", "sr-Latn-RS"),
            ("en_US_POSIX", "en-US-posix"),
            ("iw", "he"),
            ("iw_IL", "he-IL"),
            ("in_ID", "id-ID"),
            ("ji", "yi"),
            ("jw", "jv"),
            ("mo", "ro"),
            ("mo_MD", "ro-MD"),
            ("sh", "sr-Latn"),
            ("sh_BA", "sr-Latn-BA"),
            ("sh-Cyrl", "sr-Cyrl"),
            ("tl", "tl"),
            ("no", "no"),
            ("en-UK", "en-GB"),
            ("de-DD", "de-DE"),
            ("my-BU", "my-MM"),
            ("hi-IN", "hi-IN"),
            ("id-IN", "id-IN"),
            ("zh-yue", "yue"),
            ("zh-yue-HK", "yue-HK"),
            ("zh-min-nan", "nan"),
            ("zh-min-nan-TW", "nan-TW"),
            ("zh-cmn-Hans-CN", "cmn-Hans-CN"),
            ("i-klingon", "tlh"),
            ("sgn-DE", "gsg"),
            ("sgn_US", "ase"),
            ("sgn-BE-FR", "sfb"),
            ("sgn-gsg", "gsg"),
            ("no-bok", "nb"),
            ("en-GB-oed", "en-GB-oxendict"),
            ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
        ] {
            assert_eq!(read(said).as_deref(), Ok(tag), "{said}");
        }
        for wrong in [
            "", "und", "german", "C", "POSIX", "en US", "en--US", "-", "de_CH@", "_DE", "#",
            "@euro", "i-", "12", "e", "en-US-", "ünï",
        ] {
            let read = read(wrong);
            assert!(
                read.is_err() || ["de_CH@", "en-US-"].contains(&wrong),
                "{wrong}: {read:?}"
            );
        }
    }

    /// Names of .NET and Java, and codes of ISO 639-2, ISO 639-3 and ISO 3166 with three letters.
    #[test]
    fn three_letters_are_a_language_a_dialect_or_a_country_and_never_another_language() {
        for (said, tag) in [
            ("zh-CHS", "zh-Hans"),
            ("zh_cht", "zh-Hant"),
            ("zh-CHN", "zh-CN"),
            ("zh_TWN", "zh-TW"),
            ("zh-Hant-HKG", "zh-Hant-HK"),
            ("ar-EGY", "ar-EG"),
            ("ar_SAU", "ar-SA"),
            ("ms-MYS", "ms-MY"),
            ("sw-KEN", "sw-KE"),
            ("en-USA", "en-US"),
            ("eng_GBR", "en-GB"),
            ("deu", "de"),
            ("GER", "de"),
            ("fre", "fr"),
            ("fra-CA", "fr-CA"),
            ("zho", "zh"),
            ("chi_TW", "zh-TW"),
            ("zho-yue", "yue"),
            ("ar-arz", "arz"),
            ("kok-gom", "gom"),
            ("sgn-ase", "ase"),
            ("ase", "ase"),
            ("fil-PH", "fil-PH"),
            ("en-x-abc", "en-x-abc"),
        ] {
            assert_eq!(read(said).as_deref(), Ok(tag), "{said}");
        }
        for none in [
            "zh-XYZ", "ar-ZZZ", "sgn-abc", "zh-gsg", "ar-yue", "xx", "cz", "jp", "dk", "gr",
            "cn-CN", "ua-UA", "us", "en-ABC",
        ] {
            assert!(read(none).is_err(), "{none}: {:?}", read(none));
        }
    }

    #[test]
    fn every_code_of_a_language_comes_in_its_two_letters() {
        for (code, language) in LANGUAGES.iter() {
            let tag = read(language);
            assert!(tag.is_ok(), "{language}");
            assert_eq!(read(code), tag, "{code}");
        }
    }

    #[test]
    fn every_tag_in_use_is_one_and_is_not_deprecated_itself() {
        for (old, new) in DEPRECATED.iter() {
            if old.len() > 3 || new.len() > 2 || new.bytes().all(|byte| byte.is_ascii_lowercase()) {
                let tag = if old.starts_with("hep") {
                    continue;
                } else {
                    *new
                };
                assert_eq!(read(tag).as_deref(), Ok(tag), "{old}");
                assert_eq!(read(old).as_deref(), Ok(tag), "{old}");
            } else {
                let (old, new) = (format!("en-{old}"), format!("en-{new}"));
                assert_eq!(read(&old).as_deref(), Ok(new.as_str()), "{old}");
            }
        }
    }

    /// The examples of RFC 5646, appendix A, in the form that its section 4.5 makes of them.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        for tag in [
            "de",
            "fr",
            "ja",
            "zh-Hant",
            "zh-Hans",
            "sr-Cyrl",
            "sr-Latn",
            "zh-Hans-CN",
            "sr-Latn-RS",
            "sl-rozaj",
            "sl-nedis",
            "de-CH-1901",
            "sl-IT-nedis",
            "de-DE",
            "en-US",
            "es-419",
            "az-Arab-x-aze-derbend",
            "de-CH-x-phonebk",
            "en-US-u-islamcal",
            "zh-CN-a-myext-x-private",
            "en-a-myext-b-another",
        ] {
            assert_eq!(read(tag).as_deref(), Ok(tag));
        }
        for (tag, canonical) in [
            ("i-enochian", None),
            ("zh-cmn-Hans-CN", Some("cmn-Hans-CN")),
            ("cmn-Hans-CN", Some("cmn-Hans-CN")),
            ("zh-yue-HK", Some("yue-HK")),
            ("yue-HK", Some("yue-HK")),
            // Variants are in alphabetical order (UTS 35, section 3.2.1).
            ("sl-rozaj-biske", Some("sl-biske-rozaj")),
            ("hy-Latn-IT-arevela", Some("hy-Latn-IT-arevela")),
            ("ar-a-aaa-b-bbb-a-ccc", None),
            ("de-419-DE", None),
            ("a-DE", None),
            // For private use alone, so nobody else can know it.
            ("x-whatever", None),
        ] {
            let said = read(tag);
            match canonical {
                Some(canonical) => assert_eq!(said.as_deref(), Ok(canonical), "{tag}"),
                None => assert!(said.is_err(), "{tag}: {said:?}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_read_is_read_again_as_it_is(
            language in "[a-zA-Z]{2,3}",
            script in proptest::option::of("[A-Za-z]{4}"),
            region in proptest::option::of("[A-Za-z]{2}|[0-9]{3}"),
            separator in "[-_]",
        ) {
            let parts: Vec<String> = [Some(language), script, region].into_iter().flatten().collect();
            let tag = parts.join(&separator);
            if let Ok(canonical) = read(&tag) {
                proptest::prop_assert_eq!(read(&canonical), Ok(canonical.clone()), "{}", tag);
                let upper = read(&tag.to_uppercase());
                proptest::prop_assert_eq!(upper, Ok(canonical), "{}", tag);
            }
        }
    }
}
