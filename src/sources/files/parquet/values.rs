//! Values of a Parquet file as JSON.

use jiff::tz::TimeZone;
use parquet::record::{Field, Row};
use serde_json::{Map, Number, Value as Json};

use super::{Kind, Kinds, join};

pub(super) fn object(row: &Row, path: &str, kinds: &Kinds) -> Result<Json, String> {
    let mut object = Map::new();
    for (name, field) in row.get_column_iter() {
        let value = json(field, &join(path, name), kinds)?;
        object.insert(name.clone(), value);
    }
    Ok(Json::Object(object))
}

/// A value of a column. Elements of lists and values of maps have the path of their column.
fn json(field: &Field, path: &str, kinds: &Kinds) -> Result<Json, String> {
    let kind = kinds.get(path).copied();
    let value = match field {
        Field::Null => Json::Null,
        Field::Bool(value) => Json::Bool(*value),
        Field::Byte(value) => Json::from(*value),
        Field::Short(value) => Json::from(*value),
        Field::Int(value) => Json::from(*value),
        Field::Long(value) => match kind {
            Some(Kind::Timestamp { per_second, utc }) => timestamp(*value, per_second, utc, path)?,
            Some(Kind::TimeOfDay) => time_of_day(*value),
            _ => Json::from(*value),
        },
        Field::UByte(value) => Json::from(*value),
        Field::UShort(value) => Json::from(*value),
        Field::UInt(value) => Json::from(*value),
        Field::ULong(value) => Json::from(*value),
        Field::Float16(value) => number(&value.to_string()),
        Field::Float(value) => number(&value.to_string()),
        Field::Double(value) => number(&value.to_string()),
        Field::Decimal(_) => Json::String(field.to_string()),
        Field::Str(value) => Json::String(value.clone()),
        Field::Bytes(value) => bytes(value.data(), kind),
        Field::Date(days) => date(*days, path)?,
        Field::TimeMillis(value) => time_of_day(i64::from(*value) * 1_000_000),
        Field::TimeMicros(value) => time_of_day(value.saturating_mul(1_000)),
        Field::TimestampMillis(value) => timestamp(*value, 1_000, is_utc(kind), path)?,
        Field::TimestampMicros(value) => timestamp(*value, 1_000_000, is_utc(kind), path)?,
        Field::Group(row) => object(row, path, kinds)?,
        Field::ListInternal(list) => {
            let elements = list.elements().iter();
            let elements = elements.map(|element| json(element, path, kinds));
            Json::Array(elements.collect::<Result<_, _>>()?)
        }
        Field::MapInternal(map) => {
            let mut object = Map::new();
            for (key, value) in map.entries() {
                let key = match json(key, "", &Kinds::new())? {
                    Json::String(key) => key,
                    other => other.to_string(),
                };
                object.insert(key, json(value, path, kinds)?);
            }
            Json::Object(object)
        }
    };
    Ok(value)
}

/// Timestamps of old files say nothing of it, and are in UTC.
fn is_utc(kind: Option<Kind>) -> bool {
    !matches!(kind, Some(Kind::Timestamp { utc: false, .. }))
}

/// A floating point number by its shortest digits.
fn number(digits: &str) -> Json {
    match digits.parse::<f64>() {
        Ok(value) if value.is_nan() => Json::Null,
        Ok(value) => {
            Number::from_f64(value).map_or_else(|| Json::String(digits.to_owned()), Json::Number)
        }
        Err(_) => Json::String(digits.to_owned()),
    }
}

pub(super) fn bytes(bytes: &[u8], kind: Option<Kind>) -> Json {
    let hexadecimal = || bytes.iter().map(|byte| format!("{byte:02x}"));
    let text = match (kind, std::str::from_utf8(bytes)) {
        (Some(Kind::Uuid), _) if bytes.len() == 16 => {
            let digits: String = hexadecimal().collect();
            [0..8, 8..12, 12..16, 16..20, 20..32]
                .map(|part| digits[part].to_owned())
                .join("-")
        }
        (_, Ok(text)) => text.to_owned(),
        _ => hexadecimal().collect(),
    };
    Json::String(text)
}

fn date(days: i32, path: &str) -> Result<Json, String> {
    let epoch = jiff::civil::date(1970, 1, 1);
    let date = epoch.checked_add(jiff::Span::new().days(days));
    let date = date.map_err(|_| format!("the Parquet column `{path}` has a date out of range"))?;
    Ok(Json::String(date.to_string()))
}

fn time_of_day(nanoseconds: i64) -> Json {
    let span = jiff::SignedDuration::from_nanos(nanoseconds);
    let time = jiff::civil::Time::midnight().wrapping_add(span);
    Json::String(time.to_string())
}

fn timestamp(ticks: i64, per_second: i64, utc: bool, path: &str) -> Result<Json, String> {
    let nanoseconds = i128::from(ticks) * (1_000_000_000 / i128::from(per_second));
    let time = jiff::Timestamp::from_nanosecond(nanoseconds)
        .map_err(|_| format!("the Parquet column `{path}` has a time out of range"))?;
    let text = if utc {
        time.to_string()
    } else {
        time.to_zoned(TimeZone::UTC).datetime().to_string()
    };
    Ok(Json::String(text))
}
