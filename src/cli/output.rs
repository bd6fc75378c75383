//! Answers, for people and for programs.
//!
//! For people: tables without borders, as wide as the terminal. For programs: the API's own
//! messages in Protobuf's canonical JSON (64-bit numbers as text, times in RFC 3339), with keys in
//! order, so that equal answers are equal texts.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use profile_core::records::Timestamp;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::grpc::FILE_DESCRIPTOR_SET;
use crate::grpc::v1::{self, value::Kind};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// Tables, for people
    #[default]
    Table,
    /// JSON, for programs
    Json,
}

/// Whether the output still has a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// It has a reader, as far as this process knows.
    There,
    /// The reader has closed its end (`| head`).
    Gone,
}

/// Writes a text and a line's end to standard output. A reader that has gone (`| head`) is no
/// error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    emit(text).map(drop)
}

/// The same, with whether the output still has a reader: for commands that print without end.
pub(super) fn emit(text: &str) -> anyhow::Result<Audience> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Audience::Gone),
        written => written.map(|()| Audience::There).context("standard output"),
    }
}

/// Prints a message of `customer.profile.v1` in canonical JSON.
pub(super) fn print_json(name: &str, message: &impl prost::Message) -> anyhow::Result<()> {
    print(&json(name, message)?)
}

/// A message of `customer.profile.v1` as a text in canonical JSON.
pub(super) fn json(name: &str, message: &impl prost::Message) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&canonical(name, message)?)?)
}

/// The same in one line.
pub(super) fn json_line(name: &str, message: &impl prost::Message) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&canonical(name, message)?)?)
}

/// A message in canonical JSON.
fn canonical(name: &str, message: &impl prost::Message) -> anyhow::Result<serde_json::Value> {
    serialize(
        name,
        message,
        &SerializeOptions::new().skip_default_fields(true),
    )
}

/// A message in JSON under the names of its fields in the proto files.
fn by_name(name: &str, message: &impl prost::Message) -> anyhow::Result<serde_json::Value> {
    serialize(
        name,
        message,
        &SerializeOptions::new()
            .skip_default_fields(true)
            .use_proto_field_name(true),
    )
}

fn serialize(
    name: &str,
    message: &impl prost::Message,
    options: &SerializeOptions,
) -> anyhow::Result<serde_json::Value> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET)?;
    let name = format!("customer.profile.v1.{name}");
    let descriptor = pool.get_message_by_name(&name).with_context(|| name)?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    Ok(message.serialize_with_options(serde_json::value::Serializer, options)?)
}

/// The fields of a message that are set, by their names in the API, each as a person reads it.
pub(super) fn fields(
    name: &str,
    message: &impl prost::Message,
) -> anyhow::Result<Vec<(String, String)>> {
    let json = by_name(name, message)?;
    let serde_json::Value::Object(fields) = json else {
        return Ok(Vec::new());
    };
    let topics = |name: &str, value: &serde_json::Value| match value {
        serde_json::Value::Object(entries) if name == "topics" => entries
            .iter()
            .map(|(topic, value)| (format!("topics.{topic}"), readable(value)))
            .collect(),
        value => vec![(name.to_owned(), readable(value))],
    };
    Ok(fields
        .iter()
        .flat_map(|(name, value)| topics(name, value))
        .collect())
}

/// JSON as a person reads it.
fn readable(value: &serde_json::Value) -> String {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => plain(text),
        Json::Array(values) => values.iter().map(readable).collect::<Vec<_>>().join(", "),
        Json::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(name, value)| format!("{name}={}", readable(value)));
            entries.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// A table with these columns.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.iter().map(|title| title.to_uppercase()));
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A table as text, without blanks at the ends of lines.
pub(super) fn lines(table: &Table) -> String {
    table
        .to_string()
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A table that is a page of a list, with a note if the list goes on.
pub(super) fn page(table: &Table, next_page_token: &str) -> String {
    let more = if next_page_token.is_empty() { "" } else { MORE };
    format!("{}{more}", lines(table))
}

/// The note below a list that goes on.
const MORE: &str = "\n\nthere are more; raise --limit";

/// A text of a source, harmless to a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                letter
            }
        })
        .collect()
}

/// An identifier as its source wrote it.
pub(super) fn written(identifier: &v1::Identifier) -> &str {
    if identifier.original_value.is_empty() {
        &identifier.value
    } else {
        &identifier.original_value
    }
}

/// A value for people.
pub(super) fn value(value: &v1::Value) -> String {
    match &value.kind {
        None => String::new(),
        Some(Kind::StringValue(text) | Kind::DecimalValue(text)) => plain(text),
        Some(Kind::Int64Value(number)) => number.to_string(),
        Some(Kind::BoolValue(flag)) => flag.to_string(),
        Some(Kind::TimeValue(instant)) => time(instant),
        Some(Kind::ListValue(list)) => list
            .values
            .iter()
            .map(self::value)
            .collect::<Vec<_>>()
            .join(", "),
        Some(Kind::MapValue(map)) => {
            let mut entries: Vec<_> = map.entries.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries = entries
                .into_iter()
                .map(|(name, value)| format!("{}={}", plain(name), self::value(value)));
            entries.collect::<Vec<_>>().join(" ")
        }
    }
}

/// An instant for people: UTC, to the second.
pub(super) fn time(instant: &prost_types::Timestamp) -> String {
    match jiff::Timestamp::new(instant.seconds, 0) {
        Ok(instant) => instant.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{} s", instant.seconds),
    }
}

/// A record for people.
pub(super) fn record(key: Option<&v1::RecordKey>) -> String {
    key.map(|key| format!("{}/{}", plain(&key.source), plain(&key.key)))
        .unwrap_or_default()
}

/// A time to the minute.
pub(super) fn minute(time: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.as_micros())
        .map(|time| time.strftime("%Y-%m-%d %H:%MZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_protobufs_own() {
        let event = v1::Event {
            event_id: "17".to_owned(),
            event_time: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 500_000_000,
            }),
            properties: [
                (
                    "total".to_owned(),
                    v1::Value {
                        kind: Some(Kind::DecimalValue("19.90".to_owned())),
                    },
                ),
                (
                    "number".to_owned(),
                    v1::Value {
                        kind: Some(Kind::Int64Value(9_007_199_254_740_993)),
                    },
                ),
            ]
            .into(),
            ..v1::Event::default()
        };
        insta::assert_snapshot!(format!("{:#}", canonical("Event", &event).unwrap()), @r#"
        {
          "eventId": "17",
          "eventTime": "1970-01-01T00:00:00.500Z",
          "properties": {
            "number": {
              "int64Value": "9007199254740993"
            },
            "total": {
              "decimalValue": "19.90"
            }
          }
        }
        "#);
    }

    #[test]
    fn what_sources_say_cannot_command_a_terminal() {
        assert_eq!(plain("Ann\u{1b}[2J\u{7}"), "Ann\u{fffd}[2J\u{fffd}");
    }
}
