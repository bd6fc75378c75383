//! The memory that preferences take.

use super::{Preference, PreferenceKey};
use crate::heap_size::HeapSize;

impl HeapSize for PreferenceKey {
    fn heap_bytes(&self) -> usize {
        if let Self::Topic(name) = self {
            name.heap_bytes()
        } else {
            0
        }
    }
}

impl HeapSize for Preference {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.heap_bytes(),
            Self::Flag(_) => 0,
            Self::Channels(channels) => channels.heap_bytes(),
            Self::QuietHours(hours) => hours.heap_bytes(),
            Self::FrequencyCaps(caps) => caps.heap_bytes(),
            Self::Representative(somebody) => somebody.heap_bytes(),
        }
    }
}
