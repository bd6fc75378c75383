//! Credentials with roles: what they see, by which they look up, and what they are refused.
//!
//! The customer of these tests says a word of its own in each kind of field. Each reading method is
//! called under a role that sees all kinds but one, and its whole answer is searched for the words.

mod matrix;
mod refused;
mod shown;

use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use customer_profile::active_models::ModelFile;
use customer_profile::clock::SystemClock;
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use customer_profile::telemetry::http::Readiness;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::{Value as Json, json};
use tonic::Code;

use crate::support::access::{Grant, methods, path};
use crate::support::service::Service;
use crate::support::wire::{Wire, framed};

/// The keys of a role, and a word that a customer says in a field of this kind.
pub(super) const WORDS: [(&str, &str); 10] = [
    ("traits", "wordoftrait"),
    ("identifiers", "wordofmail"),
    ("record_keys", "wordofkey"),
    ("events", "wordofevent"),
    ("properties", "wordofproperty"),
    ("objects", "wordofobject"),
    ("preferences", "wordofwish"),
    ("accessibility", "wordofneed"),
    ("computed", "wordofsum"),
    ("segments", "wordofsegment"),
];

const MODEL: &str = "
identifiers:
  email: { priority: 1, normalize: email }
  phone: { priority: 2, normalize: e164, default_region: DE }
traits: { nickname: { searchable: true, match: given_name }, town: { searchable: true } }
computed: { wordofsum: { count: order_placed } }
segments: { wordofsegment: { when: computed.wordofsum > 0 } }
channels: { email: { contact_point: email } }
purposes:
  service: { consent: not_needed, traits: '*', identifiers: '*', computed: '*', segments: '*', events: '*', experience: '*' }
views:
  desk:
    sections: { who: [traits.nickname, identifiers.email, computed.wordofsum] }
    segments: '*'
    objects: { order: 2 }
sources: { shop: , till: }
roles:
";

/// The keys of a role that sees everything.
fn whole() -> Vec<(&'static str, &'static str)> {
    WORDS
        .iter()
        .map(|(kind, _)| match *kind {
            "record_keys" | "preferences" | "accessibility" => (*kind, "true"),
            kind => (kind, "'*'"),
        })
        .chain([
            ("experience", "'*'"),
            ("lookup_identifiers", "'*'"),
            ("search_traits", "'*'"),
        ])
        .collect()
}

fn role(name: &str, keys: impl IntoIterator<Item = (&'static str, &'static str)>) -> String {
    let keys = keys
        .into_iter()
        .map(|(key, value)| format!("{key}: {value}"));
    format!("  {name}: {{ {} }}\n", keys.collect::<Vec<_>>().join(", "))
}

/// A role for each kind that sees all but that one, and some others.
fn model(more: &str) -> ModelFile {
    let without = WORDS.iter().map(|(kind, _)| {
        let keys = whole().into_iter().filter(|(key, _)| key != kind);
        role(&format!("without_{kind}"), keys)
    });
    let masked = [
        ("traits", "masked_traits"),
        ("identifiers", "masked_identifiers"),
        ("properties", "masked_properties"),
    ];
    let masked = masked.map(|(kind, key)| {
        let keys = whole().into_iter().filter(|(key, _)| *key != kind);
        role(&format!("masked_{kind}"), keys.chain([(key, "'*'")]))
    });
    let text = [
        MODEL,
        &without.collect::<String>(),
        &masked.concat(),
        &role("whole", whole()),
        &role("nobody", []),
        more,
    ];
    ModelFile::parse(&text.concat()).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

/// A service that asks for credentials, with one customer of two records.
pub(super) struct Scene {
    pub(super) service: Service,
    pub(super) store: Arc<MemoryStore>,
    wire: Wire,
    /// A credential without roles.
    pub(super) free: String,
    /// The name of the customer's profile.
    pub(super) profile: String,
}

impl Scene {
    pub(super) async fn start(more: &str) -> Self {
        let store = Arc::new(MemoryStore::new());
        let (model, clock) = (model(more), Arc::new(SystemClock));
        let mut service = Service::start_unready_by(store.clone(), (model, clock), |config| {
            config.auth.insecure = false;
        })
        .await;
        let ready = service.ready.wait_for(|ready| *ready == Readiness::Ready);
        ready.await.expect("a running server");
        let wire = Wire::connect(service.address, 1 << 20).await;
        let mut scene = Self {
            service,
            store,
            wire,
            free: String::new(),
            profile: String::new(),
        };
        scene.free = scene.key(&[]).await;
        let free = scene.free.clone();
        let said = scene.ask("IngestStatements", &statements(), &free).await;
        let said: Json = serde_json::from_str(&said.json()).expect("JSON");
        for result in said["results"].as_array().expect("results") {
            assert_eq!(result["outcome"], "STATEMENT_OUTCOME_STORED", "{said:#}");
        }
        scene.profile = said["results"][0]["profile"]
            .as_str()
            .expect("a name")
            .to_owned();
        // Brings the segments up to date.
        let key = json!({"key": {"name": scene.profile}});
        scene.ask("ListMemberships", &key, &free).await;
        scene
    }

    /// A new credential with roles, for all methods.
    pub(super) async fn key(&self, roles: &[&str]) -> String {
        let names: Vec<&str> = customer_profile::auth::Scope::ALL
            .iter()
            .map(|scope| scope.name())
            .collect();
        let grant = Grant {
            roles,
            ..Grant::new(&["acme"], &names)
        };
        let store: &dyn Store = self.store.as_ref();
        let key = grant.key(store).await.expose();
        // Servers take up new keys after a while.
        loop {
            let mut wire = Wire::connect(self.service.address, 1 << 20).await;
            let answer = ask(&mut wire, &method("ListSegments"), &json!({}), &key).await;
            if answer.code != Code::Unauthenticated {
                return key;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Calls a method by its name.
    pub(super) async fn ask(&mut self, name: &str, request: &Json, key: &str) -> Answer {
        ask(&mut self.wire, &method(name), request, key).await
    }
}

/// The whole answer of a call; of a watch its first messages.
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) messages: Vec<DynamicMessage>,
    /// The metadata `x-withheld`.
    pub(super) withheld: String,
}

impl Answer {
    /// All messages as JSON, without what they say is withheld: that names fields.
    pub(super) fn shown(&self) -> String {
        fn without(value: &mut Json) {
            if let Json::Object(fields) = value {
                fields.remove("withheld");
            }
            let within: Vec<&mut Json> = match value {
                Json::Object(fields) => fields.values_mut().collect(),
                Json::Array(values) => values.iter_mut().collect(),
                _ => Vec::new(),
            };
            within.into_iter().for_each(without);
        }
        let texts = self.messages.iter().map(|message| {
            let mut value = serde_json::to_value(message).expect("JSON");
            without(&mut value);
            value.to_string()
        });
        texts.collect()
    }

    /// All messages as JSON.
    pub(super) fn json(&self) -> String {
        let texts = self
            .messages
            .iter()
            .map(|message| serde_json::to_string(message).expect("JSON"));
        texts.collect()
    }
}

/// A method by its name.
pub(super) fn method(name: &str) -> MethodDescriptor {
    let found = methods().into_iter().find(|method| method.name() == name);
    found.unwrap_or_else(|| panic!("there is no method {name}"))
}

/// How many messages are read of a stream that does not end.
const MESSAGES: usize = 1;

pub(super) async fn ask(
    wire: &mut Wire,
    method: &MethodDescriptor,
    request: &Json,
    key: &str,
) -> Answer {
    let request = DynamicMessage::deserialize(method.input(), request)
        .unwrap_or_else(|error| panic!("{}: {error}", method.name()));
    let mut call = wire
        .begin_with(&path(method), |head| {
            head.header("authorization", format!("Bearer {key}"))
        })
        .await;
    drop(call.body.send_data(framed(&request), true));
    let (head, mut body) = call.answer.await.expect("an answer").into_parts();
    let text = |headers: &http::HeaderMap, name: &str| {
        let value = headers
            .get(name)
            .map(|value| value.to_str().expect("text").to_owned());
        value.unwrap_or_default()
    };
    let code =
        |headers: &http::HeaderMap| Code::from_bytes(text(headers, "grpc-status").as_bytes());
    let mut answer = Answer {
        code: Code::Ok,
        messages: Vec::new(),
        withheld: text(&head.headers, "x-withheld"),
    };
    if head.headers.contains_key("grpc-status") {
        answer.code = code(&head.headers);
        return answer;
    }
    let mut bytes = Vec::new();
    let endless = method.name() == "WatchProfiles";
    while let Some(part) = body.data().await {
        let part = part.expect("a part of the answer");
        body.flow_control()
            .release_capacity(part.len())
            .expect("an open stream");
        bytes.extend_from_slice(&part);
        answer.messages = messages(method, &bytes);
        if endless && answer.messages.len() >= MESSAGES {
            return answer;
        }
    }
    let trailers = body.trailers().await.expect("an end").expect("a status");
    answer.code = code(&trailers);
    answer
}

/// The messages that are whole.
fn messages(method: &MethodDescriptor, bytes: &[u8]) -> Vec<DynamicMessage> {
    let (mut rest, mut messages) = (Bytes::copy_from_slice(bytes), Vec::new());
    while rest.len() >= 5 {
        let length = u32::from_be_bytes(rest[1..5].try_into().expect("four bytes")) as usize;
        if rest.len() < 5 + length {
            break;
        }
        rest.advance(5);
        let message = DynamicMessage::decode(method.output(), rest.split_to(length));
        messages.push(message.expect("a message"));
    }
    messages
}

/// Statements of the customer, with a word of its own in each kind of field.
fn statements() -> Json {
    let record = json!({"source": "shop", "key": "wordofkey"});
    let other = json!({"source": "till", "key": "2"});
    let email = json!({"type": "email", "value": "wordofmail@example.com"});
    let phone = json!({"type": "phone", "value": "+493090182417"});
    let named = json!({"stringValue": "Wordoftrait"});
    let time = "2026-01-02T03:04:05Z";
    json!({"statements": [
        {"upsertRecord": {"record": record, "identifiers": [email, phone], "version": 1,
            "traits": {"nickname": named, "town": {"stringValue": "Ulm"}}}},
        {"upsertRecord": {"record": other, "identifiers": [email], "version": 1,
            "traits": {"nickname": named}}},
        {"recordEvent": {"event": {"record": record, "type": "order_placed", "eventId": "wordofevent",
            "eventTime": time, "properties": {"order_id": {"stringValue": "wordofobject"},
            "message": {"stringValue": "wordofproperty"}, "total": {"decimalValue": "12.50"},
            "currency": {"stringValue": "EUR"}}}}},
        {"statePreferences": {"record": record, "version": 1,
            "preferences": {"preferredName": "wordofwish"},
            "accessibility": {"representative": {"displayName": "wordofneed"}}}},
    ]})
}
