//! Parquet as lines of JSON, so that all that reads NDJSON reads it too.
//!
//! Each row is an object by column. Decimals are texts, so that they stay exact; so are dates
//! (`2026-01-31`), times of day and timestamps. A timestamp that its column adjusts to UTC ends in
//! `Z`, another has no zone: the source's holds. `NaN` says nothing, and infinity is a text. Bytes
//! are a text if they are one, UUIDs have their usual form, and others are hexadecimal.

mod values;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use values::object;

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
