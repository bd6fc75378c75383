//! Names and preferences as a person reads them.

use profile_core::records::{Preference, StatedPreference};

/// `loyalty_tier` as a person writes it: `Loyalty tier`.
pub(super) fn words(name: &str) -> String {
    let plain = name.replace(['_', '.'], " ");
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A preference as a person reads it.
pub(super) fn shown(stated: &StatedPreference) -> String {
    let all = |texts: Vec<String>| texts.join(", ");
    match &stated.value {
        Preference::Text(text) => text.clone(),
        Preference::Flag(true) => "yes".to_owned(),
        Preference::Flag(false) => "no".to_owned(),
        Preference::Channels(channels) => channels.join(", "),
        Preference::QuietHours(hours) => all(hours.iter().map(ToString::to_string).collect()),
        Preference::FrequencyCaps(caps) => all(caps
            .iter()
            .map(|cap| {
                let channel = cap
                    .channel
                    .as_deref()
                    .map(|channel| format!(" by {channel}"))
                    .unwrap_or_default();
                format!(
                    "at most {}{channel} in {} seconds",
                    cap.max_count, cap.window_seconds
                )
            })
            .collect()),
        Preference::Representative(somebody) => somebody.display_name.clone(),
    }
}
