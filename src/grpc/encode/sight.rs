//! The eyes of a purpose: what of a profile it sees, and a list of what was withheld from it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use profile_core::permission::view::{View, Withheld};
use profile_core::profile::Profile;
use profile_core::records::Preferences;

/// The rules of what may be seen, and a list of what was withheld by them.
pub(in crate::grpc) struct Sight<'a> {
    view: Option<View<'a>>,
    withheld: Vec<Withheld>,
}

impl<'a> Sight<'a> {
    /// The view of a purpose; `None` sees everything.
    pub(in crate::grpc) fn new(view: Option<View<'a>>) -> Self {
        Self {
            view,
            withheld: Vec::new(),
        }
    }

    /// Whether a purpose bounds what is seen.
    pub(in crate::grpc) fn is_bound(&self) -> bool {
        self.view.is_some()
    }

    /// Keys of records that are an identifier of the customer which the purpose may not see.
    pub(in crate::grpc) fn hidden_keys(&self, profile: &Profile) -> BTreeSet<String> {
        let Some(view) = self.view else {
            return BTreeSet::new();
        };
        let withheld = |kind: &str| view.withholds_identifier(kind).is_some();
        let held = profile
            .identifiers
            .iter()
            .filter(|held| withheld(&held.identifier.kind));
        held.flat_map(|held| [held.written(), &held.identifier.value])
            .map(str::to_owned)
            .collect()
    }

    /// Parts that were asked for and may not be seen, each once, in order.
    pub(in crate::grpc) fn into_withheld(mut self) -> Vec<Withheld> {
        self.withheld.sort_by(|a, b| a.field.cmp(&b.field));
        self.withheld.dedup_by(|a, b| a.field == b.field);
        self.withheld
    }
    fn seen_unless(&mut self, withheld: Option<Withheld>) -> bool {
        let seen = withheld.is_none();
        self.withheld.extend(withheld);
        seen
    }

    pub(in crate::grpc) fn sees_trait(&mut self, name: &str) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_trait(name)))
    }

    pub(in crate::grpc) fn sees_identifier(&mut self, kind: &str) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_identifier(kind)))
    }

    pub(in crate::grpc) fn sees_computed(&mut self, name: &str) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_computed(name)))
    }

    pub(in crate::grpc) fn sees_experience(&mut self, metric: &str) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_experience(metric)))
    }

    pub(in crate::grpc) fn sees_segment(&mut self, name: &str) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_segment(name)))
    }

    /// Tells that events of some types may not be seen.
    pub(in crate::grpc) fn withhold_events(&mut self) {
        self.withheld
            .extend(self.view.map(|view| view.not_listed("events")));
    }

    /// Preferences and needs as far as the purpose may know that there are any.
    pub(in crate::grpc) fn preferences<'p>(&self, stated: &'p Preferences) -> Cow<'p, Preferences> {
        self.view
            .map_or(Cow::Borrowed(stated), |view| view.preferences(stated))
    }

    pub(in crate::grpc) fn sees_preferences(&mut self) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_preferences()))
    }

    pub(in crate::grpc) fn sees_accessibility(&mut self) -> bool {
        self.seen_unless(self.view.and_then(|view| view.withholds_accessibility()))
    }
}
