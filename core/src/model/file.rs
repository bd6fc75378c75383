//! The model file: YAML in, a compiled [`Model`] or every mistake with its line and column out.
//!
//! Each key is declared once, by `keys!`: its name, form, default and text. From that
//! come its reader, the list of known keys, and its entry in the JSON Schema for editors
//! ([`schema()`]). `sections` begins with the whole file.
//!
//! - `tree` parses YAML into nodes that know their places, and `reader` notes mistakes in them.
//! - `forms` has what values may look like: numbers, texts, expressions, lists, mappings.
//! - The other modules declare the sections.
//!
//! `examples/retail/model.yaml` is the manual by example, and the model that is compiled in.

mod access_roles;
mod computed;
pub mod context;
mod declared;
mod events;
mod experience;
mod forms;
mod groups;
mod keys;
mod objects;
mod publish;
mod purposes;
mod reader;
mod schema;
mod sections;
mod segments;
mod sources;
mod tree;
mod values;

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::computation;
use forms::{Form as _, mapping};
use reader::{At, Reader};

pub use access_roles::AccessRole;
pub use context::ContextView;
pub use groups::TraitGroup;
pub use publish::{NatsTarget, WebhookTarget};
pub use purposes::{Channel, Purpose};
pub use schema::schema;
pub use sections::{Model, TraitType};
pub(super) use sources::{
    ConsentMapping, EventMapping, ForEach, MappedProperty, Mode, MoneyAmount, RecordMapping,
};

/// The model that is compiled in, as it is written.
pub const BUILT_IN: &str = include_str!("../../../examples/retail/model.yaml");

/// Maximum length of a model file, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// A mistake in a model file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
pub struct ModelError {
    /// Line of the mistake, from 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Where in the model: `sources.web.records.customers.key`. Empty: the whole file.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl ModelError {
    fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            column,
            path: String::new(),
            message: message.into(),
        }
    }
}

impl ModelError {
    /// A mistake at the value with this path, which is found by whoever uses the model.
    #[must_use]
    pub fn at(yaml: &str, path: &[&str], message: impl Into<String>) -> Self {
        let root = tree::read(yaml).ok();
        let node = root.as_ref().and_then(|root| root.find(path));
        let (line, column) = node.map_or((1, 1), |node| (node.line, node.column));
        Self {
            path: path.join("."),
            ..Self::new(line, column, message)
        }
    }
}

impl ModelError {
    /// The mistake without control characters, which keys and expressions of a file may hold: it is
    /// printed on terminals.
    fn in_one_line(mut self) -> Self {
        for text in [&mut self.path, &mut self.message] {
            if text.chars().any(char::is_control) {
                *text = text.replace(['\n', '\t'], " ");
                *text = text.replace(char::is_control, "\u{FFFD}");
            }
        }
        self
    }
}

impl fmt::Display for ModelError {
    /// `12:7: identifiers.email.priority: must be …`, as editors and terminals like it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl Model {
    /// Compiles a model file.
    ///
    /// # Examples
    /// ```
    /// use profile_core::model::Model;
    ///
    /// let model = Model::parse("sources: { shop: { trust: 80 } }").expect("a model");
    /// assert_eq!(model.trust("shop"), 80);
    ///
    /// let errors = Model::parse("sources: { shop: { trust: 800 } }").expect_err("no model");
    /// assert_eq!(
    ///     errors[0].to_string(),
    ///     "1:27: sources.shop.trust: must be a whole number from 0 to 100",
    /// );
    /// ```
    ///
    /// # Errors
    /// Every mistake, in order of line and column. Where the file is not YAML, only that.
    pub fn parse(yaml: &str) -> Result<Self, Vec<ModelError>> {
        if yaml.len() > MAX_FILE_BYTES {
            let length = yaml.len();
            return Err(vec![ModelError::new(
                1,
                1,
                format!("has {length} bytes: at most {MAX_FILE_BYTES} are allowed"),
            )]);
        }
        // Expressions are compiled on a large stack: one for all of them.
        computation::on_large_stack(|| {
            compiled(yaml)
                .map_err(|errors| errors.into_iter().map(ModelError::in_one_line).collect())
        })
    }

    /// The model that is compiled in: [`BUILT_IN`].
    ///
    /// # Panics
    /// Never: a test compiles it.
    #[must_use]
    pub fn built_in() -> Arc<Self> {
        static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| match Model::parse(BUILT_IN) {
            Ok(model) => Arc::new(model),
            Err(errors) => unreachable!("the compiled-in model is wrong: {errors:?}"),
        });
        Arc::clone(&MODEL)
    }
}

fn compiled(yaml: &str) -> Result<Model, Vec<ModelError>> {
    let root = tree::read(yaml)?;
    let at = At::root(&root);
    let mut reader = Reader::of(&at, yaml);
    let model = mapping::<Model>().read(&at, &mut reader);
    declared::check_mapped_events(&at, &mut reader);
    let errors = reader.into_errors();
    let mut model = model.filter(|_| errors.is_empty()).ok_or(errors)?;
    if let Some(experience) = &mut model.experience {
        experience.follow(&model.events);
    }
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConsentRule;

    fn told(yaml: &str) -> String {
        let errors = Model::parse(yaml).expect_err("has mistakes");
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_built_in_model_compiles() {
        let model = Model::parse(BUILT_IN).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert_eq!(model.sources.len(), 6);
        assert_eq!(model.identifiers["loyalty_id"].max_per_profile, Some(1));
        assert_eq!(model.identifiers["phone"].max_profiles, Some(5));
        assert_eq!(Model::built_in().max_records_per_profile, 10_000);
    }

    #[test]
    fn the_built_in_model_blocks_what_identifies_nobody() {
        let model = Model::built_in();
        let links = |kind: &str, raw: &str| {
            let value = model.identifiers[kind].normalize(raw);
            model.links(&crate::records::Identifier::new(kind, value))
        };
        for (kind, raw) in [
            ("email", "test@test.com"),
            ("email", "None@none.com"),
            ("email", "na@na.com"),
            ("email", "noemail@shop.example"),
            ("email", "noreply@shop.com"),
            ("email", "Info@shop.com"),
            ("email", "ann@shop.invalid"),
            ("phone", "+1 800 555 0100"),
            ("phone", "1111111111"),
            ("phone", "123-456-7890"),
            ("phone", "0000000000"),
            ("phone", "555-555-5555"),
            ("phone", "212 555 0142"),
            ("loyalty_id", "0000"),
        ] {
            assert!(!links(kind, raw), "{raw}");
        }
        for (kind, raw) in [
            ("email", "anna@test.com"),
            ("email", "ann@example.com"),
            ("email", "ann.noe@shop.com"),
            ("email", "info.ann@gmail.com"),
            ("phone", "212 555 1142"),
            ("phone", "+49 89 123456"),
            ("loyalty_id", "9246496356"),
            ("customer_id", "r000003"),
        ] {
            assert!(links(kind, raw), "{raw}");
        }
    }

    #[test]
    fn placeholders_of_a_trait_that_has_no_list_are_a_mistake() {
        insta::assert_snapshot!(told("traits: { city: { match: city, placeholders: [nil] }, tier: { placeholders: [nil] } }\nsources: {}\n"), @"1:77: traits.tier.placeholders: is only for traits with `match: street`, `city`, `postcode` or `birth_date`");
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_column() {
        let yaml = r#"
max_records_per_profile: many
identifiers:
  email: { normalize: mail, priority: 1 }
  phone: { priority: 120, normalize: e164, default_region: Texas }
  card: { unique: true, blocked: ["ok", "(open"] }
  Device-ID: { priority: 9 }
traits:
  given_name: { keep: newest, personal: 1 }
  language: { keep: [longest] }
sources:
  shop:
    trust: 101
    colour: red
    records:
      customers:
        key: id
        time: "date("
        identifiers: { email: [mail, "nope(mail)"], fax: fax }
        traits: { given_name: "a +", shoe_size: size }
    events:
      orders: { type: order_placed, record: customer }
"#;
        insta::assert_snapshot!(told(yaml), @r"
        2:26: max_records_per_profile: must be a whole number from 1 to 1000000
        4:23: identifiers.email.normalize: must be one of trim, case_fold, digits, email, e164
        5:22: identifiers.phone.priority: must be a whole number from 1 to 99
        5:60: identifiers.phone.default_region: must be a region by ISO 3166 with telephone numbers, such as US
        6:9: identifiers.card: `priority` is required
        6:41: identifiers.card.blocked[1]: `(open` is no regular expression: unclosed group
        7:3: identifiers.Device-ID: an identifier type is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes
        9:23: traits.given_name.keep: must be one of source_trust, most_recent, most_frequent, longest, oldest, union
        9:41: traits.given_name.personal: must be true or false
        10:21: traits.language.keep: must be a text, and is a list
        13:12: sources.shop.trust: must be a whole number from 0 to 100
        14:5: sources.shop.colour: is no key that is known here: there are trust, country, dates, time_zone, minor, records, events
        18:15: sources.shop.records.customers.time: is not CEL: at character 6, mismatched input <EOF>
        19:38: sources.shop.records.customers.identifiers.email[1]: calls `nope`, which is no function
        19:53: sources.shop.records.customers.identifiers.fax: the model declares no identifier type `fax`; it has: email, phone, card, Device-ID
        20:31: sources.shop.records.customers.traits.given_name: is not CEL: at character 4, mismatched input '<EOF>'
        20:38: sources.shop.records.customers.traits.shoe_size: the model declares no trait `shoe_size`; it has: given_name, language
        22:15: sources.shop.events.orders: `id` is required
        ");
    }

    #[test]
    fn mistakes_in_publications_are_told_with_line_and_column() {
        let yaml = r#"
traits: { email: }
sources: { s: }
publish:
  none: { kinds: [created, gone] }
  both: { nats: { url: "http://x", subject: a }, webhook: {} }
  Hook:
    webhook: { url: "ftp://x", secret_env: whsec_abc, max_attempts: 0, retries: 3 }
    fields: [traits.email, traits.shoe_size, name]
  user: { webhook: { url: "https://u:p@x/y", secret_env: PUBLISH_ } }
  stream:
    nats: { url: "nats:4222", subject: "a.{tenant}.*", credentials_env: HOME, user_env: PUBLISH_U }
  subject: { nats: { url: "nats://n", subject: "a..{kid}" }, kinds: [], fields: [] }
"#;
        insta::assert_snapshot!(told(yaml), @r"
        5:9: publish.none: either `nats` or `webhook` is required
        5:28: publish.none.kinds[1]: must be one of created, updated, merged, deleted, segments_changed
        6:59: publish.both.webhook: a publication has one target: leave `nats` or `webhook`, or make it two publications
        7:3: publish.Hook: a publication is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes
        8:21: publish.Hook.webhook.url: must be a URL: https://… or http://…
        8:44: publish.Hook.webhook.secret_env: must name an environment variable of the server that begins with PUBLISH_, not be the secret
        8:69: publish.Hook.webhook.max_attempts: must be a whole number from 1 to 1000
        8:72: publish.Hook.webhook.retries: is no key that is known here: there are url, secret_env, max_attempts, timeout_seconds
        9:28: publish.Hook.fields[1]: the model declares no trait `shoe_size`; it has: email
        9:46: publish.Hook.fields[2]: must be one of accessibility, consents, identifiers, preferences, records, segments, timeline, traits, segments.NAME, traits.NAME
        10:27: publish.user.webhook.url: must not hold a user or a password: name the variables that do
        10:58: publish.user.webhook.secret_env: must name an environment variable of the server that begins with PUBLISH_, not be the secret
        12:18: publish.stream.nats.url: must be a URL: nats://… or tls://…
        12:40: publish.stream.nats.subject: must be a subject of NATS without wildcards, such as customers.{tenant}.{kind}
        12:73: publish.stream.nats.credentials_env: must name an environment variable of the server that begins with PUBLISH_, not be the secret
        12:89: publish.stream.nats.user_env: `user_env` and `password_env` go together
        13:48: publish.subject.nats.subject: must be a subject of NATS without wildcards, such as customers.{tenant}.{kind}
        13:69: publish.subject.kinds: is empty: nothing would be published
        13:81: publish.subject.fields: is empty: no update would be published
        ");
    }

    #[test]
    fn mistakes_in_purposes_and_channels_are_told_with_line_and_column() {
        let yaml = r#"
time_zone: Mars/Olympus
identifiers: { email: { priority: 1 } }
traits: { name: }
channels:
  Fax: { contact_point: number, contact_events: [Sent], voices: true }
purposes:
  news: { consent: maybe, marketing: true, accessibility: true, essential: true, traits: [name, age] }
  care: { legal_basis: love, identifiers: [phone], events: ["*", Order] }
sources:
  s:
    records:
      r:
        key: id
        preferences: { colour: c, topics.a: "a +", language: l }
        consents:
          - { purpose: spam, status: "'granted'", contact_point: { email: e, phone: p } }
          - { purpose: news, reason: r }
"#;
        insta::assert_snapshot!(told(yaml), @r"
        2:12: time_zone: must be a name of the IANA time zone database, such as Europe/Zurich, or of Windows or Rails
        6:3: channels.Fax: a channel is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes
        6:25: channels.Fax.contact_point: the model declares no identifier type `number`; it has: email
        6:50: channels.Fax.contact_events[0]: must be an event type in lower snake case, such as order_placed
        6:57: channels.Fax.voices: is no key that is known here: there are contact_point, contact_events, voice
        8:20: purposes.news.consent: must be one of opt_in, opt_out, not_needed
        8:59: purposes.news.accessibility: accessibility needs are never used for marketing: leave `accessibility` or `marketing`
        8:76: purposes.news.essential: marketing is not essential: leave `essential` or `marketing`
        8:97: purposes.news.traits[1]: the model declares no trait `age`; it has: name
        9:24: purposes.care.legal_basis: must be one of consent, contract, legal_obligation, vital_interests, public_task, legitimate_interests
        9:44: purposes.care.identifiers[0]: the model declares no identifier type `phone`; it has: email
        9:61: purposes.care.events[0]: must be an event type in lower snake case, such as order_placed
        9:66: purposes.care.events[1]: must be an event type in lower snake case, such as order_placed
        15:24: sources.s.records.r.preferences.colour: is no preference; there are preferred_name, form_of_address, pronunciation, language, time_zone, preferred_channels, forbidden_channels, quiet_hours, frequency_caps, do_not_contact, processing_restricted, accessibility.relay_service, accessibility.sign_language, accessibility.interpreter, accessibility.large_print, accessibility.braille, accessibility.easy_read, accessibility.speak_slowly, accessibility.no_phone, accessibility.written_confirmation, accessibility.extra_time, accessibility.representative, topics.NAME
        15:45: sources.s.records.r.preferences.topics.a: is not CEL: at character 4, mismatched input '<EOF>'
        17:24: sources.s.records.r.consents[0].purpose: the model declares no purpose `spam`; it has: news, care
        17:78: sources.s.records.r.consents[0].contact_point.phone: the model declares no identifier type `phone`; it has: email
        17:85: sources.s.records.r.consents[0].contact_point.phone: a consent is for one contact point: name one type, or make it several consents
        18:13: sources.s.records.r.consents[1]: `status` is required
        18:30: sources.s.records.r.consents[1].reason: is no key that is known here: there are purpose, contact_point, when, from_list, status, effective_time, expire_time, legal_basis, gpc, jurisdiction, policy_version, notice, collection_method, proof, receipt_id, language, tcf_string
        ");
    }

    #[test]
    fn purposes_see_nothing_that_they_do_not_list_and_what_sells_no_needs() {
        let yaml =
            "sources: { s: }\npurposes: { care: , news: { marketing: true, traits: \"*\" } }";
        let model = Model::parse(yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
        let (care, news) = (&model.purposes["care"], &model.purposes["news"]);
        assert_eq!(
            (care.consent, care.preferences, care.accessibility),
            (ConsentRule::OptIn, true, true)
        );
        assert!(!care.traits.has("name") && !care.events.has("call") && news.traits.has("name"));
        assert!(!news.accessibility);
    }

    #[test]
    fn a_publication_has_the_documented_defaults() {
        let yaml = "sources: { s: }\npublish: { p: { webhook: { url: https://x/y, secret_env: PUBLISH_P } } }";
        let model = Model::parse(yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
        let publication = &model.publications["p"];
        assert_eq!((publication.kinds.len(), &publication.fields), (5, &None));
        let crate::model::publication::Target::Webhook(target) = &publication.target else {
            panic!("a webhook")
        };
        assert_eq!((target.max_attempts, target.timeout_seconds), (30, 10));
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_place() {
        insta::assert_snapshot!(told("sources:\n  shop: { trust: 1\n  web: }\n"), @r"
        3:6: is not YAML: while parsing a flow mapping, did not find expected ',' or '}'
        ");
        insta::assert_snapshot!(told("a: 1\na: 2\nb: *c\n"), @r"
        2:1: `a` stands twice, first in line 1
        3:4: is not YAML: while parsing node, found unknown anchor
        ");
    }

    #[test]
    fn a_value_is_written_out_and_a_file_is_one_model() {
        insta::assert_snapshot!(told("traits: { a: &kept { keep: oldest }, b: *kept }\n---\nsources: {}\n"), @r"
        1:41: aliases are not taken: write the value out
        2:1: a second document: a model is one document
        ");
    }

    #[test]
    fn a_model_has_sources_and_is_a_mapping() {
        insta::assert_snapshot!(told(""), @r"
        1:1: `sources` is required
        ");
        insta::assert_snapshot!(told("- a"), @r"
        1:1: must be a mapping, and is a list
        ");
        insta::assert_snapshot!(told("just text"), @r"
        1:1: must be a mapping, and is a single value
        ");
    }

    #[test]
    fn limits_have_the_documented_defaults() {
        let yaml = "identifiers:\n  a: { priority: 1 }\n  b: { priority: 2, unique: true }\nsources: { s: }";
        let model = Model::parse(yaml).expect("compiles");
        let limits = |name: &str| {
            let kind = &model.identifiers[name];
            (kind.max_per_profile, kind.max_profiles, kind.max_records)
        };
        assert_eq!(limits("a"), (None, Some(10), Some(10_000)));
        assert_eq!(limits("b"), (Some(1), None, Some(10_000)));
        assert_eq!(
            (model.trust("s"), model.max_records_per_profile),
            (50, 10_000)
        );
    }

    #[test]
    fn unique_types_take_no_limits_and_only_e164_takes_a_region() {
        let yaml = "identifiers:\n  a: { priority: 1, unique: true, max_records: 3 }\n  b: { priority: 2, normalize: email, default_region: US }\n  c: { priority: 2, normalize: e164 }\nsources: { s: }";
        insta::assert_snapshot!(told(yaml), @r"
        2:48: identifiers.a.max_records: a unique type has one value a profile and no limits: leave `max_records` or `unique`
        3:55: identifiers.b.default_region: goes with `normalize: e164` only
        4:32: identifiers.c.normalize: `e164` needs a `default_region`, such as US
        ");
    }
}
