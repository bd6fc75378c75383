//! What is said of a customer here rather than by a source: which record says it.
//!
//! Preferences and consents are said by records, so that a split gives each side its own words
//! back. What limits us is said of each record of the profile, so that no split takes the limit
//! back; all else of one. That a record of another profile comes to it at the same moment is seen
//! by the next read: the most restrictive word counts for all of the profile.

use profile_core::model::Model;
use profile_core::profile::Profile;
use profile_core::records::{
    About, Draft, DraftConsent, DraftPreferences, Identifier, PreferenceKey, RecordKey, Value,
    Violation,
};

use super::decode::{Said, consent, preferences};
use super::{PreferenceApi, encode};
use crate::grpc::call_context::CallContext;
use crate::grpc::checked::both;
use crate::grpc::error::ApiError;
use crate::grpc::names::profile_name;
use crate::grpc::{decode, token, v1};
use crate::ingest::{Outcome, Receipt};
use crate::reader::{Answer, Freshness, Key};

/// Says preferences.
pub(super) async fn set_preferences(
    api: &PreferenceApi,
    request: v1::SetPreferencesRequest,
    context: &CallContext,
) -> Result<v1::SetPreferencesResponse, ApiError> {
    let v1::SetPreferencesRequest {
        key,
        preferences: wishes,
        accessibility,
        update_mask,
        source_time,
    } = request;
    let said = preferences(wishes, accessibility, update_mask);
    let time = decode::instant(source_time, "source_time");
    let (key, (said, source_time)) = both(decode::key(key, "key"), both(said, time))?;
    let model = api.model(context).await?;
    let said_by = Sayers::find(api, context, &key, None, &model).await?;
    let limits: Said = said
        .iter()
        .filter(|(name, value)| limits(name, value.as_ref()))
        .map(clone)
        .collect();
    let draft = |record: &RecordKey, preferences: &Said| {
        let (record, preferences) = (record.clone(), preferences.clone());
        Draft::Preferences(DraftPreferences {
            record,
            preferences,
            version: 0,
            source_time,
        })
    };
    let first = draft(&said_by.first, &said);
    strictly(api, &model, &first)?;
    let others = said_by
        .others
        .iter()
        .filter(|_| !limits.is_empty())
        .map(|record| draft(record, &limits));
    let drafts = std::iter::once(first).chain(others).collect();
    let (found, read_token) = say(api, context, drafts, &said_by.first).await?;
    let seen = &found.profile.preferences;
    Ok(v1::SetPreferencesResponse {
        profile: profile_name(&found.profile.id),
        accessibility: encode::accessibility(seen),
        preferences: encode::preferences(seen),
        origins: encode::origins(seen, |_| true),
        read_token,
    })
}

/// Says what a customer said about a purpose.
pub(super) async fn record_consent(
    api: &PreferenceApi,
    request: v1::RecordConsentRequest,
    context: &CallContext,
) -> Result<v1::RecordConsentResponse, ApiError> {
    let v1::RecordConsentRequest {
        key,
        consent: said,
        source_time,
    } = request;
    let mut wrong = Vec::new();
    let said = said
        .ok_or_else(|| vec![Violation::required("consent")])
        .and_then(|said| {
            consent(RecordKey::new("", ""), said, |name, at| {
                let instant = decode::instant(Some(at), &format!("record_consent.consent.{name}"));
                instant
                    .map_err(|violations| wrong.extend(violations))
                    .ok()
                    .flatten()
                    .unwrap_or_default()
            })
        });
    let said = if wrong.is_empty() { said } else { Err(wrong) }.map_err(of_request);
    let time = decode::instant(source_time, "source_time");
    let (key, (said, source_time)) = both(decode::key(key, "key"), both(said, time))?;
    let model = api.model(context).await?;
    let point = contact_point(&said, &model);
    let said_by = Sayers::find(api, context, &key, point.as_ref(), &model).await?;
    let denies = ["denied", "withdrawn"]
        .map(Value::from)
        .iter()
        .any(|no| said.fields.get("status") == Some(no));
    let draft = |record: &RecordKey| {
        Draft::Consent(DraftConsent {
            record: record.clone(),
            source_time,
            ..said.clone()
        })
    };
    let others = said_by.others.iter().filter(|_| denies).map(draft);
    let first = draft(&said_by.first);
    strictly(api, &model, &first)?;
    let drafts = std::iter::once(first).chain(others).collect();
    let (found, read_token) = say(api, context, drafts, &said_by.first).await?;
    let about = About {
        purpose: &said.purpose,
        contact_point: point.as_ref(),
    };
    Ok(v1::RecordConsentResponse {
        profile: profile_name(&found.profile.id),
        effective: Some(encode::effective_consent(
            &found.profile,
            about,
            api.clock.now(),
        )),
        read_token,
    })
}

/// The contact point of a consent, normalised; the model's check refuses one of a type that is not
/// declared.
fn contact_point(said: &DraftConsent, model: &Model) -> Option<Identifier> {
    let point = said.contact_point.as_ref()?;
    Some(Identifier::new(
        &point.kind,
        model.identifiers.get(&point.kind)?.normalize(&point.value),
    ))
}

fn clone((name, value): (&String, &Option<Value>)) -> (String, Option<Value>) {
    (name.clone(), value.clone())
}

/// Whether a word limits us.
fn limits(name: &str, value: Option<&Value>) -> bool {
    let Some(value) = value else { return false };
    match name.parse() {
        Ok(
            PreferenceKey::ForbiddenChannels
            | PreferenceKey::QuietHours
            | PreferenceKey::FrequencyCaps,
        ) => true,
        Ok(PreferenceKey::DoNotContact | PreferenceKey::ProcessingRestricted) => {
            *value == Value::Bool(true)
        }
        Ok(PreferenceKey::Topic(_)) => *value == Value::Bool(false),
        _ => false,
    }
}

/// The records that say something: of one all is said, of the others what limits us.
struct Sayers {
    first: RecordKey,
    others: Vec<RecordKey>,
}

impl Sayers {
    /// Those under a key. A record says it alone, and need not exist; else those of the profile,
    /// first the one that holds the contact point, or the identifier that the profile was asked for
    /// by.
    async fn find(
        api: &PreferenceApi,
        context: &CallContext,
        key: &Key,
        point: Option<&Identifier>,
        model: &Model,
    ) -> Result<Self, ApiError> {
        if let Key::Record(record) = key {
            return Ok(Self {
                first: record.clone(),
                others: Vec::new(),
            });
        }
        let found = api.read(context, key, Freshness::Full).await?;
        let asked = match key {
            Key::Identifier(asked) => {
                let kind = model.identifiers.get(&asked.kind);
                kind.map(|kind| Identifier::new(&asked.kind, kind.normalize(&asked.value)))
            }
            Key::Id(_) | Key::Record(_) => None,
        };
        let first =
            holder(&found.profile, point).or_else(|| holder(&found.profile, asked.as_ref()));
        let mut others: Vec<RecordKey> = found
            .profile
            .records
            .iter()
            .map(|record| record.key.clone())
            .collect();
        let place = first
            .and_then(|first| others.iter().position(|key| *key == first))
            .unwrap_or(0);
        Ok(Self {
            first: others.remove(place),
            others,
        })
    }
}

/// The first record that holds an identifier.
fn holder(profile: &Profile, identifier: Option<&Identifier>) -> Option<RecordKey> {
    let identifier = identifier?;
    let holds = |record: &&profile_core::records::Record| {
        record.identifiers().any(|held| held == *identifier)
    };
    profile
        .records
        .iter()
        .find(holds)
        .map(|record| record.key.clone())
}

/// Refuses what a statement of a source would do without, as a direct call can be mended.
fn strictly(api: &PreferenceApi, model: &Model, draft: &Draft) -> Result<(), Vec<Violation>> {
    let checked = model.check_strictly(draft.clone(), api.clock.now());
    checked.map(drop).map_err(of_request)
}

/// Writes, and reads the profile of a record as it is then.
async fn say(
    api: &PreferenceApi,
    context: &CallContext,
    drafts: Vec<Draft>,
    record: &RecordKey,
) -> Result<(Answer, String), ApiError> {
    let ticket = api
        .ingest
        .offer(&context.tenant, drafts.into_iter().map(Ok).collect())
        .await?;
    let Receipt { results, sequence } = ticket.wait().await?;
    for result in results {
        if let Outcome::Rejected(violations) = result.outcome {
            return Err(of_request(violations).into());
        }
    }
    let freshness = sequence.map_or(Freshness::Full, Freshness::AtLeast);
    let found = api
        .read(context, &Key::Record(record.clone()), freshness)
        .await?;
    let store = api.store.id().await?;
    // The answer shows the profile as it was read after the write: maybe with a later one.
    let shown = sequence.map(|sequence| found.currency.showing(sequence).shown);
    let read_token = shown.map(|shown| token::read_token(store, &context.tenant, shown));
    Ok((found, read_token.unwrap_or_default()))
}

/// What is wrong with a statement, by the fields of the request that it was made of.
fn of_request(mut violations: Vec<Violation>) -> Vec<Violation> {
    for violation in &mut violations {
        let field = violation
            .field
            .trim_start_matches("state_preferences.")
            .trim_start_matches("record_consent.");
        violation.field = field.to_owned();
    }
    violations
}
