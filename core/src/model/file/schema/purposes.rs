//! The keys on how customers are treated: channels, purposes, and what sources say of consent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// A way to contact customers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The identifier type that it leads to: `email`. Default: it needs none.
    pub contact_point: Option<String>,
    /// The types of the events that tell that a customer was contacted over it: frequency caps
    /// count them, from when the model names them.
    pub contact_events: Option<OneOrMany>,
    /// Somebody speaks: not to be used for customers who need that it be not by telephone. Default
    /// false.
    pub voice: Option<bool>,
}

/// Something that data is read, or a customer contacted, for. What it may not see is withheld, and
/// the answer says so.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Whether it needs the customer's word. Default `opt_in`.
    pub consent: Option<ConsentRule>,
    /// Why data is processed, by article 6 (1) of the GDPR.
    pub legal_basis: Option<LegalBasis>,
    /// It sells: accessibility needs are never seen. Default false.
    pub marketing: Option<bool>,
    /// The customer must be told, whatever they prefer: do-not-contact, quiet hours and frequency
    /// caps do not hold it back. Not together with `marketing`. Default false.
    pub essential: Option<bool>,
    /// It goes on while processing is restricted (GDPR, article 18). Default false.
    pub under_restriction: Option<bool>,
    /// The traits it may see; `"*"`: all. Default none.
    pub traits: Option<OneOrMany>,
    /// The identifier types it may see; `"*"`: all. Default none.
    pub identifiers: Option<OneOrMany>,
    /// The event types it may see; `"*"`: all. Default none.
    pub events: Option<OneOrMany>,
    /// The computed traits it may see; `"*"`: all. Default none.
    pub computed: Option<OneOrMany>,
    /// The segments it may see; `"*"`: all. Default none.
    pub segments: Option<OneOrMany>,
    /// The metrics of customer experience that it may see: `nps`, `csat`, `ces`, `rfm`,
    /// `lifetime_value`, `churn`, `contact_rate`, `first_contact_resolution`, `promises`; `"*"`:
    /// all. Default none.
    pub experience: Option<OneOrMany>,
    /// Whether it may see preferences. Default true.
    pub preferences: Option<bool>,
    /// Whether it may see accessibility needs. Default true, but never for `marketing`.
    pub accessibility: Option<bool>,
}

/// Whether a purpose needs the customer's word.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentRule {
    /// They must have said yes.
    OptIn,
    /// They must not have said no.
    OptOut,
    /// It rests on something else.
    NotNeeded,
}

/// Why data may be processed: GDPR, article 6 (1).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// (a)
    Consent,
    /// (b)
    Contract,
    /// (c)
    LegalObligation,
    /// (d)
    VitalInterests,
    /// (e)
    PublicTask,
    /// (f)
    LegitimateInterests,
}

/// One consent, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrManyConsents {
    /// One.
    One(Box<Consent>),
    /// Several.
    Many(Vec<Consent>),
}

/// How a payload becomes what a customer said about a purpose. All but `purpose` and
/// `contact_point` are expressions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The purpose, as declared.
    pub purpose: String,
    /// The identifier type of the contact point that it is for, and an expression for its value; no
    /// value: nothing is said. Default: for all.
    #[schemars(length(max = 1))]
    pub contact_point: Option<BTreeMap<String, String>>,
    /// `granted`, `denied`, `withdrawn` or `pending`. No value: nothing is said.
    pub status: String,
    /// From when on it holds. Default: when the source said so.
    pub effective_time: Option<String>,
    /// From when on it holds no longer.
    pub expire_time: Option<String>,
    /// As in `purposes`.
    pub legal_basis: Option<String>,
    /// The Global Privacy Control signal that came with it.
    pub gpc: Option<String>,
    /// Under which law: ISO 3166, `DE`, `US-CA`.
    pub jurisdiction: Option<String>,
    /// Which version of the policy was agreed to.
    pub policy_version: Option<String>,
    /// The notice that was shown.
    pub notice: Option<String>,
    /// How it was collected.
    pub collection_method: Option<String>,
    /// What proves it.
    pub proof: Option<String>,
    /// The id of the customer's receipt.
    pub receipt_id: Option<String>,
    /// The language it was asked in: BCP 47.
    pub language: Option<String>,
    /// The raw string of the IAB Transparency and Consent Framework that came with it.
    pub tcf_string: Option<String>,
}
