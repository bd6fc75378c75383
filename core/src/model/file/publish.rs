//! The section `publish`.

use std::collections::BTreeSet;

use url::Url;

use super::compile::{keys, named};
use super::reader::{At, Fields, Mistakes};
use crate::model::Model;
use crate::model::publication::{
    NatsTarget, Publication, PublishedKind, SECRET_PREFIX, Target, WebhookTarget,
};

const DEFAULT_MAX_ATTEMPTS: u32 = 30;
const MAX_ATTEMPTS: u32 = 1_000;
const DEFAULT_TIMEOUT_SECONDS: u32 = 10;
const MAX_TIMEOUT_SECONDS: u32 = 60;
/// A subject with all filled in; NATS itself takes more.
const MAX_SUBJECT_BYTES: usize = 200;
/// Fields of a change that are no traits.
const FIELDS: [&str; 7] = [
    "accessibility",
    "consents",
    "identifiers",
    "preferences",
    "records",
    "timeline",
    "traits",
];

/// Reads the section into the model.
pub(super) fn publications(root: &At<'_>, at: &At<'_>, model: &mut Model, mistakes: &mut Mistakes) {
    let traits = keys(root, "traits");
    model.publications = named(at, "a publication", mistakes, |at, mistakes| {
        publication(at, &traits, mistakes)
    });
}

fn publication(at: &At<'_>, traits: &[String], mistakes: &mut Mistakes) -> Option<Publication> {
    let mut fields = at.fields(mistakes)?;
    let (nats, webhook) = (fields.get("nats"), fields.get("webhook"));
    let target = match (&nats, &webhook) {
        (Some(at), None) => self::nats(at, mistakes).map(Target::Nats),
        (None, Some(at)) => self::webhook(at, mistakes).map(Target::Webhook),
        (Some(_), Some(at)) => {
            mistakes.add(at, "a publication has one target: leave `nats` or `webhook`, or make it two publications");
            None
        }
        (None, None) => {
            mistakes.add(at, "either `nats` or `webhook` is required");
            None
        }
    };
    let kinds = fields.get("kinds").map(|at| kinds(&at, mistakes));
    let wanted = fields
        .get("fields")
        .map(|at| changed_fields(&at, traits, mistakes));
    fields.finish(mistakes);
    let all = || PublishedKind::ALL.iter().map(|(_, kind)| *kind).collect();
    Some(Publication {
        target: target?,
        kinds: kinds.unwrap_or_else(all),
        fields: wanted,
    })
}

fn kinds(at: &At<'_>, mistakes: &mut Mistakes) -> BTreeSet<PublishedKind> {
    let list = at.list();
    if list.is_empty() {
        mistakes.add(at, "is empty: nothing would be published");
    }
    list.iter()
        .filter_map(|at| at.choice(&PublishedKind::ALL, mistakes))
        .collect()
}

fn changed_fields(at: &At<'_>, traits: &[String], mistakes: &mut Mistakes) -> BTreeSet<String> {
    let list = at.list();
    if list.is_empty() {
        mistakes.add(at, "is empty: no update would be published");
    }
    let mut fields = BTreeSet::new();
    for at in list {
        let Some(field) = at.text(mistakes) else {
            continue;
        };
        match field.strip_prefix("traits.") {
            Some(name) if !traits.iter().any(|known| known == name) => {
                mistakes.add(
                    &at,
                    format!(
                        "the model declares no trait `{name}`; it has: {}",
                        traits.join(", ")
                    ),
                );
            }
            None if !FIELDS.contains(&field) => {
                mistakes.add(
                    &at,
                    format!("must be one of {}, traits.NAME", FIELDS.join(", ")),
                );
            }
            _ => {}
        }
        fields.insert(field.to_owned());
    }
    fields
}

fn nats(at: &At<'_>, mistakes: &mut Mistakes) -> Option<NatsTarget> {
    let mut fields = at.fields(mistakes)?;
    let url = address(&mut fields, &["nats", "tls"], mistakes);
    let subject = fields
        .required("subject", mistakes)
        .and_then(|at| subject(&at, mistakes));
    let credentials_env = fields
        .get("credentials_env")
        .and_then(|at| variable(&at, mistakes));
    let (user, password) = (fields.get("user_env"), fields.get("password_env"));
    match (&user, &password) {
        (Some(at), None) | (None, Some(at)) => {
            mistakes.add(at, "`user_env` and `password_env` go together");
        }
        _ => {}
    }
    let mut read = |at: Option<At<'_>>| at.and_then(|at| variable(&at, mistakes));
    let user_env = read(user).zip(read(password));
    fields.finish(mistakes);
    Some(NatsTarget {
        url: url?,
        subject: subject?,
        credentials_env,
        user_env,
    })
}

fn webhook(at: &At<'_>, mistakes: &mut Mistakes) -> Option<WebhookTarget> {
    let mut fields = at.fields(mistakes)?;
    let url = address(&mut fields, &["https", "http"], mistakes);
    let secret_env = fields
        .required("secret_env", mistakes)
        .and_then(|at| variable(&at, mistakes));
    let mut number = |key, most, default| {
        fields
            .get(key)
            .and_then(|at| at.number(&(1..=most), mistakes))
            .unwrap_or(default)
    };
    let max_attempts = number("max_attempts", MAX_ATTEMPTS, DEFAULT_MAX_ATTEMPTS);
    let timeout_seconds = number(
        "timeout_seconds",
        MAX_TIMEOUT_SECONDS,
        DEFAULT_TIMEOUT_SECONDS,
    );
    fields.finish(mistakes);
    Some(WebhookTarget {
        url: url?,
        secret_env: secret_env?,
        max_attempts,
        timeout_seconds,
    })
}

/// A URL with a host and without a password: whoever may read the model would read it.
fn address(fields: &mut Fields<'_>, schemes: &[&str], mistakes: &mut Mistakes) -> Option<String> {
    let at = fields.required("url", mistakes)?;
    let text = at.text(mistakes)?;
    let forms: Vec<String> = schemes
        .iter()
        .map(|scheme| format!("{scheme}://…"))
        .collect();
    let url = Url::parse(text)
        .ok()
        .filter(|url| schemes.contains(&url.scheme()) && url.has_host());
    let Some(url) = url else {
        mistakes.add(&at, format!("must be a URL: {}", forms.join(" or ")));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        mistakes.add(
            &at,
            "must not hold a user or a password: name the variables that do",
        );
        return None;
    }
    Some(text.to_owned())
}

/// The name of a variable.
fn variable(at: &At<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let name = at.text(mistakes)?;
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.starts_with(SECRET_PREFIX)
        && name.len() > SECRET_PREFIX.len()
        && name.bytes().all(letter)
    {
        return Some(name.to_owned());
    }
    let message = format!(
        "must name an environment variable of the server that begins with {SECRET_PREFIX}, not be the secret"
    );
    mistakes.add(at, message);
    None
}

/// A subject's template.
fn subject(at: &At<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let text = at.text(mistakes)?;
    let filled = text
        .replace("{tenant}", "default")
        .replace("{kind}", "created");
    let token = |token: &str| {
        let allowed =
            |letter: char| letter.is_ascii_graphic() && !matches!(letter, '*' | '>' | '{' | '}');
        !token.is_empty() && token.chars().all(allowed)
    };
    if filled.len() <= MAX_SUBJECT_BYTES && !filled.starts_with('$') && filled.split('.').all(token)
    {
        return Some(text.to_owned());
    }
    mistakes.add(
        at,
        "must be a subject of NATS without wildcards, such as customers.{tenant}.{kind}",
    );
    None
}
