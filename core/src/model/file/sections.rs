//! The sections of the model file, and what it says of identifiers, traits and matching.

mod normalization;

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::forms::{Flag, Located, list, located, mapping, named, one_of, probability, whole};
use super::groups::TraitGroup;
use super::keys::{defaults, keys};
use super::reader::{Fields, Reader};
use super::values::{PlaceholderList, Providers};
use super::{computed, events, experience, groups, objects, publish, purposes, segments, sources};
use crate::choices::choices;
use crate::model::matching::Weights;
use crate::model::{
    AccessRole, BelongsTo, Catalogue, Channel, ContextView, Definition, Experience, IdentifierType,
    MailProviders, Matching, Placeholders, Publication, Purpose, Role, Segment, Source,
    Survivorship,
};
use crate::records::Follows;
use normalization::{normalization, pattern, region};

/// A value of a unique type that more records hold than this is a placeholder that nobody has
/// blocked yet: every write that meets it would read them all.
const UNIQUE_MAX_RECORDS: usize = 10_000;
/// Limits of a type that is not unique, where the file names none.
const DEFAULT_MAX_PROFILES: usize = 10;
const DEFAULT_MAX_RECORDS: usize = 10_000;
/// No bound in the file is greater.
const MAX_BOUND: usize = 1_000_000;

keys! {
    /// What a deployment knows about its customers: who speaks, what they say, and how it becomes
    /// one profile.
    ///
    /// Expressions are CEL over the fields of a payload. A plain path (`email`, `customer.id`,
    /// `payload['First name']`) is a field; a field that is missing, null or blank gives no value.
    /// Beyond CEL's functions there are `decimal(x)`, `int(x)`, `string(x)`, `bool(x)`, `time(x)`,
    /// `lower(x)`, `upper(x)`, `trim(x)`, and `join_nonempty(separator, list)`.
    #[derive(Debug, Clone, Default)]
    pub struct Model as "ModelFile" => Model: groups::check {
        /// Maximum number of records of a profile.
        max_records_per_profile: usize = "10000" as whole(1, MAX_BOUND);
        /// How records are compared that share no identifier, or one that a family may share.
        matching: Matching = empty as mapping::<MatchingKeys>();
        /// Identifier types by name, in lower snake case: what points to a person.
        identifiers: BTreeMap<String, IdentifierType> = empty as
            named("an identifier type", mapping::<IdentifierKeys>());
        /// Traits by name, in lower snake case: the fields of the unified profile.
        traits: BTreeMap<String, TraitType> = empty as
            named("a trait", mapping::<TraitType>()).or_bare();
        /// Groups by name, in lower snake case: traits whose values survive together, from one
        /// record. A customer's billing and delivery addresses are two groups.
        groups: BTreeMap<String, TraitGroup> = empty as
            named("a group", mapping::<TraitGroup>());
        /// Sources by name, in lower snake case: the systems that make statements.
        sources: BTreeMap<String, Source> = required as
            named("a source", mapping::<sources::SourceKeys>()).or_bare();
        /// Where the clocks are of customers who have not said: a name of the IANA time zone
        /// database. Default UTC.
        time_zone: String = empty as purposes::time_zone();
        /// Computed traits by name, in lower snake case: what a customer's events add up to.
        computed: BTreeMap<String, Arc<Definition>> = empty as
            named("a computed trait", mapping::<computed::ComputedKeys>());
        /// Segments by name, in lower snake case: conditions over what is known of a customer.
        segments: BTreeMap<String, Segment> = empty as
            named("a segment", mapping::<segments::SegmentKeys>());
        /// Views by name, in lower snake case: what is told of a customer in one call.
        views: BTreeMap<String, ContextView> = empty as
            named("a view", mapping::<ContextView>()).or_bare();
        /// What metrics of customer experience are computed from. Default: there are none.
        experience: Option<Experience> = optional as mapping::<experience::ExperienceKeys>();
        /// Channels by name, in lower snake case: how customers are contacted.
        channels: BTreeMap<String, Channel> = empty as
            named("a channel", mapping::<Channel>()).or_bare();
        /// Purposes by name, in lower snake case: what data is read, and customers are contacted,
        /// for.
        purposes: BTreeMap<String, Purpose> = empty as
            named("a purpose", mapping::<Purpose>()).or_bare();
        /// Roles of callers by name, in lower snake case: what of customers their credentials see.
        roles: BTreeMap<String, AccessRole> = empty as
            named("a role", mapping::<AccessRole>()).or_bare();
        /// Event types by name, in lower snake case, besides the built-in ones:
        /// `customer-profile model events` prints all.
        events: Catalogue = { events::built_in().clone() } as events::Types;
        /// Kinds of objects by name, such as `order`: statuses that follow from those of related
        /// objects. Default: a status is the latest word of the object's own events.
        objects: Follows = empty as objects::Kinds;
        /// Publications by name, in lower snake case: what is told to other systems when profiles
        /// change. A new one begins with the write that puts it in force.
        publications("publish"): BTreeMap<String, Publication> = empty as
            named("a publication", mapping::<publish::PublicationKeys>());
    }

    /// The settings of matching. Records are compared by the traits and identifiers that name their
    /// role.
    #[derive(Clone, Copy)]
    pub(super) struct MatchingKeys as "Matching" => Matching: matching {
        /// Two records are one person from this probability on.
        link_probability: i32 = "0.95" as probability();
        /// They are shown for review from this probability on.
        review_probability: i32 = "0.5" as probability();
        /// A match key (such as names and town) that more records hold than this is generic and
        /// finds nobody; of a name alone a sixth of it is enough.
        max_key_records: usize = "60" as whole(1, MAX_BOUND);
        /// An identifier that more people hold than this, told by their given names, is generic: it
        /// links nobody and weighs nothing, until fewer hold it.
        max_people: usize = "8" as whole(1, MAX_BOUND);
        /// How frequent names, towns and postal codes are is learned from the tenant's own records
        /// when there are 2,000 of them, and again at four and sixteen times as many; each time as
        /// a new version of the model. Weights that `model train` made stay as they are.
        learn_frequencies: bool = "true" as Flag;
    }

    /// An identifier type: two records that share a value are taken for one person, within the
    /// limits set here.
    pub(super) struct IdentifierKeys as "Identifier" => IdentifierType: identifier {
        /// 1 is the strongest; stronger types link first, and their links are not undone by weaker
        /// ones.
        priority: u32 = required as whole(1, 99);
        /// A value belongs to one person, and a person has one value: `max_per_profile` is 1 and
        /// there are no other limits.
        unique: bool = "false" as Flag;
        /// How values are brought into one form.
        normalize: Normalize = "trim" as one_of::<Normalize>();
        /// With `normalize: e164` only, and required there: the region (ISO 3166, `US`) of numbers
        /// without country code.
        default_region: Option<Located<String>> = optional as located(region());
        /// With `normalize: email` only: mail providers beside the built-in ones, or `false` for
        /// none at all. Default: the built-in ones.
        providers: Option<Located<MailProviders>> = optional as located(Providers);
        /// Whose a value is.
        belongs_to: BelongsTo = "household" as one_of::<BelongsTo>();
        /// A person has one value of it: two that are clearly different are of two people, whatever
        /// else they share. Other than with `unique`, a slip of the pen is forgiven.
        exclusive: bool = "false" as Flag;
        /// Values that stand for none and identify nobody: the built-in list of the type's sort
        /// with these, or `false` for none at all. Default: the built-in list.
        placeholders: Placeholders = empty as PlaceholderList;
        /// Regular expressions; a normalised value that one of them finds identifies nobody.
        blocked: Vec<Regex> = empty as list(pattern());
        /// Regular expressions; a normalised value that one of them finds may be several people's,
        /// such as `office@`. It joins records only together with their whole names.
        shared: Vec<Regex> = empty as list(pattern());
        /// A merge that would give a profile more values of this type is refused. Default: no
        /// limit.
        max_per_profile: Option<usize> = optional as whole(1, MAX_BOUND);
        /// Maximum number of people who hold a value, by their given names and dates of birth; a
        /// value that more hold joins nobody. Default 10.
        max_profiles: Option<usize> = optional as whole(1, MAX_BOUND);
        /// Maximum number of records that hold a value; a value that more hold joins nobody.
        /// Default 10000.
        max_records: Option<usize> = optional as whole(1, MAX_BOUND);
    }

    /// A trait: one field of the unified profile.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct TraitType as "Trait" => TraitType: trait_type {
        /// Which value survives when records differ. A trait of a group has that of its group.
        keep: Survivorship = "most_recent" as one_of::<Survivorship>();
        /// Whether the values are personal data.
        personal: bool = "false" as Flag;
        /// What it says of a person, for matching. Default: nothing.
        role("match"): Option<Role> = optional as one_of::<Role>();
        /// With `match: street`, `city`, `postcode` or `birth_date` only: values that stand for
        /// none and are not compared, as for identifiers; dates as `1985-05-05`.
        placeholders: Placeholders = empty as PlaceholderList;
        /// Profiles are found by its words.
        searchable: bool = "false" as Flag;
    }
}

choices! {
    /// How the values of an identifier type are brought into one form. All: Unicode NFKC, without
    /// invisible characters and white space around.
    pub(super) enum Normalize as "Normalize" {
        /// Nothing more.
        Trim = "trim",
        /// Without regard to case.
        CaseFold = "case_fold",
        /// Only the digits count.
        Digits = "digits",
        /// An e-mail address.
        Email = "email",
        /// A telephone number.
        E164 = "e164",
    }
}

impl Default for Matching {
    fn default() -> Self {
        defaults::<MatchingKeys>()
    }
}

fn matching(keys: MatchingKeys, fields: &Fields<'_>, reader: &mut Reader) -> Matching {
    let MatchingKeys {
        link_probability: link,
        review_probability: review,
        max_key_records,
        max_people,
        learn_frequencies,
    } = keys;
    let place = fields.place_of("review_probability");
    if let Some(place) = place.filter(|_| review > link) {
        reader.error(place, "must not be greater than `link_probability`");
    }
    Matching {
        link,
        review,
        max_key_records,
        max_people,
        learn_frequencies,
        weights: Weights::shipped(),
    }
}

fn trait_type(keys: TraitType, fields: &Fields<'_>, reader: &mut Reader) -> TraitType {
    let is_listed = matches!(
        keys.role,
        Some(Role::Street | Role::City | Role::Postcode | Role::BirthDate)
    );
    if let (false, Some(place)) = (is_listed, fields.place_of("placeholders")) {
        let message = "is only for traits with `match: street`, `city`, `postcode` or `birth_date`";
        reader.error(place, message);
    }
    keys
}

fn identifier(keys: IdentifierKeys, fields: &Fields<'_>, reader: &mut Reader) -> IdentifierType {
    let normalization = normalization(&keys, fields, reader);
    let limits = ["max_per_profile", "max_profiles", "max_records"];
    for key in limits.into_iter().filter(|_| keys.unique) {
        if let Some(place) = fields.place_of(key) {
            reader.error(
                place,
                format!(
                    "a unique type has one value a profile and no limits: leave `{key}` or `unique`"
                ),
            );
        }
    }
    let (max_per_profile, max_profiles, max_records) = if keys.unique {
        (Some(1), None, UNIQUE_MAX_RECORDS)
    } else {
        (
            keys.max_per_profile,
            keys.max_profiles.or(Some(DEFAULT_MAX_PROFILES)),
            keys.max_records.unwrap_or(DEFAULT_MAX_RECORDS),
        )
    };
    IdentifierType {
        priority: keys.priority,
        normalization,
        max_per_profile,
        max_profiles,
        max_records: Some(max_records),
        blocked: keys.blocked,
        shared: keys.shared,
        placeholders: keys.placeholders,
        belongs_to: keys.belongs_to,
        exclusive: keys.exclusive,
    }
}
