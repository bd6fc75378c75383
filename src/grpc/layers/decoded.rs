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

mod sizes;

use std::sync::LazyLock;

use crate::grpc::methods;
use sizes::{ALLOCATION, Content, Message, Sizes};

/// The deepest nesting that is followed. Decoding ends at 100.
const MAX_DEPTH: usize = 110;
/// Elements above this size get room for one at first, smaller ones for [`FIRST_ROOM`].
const LARGE_ELEMENT: usize = 1024;

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
