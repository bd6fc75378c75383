//! The section `publish`.

use std::collections::BTreeSet;

use url::Url;

use super::forms::{
    Deferred, Mapping, TextBy, deferred, list, list_as, mapping, one_of, set, text_by, whole,
};
use super::keys::{Inline, keys, table};
use super::reader::{At, Fields, Reader, Section};
use super::schema::{Definitions, Properties};
use crate::choices::Listed;
use crate::model::publication::{Publication, PublishedKind, SECRET_PREFIX, Target};

/// Maximum length of a subject with all filled in; NATS itself allows more.
const MAX_SUBJECT_BYTES: usize = 200;
/// Fields of a change that are no traits.
const FIELDS: [&str; 8] = [
    "accessibility",
    "consents",
    "identifiers",
    "preferences",
    "records",
    "segments",
    "timeline",
    "traits",
];

keys! {
    /// A publication: changes of profiles, told to one target as CloudEvents, each at least once,
    /// those of a profile in order. Exactly one target is named.
    pub(super) struct PublicationKeys as "Publication" => Publication: publication {
        /// A stream of NATS JetStream.
        nats: Option<Deferred<Mapping<NatsTarget>>> = optional as deferred(mapping::<NatsTarget>);
        /// A receiver over HTTP.
        webhook: Option<Deferred<Mapping<WebhookTarget>>> = optional as
            deferred(mapping::<WebhookTarget>);
        /// Only these kinds of changes. Default: all.
        kinds: Option<BTreeSet<PublishedKind>> = optional as
            set(list_as("OneOrManyKinds", "One kind of change, or several.", one_of::<PublishedKind>())
                .not_empty("is empty: nothing would be published"));
        /// Of updates and changes of segments only those of these fields: `accessibility`,
        /// `consents`, `identifiers`, `preferences`, `records`, `segments`, `segments.NAME`,
        /// `timeline`, `traits`, `traits.NAME`. Default: all.
        fields: Option<BTreeSet<String>> = optional as
            set(list(field()).not_empty("is empty: no update would be published"));
    }

    /// A stream of NATS JetStream, which must be there and take the subject.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NatsTarget as "Nats" {
        /// `nats://HOST:PORT` or `tls://HOST:PORT`, without user and password.
        url: String = required as text_by(|text, at, reader| address(text, &["nats", "tls"], at, reader));
        /// The subject, in which `{tenant}` and `{kind}` are filled in:
        /// `customers.{tenant}.{kind}`.
        subject: String = required as text_by(subject);
        /// The environment variable of the servers with the text of a credentials file. Begins with
        /// `PUBLISH_`, as all do.
        credentials_env: Option<String> = optional as variable();
        /// The variables with a user's name and password.
        user_env: Option<(String, String)> = inline as Login;
    }

    /// A receiver over HTTP, to which each change is posted, signed by the rules of Standard
    /// Webhooks.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WebhookTarget as "Webhook" {
        /// `https://…` or `http://…`, without user and password.
        url: String = required as text_by(|text, at, reader| address(text, &["https", "http"], at, reader));
        /// The environment variable of the servers with the secret, `whsec_…`. Begins with
        /// `PUBLISH_`.
        secret_env: String = required as variable();
        /// A change that failed so many times becomes a dead letter, and the next ones are told. By
        /// default that takes some twenty minutes.
        max_attempts: u32 = "30" as whole(1, 1_000);
        /// How long an answer may take, in seconds.
        timeout_seconds: u32 = "10" as whole(1, 60);
    }
}

/// The keys that name a user and a password.
const LOGIN: [Listed<()>; 2] = [
    Listed::optional(
        "user_env",
        (),
        "The variable with a user's name. Goes with `password_env`.",
    ),
    Listed::optional("password_env", (), "The variable with the user's password."),
];

/// The form of the keys that name a user and a password.
struct Login;

impl Inline for Login {
    type Value = Option<(String, String)>;

    fn read(&self, fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Self::Value> {
        let said = table(&LOGIN, variable()).read(fields, reader)?;
        let places = LOGIN.map(|listed| fields.place_of(listed.key));
        if let [Some(place), None] | [None, Some(place)] = places {
            reader.error(place, "`user_env` and `password_env` go together");
        }
        let mut names = said.into_iter().map(|(_, name)| name);
        Some(names.next().zip(names.next()))
    }

    fn describe(&self, properties: &mut Properties, definitions: &mut Definitions) {
        table(&LOGIN, variable()).describe(properties, definitions);
    }
}

fn publication(
    keys: PublicationKeys,
    fields: &Fields<'_>,
    reader: &mut Reader,
) -> Option<Publication> {
    let target = match (&keys.nats, &keys.webhook) {
        (Some(nats), None) => nats.read(reader).map(Target::Nats),
        (None, Some(webhook)) => webhook.read(reader).map(Target::Webhook),
        (Some(_), Some(webhook)) => {
            let message = "a publication has one target: leave `nats` or `webhook`, or make it two publications";
            reader.error(webhook.place(), message);
            None
        }
        (None, None) => {
            reader.error(fields.place(), "either `nats` or `webhook` is required");
            None
        }
    };
    let all = || PublishedKind::ALL.iter().map(|(_, kind)| *kind).collect();
    Some(Publication {
        target: target?,
        kinds: keys.kinds.unwrap_or_else(all),
        fields: keys.fields,
    })
}

/// A field of a change.
fn field() -> TextBy<String> {
    text_by(|field, at, reader| {
        match field.split_once('.') {
            Some(("traits", name)) => reader.check_declared(Section::Traits, name, at.place()),
            Some(("segments", name)) => reader.check_declared(Section::Segments, name, at.place()),
            _ if !FIELDS.contains(&field) => {
                let fields = FIELDS.join(", ");
                let rule = format!("must be one of {fields}, segments.NAME, traits.NAME");
                reader.error(at.place(), rule);
            }
            _ => {}
        }
        Some(field.to_owned())
    })
}

/// A URL with a host and without a password: whoever may read the model would read it.
fn address(text: &str, schemes: &[&str], at: &At<'_>, reader: &mut Reader) -> Option<String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| schemes.contains(&url.scheme()) && url.has_host());
    let Some(url) = url else {
        let forms: Vec<String> = schemes
            .iter()
            .map(|scheme| format!("{scheme}://…"))
            .collect();
        reader.error(at.place(), format!("must be a URL: {}", forms.join(" or ")));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let message = "must not hold a user or a password: name the variables that do";
        reader.error(at.place(), message);
        return None;
    }
    Some(text.to_owned())
}

/// The name of an environment variable.
fn variable() -> TextBy<String> {
    let read = |name: &str, at: &At<'_>, reader: &mut Reader| {
        let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let rest = name.strip_prefix(SECRET_PREFIX).unwrap_or_default();
        if !rest.is_empty() && rest.bytes().all(letter) {
            return Some(name.to_owned());
        }
        let message = format!(
            "must name an environment variable of the server that begins with {SECRET_PREFIX}, not be the secret"
        );
        reader.error(at.place(), message);
        None
    };
    text_by(read).matching(r"^PUBLISH_[A-Z0-9_]+$")
}

/// A subject's template.
fn subject(text: &str, at: &At<'_>, reader: &mut Reader) -> Option<String> {
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
    let message = "must be a subject of NATS without wildcards, such as customers.{tenant}.{kind}";
    reader.error(at.place(), message);
    None
}
