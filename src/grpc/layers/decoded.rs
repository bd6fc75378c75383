//! The memory that a message takes once it is decoded.
//!
//! Protobuf writes an empty element of a list in two bytes and an empty entry of a map in two; in
//! memory each takes hundreds. So a message within `grpc.max_receive_bytes` can decode to hundreds
//! of times its size, before any count in it is checked. Here the bytes are walked once before they
//! are decoded, guided by the descriptors of the request types, and the memory is estimated as the
//! generated code takes it: structs, list and map capacities, texts.
//!
//! The estimate is an upper bound, apart from the allocator's own overhead. The walk allocates
//! nothing, ends as soon as its limit is passed, and stops where the bytes are malformed: decoding
//! fails there too.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::grpc::methods;

/// The deepest nesting that is followed. Decoding ends at 100.
const MAX_DEPTH: usize = 110;
/// Elements above this size get room for one at first, smaller ones for [`FIRST_ROOM`].
const LARGE_ELEMENT: usize = 1024;
/// The elements that a list has room for when it gets its first one.
const FIRST_ROOM: usize = 4;
/// The buckets of a map's first table; tables double when seven eighths of them are used.
const FIRST_BUCKETS: usize = 4;
/// What an allocation takes besides its content: rounding, counters.
const ALLOCATION: usize = 16;
/// Sizes of the parts of a struct.
const LIST: usize = 24;
const TEXT: usize = 24;
const BYTES: usize = 32;
const MAP: usize = 48;
const SCALAR: usize = 8;

/// The estimate of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::grpc) enum Estimate {
    /// Bytes of memory.
    Bytes(usize),
    /// More than the limit; the field of the request at which it was passed.
    TooLarge(&'static str),
}

/// The request type of a method.
#[derive(Debug, Clone, Copy)]
pub(in crate::grpc) struct Shape(&'static Message);

impl Shape {
    /// The request type of a method, by `package.Service/Method`.
    pub(in crate::grpc) fn of_method(name: &str) -> Option<Self> {
        SIZES
            .inputs
            .get(name)
            .and_then(|index| SIZES.messages.get(*index))
            .map(Self)
    }

    /// Estimates a message, up to a limit.
    pub(in crate::grpc) fn estimate(self, bytes: &[u8], limit: usize) -> Estimate {
        let mut walk = Walk {
            sum: self.0.bytes,
            limit,
            field: "",
        };
        match walk.message(self.0, bytes, 0) {
            Err(Stop::TooLarge) => Estimate::TooLarge(walk.field),
            Ok(()) | Err(Stop::Malformed) => Estimate::Bytes(walk.sum),
        }
    }
}

/// Reads the descriptors. Later calls cost nothing; the first request need not wait for it.
pub(super) fn prepare() {
    LazyLock::force(&SIZES);
}

static SIZES: LazyLock<Sizes> = LazyLock::new(|| Sizes::of(&methods::pool()));

struct Sizes {
    messages: Vec<Message>,
    /// Request types, by method.
    inputs: HashMap<String, usize>,
}

/// A type of message.
#[derive(Debug, Default)]
struct Message {
    /// The size of its struct.
    bytes: usize,
    /// In order of number.
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    number: u32,
    name: String,
    content: Content,
    /// The size of what each occurrence adds outside of the message's own struct: an element, an
    /// entry, a box.
    element: usize,
    holder: Holder,
}

#[derive(Debug, Clone, Copy)]
enum Content {
    Scalar,
    /// A text or bytes.
    Text,
    Message(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    One,
    List,
    Map,
}

impl Sizes {
    fn of(pool: &DescriptorPool) -> Self {
        let types: Vec<MessageDescriptor> = pool.all_messages().collect();
        let places: HashMap<String, usize> = types
            .iter()
            .enumerate()
            .map(|(index, message)| (message.full_name().to_owned(), index))
            .collect();
        let messages = types
            .iter()
            .map(|message| Message::of(message, &places))
            .collect();
        let mut inputs = HashMap::new();
        for method in pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            if let Some(index) = places.get(method.input().full_name()) {
                inputs.insert(
                    format!("{}/{}", method.parent_service().full_name(), method.name()),
                    *index,
                );
            }
        }
        Self { messages, inputs }
    }
}

impl Message {
    fn of(message: &MessageDescriptor, places: &HashMap<String, usize>) -> Self {
        let mut fields: Vec<Field> = message
            .fields()
            .map(|field| Field::of(&field, places))
            .collect();
        fields.sort_unstable_by_key(|field| field.number);
        Self {
            bytes: struct_bytes(message, &mut Vec::new()),
            fields,
        }
    }

    fn field(&self, number: u32) -> Option<&Field> {
        // Most types number their fields from one on.
        let likely = self
            .fields
            .get((number as usize).wrapping_sub(1))
            .filter(|field| field.number == number);
        likely.or_else(|| {
            let index = self
                .fields
                .binary_search_by_key(&number, |field| field.number)
                .ok()?;
            self.fields.get(index)
        })
    }
}

impl Field {
    fn of(field: &FieldDescriptor, places: &HashMap<String, usize>) -> Self {
        let content = match field.kind() {
            Kind::Message(message) => places
                .get(message.full_name())
                .map_or(Content::Text, |at| Content::Message(*at)),
            Kind::String | Kind::Bytes => Content::Text,
            _ => Content::Scalar,
        };
        let holder = match () {
            () if field.is_map() => Holder::Map,
            () if field.is_list() => Holder::List,
            () => Holder::One,
        };
        let element = match field.kind() {
            Kind::Message(message) if holder != Holder::One || is_boxed(field, &message) => {
                struct_bytes(&message, &mut Vec::new())
            }
            Kind::String if holder == Holder::List => TEXT,
            Kind::Bytes if holder == Holder::List => BYTES,
            _ if holder == Holder::List => SCALAR,
            _ => 0,
        };
        Self {
            number: field.number(),
            name: field.name().to_owned(),
            content,
            element,
            holder,
        }
    }

    /// The memory that the next of `count` elements in a row adds: lists and maps grow by doubling.
    fn growth(&self, count: usize) -> usize {
        let first = if self.element > LARGE_ELEMENT {
            1
        } else {
            FIRST_ROOM
        };
        let more = match count {
            1 => first,
            _ if count > first && (count - 1).is_power_of_two() => count - 1,
            _ => 0,
        };
        match self.holder {
            Holder::One if self.element > 0 => self.element + ALLOCATION,
            Holder::One => 0,
            Holder::List => more * self.element + if count == 1 { ALLOCATION } else { 0 },
            // A control byte for each bucket, and a group of them at the end.
            Holder::Map => {
                more_buckets(count) * (self.element + 1)
                    + if count == 1 { 2 * ALLOCATION } else { 0 }
            }
        }
    }
}

/// The buckets that the next of `count` entries adds.
fn more_buckets(count: usize) -> usize {
    match count - 1 {
        0 | 3 => FIRST_BUCKETS,
        full if full % 7 == 0 && (full / 7).is_power_of_two() => full / 7 * 8,
        _ => 0,
    }
}

/// Whether a message can hold itself by way of a field, so that the field is a pointer.
fn is_boxed(field: &FieldDescriptor, message: &MessageDescriptor) -> bool {
    fn reaches(message: &MessageDescriptor, wanted: &str, seen: &mut HashSet<String>) -> bool {
        message.full_name() == wanted
            || (seen.insert(message.full_name().to_owned())
                && message
                    .fields()
                    .any(|field| matches!(field.kind(), Kind::Message(inner) if reaches(&inner, wanted, seen))))
    }
    reaches(
        message,
        field.parent_message().full_name(),
        &mut HashSet::new(),
    )
}

/// The size of a message's struct, at most.
fn struct_bytes(message: &MessageDescriptor, within: &mut Vec<String>) -> usize {
    if within.iter().any(|name| name == message.full_name()) {
        return SCALAR;
    }
    within.push(message.full_name().to_owned());
    let mut plain = 0;
    for field in message.fields() {
        if field
            .containing_oneof()
            .is_none_or(|oneof| oneof.fields().len() == 1)
        {
            plain += field_bytes(&field, within);
        }
    }
    let oneofs: usize = message
        .oneofs()
        .filter(|oneof| oneof.fields().len() > 1)
        .map(|oneof| {
            oneof
                .fields()
                .map(|field| field_bytes(&field, within))
                .max()
                .unwrap_or(0)
                + SCALAR
        })
        .sum();
    within.pop();
    plain + oneofs
}

fn field_bytes(field: &FieldDescriptor, within: &mut Vec<String>) -> usize {
    match field.kind() {
        _ if field.is_map() => MAP,
        _ if field.is_list() => LIST,
        Kind::Message(message) => struct_bytes(&message, within) + SCALAR,
        Kind::String => TEXT,
        Kind::Bytes => BYTES,
        _ if field.supports_presence() => 2 * SCALAR,
        _ => SCALAR,
    }
}

enum Stop {
    /// The estimate is over its limit.
    TooLarge,
    /// The bytes are no message.
    Malformed,
}

struct Walk {
    sum: usize,
    limit: usize,
    /// The field of the outermost message that is walked.
    field: &'static str,
}

impl Walk {
    fn message(
        &mut self,
        message: &'static Message,
        mut bytes: &[u8],
        depth: usize,
    ) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Malformed);
        }
        // Elements of one field in a row; encoders write them so. Where they take turns, each is
        // counted as a new list.
        let (mut last, mut count) = (0, 0);
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let number = u32::try_from(key >> 3).map_err(|_| Stop::Malformed)?;
            let Some(field) = message.field(number) else {
                skip(&mut bytes, key)?;
                continue;
            };
            count = if last == number { count + 1 } else { 1 };
            last = number;
            if depth == 0 {
                self.field = &field.name;
            }
            let content = if key & 7 == LENGTH_DELIMITED {
                Some(delimited(&mut bytes)?)
            } else {
                None
            };
            match (content, field.content) {
                (None, _) => {
                    skip(&mut bytes, key)?;
                    self.add(field.growth(count))?;
                }
                // Packed: a byte makes one element at most, and the list grows by doubling.
                (Some(content), Content::Scalar) => {
                    self.add(2 * content.len() * field.element + ALLOCATION)?;
                }
                (Some(content), Content::Text) => self.add(field.growth(count) + text(content))?,
                (Some(content), Content::Message(index)) => {
                    self.add(field.growth(count))?;
                    if let Some(inner) = SIZES.messages.get(index)
                        && !content.is_empty()
                    {
                        self.message(inner, content, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, bytes: usize) -> Result<(), Stop> {
        self.sum = self.sum.saturating_add(bytes);
        if self.sum > self.limit {
            Err(Stop::TooLarge)
        } else {
            Ok(())
        }
    }
}

fn text(content: &[u8]) -> usize {
    if content.is_empty() {
        0
    } else {
        content.len() + ALLOCATION
    }
}

const LENGTH_DELIMITED: u64 = 2;

fn varint(bytes: &mut &[u8]) -> Result<u64, Stop> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Stop::Malformed)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Stop::Malformed)
}

fn delimited<'b>(bytes: &mut &'b [u8]) -> Result<&'b [u8], Stop> {
    let length = usize::try_from(varint(bytes)?).map_err(|_| Stop::Malformed)?;
    take(bytes, length)
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Result<&'b [u8], Stop> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Stop::Malformed)?;
    *bytes = rest;
    Ok(taken)
}

/// Skips the value after a key, also a whole group.
fn skip(bytes: &mut &[u8], mut key: u64) -> Result<(), Stop> {
    let mut groups = 0_usize;
    loop {
        match key & 7 {
            0 => drop(varint(bytes)?),
            1 => drop(take(bytes, 8)?),
            LENGTH_DELIMITED => drop(delimited(bytes)?),
            3 => groups += 1,
            4 => groups = groups.checked_sub(1).ok_or(Stop::Malformed)?,
            5 => drop(take(bytes, 4)?),
            _ => return Err(Stop::Malformed),
        }
        if groups == 0 {
            return Ok(());
        }
        key = varint(bytes)?;
    }
}

#[cfg(test)]
mod tests;
