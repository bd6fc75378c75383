//! Events as expressions see them.

use serde_json::{Map, Number, Value as Json, json};

use crate::records::rollup::Calendar;
use crate::records::{Event, Value};

/// The variable that stands for the event itself, beside its properties.
const EVENT: &str = "event";

/// Returns what expressions see of an event: its properties, and `event` with its type, source, id,
/// time, and the hour, weekday (1 is Monday) and date that the model's calendar shows then.
pub(super) fn payload(event: &Event, calendar: &Calendar) -> Json {
    let mut fields: Map<String, Json> = event
        .properties
        .iter()
        .map(|(name, value)| (name.clone(), json_of(value)))
        .collect();
    let shown = calendar.shown(event.sort_time);
    let about = json!({
        "type": event.kind,
        "source": event.source(),
        "id": event.event_id,
        "time": event.sort_time.to_string(),
        "hour": shown.hour(),
        "weekday": shown.weekday().to_monday_one_offset(),
        "date": shown.date().to_string(),
    });
    fields.insert(EVENT.to_owned(), about);
    Json::Object(fields)
}

/// A value as expressions take it.
pub(in crate::model) fn json_of(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::String(text.clone()),
        Value::Int(number) => Json::from(*number),
        Value::Decimal(number) => number
            .to_string()
            .parse::<Number>()
            .map_or(Json::Null, Json::Number),
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Time(time) => Json::String(time.to_string()),
        Value::List(values) => values.iter().map(json_of).collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), json_of(value)))
                .collect(),
        ),
    }
}
