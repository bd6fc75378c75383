//! A customer of whom everything is known that can be known, each value with a word that nothing
//! else has.

use customer_profile::grpc::v1::{self, CandidateVerdict, statement::Kind};
use prost_types::Timestamp;
use tonic::Status;

use crate::support::service::{
    Service, by_identifier, by_name, by_record, consent, delete, event, record, record_consent,
    statement, text, upsert,
};

/// The word that only the customer has.
pub(super) const CANARY: &str = "zanarya";

pub(super) const MODEL: &str = "
identifiers:
  email: { priority: 1, normalize: email }
traits:
  given_name: { match: given_name, searchable: true }
  family_name: { match: family_name, searchable: true }
  city: { searchable: true }
computed:
  orders: { count: order_placed }
segments:
  buyers: { when: computed.orders >= 1 }
purposes:
  newsletter: { consent: opt_in }
sources: { web: , pos: , carrier: }
";

/// The customer, as they are known.
pub(super) struct Customer {
    /// The profile.
    pub(super) name: String,
    /// The key of one of the records.
    pub(super) key: String,
    /// The profile of somebody else.
    pub(super) neighbour: String,
    /// All that was said.
    pub(super) statements: Vec<v1::Statement>,
    /// A moment at which all of it was known.
    known: Timestamp,
}

fn canary(more: &str) -> String {
    format!("{CANARY}{more}")
}

fn person(source: &str, number: u32, email: &str, version: i64) -> v1::Statement {
    let city = format!("Port {CANARY} {version}");
    upsert(
        (source, &canary(&format!("-{number}"))),
        &[("email", email)],
        &[
            ("given_name", "Zanarya"),
            ("family_name", "Zanaryason"),
            ("city", &city),
        ],
        version,
    )
}

fn order(id: &str, note: &str) -> v1::Event {
    let told = event(("web", &canary("-1")), &canary(id), "order_placed", 7);
    let Some(Kind::RecordEvent(v1::RecordEvent { event: Some(event) })) = told.kind else {
        panic!("an event")
    };
    let properties = [("order_id", canary(id)), ("note", canary(note))];
    v1::Event {
        properties: properties
            .map(|(name, value)| (name.to_owned(), text(&value)))
            .into(),
        ..event
    }
}

pub(super) fn placed(id: &str) -> v1::Statement {
    let event = Some(order(id, " note"));
    statement(Kind::RecordEvent(v1::RecordEvent { event }))
}

/// A parcel of the order, of which the carrier knows no customer.
fn parcel() -> v1::Statement {
    let event = v1::Event {
        record: Some(record("carrier", "")),
        r#type: "shipment_created".to_owned(),
        properties: [("shipment_id", canary("-p1")), ("order_id", canary("-o1"))]
            .map(|(name, value)| (name.to_owned(), text(&value)))
            .into(),
        attach: vec!["order".to_owned()],
        event_id: canary("-scan"),
        ..order("-scan", "")
    };
    let event = Some(event);
    statement(Kind::RecordEvent(v1::RecordEvent { event }))
}

fn corrections() -> Vec<v1::Statement> {
    let replaced = v1::ReplaceEvent {
        event: Some(order("-o1", " other note")),
        ..v1::ReplaceEvent::default()
    };
    let retracted = v1::RetractEvent {
        source: "web".to_owned(),
        event_id: canary("-o2"),
        ..v1::RetractEvent::default()
    };
    vec![
        statement(Kind::ReplaceEvent(replaced)),
        statement(Kind::RetractEvent(retracted)),
    ]
}

fn wishes() -> Vec<v1::Statement> {
    let preferences = v1::Preferences {
        preferred_name: canary(" the great"),
        ..v1::Preferences::default()
    };
    let said = v1::StatePreferences {
        record: Some(record("web", &canary("-1"))),
        preferences: Some(preferences),
        ..v1::StatePreferences::default()
    };
    let point = canary("@shop.com");
    let granted = consent(
        "newsletter",
        Some(("email", &point)),
        v1::ConsentStatus::Granted,
    );
    vec![
        statement(Kind::StatePreferences(said)),
        record_consent(("web", &canary("-1")), granted),
    ]
}

fn statements() -> Vec<v1::Statement> {
    let (first, second) = (canary("@shop.com"), canary("@work.example"));
    let mut all = vec![
        person("web", 1, &canary("@old.example"), 1),
        person("web", 1, &first, 2),
        person("pos", 2, &second, 1),
        person("web", 3, &first, 1),
        // A record that was theirs, and has gone.
        person("web", 4, &first, 1),
        placed("-o1"),
        placed("-o2"),
        parcel(),
    ];
    all.extend(corrections());
    all.extend(wishes());
    all
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service goes by the system's clock"
)]
fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

impl Customer {
    pub(super) async fn new(service: &Service) -> Self {
        let statements = statements();
        let mut names = Vec::new();
        // One by one, so that there are changes to keep.
        for statement in &statements {
            let answer = service.say(vec![statement.clone()]).await;
            let result = &answer.results[0];
            assert_eq!(result.outcome(), v1::StatementOutcome::Stored, "{result:?}");
            names.push(result.profile.clone());
        }
        let neighbour = upsert(
            ("web", "neighbour"),
            &[("email", "neighbour@shop.com")],
            &[("given_name", "Ann"), ("city", "Boston")],
            1,
        );
        let neighbour = service.say(vec![neighbour]).await;
        let mut customer = Self {
            name: names[0].clone(),
            key: canary("-1"),
            neighbour: neighbour.results[0].profile.clone(),
            statements,
            known: Timestamp::default(),
        };
        customer.decide(service, &names[2]).await;
        service.say(vec![delete(("web", &canary("-4")), 9)]).await;
        // The index of segments is brought up to date for the answer, and stays so.
        let request = v1::ListMembershipsRequest {
            key: Some(by_name(&customer.name)),
        };
        let stays = service.segments().list_memberships(request).await;
        let stays = stays.expect("an answer").into_inner();
        assert_eq!(stays.memberships.len(), 1, "{stays:?}");
        customer.known = now();
        customer
    }

    /// Decisions of every kind, taken back too.
    async fn decide(&self, service: &Service, till: &str) {
        let mut identity = service.identity();
        let note = v1::DecisionNote {
            actor: "a clerk".to_owned(),
            note: canary(" called"),
        };
        let candidate = v1::DecideCandidateRequest {
            left: Some(record("web", &self.key)),
            right: Some(record("web", "neighbour")),
            verdict: CandidateVerdict::Different.into(),
            note: Some(note.clone()),
            request_id: "d-1".to_owned(),
            ..v1::DecideCandidateRequest::default()
        };
        identity
            .decide_candidate(candidate)
            .await
            .expect("a decision");
        let merge = |request_id: &str| v1::MergeProfilesRequest {
            target: self.name.clone(),
            sources: vec![till.to_owned()],
            note: Some(note.clone()),
            request_id: request_id.to_owned(),
            ..v1::MergeProfilesRequest::default()
        };
        let merged = identity.merge_profiles(merge("d-2")).await;
        let merged = merged.expect("merged").into_inner();
        let withdrawal = v1::WithdrawDecisionRequest {
            name: merged.outcomes[0].decision.clone(),
            note: Some(note.clone()),
            request_id: "d-3".to_owned(),
            ..v1::WithdrawDecisionRequest::default()
        };
        identity
            .withdraw_decision(withdrawal)
            .await
            .expect("withdrawn");
        identity.merge_profiles(merge("d-4")).await.expect("merged");
    }

    /// How many of the statements name one of the records.
    pub(super) fn about_records(&self) -> usize {
        let names_record = |statement: &&v1::Statement| match &statement.kind {
            Some(Kind::RetractEvent(_)) => false,
            Some(Kind::RecordEvent(said)) => {
                said.event.as_ref().is_some_and(|it| it.attach.is_empty())
            }
            _ => true,
        };
        self.statements.iter().filter(names_record).count()
    }

    /// Somebody with the customer's address, under a key of their own.
    pub(super) fn newcomer() -> v1::Statement {
        upsert(
            ("web", "newcomer"),
            &[("email", &format!("{CANARY}@shop.com"))],
            &[("given_name", "Zanarya"), ("family_name", "Zanaryason")],
            1,
        )
    }

    /// Every way of asking for the customer.
    pub(super) async fn answers(&self, service: &Service) -> Vec<Result<(), Status>> {
        let mut keys = vec![by_name(&self.name)];
        for (source, number) in [("web", 1), ("pos", 2), ("web", 3)] {
            keys.push(by_record(source, &canary(&format!("-{number}"))));
        }
        keys.push(by_identifier("email", &canary("@shop.com")));
        keys.push(by_identifier("email", &canary("@work.example")));
        let mut answers = Vec::new();
        for key in keys {
            for as_of_time in [None, Some(self.known)] {
                let request = v1::GetProfileRequest {
                    key: Some(key.clone()),
                    as_of_time,
                    ..v1::GetProfileRequest::default()
                };
                answers.push(service.profiles().get_profile(request).await.map(drop));
                let request = v1::ListTimelineRequest {
                    key: Some(key.clone()),
                    as_of_time,
                    ..v1::ListTimelineRequest::default()
                };
                answers.push(service.profiles().list_timeline(request).await.map(drop));
            }
            let request = v1::GetPreferencesRequest {
                key: Some(key.clone()),
                ..v1::GetPreferencesRequest::default()
            };
            let preferences = service.preferences().get_preferences(request).await;
            answers.push(preferences.map(drop));
            let request = v1::ListConsentHistoryRequest {
                key: Some(key),
                ..v1::ListConsentHistoryRequest::default()
            };
            let history = service.preferences().list_consent_history(request).await;
            answers.push(history.map(drop));
        }
        answers.extend(self.other_answers(service).await);
        answers
    }

    async fn other_answers(&self, service: &Service) -> [Result<(), Status>; 2] {
        let explain = v1::ExplainProfileRequest {
            name: self.name.clone(),
        };
        let order = v1::GetObjectRequest {
            object: Some(v1::ObjectKey {
                kind: "order".to_owned(),
                id: canary("-o1"),
            }),
            ..v1::GetObjectRequest::default()
        };
        [
            service.identity().explain_profile(explain).await.map(drop),
            service.profiles().get_object(order).await.map(drop),
        ]
    }

    /// How many profiles are found by the word.
    pub(super) async fn hits(&self, service: &Service) -> usize {
        let request = v1::SearchProfilesRequest {
            query: CANARY.to_owned(),
            ..v1::SearchProfilesRequest::default()
        };
        let found = service.profiles().search_profiles(request).await;
        found.expect("an answer").into_inner().hits.len()
    }
}
