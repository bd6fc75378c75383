//! Messages of which the whole is seen or not, by what they are about.

use profile_core::permission::clearance::{Clarity, mask};

use super::{Fields, Restrict, Restriction, Valued};
use crate::grpc::v1::{self, value::Kind};

impl Restrict for v1::Identifier {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let clarity = by.clearance.of_identifier(&self.r#type);
        if clarity == Clarity::Masked {
            self.value = mask(&self.value);
            // Empty where it is written like the value.
            if !self.original_value.is_empty() {
                self.original_value = mask(&self.original_value);
            }
        }
        by.note(format_args!("identifiers.{}", self.r#type), clarity)
    }
}

impl Restrict for v1::ProfileIdentifier {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        self.restrict_fields(by);
        self.identifier.is_some()
    }
}

/// Which source says something is seen, its key for the customer is not.
impl Restrict for v1::RecordKey {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        if !self.key.is_empty() && !by.sees("record_keys", by.clearance.sees_record_keys()) {
            self.key.clear();
        }
        true
    }
}

impl Restrict for v1::Event {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let kind = &self.r#type;
        if !by.sees(format_args!("events.{kind}"), by.clearance.sees_event(kind)) {
            return false;
        }
        // The ids of its objects are properties, too.
        let objects = self.object.iter().chain(&self.related_objects);
        for hidden in objects.filter(|object| !by.clearance.sees_object(&object.kind)) {
            self.properties.retain(|_, found| {
                !matches!(&found.kind, Some(Kind::StringValue(text)) if *text == hidden.id)
            });
        }
        self.restrict_fields(by);
        true
    }
}

impl Restrict for v1::EventTypeCount {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let kind = &self.r#type;
        by.sees(format_args!("events.{kind}"), by.clearance.sees_event(kind))
    }
}

impl Restrict for v1::ObjectKey {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let kind = &self.kind;
        by.sees(
            format_args!("objects.{kind}"),
            by.clearance.sees_object(kind),
        )
    }
}

impl Restrict for v1::Object {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        self.restrict_fields(by);
        self.key.is_some()
    }
}

impl Restrict for v1::TimelineItem {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        self.restrict_fields(by);
        self.item.is_some()
    }
}

impl Restrict for v1::ContextObject {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let kind = &self.kind;
        if !by.sees(
            format_args!("objects.{kind}"),
            by.clearance.sees_object(kind),
        ) {
            return false;
        }
        self.restrict_fields(by);
        true
    }
}

impl Restrict for v1::ContextField {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let clarity = by.of_field(&self.field);
        if clarity == Clarity::Masked {
            self.value.iter_mut().for_each(Valued::mask);
        }
        self.restrict_fields(by);
        by.note(self.field.as_str(), clarity)
    }
}

impl Restrict for v1::TraitExplanation {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let clarity = by.clearance.of_trait(&self.name);
        if clarity == Clarity::Masked {
            let values = self
                .candidates
                .iter_mut()
                .filter_map(|it| it.value.as_mut());
            values.for_each(Valued::mask);
        }
        self.restrict_fields(by);
        by.note(format_args!("traits.{}", self.name), clarity)
    }
}

impl Restrict for v1::TraitChange {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let clarity = by.clearance.of_trait(&self.name);
        if clarity == Clarity::Masked {
            let values = [&mut self.before, &mut self.after].into_iter().flatten();
            values.for_each(Valued::mask);
        }
        by.note(format_args!("traits.{}", self.name), clarity)
    }
}

impl Restrict for v1::IdentifierChange {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let clarity = by.clearance.of_identifier(&self.r#type);
        if clarity == Clarity::Masked {
            let values = self.before.iter_mut().chain(&mut self.after);
            values.for_each(|value| *value = mask(value));
        }
        self.restrict_fields(by);
        by.note(format_args!("identifiers.{}", self.r#type), clarity)
    }
}

impl Restrict for v1::SharedIdentifier {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let clarity = by.clearance.of_identifier(&self.r#type);
        by.note(format_args!("identifiers.{}", self.r#type), clarity);
        match clarity {
            Clarity::Clear => {}
            Clarity::Masked => self
                .values
                .iter_mut()
                .for_each(|value| *value = mask(value)),
            // That there is evidence, and of which type, is seen; it is what joins the records.
            Clarity::Hidden => self.values.clear(),
        }
        true
    }
}

/// How far two records agree is seen, their values are not: from a weight they could be guessed.
impl Restrict for v1::FieldComparison {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let is_seen = by.clearance.sees_comparison(&self.field);
        by.sees(format_args!("comparisons.{}", self.field), is_seen)
    }
}

impl Restrict for v1::SegmentMembership {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        by.sees("segments", by.clearance.sees_segment(&self.segment))
    }
}

/// A search finds by nothing else than what its caller may search by.
impl Restrict for v1::FoundBy {
    fn restrict(&mut self, _: &mut Restriction<'_>) -> bool {
        true
    }
}

impl Restrict for v1::PreferenceOrigin {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        let is_need = self.field.starts_with("accessibility");
        let is_seen = if is_need {
            by.clearance.sees_accessibility()
        } else {
            by.clearance.sees_preferences()
        };
        self.restrict_fields(by);
        by.sees(
            if is_need {
                "accessibility"
            } else {
                "preferences"
            },
            is_seen,
        )
    }
}

/// Whether a customer may be contacted is seen by everybody who asks; why not is their preferences.
impl Restrict for v1::ContactPermission {
    fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
        if !by.clearance.sees_preferences() {
            by.hide("preferences");
            *self = Self {
                allowed: self.allowed,
                next_allowed_time: self.next_allowed_time,
                ..Self::default()
            };
        }
        self.restrict_fields(by);
        true
    }
}

macro_rules! seen_by {
    ($($message:ident as $field:literal if $sees:ident $(($name:literal))?;)+) => {$(
        impl Restrict for v1::$message {
            fn restrict(&mut self, by: &mut Restriction<'_>) -> bool {
                self.restrict_fields(by);
                by.sees($field, by.clearance.$sees($($name)?))
            }
        }
    )+};
}

seen_by! {
    Accessibility as "accessibility" if sees_accessibility;
    Preferences as "preferences" if sees_preferences;
    EffectiveConsent as "consents" if sees_preferences;
    ConsentRecord as "consents" if sees_preferences;
    NetPromoterScore as "experience.nps" if sees_experience("nps");
    CustomerSatisfaction as "experience.csat" if sees_experience("csat");
    CustomerEffort as "experience.ces" if sees_experience("ces");
    RecencyFrequencyMonetary as "experience.rfm" if sees_experience("rfm");
    LifetimeValue as "experience.lifetime_value" if sees_experience("lifetime_value");
    ChurnSignal as "experience.churn" if sees_experience("churn");
    ContactRate as "experience.contact_rate" if sees_experience("contact_rate");
    FirstContactResolution as "experience.first_contact_resolution" if sees_experience("first_contact_resolution");
    DeliveryPromises as "experience.promises" if sees_experience("promises");
}

impl Restriction<'_> {
    /// How much is seen of a field by its path: `traits.name`, `computed.x`, `identifiers.email`,
    /// `experience.nps.last`, `properties.total`. Of another one: nothing.
    fn of_field(&self, field: &str) -> Clarity {
        let sees = self.clearance;
        let by_flag = |is_seen| {
            if is_seen {
                Clarity::Clear
            } else {
                Clarity::Hidden
            }
        };
        let Some((section, name)) = field.split_once('.') else {
            return by_flag(sees.is_whole());
        };
        let first = name.split(['.', '[']).next().unwrap_or_default();
        match section {
            "traits" => sees.of_trait(first),
            "identifiers" => sees.of_identifier(first),
            "computed" => by_flag(sees.sees_computed(first)),
            "experience" => by_flag(sees.sees_experience(first)),
            "properties" => sees.of_property(first),
            _ => by_flag(sees.is_whole()),
        }
    }
}
