//! The size of a status on the wire.
//!
//! A status travels in HTTP/2 headers: its message percent-encoded, its details as base64, and the
//! message once more within the details. Clients and proxies bound those headers, and whoever meets
//! a larger one sees another error than the one that was sent, or loses the connection: nginx takes
//! 4 KiB (`grpc_buffer_size`, one page), C core and Netty 8 KiB, HAProxy 16 KiB less its own
//! reserve. So message and details together stay under [`MAX_STATUS_BYTES`], measured as they are
//! sent. Whatever is left out is counted in the message and in `ErrorInfo.metadata`.
//!
//! Source: gRPC over HTTP/2, "Responses" (percent-encoding) and "Custom-Metadata" (base64).

use std::borrow::Cow;
use std::collections::HashMap;

use profile_core::records::Violation;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The most bytes that the values of `grpc-message` and `grpc-status-details-bin` have together.
/// The other headers of an answer without a body (status, content type, date, request id, framing)
/// fit beside them into 4 KiB.
pub(super) const MAX_STATUS_BYTES: usize = 3_400;
/// The most bytes of a message, percent-encoded.
const MAX_MESSAGE_BYTES: usize = 900;
/// The same where violations are listed, which are in the details too.
const MAX_LIST_MESSAGE_BYTES: usize = 640;
/// The most bytes of one value of `ErrorInfo.metadata`.
const MAX_METADATA_BYTES: usize = 200;
/// The most bytes of one violation's path, and of its description, percent-encoded: one violation
/// always fits.
const MAX_FIELD_BYTES: usize = 120;
const MAX_DESCRIPTION_BYTES: usize = 360;
/// Bytes that Protobuf adds to a violation: tags and lengths of the message and its two texts.
const VIOLATION_OVERHEAD: usize = 12;
/// Bytes that the first violation adds besides: the type URL of `BadRequest` and its lengths.
const BAD_REQUEST_OVERHEAD: usize = 64;
/// Stands for what was cut off a text.
const ELLIPSIS: char = '…';

/// A status whose texts are cut to what fits.
pub(super) fn status(code: Code, message: &str, mut details: ErrorDetails) -> Status {
    if let Some(info) = details.error_info().cloned() {
        details.set_error_info(info.reason, info.domain, shortened_metadata(info.metadata));
    }
    let status =
        Status::with_error_details(code, shortened(message, MAX_MESSAGE_BYTES), details.clone());
    if wire_bytes(&status) <= MAX_STATUS_BYTES {
        return status;
    }
    if let Some(info) = details.error_info().cloned() {
        details.set_error_info(info.reason, info.domain, HashMap::new());
    }
    Status::with_error_details(code, shortened(message, MAX_MESSAGE_BYTES), details)
}

/// A status with as many violations as fit: of each kind of field the first, then the second of
/// each, and so on. Its message and `ErrorInfo.metadata` say how many are left out.
pub(super) fn with_violations(
    code: Code,
    mut details: ErrorDetails,
    violations: &[Violation],
) -> Status {
    let info = details.error_info().cloned();
    let mut metadata = shortened_metadata(
        info.as_ref()
            .map(|info| info.metadata.clone())
            .unwrap_or_default(),
    );
    let room = details_room(&details, &metadata);
    let kept = chosen(violations, room);
    let left_out = violations.len() - kept.len();
    if left_out > 0 {
        metadata.insert("violations".to_owned(), violations.len().to_string());
        metadata.insert("violations_left_out".to_owned(), left_out.to_string());
    }
    if let Some(info) = info {
        details.set_error_info(info.reason, info.domain, metadata);
    }
    for violation in &kept {
        details.add_bad_request_violation(&*violation.field, &*violation.description);
    }
    Status::with_error_details(code, message(&kept, violations.len()), details)
}

/// The bytes of a status's message and details on the wire.
pub(super) fn wire_bytes(status: &Status) -> usize {
    percent_encoded_bytes(status.message()) + base64_bytes(status.details().len())
}

/// A violation as it is sent.
struct Kept<'v> {
    field: Cow<'v, str>,
    description: Cow<'v, str>,
}

impl Kept<'_> {
    /// Its bytes within the details, before base64.
    fn bytes(&self) -> usize {
        self.field.len() + self.description.len() + VIOLATION_OVERHEAD
    }
}

/// How many bytes of violations the details have room for, before base64.
fn details_room(details: &ErrorDetails, metadata: &HashMap<String, String>) -> usize {
    // The message has its greatest size, twice: as a header, and raw within the details. Counts of
    // what is left out take part of the overhead.
    let all = (MAX_STATUS_BYTES - MAX_LIST_MESSAGE_BYTES) / 4 * 3;
    let info: usize = metadata
        .iter()
        .map(|(key, value)| key.len() + value.len() + VIOLATION_OVERHEAD)
        .sum();
    let info = info
        + details
            .error_info()
            .map_or(0, |info| info.reason.len() + info.domain.len());
    all.saturating_sub(MAX_LIST_MESSAGE_BYTES + info + 4 * BAD_REQUEST_OVERHEAD)
}

/// The violations to send, in their own order.
fn chosen(violations: &[Violation], room: usize) -> Vec<Kept<'_>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut by_turn: Vec<(usize, usize)> = Vec::with_capacity(violations.len());
    for (index, violation) in violations.iter().enumerate() {
        let turn = seen.entry(kind_of_field(&violation.field)).or_default();
        by_turn.push((*turn, index));
        *turn += 1;
    }
    by_turn.sort_unstable();
    let mut kept = Vec::new();
    let mut left = room;
    for (_, index) in by_turn {
        let violation = &violations[index];
        let candidate = Kept {
            field: shortened(&violation.field, MAX_FIELD_BYTES),
            description: shortened(&violation.description, MAX_DESCRIPTION_BYTES),
        };
        let Some(rest) = left.checked_sub(candidate.bytes()) else {
            break;
        };
        left = rest;
        kept.push((index, candidate));
    }
    kept.sort_unstable_by_key(|(index, _)| *index);
    kept.into_iter().map(|(_, kept)| kept).collect()
}

/// A path without its numbers: `keys[7].name` and `keys[8].name` are of one kind.
fn kind_of_field(field: &str) -> String {
    field
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect()
}

/// As many violations in words as fit, and how many there are besides.
fn message(kept: &[Kept<'_>], total: usize) -> String {
    // Room for the longest sentence on what is left out.
    const SENTENCE_BYTES: usize = 120;
    let mut message = String::new();
    let mut told = 0;
    for violation in kept {
        let next = format!(
            "{}{}: {}",
            if told == 0 { "" } else { "; " },
            violation.field,
            violation.description
        );
        let bytes = percent_encoded_bytes(&message) + percent_encoded_bytes(&next);
        if told > 0 && bytes > MAX_LIST_MESSAGE_BYTES - SENTENCE_BYTES {
            break;
        }
        message.push_str(&next);
        told += 1;
    }
    if told < total {
        use std::fmt::Write;
        let listed = kept.len();
        // Writing to a `String` cannot fail.
        let _: std::fmt::Result = write!(message, "; and {} more", total - told);
        if listed < total {
            let _: std::fmt::Result =
                write!(message, " ({total} in all, the details list {listed})");
        }
    }
    message
}

fn shortened_metadata(metadata: HashMap<String, String>) -> HashMap<String, String> {
    metadata
        .into_iter()
        .map(|(key, value)| (key, shortened(&value, MAX_METADATA_BYTES).into_owned()))
        .collect()
}

/// A text of at most this number of bytes, percent-encoded; cut between characters.
pub(super) fn shortened(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if percent_encoded_bytes(text) <= max_bytes {
        return Cow::Borrowed(text);
    }
    let room = max_bytes.saturating_sub(encoded_bytes_of(ELLIPSIS));
    let mut bytes = 0;
    let fits = |(_, letter): &(usize, char)| {
        bytes += encoded_bytes_of(*letter);
        bytes <= room
    };
    let end = text
        .char_indices()
        .take_while(fits)
        .last()
        .map_or(0, |(at, letter)| at + letter.len_utf8());
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

fn percent_encoded_bytes(text: &str) -> usize {
    text.chars().map(encoded_bytes_of).sum()
}

/// The bytes of a character as tonic sends it: what is not plain ASCII takes three for each of its
/// bytes.
fn encoded_bytes_of(letter: char) -> usize {
    let plain = matches!(letter, '!' | '$' | '&'..=';' | '=' | '@'..='_' | 'a'..='z' | '|' | '~');
    if plain { 1 } else { letter.len_utf8() * 3 }
}

fn base64_bytes(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use profile_core::records::Reason;

    fn info() -> ErrorDetails {
        let metadata = [
            ("limit".to_owned(), "1000".to_owned()),
            ("actual".to_owned(), "1001".to_owned()),
        ];
        ErrorDetails::with_error_info(
            "LIMIT_EXCEEDED",
            "customer-profile",
            HashMap::from(metadata),
        )
    }

    fn violations(fields: impl IntoIterator<Item = String>, description: &str) -> Vec<Violation> {
        fields
            .into_iter()
            .map(|field| Violation::new(Reason::Malformed, field, description))
            .collect()
    }

    fn refused(violations: &[Violation]) -> Status {
        with_violations(Code::InvalidArgument, info(), violations)
    }

    /// The bytes as tonic really sends them.
    fn sent_bytes(status: &Status) -> usize {
        let headers = status.clone().into_http::<()>().into_parts().0.headers;
        ["grpc-message", "grpc-status-details-bin"]
            .into_iter()
            .filter_map(|name| headers.get(name))
            .map(http::HeaderValue::len)
            .sum()
    }

    #[test]
    fn a_single_violation_reads_as_itself() {
        let status = refused(&violations(["key".to_owned()], "is required"));
        assert_eq!(status.message(), "key: is required");
        let details = status.get_error_details();
        assert_eq!(
            details
                .error_info()
                .expect("ErrorInfo")
                .metadata
                .get("violations_left_out"),
            None
        );
    }

    #[test]
    fn what_is_left_out_is_counted_and_each_kind_of_field_keeps_its_first() {
        let many = (0..400).map(|index| format!("keys[{index}].name"));
        let all = violations(
            many.chain(["view".to_owned()]),
            "must be `profiles/{id}` with the id as a UUID",
        );
        let status = refused(&all);
        let details = status.get_error_details();
        let listed = &details.bad_request().expect("violations").field_violations;
        assert!(listed.len() > 8, "{}", listed.len());
        assert_eq!(listed[0].field, "keys[0].name");
        assert_eq!(listed.last().expect("one").field, "view");
        let metadata = &details.error_info().expect("ErrorInfo").metadata;
        assert_eq!(metadata["violations"], "401");
        assert_eq!(
            metadata["violations_left_out"],
            (401 - listed.len()).to_string()
        );
        assert!(
            status
                .message()
                .ends_with(&format!("(401 in all, the details list {})", listed.len())),
            "{status:?}"
        );
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(shortened("電話番号", 27), "電話…");
        assert_eq!(shortened("電話番号", 26), "電…");
        assert_eq!(shortened("電話番号", 36), "電話番号");
        assert_eq!(shortened("abc", 3), "abc");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn no_status_is_larger_than_the_bound(
            texts in prop::collection::vec(("\\PC{0,120}", "\\PC{0,400}"), 1..40),
            message in "(\\PC|電|\u{7f}|%|\\n){0,3000}",
            value in "\\PC{0,2000}",
        ) {
            let all: Vec<Violation> =
                texts.iter().map(|(field, text)| Violation::new(Reason::Malformed, field, text)).collect();
            let listed = refused(&all);
            prop_assert!(sent_bytes(&listed) <= MAX_STATUS_BYTES);
            prop_assert_eq!(sent_bytes(&listed), wire_bytes(&listed));
            prop_assert!(!listed.get_error_details().bad_request().expect("violations").field_violations.is_empty());
            let metadata = HashMap::from([("profiles".to_owned(), value)]);
            let details = ErrorDetails::with_error_info("INTERNAL", "customer-profile", metadata);
            let plain = status(Code::Internal, &message, details);
            prop_assert!(sent_bytes(&plain) <= MAX_STATUS_BYTES);
            prop_assert_eq!(sent_bytes(&plain), wire_bytes(&plain));
        }
    }
}
