//! E-mail addresses.
//!
//! The whole address is folded: the part before the `@` is case-sensitive by RFC 5321, and by
//! nobody's server. What only one provider ignores is ignored only there: dots and `+tag` at Gmail,
//! which also answers to `googlemail.com`. Elsewhere `+tag` may well be another mailbox.
//!
//! Source: RFC 5321 §4.5.3.1 (lengths), RFC 5322 §3.2.3 (what needs quoting; quoted forms are not
//! taken).

/// The one form of an address; `None` if it does not look like one.
pub(super) fn canonical(clean: &str) -> Option<String> {
    let folded = super::fold_case(clean);
    let folded = folded.strip_prefix("mailto:").unwrap_or(&folded);
    let (local, domain) = folded.rsplit_once('@')?;
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let address = match domain {
        "gmail.com" | "googlemail.com" => {
            let mailbox = local.split_once('+').map_or(local, |(mailbox, _)| mailbox);
            // A letter and a mark may have had a dot between them: they compose without it.
            let mailbox = super::fold_case(&mailbox.replace('.', ""));
            format!("{mailbox}@gmail.com")
        }
        _ => format!("{local}@{domain}"),
    };
    is_well_formed(&address).then_some(address)
}

/// Whether a value has the form of a normalised address.
pub(super) fn is_well_formed(value: &str) -> bool {
    value
        .rsplit_once('@')
        .is_some_and(|(local, domain)| is_local(local) && is_domain(domain))
}

fn is_local(local: &str) -> bool {
    let needs_quotes = |letter: char| {
        letter.is_whitespace() || letter.is_control() || "@()<>[]\\,;:\"".contains(letter)
    };
    (1..=64).contains(&local.len())
        && !local.contains(needs_quotes)
        && !local.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_domain(domain: &str) -> bool {
    let letter = |letter: char| {
        letter == '-'
            || (letter.is_alphanumeric() && !letter.is_ascii_uppercase())
            || is_mark(letter)
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(letter)
    };
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label)
}

/// Marks that stay beside their letter in composed text, as in many Indian scripts.
fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_become_one() {
        for (raw, expected) in [
            ("CORY.ODHAM@OUTLOOK.COM", "cory.odham@outlook.com"),
            ("Cory.Odham+shop@Googlemail.com", "coryodham@gmail.com"),
            ("cory+shop@outlook.com", "cory+shop@outlook.com"),
            ("n.\u{301}@gmail.com", "\u{144}@gmail.com"),
            ("mailto:ann@example.com.", "ann@example.com"),
            ("ann@MÜNCHEN.example", "ann@münchen.example"),
        ] {
            assert_eq!(canonical(raw).as_deref(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn what_is_no_address_has_no_form() {
        for raw in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@localhost",
            "a b@example.com",
            "a@b@example.com",
            "ann@-x.com",
        ] {
            assert_eq!(canonical(raw), None, "{raw}");
        }
        assert_eq!(canonical("+tag@gmail.com"), None);
        assert_eq!(canonical(&format!("{}@example.com", "a".repeat(65))), None);
    }

    #[test]
    fn an_address_that_was_not_normalised_is_not_well_formed() {
        assert!(is_well_formed("ann@example.com"));
        assert!(!is_well_formed("Ann@example.com"));
        assert!(!is_well_formed("ann@Example.com"));
    }
}
