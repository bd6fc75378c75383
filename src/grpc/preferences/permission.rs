//! Whether customers may be contacted.

use profile_core::model::Model;
use profile_core::model::check::MAX_IDENTIFIER_BYTES;
use profile_core::permission::contact::{AskError, Permission, Question};
use profile_core::profile::Profile;
use profile_core::records::{Reason, Timestamp, Violation};
use tonic::{Code, Request, Response, Status};

use super::{PreferenceApi, encode};
use crate::grpc::call_context::CallContext;
use crate::grpc::encode::{merged_from, read_info, undeclared};
use crate::grpc::status::{
    self, Checked, both, count, from_reader, from_store, profile_name, refused,
};
use crate::grpc::{decode, profiles, v1};
use crate::reader::Key;

/// How many customers may be asked about at once.
const MAX_SUBJECTS: usize = 500;
/// The longest topic, in bytes.
const MAX_TOPIC_BYTES: usize = 64;

/// What is asked of every customer.
struct Asked {
    purpose: String,
    channel: String,
    topic: String,
    time: Timestamp,
}

impl Asked {
    fn new(
        (purpose, channel, topic): (String, String, String),
        contact_time: Option<prost_types::Timestamp>,
        now: Timestamp,
        model: &Model,
    ) -> Checked<Self> {
        let mut violations = Vec::new();
        let mut named = |field: &str, name: &String, declared: Vec<&String>| {
            if name.is_empty() {
                violations.push(Violation::required(field));
            } else if !declared.contains(&name) {
                violations.push(undeclared(field, field, name, declared.into_iter()));
            }
        };
        named("purpose", &purpose, model.purposes.keys().collect());
        named("channel", &channel, model.channels.keys().collect());
        if topic.len() > MAX_TOPIC_BYTES {
            violations.push(Violation::limit(
                "topic",
                topic.len(),
                MAX_TOPIC_BYTES,
                "bytes",
            ));
        }
        let time = match decode::instant(contact_time, "contact_time") {
            Ok(asked) => asked.map_or(now, |asked| asked.max(now)),
            Err(wrong) => {
                violations.extend(wrong);
                now
            }
        };
        if violations.is_empty() {
            Ok(Self {
                purpose,
                channel,
                topic,
                time,
            })
        } else {
            Err(violations)
        }
    }

    fn of(
        &self,
        profile: &Profile,
        contact_point: &str,
        field: &str,
        model: &Model,
    ) -> Checked<Permission> {
        let given = |text: &'_ str| !text.is_empty();
        if contact_point.len() > MAX_IDENTIFIER_BYTES {
            return Err(vec![Violation::limit(
                field,
                contact_point.len(),
                MAX_IDENTIFIER_BYTES,
                "bytes",
            )]);
        }
        let question = Question {
            purpose: &self.purpose,
            channel: &self.channel,
            contact_point: Some(contact_point).filter(|text| given(text)),
            topic: Some(self.topic.as_str()).filter(|text| given(text)),
            time: self.time,
        };
        question.answer(profile, model).map_err(|error| {
            let violation = match error {
                AskError::Purpose => {
                    undeclared("purpose", "purpose", &self.purpose, model.purposes.keys())
                }
                AskError::Channel => {
                    undeclared("channel", "channel", &self.channel, model.channels.keys())
                }
                AskError::ContactPoint => {
                    let rule =
                        format!("the model gives channel {} no contact points", self.channel);
                    Violation::new(Reason::Malformed, field, rule)
                }
            };
            vec![violation]
        })
    }
}

/// Answers for one customer.
pub(super) async fn check(
    api: &PreferenceApi,
    request: Request<v1::CheckContactPermissionRequest>,
) -> Result<Response<v1::CheckContactPermissionResponse>, Status> {
    let context = CallContext::of(&request)?;
    let request = request.into_inner();
    let model = api.model(&context).await?;
    let names = (request.purpose, request.channel, request.topic);
    let asked = Asked::new(names, request.contact_time, api.clock.now(), &model);
    let (key, asked) = both(decode::key(request.key, "key"), asked).map_err(refused)?;
    let freshness = profiles::freshness(&*api.store, request.consistency, &context).await?;
    let found = api.read(&context, &key, freshness).await?;
    let permission = asked
        .of(
            &found.profile,
            &request.contact_point,
            "contact_point",
            &model,
        )
        .map_err(refused)?;
    Ok(Response::new(v1::CheckContactPermissionResponse {
        permission: Some(encode::permission(permission)),
        profile: profile_name(&found.profile.id),
        read_info: Some(read_info(&found, api.reader.store_id(), &context.tenant)),
        merged_from: merged_from(&found),
    }))
}

/// Answers for many customers.
pub(super) async fn check_batch(
    api: &PreferenceApi,
    request: Request<v1::BatchCheckContactPermissionRequest>,
) -> Result<Response<v1::BatchCheckContactPermissionResponse>, Status> {
    let context = CallContext::of(&request)?;
    let request = request.into_inner();
    let model = api.model(&context).await?;
    let names = (request.purpose, request.channel, request.topic);
    let asked = Asked::new(names, request.contact_time, api.clock.now(), &model);
    let number = count(
        "subjects",
        request.subjects.len(),
        MAX_SUBJECTS,
        "customers",
    );
    let ((), asked) = both(number, asked).map_err(refused)?;
    let freshness = profiles::freshness(&*api.store, request.consistency, &context).await?;
    let subjects = request.subjects.into_iter().enumerate();
    let subjects: Vec<(Checked<Key>, String)> = subjects
        .map(|(index, subject)| {
            (
                decode::key(subject.key, &format!("subjects[{index}].key")),
                subject.contact_point,
            )
        })
        .collect();
    let keys: Vec<Key> = subjects
        .iter()
        .filter_map(|(key, _)| key.as_ref().ok().cloned())
        .collect();
    let found = api.reader.profiles(&context.tenant, &keys, freshness).await;
    let mut found = found
        .map_err(|error| from_store(&error, &context))?
        .into_iter();
    let results = subjects
        .into_iter()
        .enumerate()
        .map(|(index, (key, contact_point))| {
            let answered = key.map_err(refused).and_then(|_| match found.next() {
                Some(Ok(answer)) => Ok(answer),
                Some(Err(error)) => Err(from_reader(error, &context)),
                None => Err(from_reader(crate::reader::Error::NotFound, &context)),
            });
            let answered = answered.and_then(|found| {
                let field = format!("subjects[{index}].contact_point");
                Ok((
                    asked
                        .of(&found.profile, &contact_point, &field, &model)
                        .map_err(refused)?,
                    found,
                ))
            });
            match answered {
                Ok((permission, found)) => v1::ContactResult {
                    status: Some(tonic_types::Status {
                        code: Code::Ok.into(),
                        ..tonic_types::Status::default()
                    }),
                    permission: Some(encode::permission(permission)),
                    profile: profile_name(&found.profile.id),
                    read_info: Some(read_info(&found, api.reader.store_id(), &context.tenant)),
                    merged_from: merged_from(&found),
                },
                Err(status) => v1::ContactResult {
                    status: Some(status::to_message(&status)),
                    ..Default::default()
                },
            }
        });
    Ok(Response::new(v1::BatchCheckContactPermissionResponse {
        results: results.collect(),
    }))
}
