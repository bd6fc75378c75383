//! The model: what a deployment knows about its customers. The code has no source and no field
//! built in.
//!
//! A [`Model`] is compiled from the model file and never changes; this module is what the rest of
//! the service asks it.

pub mod check;
mod computed;
mod context;
mod country;
mod date;
pub mod event;
pub mod experience;
pub(crate) mod expression;
pub mod file;
mod mapping;
pub mod matching;
mod normalize;
mod pattern;
pub mod publication;
mod purpose;
mod segment;

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

pub use check::Note;
pub use computed::Definition;
pub use context::{ContextField, ContextView};
pub use country::{Country, Home};
pub use date::{Date, DateForm, DateNumbers, DateOrder, UnreadDate};
pub use event::{Catalogue, EventType};
pub use experience::Experience;
pub use expression::overrun::count as evaluations_over_budget;
pub use file::ModelError;
pub use mapping::Kind;
pub use matching::{BelongsTo, Matching, Role};
pub use normalize::{MailProvider, MailProviders, Normalized, Unread, clean};
pub use publication::{Publication, PublishedKind};
pub use purpose::{Channel, ConsentRule, Purpose, PurposeKind, Visible};
pub use segment::{Memberships, Segment, Subject};

use crate::records::{Identifier, Value};

/// A compiled model.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Identifier types by name.
    pub identifiers: BTreeMap<String, IdentifierType>,
    /// Traits by name.
    pub traits: BTreeMap<String, TraitType>,
    /// Sources by name.
    pub sources: BTreeMap<String, Source>,
    /// No profile grows by itself beyond this many records.
    pub max_records_per_profile: usize,
    /// How records are compared.
    pub matching: Matching,
    /// Event types by name: the built-in ones and its own.
    pub events: Catalogue,
    /// What is told to whom when profiles change, by name.
    pub publications: BTreeMap<String, Publication>,
    /// What data is read and customers are contacted for, by name.
    pub purposes: BTreeMap<String, Purpose>,
    /// How customers are contacted, by name.
    pub channels: BTreeMap<String, Channel>,
    /// Where the clocks are of customers who have not said: a name of the IANA database; empty:
    /// UTC.
    pub time_zone: String,
    /// Computed traits by name: what is counted of a customer's events.
    pub computed: BTreeMap<String, Arc<Definition>>,
    /// Segments by name: conditions over what is known of a customer.
    pub segments: BTreeMap<String, Segment>,
    /// Views by name: what is told of a customer in one call.
    pub views: BTreeMap<String, ContextView>,
    /// What metrics of customer experience are computed from; none: there are none.
    pub experience: Option<Experience>,
}

/// How values of one type identify.
#[derive(Debug, Clone)]
pub struct IdentifierType {
    /// 1 is the strongest; stronger types link first.
    pub priority: u32,
    /// How values are brought into one form.
    pub normalization: Normalization,
    /// A merge that would give a profile more values of this type is refused; 1 for unique types.
    pub max_per_profile: Option<usize>,
    /// A value that would join more than this many groups of records (joined by stronger types)
    /// does not link at all.
    pub max_profiles: Option<usize>,
    /// A value held by more records than this does not link at all.
    pub max_records: Option<usize>,
    /// Values that identify nobody.
    pub blocked: Vec<Regex>,
    /// Whose a value is.
    pub belongs_to: BelongsTo,
    /// A person has one value: two different ones speak for two people.
    pub exclusive: bool,
}

/// How values of an identifier type are brought into one form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Normalization {
    /// White space around is cut.
    #[default]
    Trim,
    /// Also without regard to case.
    CaseFold,
    /// Only the digits count.
    Digits,
    /// An e-mail address.
    Email {
        /// What providers ignore in an address.
        providers: MailProviders,
    },
    /// A telephone number, to E.164.
    E164 {
        /// Region (ISO 3166, `US`) of numbers without calling code, where neither the record nor
        /// its source says a country.
        default_region: String,
    },
}

/// How one field of the profile is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraitType {
    /// Which value survives.
    pub keep: Survivorship,
    /// Personal data.
    pub personal: bool,
    /// Profiles are found by its words.
    pub searchable: bool,
    /// What it says of a person.
    pub role: Option<Role>,
}

/// Which of several sources' values survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Survivorship {
    /// That of the most trusted source.
    SourceTrust,
    /// The latest.
    #[default]
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

impl Survivorship {
    /// All, as the model file names them.
    pub const ALL: [(&'static str, Self); 6] = [
        ("source_trust", Self::SourceTrust),
        ("most_recent", Self::MostRecent),
        ("most_frequent", Self::MostFrequent),
        ("longest", Self::Longest),
        ("oldest", Self::Oldest),
        ("union", Self::Union),
    ];

    /// As the model file names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, rule)| *rule == self)
            .map_or("", |(name, _)| name)
    }
}

/// A system that makes statements.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// 0 to 100; the higher is believed first.
    pub trust: u32,
    /// How its payloads become statements, by kind of payload.
    pub kinds: BTreeMap<String, Kind>,
    /// Where its records are from that do not say so themselves.
    pub country: Option<Country>,
    /// How it writes dates.
    pub dates: DateForm,
}

impl Model {
    /// How much a source is trusted; 0 for one that the model no longer has.
    #[must_use]
    pub fn trust(&self, source: &str) -> u32 {
        self.sources.get(source).map_or(0, |source| source.trust)
    }

    /// How a trait is chosen; by recency for one that the model no longer has.
    #[must_use]
    pub fn survivorship(&self, name: &str) -> Survivorship {
        self.traits
            .get(name)
            .map(|kind| kind.keep)
            .unwrap_or_default()
    }

    /// The country of a record: what its traits say, else that of its source.
    #[must_use]
    pub fn home<'t>(
        &self,
        source: &str,
        traits: impl IntoIterator<Item = (&'t str, &'t Value)>,
    ) -> Home {
        let is_country = |name: &str| {
            self.traits
                .get(name)
                .is_some_and(|kind| kind.role == Some(Role::Country))
        };
        let said = traits
            .into_iter()
            .filter(|(name, _)| is_country(name))
            .filter_map(|(_, value)| value.as_str())
            .map(Home::said)
            .find(|home| *home != Home::Unsaid);
        let source = self.sources.get(source).and_then(|source| source.country);
        said.unwrap_or_default().or(source)
    }

    /// How a source writes dates.
    #[must_use]
    pub fn date_form(&self, source: &str) -> DateForm {
        self.sources
            .get(source)
            .map(|source| source.dates)
            .unwrap_or_default()
    }

    /// Whether an identifier may link records: its type is declared, its form is right, and it is
    /// not blocked.
    #[must_use]
    pub fn links(&self, identifier: &Identifier) -> bool {
        self.identifiers
            .get(&identifier.kind)
            .is_some_and(|kind| kind.links(&identifier.value))
    }
}
