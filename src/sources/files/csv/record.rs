//! One record of a CSV file, in a room that grows within its bounds.

use csv_core::{ReadRecordResult, Reader};

use super::MAX_COLUMNS;
use crate::sources::files::MAX_ROW_BYTES;

/// The fields of a row, end to end.
#[derive(Default)]
pub(super) struct Record {
    pub(super) bytes: Vec<u8>,
    pub(super) length: usize,
    ends: Vec<usize>,
    pub(super) fields: usize,
}

impl Record {
    pub(super) fn clear(&mut self) {
        (self.length, self.fields) = (0, 0);
    }

    /// Parses bytes. `None`: there is no more room.
    pub(super) fn take(
        &mut self,
        parser: &mut Reader,
        bytes: &[u8],
    ) -> Option<(ReadRecordResult, usize)> {
        let full = self.length == self.bytes.len()
            && !grow(&mut self.bytes, 4 * 1024, MAX_ROW_BYTES)
            || self.fields == self.ends.len() && !grow(&mut self.ends, 64, MAX_COLUMNS);
        if full {
            return None;
        }
        let (output, ends) = (
            &mut self.bytes[self.length..],
            &mut self.ends[self.fields..],
        );
        let (result, read, written, ended) = parser.read_record(bytes, output, ends);
        self.length += written;
        self.fields += ended;
        Some((result, read))
    }

    pub(super) fn fill<'a>(&mut self, fields: impl Iterator<Item = &'a [u8]>) {
        self.bytes.clear();
        self.ends.clear();
        for field in fields {
            self.bytes.extend_from_slice(field);
            self.ends.push(self.bytes.len());
        }
        (self.length, self.fields) = (self.bytes.len(), self.ends.len());
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut start = 0;
        self.ends[..self.fields]
            .iter()
            .map(move |end| &self.bytes[std::mem::replace(&mut start, *end)..*end])
    }
}

/// Makes room, as long as it may; what is in there is overwritten otherwise.
fn grow<T: Clone + Default>(room: &mut Vec<T>, first: usize, most: usize) -> bool {
    let larger = (room.len() * 2).clamp(first, most);
    let grows = larger > room.len();
    room.resize(larger, T::default());
    grows
}
