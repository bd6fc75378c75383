//! Preferences that are yes or no.

use super::Remarks;
use super::lists::{STANDS_FOR_NOTHING, is_nothing};
use crate::model::{NoteReason, flag};
use crate::records::{ConsentStatus, PreferenceKey, Value};

const RULE: &str = "must be true or false";

/// Whether a flag is set. A limit that is not understood is set.
pub(super) fn read(key: &PreferenceKey, value: &Value, remarks: &mut Remarks) -> Option<bool> {
    let found = match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(_) | Value::Int(_) => flag::read(&value.to_string()),
        Value::Decimal(number) => flag::read(&number.normalize().to_string()),
        Value::Time(_) | Value::List(_) | Value::Map(_) => None,
    };
    let of_topic = || match key {
        PreferenceKey::Topic(_) => ConsentStatus::read(value.as_str()?),
        _ => None,
    };
    let found = found.or_else(|| of_topic().map(|status| status == ConsentStatus::Granted));
    if found.is_some() {
        return found;
    }
    if is_nothing(value) {
        remarks.add(NoteReason::Placeholder, STANDS_FOR_NOTHING);
        return None;
    }
    match key {
        PreferenceKey::DoNotContact
        | PreferenceKey::ProcessingRestricted
        | PreferenceKey::NoPhone => {
            remarks.strictest(RULE, "true counts");
            Some(true)
        }
        PreferenceKey::Topic(_) => {
            remarks.strictest(RULE, "false counts: the topic is not wanted");
            Some(false)
        }
        _ => {
            remarks.malformed(RULE);
            None
        }
    }
}
