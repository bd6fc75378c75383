//! The keys of the model file, for people and for editors: the JSON Schema is made from these types
//! and their comments.
//!
//! The file is not read through them, as that would stop at the first mistake; a test holds the two
//! together.

mod computed;
mod events;
mod experience;
mod purposes;
mod values;

use std::collections::BTreeMap;

pub use computed::{Computed, Segment, View};
pub use events::{EventProperty, EventType, Property, PropertyType};
pub use experience::{Experience, Measured};
pub use purposes::{Channel, Consent, ConsentRule, LegalBasis, OneOrManyConsents, Purpose};
pub use values::{Calendar, DateNumbers, DateOrder, Dates, Provider, Providers};

use schemars::JsonSchema;
use serde::Deserialize;

/// What a deployment knows about its customers: who speaks, what they say, and how it becomes one
/// profile.
///
/// Expressions are CEL over the fields of a payload. A plain path (`email`, `customer.id`,
/// `payload['First name']`) is a field; a field that is missing, null or blank gives no value.
/// Beyond CEL's functions there are `decimal(x)`, `int(x)`, `string(x)`, `bool(x)`, `time(x)`,
/// `lower(x)`, `upper(x)`, `trim(x)`, and `join_nonempty(separator, list)`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Identifier types by name, in lower snake case: what points to a person.
    pub identifiers: Option<BTreeMap<String, Identifier>>,
    /// Traits by name, in lower snake case: the fields of the unified profile.
    pub traits: Option<BTreeMap<String, Option<Trait>>>,
    /// Sources by name, in lower snake case: the systems that make statements.
    pub sources: BTreeMap<String, Option<Source>>,
    /// No profile grows by itself beyond this many records. Default 500.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_records_per_profile: Option<u32>,
    /// How records are compared that share no identifier, or one that a family may share.
    pub matching: Option<Matching>,
    /// Where the clocks are of customers who have not said: a name of the IANA time zone database.
    /// Default UTC.
    pub time_zone: Option<String>,
    /// Channels by name, in lower snake case: how customers are contacted.
    pub channels: Option<BTreeMap<String, Option<Channel>>>,
    /// Purposes by name, in lower snake case: what data is read, and customers are contacted, for.
    pub purposes: Option<BTreeMap<String, Option<Purpose>>>,
    /// Computed traits by name, in lower snake case: what a customer's events add up to.
    pub computed: Option<BTreeMap<String, Computed>>,
    /// Segments by name, in lower snake case: conditions over what is known of a customer.
    pub segments: Option<BTreeMap<String, Segment>>,
    /// Views by name, in lower snake case: what is told of a customer in one call.
    pub views: Option<BTreeMap<String, Option<View>>>,
    /// Event types by name, in lower snake case, besides the built-in ones:
    /// `customer-profile model events` prints all.
    pub events: Option<BTreeMap<String, Option<EventType>>>,
    /// What metrics of customer experience are computed from. Default: there are none.
    pub experience: Option<Experience>,
    /// Publications by name, in lower snake case: what is told to other systems when profiles
    /// change. A new one begins with the write that puts it in force.
    pub publish: Option<BTreeMap<String, Publication>>,
}

/// A publication: changes of profiles, told to one target as CloudEvents, each at least once, those
/// of a profile in order. Exactly one target is named.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// A stream of NATS JetStream.
    pub nats: Option<Nats>,
    /// A receiver over HTTP.
    pub webhook: Option<Webhook>,
    /// Only these kinds of changes. Default: all.
    pub kinds: Option<OneOrManyKinds>,
    /// Of updates only those of these fields: `accessibility`, `consents`, `identifiers`,
    /// `preferences`, `records`, `timeline`, `traits`, `traits.NAME`. Default: all.
    pub fields: Option<OneOrMany>,
}

/// A stream of NATS JetStream, which must be there and take the subject.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://HOST:PORT` or `tls://HOST:PORT`, without user and password.
    pub url: String,
    /// The subject, in which `{tenant}` and `{kind}` are filled in: `customers.{tenant}.{kind}`.
    pub subject: String,
    /// The environment variable of the servers with the text of a credentials file. Begins with
    /// `PUBLISH_`, as all do.
    #[schemars(regex(pattern = r"^PUBLISH_[A-Z0-9_]+$"))]
    pub credentials_env: Option<String>,
    /// The variable with a user's name. Goes with `password_env`.
    #[schemars(regex(pattern = r"^PUBLISH_[A-Z0-9_]+$"))]
    pub user_env: Option<String>,
    /// The variable with the user's password.
    #[schemars(regex(pattern = r"^PUBLISH_[A-Z0-9_]+$"))]
    pub password_env: Option<String>,
}

/// A receiver over HTTP, to which each change is posted, signed by the rules of Standard Webhooks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `https://…` or `http://…`, without user and password.
    pub url: String,
    /// The environment variable of the servers with the secret, `whsec_…`. Begins with `PUBLISH_`.
    #[schemars(regex(pattern = r"^PUBLISH_[A-Z0-9_]+$"))]
    pub secret_env: String,
    /// A change that failed so many times becomes a dead letter, and the next ones are told.
    /// Default 30: some twenty minutes.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_attempts: Option<u32>,
    /// How long an answer may take, in seconds. Default 10.
    #[schemars(range(min = 1, max = 60))]
    pub timeout_seconds: Option<u32>,
}

/// One kind of change, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrManyKinds {
    /// One.
    One(PublishedKind),
    /// Several.
    Many(Vec<PublishedKind>),
}

/// A kind of change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublishedKind {
    /// A profile is new, or lives again.
    Created,
    /// It says something else, has other records, or more events.
    Updated,
    /// It went into another one.
    Merged,
    /// All of its records are gone.
    Deleted,
}

/// The settings of matching. Records are compared by the traits and identifiers that name their
/// role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// Two records are one person from this probability on. Default 0.95.
    #[schemars(range(min = 0.000_001, max = 0.999_999))]
    pub link_probability: Option<f64>,
    /// They are shown for review from this probability on. Default 0.5.
    #[schemars(range(min = 0.000_001, max = 0.999_999))]
    pub review_probability: Option<f64>,
    /// A match key (such as names and town) that more records hold than this is generic and finds
    /// nobody; of a name alone a sixth of it is enough. Default 60.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_key_records: Option<u32>,
    /// An identifier that more people hold than this, told by their given names, is generic: it
    /// links nobody and weighs nothing, until fewer hold it. Default 8.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_people: Option<u32>,
}

/// An identifier type: two records that share a value are taken for one person, within the limits
/// set here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// 1 is the strongest; stronger types link first, and their links are not undone by weaker
    /// ones.
    #[schemars(range(min = 1, max = 99))]
    pub priority: u32,
    /// A value belongs to one person, and a person has one value: `max_per_profile` is 1 and there
    /// are no other limits. Default false.
    pub unique: Option<bool>,
    /// How values are brought into one form. Default `trim`.
    pub normalize: Option<Normalize>,
    /// With `normalize: e164` only, and required there: the region (ISO 3166, `US`) of numbers
    /// without country code.
    pub default_region: Option<String>,
    /// With `normalize: email` only: mail providers beside the built-in ones, or `false` for none at
    /// all. Default: the built-in ones.
    pub providers: Option<Providers>,
    /// A merge that would give a profile more values of this type is refused. Default: no limit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_per_profile: Option<u32>,
    /// A value that would join more than this many groups of records, each joined by stronger
    /// types, is shared by several people and does not link at all. Default 10.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_profiles: Option<u32>,
    /// A value held by more records than this does not link at all. Default 100.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_records: Option<u32>,
    /// Whose a value is. Default `household`.
    pub belongs_to: Option<BelongsTo>,
    /// A person has one value of it: two that are clearly different are of two people, whatever
    /// else they share. Other than with `unique`, a slip of the pen is forgiven. Default false.
    pub exclusive: Option<bool>,
    /// Regular expressions; a normalised value that one of them finds identifies nobody.
    pub blocked: Option<Vec<String>>,
}

/// Whose a value of an identifier type is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BelongsTo {
    /// One person's: sharing it says more than a given name that differs.
    Person,
    /// A family may share it: it links unless something speaks against it.
    Household,
    /// A thing's, which may change hands: it only tells where a record belongs that says nothing of
    /// who it is.
    Device,
}

/// How the values of an identifier type are brought into one form. All: Unicode NFKC, without
/// invisible characters and white space around.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// Nothing more.
    Trim,
    /// Without regard to case.
    CaseFold,
    /// Only the digits count.
    Digits,
    /// An e-mail address.
    Email,
    /// A telephone number.
    E164,
}

/// A trait: one field of the unified profile.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trait {
    /// Which value survives when records differ. Default `most_recent`.
    pub keep: Option<Keep>,
    /// Personal data. Default false.
    pub personal: Option<bool>,
    /// Profiles are found by its words. Default false.
    pub searchable: Option<bool>,
    /// What it says of a person, for matching. Default: nothing.
    #[serde(rename = "match")]
    pub role: Option<Role>,
}

/// What a trait says of a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The first name.
    GivenName,
    /// Further given names, or their initials.
    MiddleName,
    /// The family name.
    FamilyName,
    /// All names in one text: `Ann Smith`, or `Smith, Ann`. Counts where given and family name are
    /// not said.
    FullName,
    /// Names that the person also goes by.
    OtherNames,
    /// The suffix of a generation: `Jr`, `Sr`, `III`.
    Suffix,
    /// Sex or gender.
    Gender,
    /// The date of birth.
    BirthDate,
    /// House number and street, or a whole address in one line.
    Street,
    /// Town.
    City,
    /// Postal code.
    Postcode,
    /// The country, by its ISO 3166 code or its name: telephone numbers without calling code and
    /// dates without a named month are read as there.
    Country,
}

/// Which of several values survives. Ties go to the more trusted source, then to the later word.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// That of the most trusted source.
    SourceTrust,
    /// The latest.
    MostRecent,
    /// The one that most records say.
    MostFrequent,
    /// The longest.
    Longest,
    /// The earliest.
    Oldest,
    /// All of them, as a list.
    Union,
}

/// A source: a named system that makes statements, and how its payloads become statements.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The higher is believed first. Default 50.
    #[schemars(range(min = 0, max = 100))]
    pub trust: Option<u32>,
    /// Country (ISO 3166, `DE`) of records that do not say one: of telephone numbers without calling
    /// code and of the order of dates. Default: unknown.
    pub country: Option<String>,
    /// How it writes dates of birth. What needs a declaration and has none is not read.
    pub dates: Option<Dates>,
    /// Payload kinds that are about a customer.
    pub records: Option<BTreeMap<String, Record>>,
    /// Payload kinds that say what happened. A kind that stands under both makes both statements.
    pub events: Option<BTreeMap<String, Event>>,
}

/// How payloads of one kind become statements about a record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The source's own key of the customer. Expression.
    pub key: String,
    /// The source's version of the record, a whole number that grows. Expression.
    pub version: Option<String>,
    /// When the source said so. Expression; texts and numbers are read as by `time(x)`.
    pub time: Option<String>,
    /// Values by identifier type: an expression or several; an expression may give a list.
    pub identifiers: Option<BTreeMap<String, OneOrMany>>,
    /// An expression by trait.
    pub traits: Option<BTreeMap<String, String>>,
    /// Whether a payload is the whole record or a patch of it. Default `whole`.
    pub mode: Option<Mode>,
    /// The record is gone when this is true. Expression.
    pub delete_when: Option<String>,
    /// An expression by preference: `language`, `topics.NAME`, `accessibility.large_print`, … What
    /// a payload does not say stays, in any mode; an explicit null takes the record's word back.
    pub preferences: Option<BTreeMap<String, String>>,
    /// What the payload says about purposes.
    pub consents: Option<OneOrManyConsents>,
}

/// Whether a payload is the whole record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What the payload does not say is not so.
    Whole,
    /// What the payload does not say stays; an explicit null empties the field.
    Patch,
}

/// One expression, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// How payloads of one kind become events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// A name in lower snake case (`order_placed`), or an expression that is more than a name
    /// (`payload.type`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The source's own id of the event. Expression.
    pub id: String,
    /// When it happened. Expression; texts and numbers are read as by `time(x)`.
    pub time: Option<String>,
    /// The key of the customer's record in the same source. Expression.
    pub record: String,
    /// An expression by property.
    pub properties: Option<BTreeMap<String, String>>,
}

/// The JSON Schema of the model file (draft 2020-12).
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ModelFile).to_value()
}

#[cfg(test)]
mod tests;
