//! What a purpose may see of a profile. What there is and it may not see is told, with the rule; it
//! is never just absent.
//!
//! One thing is not told: that there are accessibility needs, to a purpose that sells. To it a
//! customer who has any looks like one who has none. That voice calls are not to be made looks like
//! a channel that the customer forbids.

use std::borrow::Cow;

use crate::model::{Model, Purpose, PurposeKind, Visible};
use crate::profile::Profile;
use crate::records::{
    About, ConsentState, Preference, PreferenceKey, Preferences, StatedPreference, Timestamp,
    effective,
};

#[cfg(test)]
mod tests;

/// Something that is not to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// What: `traits.birth_date`, `identifiers.phone`, `accessibility`; `*`: everything.
    pub field: String,
    /// Why the field is withheld.
    pub reason: WithheldReason,
    /// The rule, in words.
    pub rule: String,
}

/// Why something is not to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithheldReason {
    /// The purpose does not list it.
    NotForPurpose,
    /// Processing is restricted.
    ProcessingRestricted,
    /// Consent is needed, and this is what counts; none: nothing was said.
    Consent(Option<ConsentState>),
}

/// A purpose that is read for, by its name.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Name of the purpose.
    pub name: &'a str,
    /// What it may see.
    pub purpose: &'a Purpose,
    /// The model that declares it.
    pub model: &'a Model,
}

impl View<'_> {
    /// Whether the purpose may see anything of a profile at a time.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, profile: &Profile, time: Timestamp) -> Result<(), Withheld> {
        let Self { name, purpose, .. } = self;
        let everything = |reason, rule| {
            Err(Withheld {
                field: "*".to_owned(),
                reason,
                rule,
            })
        };
        let restricted = profile
            .preferences
            .get(&PreferenceKey::ProcessingRestricted);
        if restricted.is_some_and(StatedPreference::is_true) && !purpose.under_restriction {
            let rule = format!(
                "processing is restricted, and purpose {name} is not allowed under restriction"
            );
            return everything(WithheldReason::ProcessingRestricted, rule);
        }
        let about = About {
            purpose: name,
            contact_point: None,
        };
        let state = effective(&profile.records, about, time).map(|effective| effective.state);
        if purpose.consent.is_met(state) {
            return Ok(());
        }
        everything(
            WithheldReason::Consent(state),
            format!("purpose {name}: consent is {}", told(state)),
        )
    }

    /// Why a trait is not to be seen, if it is not.
    #[must_use]
    pub fn withholds_trait(&self, name: &str) -> Option<Withheld> {
        self.withholds(&self.purpose.traits, "traits", name)
    }

    /// Why identifiers of a type are not to be seen, if they are not.
    #[must_use]
    pub fn withholds_identifier(&self, kind: &str) -> Option<Withheld> {
        self.withholds(&self.purpose.identifiers, "identifiers", kind)
    }

    /// Why events of a type are not to be seen, if they are not.
    #[must_use]
    pub fn withholds_event(&self, kind: &str) -> Option<Withheld> {
        self.withholds(&self.purpose.events, "events", kind)
    }

    /// Why a computed trait is not to be seen, if it is not.
    #[must_use]
    pub fn withholds_computed(&self, name: &str) -> Option<Withheld> {
        self.withholds(&self.purpose.computed, "computed", name)
    }

    /// Why a metric of customer experience is not to be seen, if it is not.
    #[must_use]
    pub fn withholds_experience(&self, metric: &str) -> Option<Withheld> {
        self.withholds(&self.purpose.experience, "experience", metric)
    }

    /// Why a segment is not to be seen, if it is not. Which one is not told: that would say that
    /// the customer is in it.
    #[must_use]
    pub fn withholds_segment(&self, name: &str) -> Option<Withheld> {
        (!self.purpose.segments.has(name)).then(|| self.not_listed("segments"))
    }

    /// Why preferences are not to be seen, if they are not.
    #[must_use]
    pub fn withholds_preferences(&self) -> Option<Withheld> {
        (!self.purpose.preferences).then(|| self.not_listed("preferences"))
    }

    /// Preferences and needs as far as the purpose may know that there are any.
    #[must_use]
    pub fn preferences<'p>(&self, stated: &'p Preferences) -> Cow<'p, Preferences> {
        if self.purpose.kind != PurposeKind::Marketing
            || !stated.keys().any(PreferenceKey::is_accessibility)
        {
            return Cow::Borrowed(stated);
        }
        Cow::Owned(without_needs(stated, self.model))
    }

    /// Why needs are not to be seen, if they are not. A purpose that sells is not asked about: see
    /// [`preferences`](Self::preferences).
    #[must_use]
    pub fn withholds_accessibility(&self) -> Option<Withheld> {
        (!self.purpose.accessibility).then(|| self.not_listed("accessibility"))
    }

    fn withholds(&self, visible: &Visible, what: &str, name: &str) -> Option<Withheld> {
        (!visible.has(name)).then(|| self.not_listed(format!("{what}.{name}")))
    }

    /// What the model does not list.
    #[must_use]
    pub fn not_listed(&self, field: impl Into<String>) -> Withheld {
        let rule = format!("the model does not list it for purpose {}", self.name);
        Withheld {
            field: field.into(),
            reason: WithheldReason::NotForPurpose,
            rule,
        }
    }
}

/// Preferences as of a customer without needs. Not to be called is a channel that is forbidden.
pub(super) fn without_needs(stated: &Preferences, model: &Model) -> Preferences {
    let mut plain = stated.clone();
    plain.retain(|key, _| !key.is_accessibility());
    let voice = model.channels.iter().filter(|(_, channel)| channel.voice);
    let voice: Vec<&String> = voice.map(|(name, _)| name).collect();
    let no_phone = stated.get(&PreferenceKey::NoPhone);
    let Some(no_phone) = no_phone.filter(|stated| stated.is_true() && !voice.is_empty()) else {
        return plain;
    };
    let forbidden = plain
        .entry(PreferenceKey::ForbiddenChannels)
        .or_insert_with(|| StatedPreference {
            value: Preference::Channels(Vec::new()),
            origins: Vec::new(),
        });
    if let Preference::Channels(channels) = &mut forbidden.value {
        channels.extend(voice.iter().map(|name| (*name).clone()));
        channels.sort_unstable();
        channels.dedup();
    }
    forbidden.origins.extend(no_phone.origins.iter().cloned());
    forbidden.origins.sort_by(|a, b| a.record.cmp(&b.record));
    forbidden.origins.dedup_by(|a, b| a.record == b.record);
    let preferred = plain.get_mut(&PreferenceKey::PreferredChannels);
    if let Some(Preference::Channels(channels)) = preferred.map(|stated| &mut stated.value) {
        channels.retain(|channel| !voice.contains(&channel));
    }
    plain
}

/// What counts, in a word.
pub(super) fn told(state: Option<ConsentState>) -> &'static str {
    match state {
        None => "missing",
        Some(ConsentState::Granted) => "granted",
        Some(ConsentState::Pending) => "pending",
        Some(ConsentState::Expired) => "expired",
        Some(ConsentState::Withdrawn) => "withdrawn",
        Some(ConsentState::Denied) => "denied",
    }
}
