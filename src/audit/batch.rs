//! Batches: entries as the store keeps them, and fingerprints of the customers in them.
//!
//! The fingerprints say which batches may speak of a customer without their bodies being read. A
//! fingerprint is four bytes, so one of four thousand million other customers shares it; the
//! entries decide.

use std::collections::BTreeSet;
use std::hash::Hasher;

use profile_core::records::Timestamp;
use siphasher::sip::SipHasher13;
use zstd::bulk::{compress, decompress};
use zstd::zstd_safe::get_frame_content_size;

use super::Entry;
use crate::store::{AuditBatch, AuditSpan};

/// The length of a fingerprint in bytes.
const FINGERPRINT_BYTES: usize = 4;
/// The most bytes that the entries of a batch may have. An entry has at most a few thousand
/// customers; what is larger was not written by this program.
const MAX_BATCH_BYTES: usize = 64 * 1024 * 1024;
/// The fastest level of zstd.
const COMPRESSION: i32 = 1;

/// A batch that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch of the audit log cannot be read: it was changed")]
pub struct BatchError;

/// Puts entries with their lines into a batch that begins at a place.
pub(super) fn pack(first: u64, entries: &[(Entry, Vec<u8>)]) -> AuditBatch {
    let size = entries.iter().map(|(_, line)| line.len() + 1).sum();
    let mut text = Vec::with_capacity(size);
    for (_, line) in entries {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    AuditBatch {
        span: span(first, entries.iter().map(|(entry, _)| entry)),
        // Memory takes all.
        body: compress(&text, COMPRESSION).unwrap_or_default(),
    }
}

/// The summary of entries, by which they are found.
fn span<'a>(first: u64, entries: impl Iterator<Item = &'a Entry>) -> AuditSpan {
    let mut customers = BTreeSet::new();
    let mut span = AuditSpan {
        first,
        count: 0,
        begin_time: Timestamp::from_micros(i64::MAX),
        end_time: Timestamp::from_micros(i64::MIN),
        customers: Vec::new(),
    };
    for entry in entries {
        span.count += 1;
        span.begin_time = span.begin_time.min(entry.time);
        span.end_time = span.end_time.max(entry.time);
        customers.extend(entry.customers.iter().map(|customer| fingerprint(customer)));
    }
    span.customers = customers.into_iter().flatten().collect();
    span
}

/// The lines of a batch, in order, if it is found by what they say.
///
/// # Errors
/// It was changed.
pub(super) fn lines(batch: &AuditBatch) -> Result<Vec<Vec<u8>>, BatchError> {
    let size = get_frame_content_size(&batch.body).ok().flatten();
    let size = size.and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| *size <= MAX_BATCH_BYTES);
    let text = decompress(&batch.body, size.ok_or(BatchError)?).map_err(|_| BatchError)?;
    let lines: Vec<Vec<u8>> = text
        .strip_suffix(b"\n")
        .ok_or(BatchError)?
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let entries: Option<Vec<Entry>> = lines.iter().map(|line| Entry::of_line(line)).collect();
    let said = span(batch.span.first, entries.ok_or(BatchError)?.iter());
    if said == batch.span {
        Ok(lines)
    } else {
        Err(BatchError)
    }
}

/// Whether a batch may speak of a customer.
pub(super) fn may_name(span: &AuditSpan, customer: &str) -> bool {
    let wanted = fingerprint(customer);
    let (all, _) = span.customers.as_chunks::<FINGERPRINT_BYTES>();
    all.binary_search(&wanted).is_ok()
}

fn fingerprint(customer: &str) -> [u8; FINGERPRINT_BYTES] {
    let mut hasher = SipHasher13::new();
    hasher.write(customer.as_bytes());
    let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(customers: &[&str]) -> (Entry, Vec<u8>) {
        let entry = Entry {
            customers: customers.iter().map(|name| (*name).to_owned()).collect(),
            ..Entry::default()
        };
        let line = entry.to_line();
        (entry, line)
    }

    #[test]
    fn a_batch_gives_its_lines_back_and_knows_its_customers() {
        let entries = [entry(&["profiles/1", "profiles/2"]), entry(&[])];
        let mut batch = pack(7, &entries);
        let read = lines(&batch).unwrap();
        assert_eq!(read, [entries[0].1.clone(), entries[1].1.clone()]);
        assert!(may_name(&batch.span, "profiles/2") && !may_name(&batch.span, "profiles/3"));
        let mut hidden = batch.clone();
        hidden.span.customers.truncate(FINGERPRINT_BYTES);
        let mut later = batch.clone();
        later.span.begin_time = Timestamp::from_micros(1);
        assert_eq!(
            [lines(&hidden), lines(&later)],
            [Err(BatchError), Err(BatchError)]
        );
        batch.body[3] ^= 1;
        assert!(lines(&batch).map_or(true, |changed| changed != read));
        batch.body.clear();
        assert_eq!(lines(&batch), Err(BatchError));
    }
}
