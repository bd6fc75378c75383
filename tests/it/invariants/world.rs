//! The service under test, in one tenant of a store, and the oracle that it is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use customer_profile::active_models::{ActiveModels, ModelFile};
use customer_profile::changes::{LogFollower, Options};
use customer_profile::clock::Clock;
use customer_profile::config::Config;
use customer_profile::explain::Explainer;
use customer_profile::ingest::{
    self, DecideError, Decided, DecisionRequest, EraseRequest, Erased, Ingest, Outcome, Parts,
};
use customer_profile::reader::{Freshness, Key, Limits, Reader, TimelineItem, TimelineQuery};
use customer_profile::store::{MembershipChange, Store, StoredStatement};
use customer_profile::telemetry::{Metrics, Telemetry};
use profile_core::identity::{Context, Decision, Features, cluster};
use profile_core::model::Model;
use profile_core::profile::{Profile, StoredProfile, fold};
use profile_core::records::{
    About, ConsentState, ContentHash, Draft, Event, EventKey, Identifier, ProfileId, Record,
    RecordKey, Statement, TenantId, effective,
};
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::cases::{NOW, at_day, cut, model};
use super::consent::{reused_since, statements};
use super::derived::{is_known, naive, told};

/// What a reader sees of a profile, but for its id and revision, which tell of the way there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    traits: String,
    identifiers: String,
    preferences: String,
    /// What counts for each purpose and contact point, on each of the days around now.
    consents: Vec<(RecordKey, Standing)>,
    reasons: BTreeMap<RecordKey, String>,
    events: Vec<Event>,
    /// Computed traits and segments, now and later.
    derived: Vec<String>,
}

/// What counts for a purpose and a contact point on a day.
pub(super) type Standing = (&'static str, Option<&'static str>, i64, ConsentState);

/// What is asked about consent in a case: every purpose and contact point, on every day on which
/// something may change.
pub(super) fn consent_questions() -> impl Iterator<Item = (&'static str, Option<&'static str>, i64)>
{
    let points = [None, Some("a"), Some("b"), Some("c")];
    let topics = ["news", "offers"]
        .into_iter()
        .flat_map(move |purpose| points.map(|point| (purpose, point)));
    topics.flat_map(|(purpose, point)| (-7..10).map(move |day| (purpose, point, day)))
}

/// What counts of the consents of a profile.
pub(super) fn consents_of(profile: &Profile) -> Vec<(RecordKey, Standing)> {
    let found = consent_questions().filter_map(|(purpose, point, day)| {
        let contact_point = point.map(|value| Identifier::new("email", value));
        let about = About {
            purpose,
            contact_point: contact_point.as_ref(),
        };
        let found = effective(&profile.records, about, at_day(day))?;
        Some((found.record.clone(), (purpose, point, day, found.state)))
    });
    found.collect()
}

/// Profiles by the records that they are made of.
pub(super) type Contents = BTreeMap<Vec<RecordKey>, Seen>;

/// The parts of the service that all tenants share.
#[derive(Clone)]
pub(super) struct Common {
    store: Arc<dyn Store>,
    models: Arc<ActiveModels>,
    follower: Arc<LogFollower>,
    metrics: Arc<Metrics>,
}

impl Common {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let telemetry = Telemetry::collect(&Config::defaults()).expect("figures");
        let configured = ModelFile {
            text: "a test's".into(),
            model: Arc::new(model()),
        };
        let models = Arc::new(ActiveModels::new(store.clone(), configured));
        let metrics = telemetry.metrics;
        let follower = LogFollower::start(
            store.clone(),
            models.clone(),
            metrics.clone(),
            Options::default(),
        );
        Self {
            store,
            models,
            follower,
            metrics,
        }
    }
}

/// One tenant.
pub(super) struct World {
    common: Common,
    ingest: Ingest,
    pub reader: Reader,
    pub explainer: Explainer,
    pub models: Arc<ActiveModels>,
    pub store: Arc<dyn Store>,
    pub tenant: TenantId,
}

impl World {
    pub(super) fn new(common: &Common, tenant: TenantId) -> Self {
        Self::at(common, tenant, Arc::new(NOW))
    }

    /// The same with another clock.
    pub(super) fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self::at(&self.common, self.tenant, clock)
    }

    /// A tenant beside this one, that begins with a model of its own.
    pub(super) fn beside(&self, name: &str, configured: ModelFile) -> Self {
        let tenant =
            TenantId::new(&format!("{}-{name}", self.tenant.as_str())).expect("a tenant name");
        let models = Arc::new(ActiveModels::new(self.store.clone(), configured));
        Self::new(
            &Common {
                models,
                ..self.common.clone()
            },
            tenant,
        )
    }

    pub(super) async fn decide(
        &self,
        request: &DecisionRequest,
        validate_only: bool,
    ) -> Result<Decided, DecideError> {
        self.ingest
            .decide(&self.tenant, request.clone(), validate_only)
            .await
    }

    /// Erases a customer.
    pub(super) async fn erase(&self, request: &EraseRequest) -> Erased {
        let erased = self.ingest.erase(&self.tenant, request.clone(), false);
        erased.await.expect("an erasure")
    }

    /// Where each record is.
    pub(super) async fn homes(&self) -> BTreeMap<RecordKey, ProfileId> {
        let records = all_records();
        let found = self
            .store
            .find_by_records(&self.tenant, &records)
            .await
            .expect("a look-up");
        records
            .into_iter()
            .zip(found.value)
            .filter_map(|(key, id)| Some((key, id?)))
            .collect()
    }

    fn at(common: &Common, tenant: TenantId, clock: Arc<dyn Clock>) -> Self {
        let Common {
            store,
            models,
            follower,
            metrics,
        } = common.clone();
        let parts = Parts {
            store: store.clone(),
            models: models.clone(),
            clock: clock.clone(),
            follower: follower.clone(),
            metrics: metrics.clone(),
        };
        let options = ingest::Options::from(&Config::defaults());
        let (ingest, _writer) = Ingest::start(parts, options);
        let limits = Limits {
            max_bytes: 1 << 20,
            ..Limits::from(&Config::defaults())
        };
        let explainer = Explainer::new(store.clone(), models.clone(), metrics.clone());
        let reader = Reader::new(
            store.clone(),
            models.clone(),
            follower,
            metrics,
            (clock, limits),
        );
        Self {
            common: common.clone(),
            ingest,
            reader,
            explainer,
            models,
            store,
            tenant,
        }
    }

    pub(super) fn follower(&self) -> Arc<LogFollower> {
        self.common.follower.clone()
    }

    /// Says statements in one batch.
    pub(super) async fn say(&self, drafts: &[Draft]) -> Vec<Outcome> {
        let intake = drafts.iter().cloned().map(Ok).collect();
        let ticket = self
            .ingest
            .offer(&self.tenant, intake)
            .await
            .expect("room in the queue");
        let receipt = ticket.wait().await.expect("a receipt");
        receipt
            .results
            .into_iter()
            .map(|result| result.outcome)
            .collect()
    }

    pub(super) async fn say_in_batches(&self, drafts: &[Draft], cuts: &[Index]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for batch in cut(drafts, cuts) {
            outcomes.extend(self.say(&batch).await);
        }
        outcomes
    }

    /// Everything that readers see, read through the cache by every record of the small world.
    pub(super) async fn contents(&self) -> Contents {
        let mut contents = Contents::new();
        for key in all_records() {
            let read = self
                .reader
                .profile(&self.tenant, &Key::Record(key), Freshness::MinimizeLatency)
                .await;
            let Ok(answer) = read else { continue };
            let query = TimelineQuery {
                limit: 1_000,
                ..TimelineQuery::default()
            };
            let timeline = self
                .reader
                .timeline(&self.tenant, &answer, &query)
                .await
                .expect("a timeline");
            let records = answer
                .profile
                .records
                .iter()
                .map(|record| record.key.clone())
                .collect();
            let derived = told(&answer.profile, shared_model());
            let event = |item| match item {
                TimelineItem::Event(event) => event,
                TimelineItem::Object(object) => panic!("{object:?}"),
            };
            let events = timeline.items.into_iter().map(event).collect();
            contents.insert(records, seen(&answer.profile, events, derived));
        }
        contents
    }

    /// Everything that is stored: profiles with their ids and revisions, history, memberships.
    pub(super) async fn dump(
        &self,
    ) -> Vec<(
        Option<StoredProfile>,
        Vec<StoredStatement>,
        Vec<MembershipChange>,
    )> {
        let mut dump = Vec::new();
        for key in all_records() {
            let ids = self
                .store
                .find_by_records(&self.tenant, std::slice::from_ref(&key))
                .await
                .expect("a look-up");
            let id = ids.value.into_iter().next().flatten();
            let stored = match id {
                Some(id) => self
                    .store
                    .profiles(&self.tenant, &[id])
                    .await
                    .expect("profiles")
                    .value
                    .remove(0),
                None => None,
            };
            let statements = self
                .store
                .list_statements(&self.tenant, &key)
                .await
                .expect("statements");
            let memberships = self
                .store
                .list_memberships(&self.tenant, &key)
                .await
                .expect("memberships");
            dump.push((stored, statements, memberships));
        }
        dump
    }

    /// I4, after `said` was said.
    pub(super) async fn assert_conserved(&self, said: &[Draft]) -> Result<(), TestCaseError> {
        let expected: BTreeSet<RecordKey> = records_of(said)
            .into_values()
            .filter(Record::exists)
            .map(|record| record.key)
            .collect();
        let mut homes: BTreeMap<RecordKey, BTreeSet<ProfileId>> = BTreeMap::new();
        for key in all_records() {
            let read = self
                .reader
                .profile(&self.tenant, &Key::Record(key.clone()), Freshness::Full)
                .await;
            let Ok(answer) = read else { continue };
            for record in &answer.profile.records {
                homes
                    .entry(record.key.clone())
                    .or_default()
                    .insert(answer.profile.id);
            }
        }
        proptest::prop_assert!(
            homes.values().all(|homes| homes.len() == 1),
            "a record in two profiles: {:?}",
            homes
        );
        proptest::prop_assert_eq!(homes.keys().cloned().collect::<BTreeSet<_>>(), expected);
        let events = own_events(said).into_iter().map(|event| event.event_id);
        let events: BTreeSet<String> = events.collect();
        let listed: Vec<String> = self
            .contents()
            .await
            .into_values()
            .flat_map(|seen| seen.events)
            .map(|event| event.event_id)
            .collect();
        proptest::prop_assert_eq!(listed.len(), events.len());
        proptest::prop_assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), events);
        Ok(())
    }
}

/// The events that hold after these statements: of each key the latest correction, or else the
/// event itself.
fn events_of(drafts: &[Draft]) -> Vec<Event> {
    let mut held: BTreeMap<EventKey, (i64, i64, ContentHash, Option<Event>)> = BTreeMap::new();
    for draft in drafts {
        let statement = shared_model().check(draft.clone(), NOW);
        let (key, said) = match statement.expect("a good statement") {
            Statement::Record(_) => continue,
            Statement::Event(event) => (event.key(), (-1, 0, event.content, Some(event))),
            Statement::Correction(correction) => {
                let time = correction.source_time.expect("dated").as_micros();
                let event = correction.event().cloned();
                let said = (correction.version, time, correction.content, event);
                (correction.key, said)
            }
        };
        let place = |said: &(i64, i64, ContentHash, Option<Event>)| (said.0, said.1, said.2);
        let later = held.get(&key).is_none_or(|held| place(held) < place(&said));
        if later {
            held.insert(key, said);
        }
    }
    held.into_values().filter_map(|(.., event)| event).collect()
}

/// Those of them that are of the present holder of their record's key.
fn own_events(drafts: &[Draft]) -> Vec<Event> {
    let statements = statements(drafts);
    let mut events = events_of(drafts);
    events.retain(|event| {
        let since = reused_since(&statements, &event.record);
        since.is_none_or(|since| event.sort_time >= since)
    });
    events
}

/// Every record that a case can speak of.
pub(super) fn all_records() -> Vec<RecordKey> {
    ["shop", "crm", "till"]
        .into_iter()
        .flat_map(|source| (0..5).map(move |key| RecordKey::new(source, key.to_string())))
        .collect()
}

fn seen(profile: &Profile, events: Vec<Event>, derived: Vec<String>) -> Seen {
    let shown =
        |value: &profile_core::records::Value| serde_json::to_string(value).expect("a value");
    let traits: Vec<String> = profile
        .traits
        .iter()
        .map(|(name, found)| {
            let origins: Vec<_> = found
                .origins
                .iter()
                .map(|o| (&o.record.source, &o.record.key, o.source_time))
                .collect();
            format!("{name}={} {origins:?}", shown(&found.value))
        })
        .collect();
    let identifiers: Vec<String> = profile
        .identifiers
        .iter()
        .map(|held| {
            format!(
                "{}:{} {}",
                held.identifier.kind, held.identifier.value, held.linkable
            )
        })
        .collect();
    let reasons = profile
        .records
        .iter()
        .map(|r| (r.key.clone(), r.membership.reason.clone()))
        .collect();
    let preferences: Vec<String> = profile
        .preferences
        .iter()
        .map(|(key, stated)| {
            let origins: Vec<_> = stated
                .origins
                .iter()
                .map(|o| (&o.record.source, &o.record.key, o.source_time))
                .collect();
            format!(
                "{key}={} {origins:?}",
                serde_json::to_string(&stated.value).expect("a preference")
            )
        })
        .collect();
    let [traits, identifiers, preferences] =
        [traits, identifiers, preferences].map(|all| all.join("; "));
    Seen {
        traits,
        identifiers,
        preferences,
        consents: consents_of(profile),
        reasons,
        events,
        derived,
    }
}

fn shared_model() -> &'static Model {
    static MODEL: LazyLock<Model> = LazyLock::new(model);
    &MODEL
}

/// The records that statements leave, each statement taken alone.
fn records_of(drafts: &[Draft]) -> BTreeMap<RecordKey, Record> {
    let model = shared_model();
    let mut records: BTreeMap<RecordKey, Record> = BTreeMap::new();
    for draft in drafts {
        let statement = model.check(draft.clone(), NOW).expect("a good statement");
        let Some(key) = statement.record().cloned() else {
            continue;
        };
        let record = records
            .entry(key.clone())
            .or_insert_with(|| Record::new(key, NOW));
        match statement {
            Statement::Record(statement) => record.apply(&statement),
            Statement::Event(_) | Statement::Correction(_) => {}
        }
    }
    for event in events_of(drafts) {
        if let Some(record) = records.get_mut(&event.record) {
            record.has_events = true;
        }
    }
    records
}

/// What a reader must see after these statements: everything clustered at once, everything folded.
pub(super) fn oracle(drafts: &[Draft]) -> Contents {
    oracle_with(drafts, &[])
}

/// The same under decisions.
pub(super) fn oracle_with(drafts: &[Draft], decisions: &[Decision]) -> Contents {
    let model = shared_model();
    let records = records_of(drafts);
    let live: Vec<&Record> = records.values().filter(|record| record.exists()).collect();
    let features: Vec<Features> = live
        .iter()
        .map(|record| Features::of(record, model))
        .collect();
    let all: Vec<(&Record, &Features)> = live.iter().copied().zip(&features).collect();
    let clustering = cluster(&all, &Context::of(&all, model), decisions, model);
    clustering
        .clusters
        .into_iter()
        .map(|cluster| {
            let keys: Vec<RecordKey> = cluster
                .members
                .iter()
                .map(|member| member.record.clone())
                .collect();
            let members = cluster.members.iter().map(|member| {
                let mut record = records[&member.record].clone();
                record.membership.reason = member.evidence.reason();
                record
            });
            let id = ProfileId(uuid::Uuid::nil());
            let stored = StoredProfile {
                id,
                revision: 0,
                update_time: NOW,
                records: members.collect(),
            };
            let mut events = own_events(drafts);
            events.retain(|event| keys.contains(&event.record));
            events.sort_by_key(|event| std::cmp::Reverse(event.position()));
            let profile = fold(stored, model);
            let derived = naive(&events, is_known(&profile));
            (keys, seen(&profile, events, derived))
        })
        .collect()
}
