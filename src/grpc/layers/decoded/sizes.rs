//! The memory of each message and field of the API, computed from the descriptors.

use std::collections::{HashMap, HashSet};

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use super::LARGE_ELEMENT;

/// The elements that a list has room for when it gets its first one.
const FIRST_ROOM: usize = 4;

/// The buckets of a map's first table; tables double when seven eighths of them are used.
const FIRST_BUCKETS: usize = 4;

/// Bytes that an allocation takes besides its content: rounding, counters.
pub(super) const ALLOCATION: usize = 16;

/// Sizes of the parts of a struct.
const LIST: usize = 24;

const TEXT: usize = 24;

const BYTES: usize = 32;

const MAP: usize = 48;

const SCALAR: usize = 8;

pub(super) struct Sizes {
    pub(super) messages: Vec<Message>,
    /// Request types, by method.
    pub(super) inputs: HashMap<String, usize>,
}

/// A type of message.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// The size of its struct.
    pub(super) bytes: usize,
    /// In order of number.
    fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    number: u32,
    pub(super) name: String,
    pub(super) content: Content,
    /// The size of what each occurrence adds outside of the message's own struct: an element, an
    /// entry, a box.
    pub(super) element: usize,
    holder: Holder,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
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
    pub(super) fn of(pool: &DescriptorPool) -> Self {
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
    pub(super) fn of(message: &MessageDescriptor, places: &HashMap<String, usize>) -> Self {
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

    pub(super) fn field(&self, number: u32) -> Option<&Field> {
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
    pub(super) fn of(field: &FieldDescriptor, places: &HashMap<String, usize>) -> Self {
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
    pub(super) fn growth(&self, count: usize) -> usize {
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
pub(super) fn struct_bytes(message: &MessageDescriptor, within: &mut Vec<String>) -> usize {
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
