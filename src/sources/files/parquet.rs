//! Parquet as lines of JSON, so that all that reads NDJSON reads it too.
//!
//! Each row is an object by column. Decimals are texts, so that they stay exact; so are dates
//! (`2026-01-31`), times of day and timestamps. A timestamp that its column adjusts to UTC ends in
//! `Z`, another has no zone: the source's holds. `NaN` says nothing, and infinity is a text. Bytes
//! are a text if they are one, UUIDs have their usual form, and others are hexadecimal.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::tz::TimeZone;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::{Map, Number, Value as Json};

/// First bytes of a file.
const MAGIC: &[u8] = b"PAR1";

/// Whether a file is Parquet. It is left at its beginning.
pub(super) fn is_parquet(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    file.by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut beginning)?;
    file.rewind()?;
    Ok(beginning == MAGIC)
}

/// The rows of a file as lines.
pub(super) struct Lines {
    rows: RowIter<'static>,
    kinds: Kinds,
    columns: Vec<String>,
    count: i64,
    buffer: VecDeque<u8>,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// In words: it is damaged, or has columns of a form that is not read.
    pub(super) fn open(file: File) -> Result<Self, String> {
        let reader = guarded(|| SerializedFileReader::new(file))?;
        let metadata = reader.metadata().file_metadata();
        let mut kinds = Kinds::new();
        let root = metadata.schema_descr().root_schema_ptr();
        for column in root.get_fields() {
            look(column, "", false, &mut kinds)?;
        }
        let columns = root.get_fields().iter().map(|column| column.name());
        let columns = columns.map(str::to_owned).collect();
        let count = metadata.num_rows();
        let rows = RowIter::from_file_into(Box::new(reader));
        Ok(Self {
            rows,
            kinds,
            columns,
            count,
            buffer: VecDeque::new(),
        })
    }

    /// Format of the file.
    pub(super) fn described(&self) -> String {
        format!("Parquet (its first bytes are PAR1), {} rows", self.count)
    }

    /// Names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    fn next_line(&mut self) -> Result<bool, String> {
        let rows = &mut self.rows;
        let Some(row) = guarded(|| rows.next().transpose())? else {
            return Ok(false);
        };
        let line = object(&row, "", &self.kinds)?;
        self.buffer.extend(line.to_string().into_bytes());
        self.buffer.push_back(b'\n');
        Ok(true)
    }
}

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            self.next_line()
                .map_err(|what| io::Error::new(io::ErrorKind::InvalidData, what))?;
        }
        self.buffer.read(into)
    }
}

/// The library panics on some damaged files.
fn guarded<T>(read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(format!("the Parquet file cannot be read: {error}")),
        Err(_) => Err("the Parquet file is damaged".to_owned()),
    }
}

/// Meaning of a number or of bytes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A timestamp, with its ticks a second, adjusted to UTC or local.
    Timestamp {
        per_second: i64,
        utc: bool,
    },
    /// A time of day in nanoseconds.
    TimeOfDay,
    Uuid,
}

/// By the path of a column, without the levels of lists and maps.
type Kinds = BTreeMap<String, Kind>;

/// Notes the kinds of a column and of those within it.
fn look(column: &Type, path: &str, annotated: bool, kinds: &mut Kinds) -> Result<(), String> {
    let info = column.get_basic_info();
    let repeated = info.has_repetition() && info.repetition() == Repetition::REPEATED;
    let path = join(path, info.name());
    if repeated && !annotated {
        return Err(format!(
            "the Parquet column `{path}` is repeated without being a list, which is not read"
        ));
    }
    match info.logical_type_ref() {
        Some(LogicalType::Timestamp(kind)) => {
            let per_second = match kind.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            };
            let utc = kind.is_adjusted_to_u_t_c;
            kinds.insert(path.clone(), Kind::Timestamp { per_second, utc });
        }
        Some(LogicalType::Time(kind)) if kind.unit == TimeUnit::NANOS => {
            kinds.insert(path.clone(), Kind::TimeOfDay);
        }
        Some(LogicalType::Uuid) => {
            kinds.insert(path.clone(), Kind::Uuid);
        }
        _ => {}
    }
    if !column.is_group() {
        return Ok(());
    }
    let is_list = info.converted_type() == ConvertedType::LIST;
    let is_map = matches!(
        info.converted_type(),
        ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE
    );
    for child in column.get_fields() {
        if (is_list || is_map) && child.is_group() {
            // The level between a list and its elements, or a map and its entries.
            for inner in child.get_fields() {
                let mut within = Kinds::new();
                look(inner, "", false, &mut within)?;
                let of = |name: String| match name.split_once('.') {
                    Some((_, rest)) => join(&path, rest),
                    None => path.clone(),
                };
                let key_of_map = is_map && inner.name() == "key";
                kinds.extend(
                    within
                        .into_iter()
                        .filter(|_| !key_of_map)
                        .map(|(name, kind)| (of(name), kind)),
                );
            }
        } else {
            look(child, &path, is_list || is_map, kinds)?;
        }
    }
    Ok(())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn object(row: &Row, path: &str, kinds: &Kinds) -> Result<Json, String> {
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

fn bytes(bytes: &[u8], kind: Option<Kind>) -> Json {
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
