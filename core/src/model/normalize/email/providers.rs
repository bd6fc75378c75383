//! The parts of an address that mail providers ignore, as data: a built-in table that a model can
//! extend and switch off.
//!
//! The normal form is what identifies. It need not be an address that receives mail.

use std::sync::{Arc, LazyLock};

/// How one provider reads the part before the `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailProvider {
    /// Domains that lead to the same mailbox. The first is that of the normal form.
    pub domains: Vec<String>,
    /// Characters that it ignores.
    pub ignored: String,
    /// The character that begins a tag, which it ignores too.
    pub tag: Option<char>,
}

/// Providers by what they ignore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailProviders(Arc<Vec<MailProvider>>);

/// Domains of one mailbox, ignored characters, tag.
///
/// Source: the providers' help pages. Gmail: dots and tags; Outlook.com, iCloud Mail, Fastmail,
/// Zoho, Posteo, mailbox.org, HEY: tags; Proton: `.`, `-`, `_` and tags, one name for its three
/// domains; Yandex: tags, one name for all its domains.
const BUILT_IN: [(&[&str], &str, char); 22] = [
    (&["gmail.com", "googlemail.com"], ".", '+'),
    (&["icloud.com", "me.com", "mac.com"], "", '+'),
    (&["proton.me", "protonmail.com", "pm.me"], ".-_", '+'),
    (
        &[
            "yandex.ru",
            "ya.ru",
            "yandex.com",
            "yandex.by",
            "yandex.kz",
            "yandex.com.tr",
        ],
        "",
        '+',
    ),
    (&["outlook.com"], "", '+'),
    (&["outlook.de"], "", '+'),
    (&["outlook.fr"], "", '+'),
    (&["outlook.es"], "", '+'),
    (&["hotmail.com"], "", '+'),
    (&["hotmail.co.uk"], "", '+'),
    (&["hotmail.de"], "", '+'),
    (&["hotmail.fr"], "", '+'),
    (&["hotmail.it"], "", '+'),
    (&["hotmail.es"], "", '+'),
    (&["live.com"], "", '+'),
    (&["msn.com"], "", '+'),
    (&["fastmail.com"], "", '+'),
    (&["fastmail.fm"], "", '+'),
    (&["zoho.com"], "", '+'),
    (&["posteo.de"], "", '+'),
    (&["mailbox.org"], "", '+'),
    (&["hey.com"], "", '+'),
];

static SHIPPED: LazyLock<MailProviders> = LazyLock::new(|| {
    let provider = |(domains, ignored, tag): &(&[&str], &str, char)| MailProvider {
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        ignored: (*ignored).to_owned(),
        tag: Some(*tag),
    };
    MailProviders(Arc::new(BUILT_IN.iter().map(provider).collect()))
});

impl Default for MailProviders {
    fn default() -> Self {
        SHIPPED.clone()
    }
}

impl MailProviders {
    /// No provider: each address is its own mailbox.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::default())
    }

    /// With another provider, which takes its domains from those that had them.
    #[must_use]
    pub fn with(&self, provider: MailProvider) -> Self {
        let mut all: Vec<MailProvider> = self.0.as_ref().clone();
        for other in &mut all {
            other
                .domains
                .retain(|domain| !provider.domains.contains(domain));
        }
        all.retain(|other| !other.domains.is_empty());
        all.push(provider);
        Self(Arc::new(all))
    }

    /// The part before the `@` and the domain without what the provider ignores.
    pub(super) fn one_form(&self, local: &str, domain: &str) -> (String, String) {
        let provider = self
            .0
            .iter()
            .find(|provider| provider.domains.iter().any(|known| known == domain));
        let Some(provider) = provider else {
            return (local.to_owned(), domain.to_owned());
        };
        let mailbox = provider
            .tag
            .and_then(|tag| local.split_once(tag))
            .map_or(local, |(mailbox, _)| mailbox);
        let mailbox = mailbox.replace(|letter| provider.ignored.contains(letter), "");
        let domain = provider.domains.first().map_or(domain, String::as_str);
        (mailbox, domain.to_owned())
    }
}
