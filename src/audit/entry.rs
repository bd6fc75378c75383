//! One entry: one line of JSON, so that anybody can read and hash it.

use std::borrow::Cow;
use std::sync::Arc;

use profile_core::records::Timestamp;
use serde::{Deserialize, Serialize};

/// A call, or one message of a call that streams.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When the answer was given, in microseconds since 1970.
    pub time: Timestamp,
    /// The credential: the id of an API key, or the issuer of a token.
    pub credential: Arc<str>,
    /// The subject of a token. `None`: an API key, or a token that names nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Arc<str>>,
    /// The method, such as `ProfileService/GetProfile`.
    pub method: Cow<'static, str>,
    /// The scope that granted the call, or would have.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub scope: Cow<'static, str>,
    /// The roles of the credential.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub roles: Arc<[String]>,
    /// The purpose of a read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// The part of the answer that was asked for: a view, or fields of a mask. Empty: all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Fields that the roles did not see, or saw masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// The customers that the answer speaks of, by the names of their profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<String>,
    /// The status of the call, such as `OK`.
    pub code: Cow<'static, str>,
    /// Why access was refused. Empty: it was not.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub refusal: Cow<'static, str>,
    /// The request id, as in the log of the server.
    pub request_id: String,
}

impl Entry {
    /// How much of a journal it takes: one for each half KiB, about.
    pub(super) fn weight(&self) -> usize {
        1 + self.customers.len() / 10
    }

    /// The line that is stored and hashed.
    pub(super) fn to_line(&self) -> Vec<u8> {
        // Texts and lists of texts always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a line. `None`: it is no entry.
    #[must_use]
    pub fn of_line(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_that_reads_back_as_it_was() {
        let entry = Entry {
            time: Timestamp::from_micros(1_700_000_000_000_000),
            credential: "k1".into(),
            subject: Some("ann\n@example.com".into()),
            method: "ProfileService/GetProfile".into(),
            customers: vec!["profiles/1".to_owned()],
            code: "OK".into(),
            ..Entry::default()
        };
        let line = entry.to_line();
        assert!(!line.contains(&b'\n'), "{}", String::from_utf8_lossy(&line));
        assert_eq!(Entry::of_line(&line), Some(entry));
        assert_eq!(Entry::of_line(b"{}"), None);
    }
}
