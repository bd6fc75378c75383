//! What the model file says of how customers are treated: purposes and channels.

use super::forms::{Flag, TextBy, declared, event_type, list, one_of, seen, set, text_by, then};
use super::keys::{Inline, keys, table};
use super::reader::{Fields, Reader, Section};
use super::schema::{Definitions, Properties};
use crate::choices::Listed;
use crate::model::experience::METRICS;
use crate::model::{ConsentRule, PurposeKind, Visible};
use crate::records::LegalBasis;

keys! {
    /// A way to contact customers.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Channel as "Channel" {
        /// The identifier type that it leads to: `email`. Default: it needs none.
        contact_point: Option<String> = optional as declared(Section::Identifiers);
        /// The types of the events that tell that a customer was contacted over it: frequency caps
        /// count them, from when the model names them.
        contact_events: Vec<String> = empty as
            then(set(list(event_type())), |types, _, _| Some(Vec::from_iter(types)));
        /// Somebody speaks: not to be used for customers who need that it be not by telephone.
        voice: bool = "false" as Flag;
    }

    /// Something that data is read, or a customer contacted, for. What it may not see is withheld,
    /// and the answer says so.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Purpose as "Purpose" => Purpose: purpose {
        /// Whether it needs the customer's word.
        consent: ConsentRule = "opt_in" as one_of::<ConsentRule>();
        /// Why data is processed, by article 6 (1) of the GDPR.
        legal_basis: Option<LegalBasis> = optional as one_of::<LegalBasis>();
        /// What sort it is.
        kind: PurposeKind = inline as Kind;
        /// It goes on while processing is restricted (GDPR, article 18).
        under_restriction: bool = "false" as Flag;
        /// Whether it may see preferences.
        preferences: bool = "true" as Flag;
        /// Whether it may see accessibility needs, which it never may for `marketing`.
        accessibility: bool = "true" as Flag;
        /// The traits it may see; `"*"`: all. Default none.
        traits: Visible = empty as seen(declared(Section::Traits));
        /// The identifier types it may see; `"*"`: all. Default none.
        identifiers: Visible = empty as seen(declared(Section::Identifiers));
        /// The computed traits it may see; `"*"`: all. Default none.
        computed: Visible = empty as seen(declared(Section::Computed));
        /// The segments it may see; `"*"`: all. Default none.
        segments: Visible = empty as seen(declared(Section::Segments));
        /// The event types it may see; `"*"`: all. Default none.
        events: Visible = empty as seen(event_type());
        /// The metrics of customer experience that it may see: `nps`, `csat`, `ces`, `rfm`,
        /// `lifetime_value`, `churn`, `contact_rate`, `first_contact_resolution`, `promises`;
        /// `"*"`: all. Default none.
        experience: Visible = empty as seen(metric());
    }
}

/// The keys that say of what kind a purpose is.
const KINDS: [Listed<PurposeKind>; 2] = [
    Listed::optional(
        "marketing",
        PurposeKind::Marketing,
        "It sells: accessibility needs are never seen. Default false.",
    ),
    Listed::optional(
        "essential",
        PurposeKind::Essential,
        "The customer must be told, whatever they prefer: do-not-contact, quiet hours and \
         frequency caps do not hold it back. Not together with `marketing`. Default false.",
    ),
];

/// The form of the keys that say of what kind a purpose is.
struct Kind;

impl Inline for Kind {
    type Value = PurposeKind;

    fn read(&self, fields: &mut Fields<'_>, reader: &mut Reader) -> Option<PurposeKind> {
        let said = table(&KINDS, Flag).read(fields, reader)?;
        let mut kinds = said.into_iter().filter(|(_, is)| *is);
        let first = kinds.next();
        if let Some(place) = kinds.next().and_then(|(kind, _)| fields.place_of(kind.key)) {
            let message = "marketing is not essential: leave `essential` or `marketing`";
            reader.error(place, message);
        }
        Some(first.map(|(kind, _)| kind.meaning).unwrap_or_default())
    }

    fn describe(&self, properties: &mut Properties, definitions: &mut Definitions) {
        table(&KINDS, Flag).describe(properties, definitions);
    }
}

fn purpose(mut purpose: Purpose, fields: &Fields<'_>, reader: &mut Reader) -> Purpose {
    if purpose.kind == PurposeKind::Marketing {
        if let (true, Some(place)) = (purpose.accessibility, fields.place_of("accessibility")) {
            let message = "accessibility needs are never used for marketing: leave `accessibility` or `marketing`";
            reader.error(place, message);
        }
        purpose.accessibility = false;
    }
    purpose
}

/// The name of a metric of customer experience.
pub(super) fn metric() -> TextBy<String> {
    text_by(|_, at, reader| {
        let metrics = METRICS.map(|name| (name, name));
        at.choice(&metrics, reader).map(|name| (*name).to_owned())
    })
}

/// The name of a time zone.
pub(super) fn time_zone() -> TextBy<String> {
    text_by(|name, at, reader| match crate::time_zone::read(name) {
        Ok(name) => Some(name),
        Err(unread) => {
            reader.error(at.place(), unread.to_string());
            None
        }
    })
}
