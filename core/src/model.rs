//! The model: what a deployment knows about its customers. The code has no source and no field
//! built in.
//!
//! A [`Model`] is compiled from the model file and never changes; this module is what the rest of
//! the service asks it.
//!
//! # Examples
//! ```
//! use profile_core::model::Model;
//! use profile_core::records::Draft;
//!
//! let model = Model::parse(
//!     "traits: { name: }
//! sources: { shop: { records: { customers: { key: id, traits: { name: trim(full_name) } } } } }",
//! )
//! .expect("a model");
//! let payload = serde_json::json!({ "id": 7, "full_name": " Ann Smith " });
//! let drafts = model.map("shop", "customers", &payload).expect("it fits");
//! let [Draft::Upsert(record)] = drafts.as_slice() else {
//!     panic!("one statement about a record")
//! };
//! assert_eq!(record.record.key, "7");
//! assert_eq!(record.traits["name"].as_str(), Some("Ann Smith"));
//! ```

pub mod check;
mod computed;
mod context;
mod country;
mod currency;
mod date;
pub mod event;
pub mod experience;
pub(crate) mod expression;
mod failing;
pub mod feed;
pub mod file;
mod flag;
mod language;
mod mapping;
pub mod matching;
mod normalize;
mod notes;
mod pattern;
pub mod placeholder;
pub mod publication;
mod purpose;
mod recount;
mod scope;
mod segment;

use std::collections::BTreeMap;

use regex::Regex;

pub use computed::Definition;
pub use context::ContextField;
pub use country::{Country, Home};
pub use date::{Date, DateForm, DateNumbers, DateOrder, UnreadDate};
pub use event::{Catalogue, EventType};
pub use experience::Experience;
pub use expression::failures::{
    Failures, failed as evaluations_failed, over_budget as evaluations_over_budget,
};
pub use failing::Failing;
pub use file::{
    AccessRole, Channel, ContextView, Model, ModelError, Purpose, TraitGroup, TraitType,
};
pub use mapping::{Kind, Mapped, MappedFields, NotedDraft, Omission, PartlyMapped};
pub use matching::{BelongsTo, Matching, Role};
pub use normalize::{MailProvider, MailProviders, Normalized, Unread, clean};
pub use notes::{MAX_NOTES, Note, NoteReason, Notes, TraitReader, UnreadTrait};
pub use placeholder::Placeholders;
pub use publication::{Publication, PublishedKind};
pub use purpose::{ConsentRule, PurposeKind, Visible};
pub use recount::Recount;
pub use segment::{Memberships, Mention, Segment, Subject, Undecided};

use crate::choices::{Choice as _, choices};
use crate::records::{Identifier, Value};

/// How values of one type identify.
#[derive(Debug, Clone)]
pub struct IdentifierType {
    /// 1 is the strongest; stronger types link first.
    pub priority: u32,
    /// How values are brought into one form.
    pub normalization: Normalization,
    /// A merge that would give a profile more values of this type is refused; 1 for unique types.
    pub max_per_profile: Option<usize>,
    /// A value that more people than this hold, told by their names and dates of birth, joins
    /// nobody.
    pub max_profiles: Option<usize>,
    /// A value that more records than this hold is not followed: it joins nobody.
    pub max_records: Option<usize>,
    /// Values that identify nobody.
    pub blocked: Vec<Regex>,
    /// Values that several people may have: they join records only with their whole names.
    pub shared: Vec<Regex>,
    /// Values that stand for none.
    pub placeholders: Placeholders,
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
        /// The providers whose addresses have several spellings.
        providers: MailProviders,
    },
    /// A telephone number, to E.164.
    E164 {
        /// Region (ISO 3166, `US`) of numbers without calling code, where neither the record nor
        /// its source says a country.
        default_region: String,
    },
}

choices! {
    /// Which of several values survives. Ties go to the more trusted source, then to the later
    /// word.
    pub enum Survivorship as "Keep" or MostRecent {
        /// That of the most trusted source.
        SourceTrust = "source_trust",
        /// The latest.
        MostRecent = "most_recent",
        /// The one that most records say.
        MostFrequent = "most_frequent",
        /// The longest.
        Longest = "longest",
        /// The earliest.
        Oldest = "oldest",
        /// All of them, as a list.
        Union = "union",
    }
}

impl Survivorship {
    /// As the model file names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.written()
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
    /// Where its clocks are. Empty: it has not said.
    pub time_zone: String,
}

impl Model {
    /// How much a source is trusted; 0 for one that the model no longer has.
    #[must_use]
    pub fn trust(&self, source: &str) -> u32 {
        self.sources.get(source).map_or(0, |source| source.trust)
    }

    /// How a trait is chosen, by its group or by itself; by recency for one that the model no
    /// longer has.
    #[must_use]
    pub(crate) fn survivorship(&self, name: &str) -> Survivorship {
        let has = |group: &&TraitGroup| group.traits.iter().any(|member| member == name);
        match self.groups.values().find(has) {
            Some(group) => group.keep,
            None => self
                .traits
                .get(name)
                .map(|kind| kind.keep)
                .unwrap_or_default(),
        }
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

    /// Whether whoever held an identifier before is still found by it and may be joined by it: an
    /// address or a number that a household has. (A corrected customer number is nobody's.)
    #[must_use]
    pub fn links_former(&self, identifier: &Identifier) -> bool {
        self.finds_former(&identifier.kind) && self.links(identifier)
    }

    /// Whether former values of a type find who held them.
    #[must_use]
    pub fn finds_former(&self, kind: &str) -> bool {
        let kind = self.identifiers.get(kind);
        kind.is_some_and(|kind| kind.belongs_to == BelongsTo::Household)
    }
}
