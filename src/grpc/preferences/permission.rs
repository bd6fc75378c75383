//! Whether customers may be contacted.

use profile_core::model::Model;
use profile_core::model::check::MAX_IDENTIFIER_BYTES;
use profile_core::permission::contact::{AskError, Permission, Question};
use profile_core::profile::Profile;
use profile_core::records::{Reason, Timestamp, Violation};

use super::{PreferenceApi, encode};
use crate::grpc::call_context::CallContext;
use crate::grpc::checked::{Checked, both, count};
use crate::grpc::encode::{merged_from, read_info, undeclared};
use crate::grpc::error::ApiError;
use crate::grpc::names::profile_name;
use crate::grpc::status;
use crate::grpc::{decode, profiles, v1};
use crate::reader::{Answer, Key};

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
    request: v1::CheckContactPermissionRequest,
    context: &CallContext,
) -> Result<v1::CheckContactPermissionResponse, ApiError> {
    let model = api.model(context).await?;
    let names = (request.purpose, request.channel, request.topic);
    let asked = Asked::new(names, request.contact_time, api.clock.now(), &model);
    let (key, asked) = both(decode::key(request.key, "key"), asked)?;
    let freshness = profiles::freshness(&*api.store, request.consistency, context).await?;
    let found = api.read(context, &key, freshness).await?;
    let permission = asked.of(
        &found.profile,
        &request.contact_point,
        "contact_point",
        &model,
    )?;
    Ok(v1::CheckContactPermissionResponse {
        permission: Some(encode::permission(permission)),
        profile: profile_name(&found.profile.id),
        read_info: Some(read_info(&found, api.reader.store_id(), &context.tenant)),
        merged_from: merged_from(&found),
    })
}

/// Answers for many customers.
pub(super) async fn check_batch(
    api: &PreferenceApi,
    request: v1::BatchCheckContactPermissionRequest,
    context: &CallContext,
) -> Result<v1::BatchCheckContactPermissionResponse, ApiError> {
    let model = api.model(context).await?;
    let names = (request.purpose, request.channel, request.topic);
    let asked = Asked::new(names, request.contact_time, api.clock.now(), &model);
    let number = count(
        "subjects",
        request.subjects.len(),
        MAX_SUBJECTS,
        "customers",
    );
    let ((), asked) = both(number, asked)?;
    let freshness = profiles::freshness(&*api.store, request.consistency, context).await?;
    let (keys, points): (Vec<Checked<Key>>, Vec<String>) = request
        .subjects
        .into_iter()
        .enumerate()
        .map(subject)
        .unzip();
    let found = profiles::read_each(&api.reader, context, keys, freshness).await?;
    let permission = |index: usize, answer: &Answer, point: &str| {
        let field = format!("subjects[{index}].contact_point");
        asked.of(&answer.profile, point, &field, &model)
    };
    let result = |(index, (outcome, point)): (usize, (Result<Answer, ApiError>, String))| {
        let answered = outcome.and_then(|answer| {
            let permission = permission(index, &answer, &point)?;
            Ok(contact_result(api, context, &answer, permission))
        });
        answered.unwrap_or_else(|error| v1::ContactResult {
            status: Some(context.item_status(error)),
            ..Default::default()
        })
    };
    let results = found.into_iter().zip(points).enumerate().map(result);
    Ok(v1::BatchCheckContactPermissionResponse {
        results: results.collect(),
    })
}

fn subject((index, subject): (usize, v1::ContactSubject)) -> (Checked<Key>, String) {
    let key = decode::key(subject.key, &format!("subjects[{index}].key"));
    (key, subject.contact_point)
}

fn contact_result(
    api: &PreferenceApi,
    context: &CallContext,
    answer: &Answer,
    permission: Permission,
) -> v1::ContactResult {
    v1::ContactResult {
        status: Some(status::ok()),
        permission: Some(encode::permission(permission)),
        profile: profile_name(&answer.profile.id),
        read_info: Some(read_info(answer, api.reader.store_id(), &context.tenant)),
        merged_from: merged_from(answer),
    }
}
