//! The words of a record's customer on one preference.

use serde::{Deserialize, Serialize};

use super::Provenance;
use crate::heap_size::heap_size;
use crate::records::last_word::{WordPlace, last_word};
use crate::records::{Preference, PreferenceKey};

/// The last word with a version, and the last one without: see [`last_word`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Wish {
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    by_version: Option<Said>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    by_time: Option<Said>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    /// `None`: it was cleared.
    #[serde(rename = "v")]
    value: Option<Preference>,
    #[serde(rename = "p")]
    said: Provenance,
}

impl Said {
    fn place(&self, key: &PreferenceKey) -> WordPlace<u8> {
        WordPlace::new(&self.said, key.strictness(self.value.as_ref()))
    }
}

impl Wish {
    /// Takes a word in. In whichever order words come, the same ones are kept.
    pub(super) fn take(
        &mut self,
        key: &PreferenceKey,
        value: Option<&Preference>,
        said: Provenance,
    ) {
        let new = Said {
            value: value.cloned(),
            said,
        };
        let place = new.place(key);
        let held = if place.has_version() {
            &mut self.by_version
        } else {
            &mut self.by_time
        };
        if held.as_ref().is_none_or(|held| held.place(key) < place) {
            *held = Some(new);
        }
    }

    /// The word that counts; the value is none where it was cleared.
    pub(super) fn last(&self, key: &PreferenceKey) -> Option<(&Option<Preference>, &Provenance)> {
        let words = self.by_version.iter().chain(&self.by_time);
        last_word(words, |word| word.place(key)).map(|word| (&word.value, &word.said))
    }
}

heap_size! {
    Wish { by_version, by_time }
    Said { value, said }
}
