//! Whether a customer may be contacted, as a part of a context.

use profile_core::permission::clearance::Clearance;
use profile_core::permission::contact::Question;

use super::Telling;
use crate::grpc::preferences::encode::permission;
use crate::grpc::v1;

impl Telling<'_> {
    /// Whether the customer may be contacted.
    pub(super) fn permissions(&mut self, answer: &mut v1::GetContextResponse) {
        let asked = self.view.permissions.iter();
        let asked = asked
            .flat_map(|(purpose, channels)| channels.iter().map(move |channel| (purpose, channel)));
        for (purpose, channel) in asked {
            let question = Question {
                purpose,
                channel,
                contact_point: None,
                topic: None,
                time: self.now,
            };
            // The model declares both, or it would not be one.
            let Ok(answered) = question.answer(self.profile, self.model) else {
                continue;
            };
            let mut told = permission(answered);
            let hides = |sees: &Clearance| !sees.sees_preferences();
            if !self.sight.sees_preferences() || self.clearance.is_some_and(hides) {
                told = v1::ContactPermission {
                    allowed: told.allowed,
                    next_allowed_time: told.next_allowed_time,
                    ..v1::ContactPermission::default()
                };
            } else if told.contact_point.as_ref().is_some_and(|point| {
                let sees = self.sight.sees_identifier(&point.r#type);
                !sees
            }) {
                told.contact_point = None;
            }
            let word = if told.allowed { "yes" } else { "no" };
            let rule = match told.rule.as_str() {
                "" => String::new(),
                rule => format!(" ({rule})"),
            };
            let sentence = || format!("May be contacted for {purpose} by {channel}: {word}{rule}");
            let origin = told
                .origin
                .as_ref()
                .and_then(|origin| origin.record.clone());
            let records = self.hiding(origin.into_iter());
            self.line(|| "permissions".to_owned(), None, sentence, &records);
            answer.permissions.push(v1::ContextPermission {
                purpose: purpose.clone(),
                channel: channel.clone(),
                permission: Some(told),
            });
        }
    }
}
