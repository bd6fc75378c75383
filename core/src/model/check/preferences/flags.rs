//! Yes and no, as forms, exports and people write them.

use super::Remarks;
use super::lists::{STANDS_FOR_NOTHING, is_nothing};
use crate::model::NoteReason;
use crate::records::{PreferenceKey, Value};

/// Words that mean yes: also the mark of a box, SAP's X and the -1 of Access.
const YES: &str = "1 -1 1.0 true t yes y on x ✓ ✔ ☑ checked \
    j ja oui o si sì sí sim da tak ano igen kyllä evet hai ναι да так はい 是 예 wahr vrai vero verdadero verdadeiro waar sant";
/// Words that mean no.
const NO: &str = "0 0.0 false f no n off unchecked ☐ ✗ ✘ \
    nein non nee não nao nej nei ne nie ei nem hayır hayir όχι нет ні いいえ 否 아니요 falsch faux falso onwaar falskt";

const RULE: &str = "must be true or false";

/// Whether a flag is set. A limit that is not understood is set.
pub(super) fn read(key: &PreferenceKey, value: &Value, remarks: &mut Remarks) -> Option<bool> {
    let found = match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(_) | Value::Int(_) | Value::Decimal(_) => word(&value.to_string()),
        Value::Time(_) | Value::List(_) | Value::Map(_) => None,
    };
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

fn word(text: &str) -> Option<bool> {
    let text = text.trim().to_lowercase();
    let is_in = |words: &str| words.split_ascii_whitespace().any(|word| word == text);
    if is_in(YES) {
        Some(true)
    } else {
        is_in(NO).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_means_both() {
        for yes in YES.split_ascii_whitespace() {
            assert!(!NO.split_ascii_whitespace().any(|no| no == yes), "{yes}");
        }
    }
}
