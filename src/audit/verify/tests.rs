use super::*;
use crate::audit::tree::TILE_WIDTH;

const SIZE: u64 = 10_000;

/// A log as somebody who can write to the database has it before them.
#[derive(Clone)]
struct Log {
    lines: BTreeMap<u64, Vec<u8>>,
    hashes: Vec<LeafHash>,
}

impl Log {
    fn new(size: u64) -> Self {
        let line = |index: u64| format!("{{\"request_id\":\"{index}\"}}").into_bytes();
        let lines: BTreeMap<u64, Vec<u8>> = (0..size).map(|index| (index, line(index))).collect();
        let hashes = lines.values().map(|line| leaf_hash(line)).collect();
        Self { lines, hashes }
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut tree = Tree::default();
        self.hashes.iter().for_each(|hash| tree.push(*hash));
        Checkpoint {
            origin: "log".to_owned(),
            size: tree.size(),
            hash: tree.hash(),
            is_signed: true,
        }
    }

    fn cut(mut self, size: u64) -> Self {
        self.lines.retain(|index, _| *index < size);
        self.hashes.truncate(usize::try_from(size).unwrap());
        self
    }

    /// The findings of a verification.
    fn verified(&self, kept: &[Checkpoint], now: &Checkpoint) -> Vec<Finding> {
        let mut verification = Verification::new(kept);
        let tiles: Vec<&[LeafHash]> = self.hashes.chunks(256).collect();
        for (number, hashes) in tiles.iter().enumerate() {
            let first = number as u64 * TILE_WIDTH;
            let leaves = self.lines.range(first..first + TILE_WIDTH);
            let leaf = |(index, line): (&u64, &Vec<u8>)| Leaf {
                index: *index,
                line: line.clone(),
            };
            let leaves: Vec<Leaf> = leaves.map(leaf).collect();
            verification.tile(&hashes.concat(), &leaves, number + 1 == tiles.len());
        }
        let (size, count, findings) = verification.finish(Some(now));
        assert_eq!(size, self.hashes.len() as u64);
        assert_eq!(count.min(MAX_FINDINGS as u64), findings.len() as u64);
        findings
    }
}

#[test]
fn a_log_that_nobody_touched_fits_all_its_checkpoints() {
    let log = Log::new(SIZE);
    let kept = [1, 255, 256, 257, 9999].map(|size| log.clone().cut(size).checkpoint());
    assert_eq!(log.verified(&kept, &log.checkpoint()), []);
    let empty = Log::new(0);
    assert_eq!(Verification::new(&[]).finish(None), (0, 0, Vec::new()));
    assert_eq!(empty.verified(&[], &empty.checkpoint()), []);
}

#[test]
fn each_kind_of_tampering_is_found_and_says_where() {
    let log = Log::new(SIZE);
    let (was, early) = (log.checkpoint(), log.clone().cut(7000).checkpoint());
    for place in [0, 255, 256, 4711, SIZE - 1] {
        let mut changed = log.clone();
        changed.lines.insert(place, b"{}".to_vec());
        assert_eq!(changed.verified(&[], &was), [Finding::Changed(place)]);

        let mut removed = log.clone();
        removed.lines.remove(&place);
        assert_eq!(removed.verified(&[], &was), [Finding::Missing(place)]);

        // With its hash: all checkpoints of after it tell.
        let at = usize::try_from(place).unwrap();
        changed.hashes[at] = leaf_hash(b"{}");
        let found = changed.verified(std::slice::from_ref(&early), &was);
        let later = Finding::OtherHash(SIZE);
        let both = [Finding::OtherHash(7000), later.clone()];
        assert_eq!(found, if place < 7000 { &both[..] } else { &both[1..] });
        assert_eq!(
            later.to_string(),
            "the first 10000 entries are not those of the checkpoint"
        );
    }
    let mut exchanged = log.clone();
    let (one, other) = (log.lines[&300].clone(), log.lines[&9000].clone());
    exchanged.lines.extend([(300, other), (9000, one)]);
    let moved = [Finding::Moved(300, 9000), Finding::Moved(9000, 300)];
    assert_eq!(exchanged.verified(&[], &was), moved);
    // The last entry stands in for one that was removed.
    let mut replaced = log.clone();
    let last = replaced.lines.remove(&(SIZE - 1)).unwrap();
    replaced.lines.insert(5, last);
    let found = replaced.verified(&[], &was);
    assert_eq!(
        found,
        [Finding::Missing(SIZE - 1), Finding::Moved(5, SIZE - 1)]
    );
}

#[test]
fn a_log_that_was_cut_off_is_shorter_than_a_checkpoint_says() {
    let log = Log::new(SIZE);
    let was = log.checkpoint();
    let cut = log.clone().cut(9000);
    let shorter = Finding::Shorter {
        size: 9000,
        covered: SIZE,
    };
    assert_eq!(cut.verified(&[], &was), std::slice::from_ref(&shorter));
    // With its checkpoint: only one that was kept elsewhere tells.
    assert_eq!(cut.verified(&[], &cut.checkpoint()), []);
    assert_eq!(
        cut.verified(std::slice::from_ref(&was), &cut.checkpoint()),
        [shorter]
    );
    // Written anew after that.
    let mut other = cut.clone();
    for index in 9000..SIZE {
        other
            .lines
            .insert(index, format!("{{\"{index}\":1}}").into_bytes());
        other.hashes.push(leaf_hash(&other.lines[&index]));
    }
    let found = other.verified(&[was], &other.checkpoint());
    assert_eq!(found, [Finding::OtherHash(SIZE)]);
}

#[test]
fn lost_hashes_foreign_entries_and_other_logs_are_told() {
    let log = Log::new(600);
    let was = log.checkpoint();
    let mut verification = Verification::new(&[]);
    let leaves: Vec<Leaf> = (0..256_u64)
        .map(|index| Leaf {
            index,
            line: log.lines[&index].clone(),
        })
        .collect();
    verification.tile(&log.hashes[..200].concat(), &leaves, false);
    let (size, count, findings) = verification.finish(Some(&was));
    assert_eq!((size, count), (200, 58));
    assert_eq!(findings[0], Finding::HashesMissing(200));
    assert_eq!(findings[1], Finding::Superfluous(200));
    let elsewhere = Checkpoint {
        origin: "another".to_owned(),
        ..was.clone()
    };
    let found = log.verified(&[elsewhere], &was);
    assert_eq!(found, [Finding::OtherLog("another".to_owned())]);
    let mut doubled = Verification::new(&[]);
    let twice = [leaves[0].clone(), leaves[0].clone()];
    doubled.tile(&log.hashes[..1].concat(), &twice, true);
    let one = log.clone().cut(1).checkpoint();
    assert_eq!(doubled.finish(Some(&one)).2, [Finding::Superfluous(0)]);
}
