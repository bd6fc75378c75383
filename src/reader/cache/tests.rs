//! What entries are weighed with is what the process has of them. Each shape is measured in a
//! process of its own: what another one has freed would be used again.

mod shapes;

use std::process::Command;
use std::time::Instant;

use profile_core::records::{Sequence, TenantId};

use super::*;
use crate::memory::resident_bytes;

/// How much is put into the cache before it is measured, by weight: what other things have freed is
/// used again first.
const WARM_BYTES: u64 = 64 << 20;
/// How much is put in after that.
const FILL_BYTES: u64 = 32 << 20;
/// Names the shape to the process that measures it.
const SHAPE: &str = "CUSTOMER_PROFILE_TEST_SHAPE";

fn limits(max_bytes: u64) -> Limits {
    Limits {
        max_bytes,
        max_staleness: Duration::ZERO,
        max_staleness_when_away: Duration::ZERO,
    }
}

fn slot(key: CacheKey, epoch: u64) -> EntryKey {
    EntryKey {
        tenant: TenantId::default(),
        key,
        epoch,
        model: 1,
        generation: 0,
    }
}

fn entry(value: Cached) -> Entry {
    Entry {
        value,
        sequence: Sequence(1),
        shown: Sequence(1),
        read_at: Instant::now(),
    }
}

/// Runs one of the ignored tests below in a process of its own, and returns the numbers that it
/// prints.
fn measured(test: &str, shape: &str) -> Vec<u64> {
    let program = std::env::current_exe().expect("this program");
    let name = format!("reader::cache::tests::{test}");
    let output = Command::new(program)
        .args(["--ignored", "--exact", &name, "--nocapture"])
        .env(SHAPE, shape)
        .output();
    let output = output.expect("this program runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let line = printed
        .lines()
        .find_map(|line| line.split_once("measured "))
        .unwrap_or_else(|| panic!("{output:?}"));
    line.1
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect()
}

fn mebibytes(bytes: u64) -> String {
    let tenths = (bytes * 10) >> 20;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[test]
fn entries_take_the_memory_that_they_are_weighed_with() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let mut wrong = Vec::new();
    for (name, _) in shapes::ALL {
        let numbers = measured("one_shape", name);
        let [weighed, real, entries] = numbers[..] else {
            panic!("{numbers:?}")
        };
        let percent = weighed * 100 / real;
        let line = format!(
            "{name}: {entries} entries, weighed {}, real {} MiB: {percent} %",
            mebibytes(weighed),
            mebibytes(real)
        );
        println!("{line}");
        if !(90..=115).contains(&percent) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
#[ignore = "in a process of its own, by the test above"]
async fn one_shape() {
    let shape = std::env::var(SHAPE).expect("a shape");
    let (_, make) = shapes::ALL
        .iter()
        .find(|(name, _)| *name == shape)
        .expect("a known shape");
    let cache = Cache::new(limits(1 << 40));
    let mut index = 0;
    let mut sizes = Vec::new();
    for bytes in [WARM_BYTES, WARM_BYTES + FILL_BYTES] {
        while cache.size().bytes < bytes {
            let (key, value) = make(index);
            cache.put(slot(key, 0), entry(value)).await;
            index += 1;
            if index % 16 == 0 {
                cache.entries.run_pending_tasks().await;
            }
        }
        sizes.push((cache.size(), resident_bytes().expect("Linux")));
    }
    let [(warm, before), (full, after)] = sizes[..] else {
        panic!("two sizes")
    };
    println!(
        "measured {} {} {}",
        full.bytes - warm.bytes,
        after - before,
        full.entries - warm.entries
    );
}

#[test]
fn a_full_cache_stays_within_its_bound() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for shape in [
        "profile: two records",
        "profile: long texts",
        "objects: long courses",
    ] {
        let numbers = measured("a_cache_that_overflows", shape);
        let [bound, most] = numbers[..] else {
            panic!("{numbers:?}")
        };
        println!(
            "{shape}: bound {}, at most {} MiB",
            mebibytes(bound),
            mebibytes(most)
        );
        // As much as the slack may wait to be evicted, and freed memory is not all given back.
        assert!(
            most <= (bound + super::MAX_SLACK_BYTES) * 13 / 10,
            "{shape}: bound {} MiB, at most {} MiB",
            mebibytes(bound),
            mebibytes(most)
        );
    }
}

#[tokio::test]
#[ignore = "in a process of its own, by the test above"]
async fn a_cache_that_overflows() {
    const BOUND: u64 = 16 << 20;
    let shape = std::env::var(SHAPE).expect("a shape");
    let (_, make) = shapes::ALL
        .iter()
        .find(|(name, _)| *name == shape)
        .expect("a known shape");
    drop(make(0));
    let before = resident_bytes().expect("Linux");
    let (mut arrived, mut most) = (0, 0);
    let cache = Cache::new(limits(BOUND));
    for index in 0.. {
        let (key, value) = make(index);
        // As profiles change: the same keys again, under other epochs.
        let (slot, entry) = (slot(key, index), entry(value));
        arrived += weigh(&slot, &entry) as u64;
        cache.put(slot, entry).await;
        if index % 16 == 0 {
            most = most.max(resident_bytes().expect("Linux").saturating_sub(before));
        }
        if arrived > 3 * BOUND {
            break;
        }
    }
    println!("measured {BOUND} {most}");
}
