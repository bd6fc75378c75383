//! A run of one target: seeds, mutations, and what a failure leaves behind.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use crate::mutate::mutate;
use crate::random::Random;
use crate::targets::Target;

/// Maximum number of inputs to mutate.
const MAX_POOL: usize = 4_000;
/// Maximum number of attempts to make a failing input smaller.
const MAX_SHRINKS: usize = 2_000;

/// Length and seed of a run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Number of mutated inputs.
    pub cases: u64,
    /// Seed of the mutations.
    pub seed: u64,
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Number of inputs, with the seeds.
    pub cases: u64,
    /// Number of answers that differ in more than numbers.
    pub answers: usize,
}

/// An input for which a reader does not keep its promises.
#[derive(Debug)]
pub struct Failure {
    target: &'static str,
    what: String,
    seed: u64,
    case: u64,
    bytes: Vec<u8>,
    file: PathBuf,
}

impl Failure {
    /// The smallest input found that fails.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target,
            what,
            seed,
            case,
            bytes,
            file,
        } = self;
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
        write!(
            f,
            "{target}: {what}\n  seed {seed}, case {case}, {} bytes: {shown:?}\n  again: cargo run -p profile-fuzz -- replay \
             {target} {}",
            bytes.len(),
            file.display()
        )
    }
}

impl std::error::Error for Failure {}

/// Runs a target: the kept inputs, its seeds, then mutations.
///
/// # Errors
/// The first input that fails, as small as it goes. It is also in a file.
pub fn run(target: &Target, options: Options) -> Result<Summary, Box<Failure>> {
    let mut run = Run::new(target, options);
    for input in kept(target.name).into_iter().chain((target.seeds)()) {
        run.try_input(input)?;
    }
    let mut random = Random::new(options.seed);
    for _ in 0..options.cases {
        let input = run.next(&mut random);
        run.try_input(input)?;
    }
    drop(fs::remove_file(&run.current));
    Ok(Summary {
        cases: run.case,
        answers: run.answers.len(),
    })
}

/// Runs a target on one input.
///
/// # Errors
/// The promise that the reader does not keep.
pub fn try_once(target: &Target, input: &[u8]) -> Result<String, String> {
    match panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input))) {
        Ok(answer) => answer,
        Err(payload) => Err(format!("panics: {}", message(payload.as_ref()))),
    }
}

struct Run<'t> {
    target: &'t Target,
    seed: u64,
    case: u64,
    pool: Vec<Vec<u8>>,
    answers: HashSet<u64>,
    /// Holds the input at work. It stays there when the process is killed or its stack overflows.
    current: PathBuf,
}

impl<'t> Run<'t> {
    fn new(target: &'t Target, options: Options) -> Self {
        let folder = findings();
        drop(fs::create_dir_all(&folder));
        Self {
            target,
            seed: options.seed,
            case: 0,
            pool: Vec::new(),
            answers: HashSet::new(),
            current: folder.join(format!("{}.current", target.name)),
        }
    }

    fn next(&self, random: &mut Random) -> Vec<u8> {
        let empty = Vec::new();
        // The latest finds are tried more often: they are where the others have not been.
        let recent = &self.pool[self.pool.len() - self.pool.len() / 4..];
        let from = if random.one_in(2) { recent } else { &self.pool };
        let input = random.choose(from).or(self.pool.first()).unwrap_or(&empty);
        let other = random.choose(&self.pool).unwrap_or(&empty);
        mutate(input, self.target.words, other, random)
    }

    fn try_input(&mut self, input: Vec<u8>) -> Result<(), Box<Failure>> {
        self.case += 1;
        // A file that cannot be written only costs the trace of a killed process.
        drop(fs::write(&self.current, &input));
        match try_once(self.target, &input) {
            Ok(answer) => {
                if self.answers.insert(hash(&shape(&answer))) && self.pool.len() < MAX_POOL {
                    self.pool.push(input);
                }
                Ok(())
            }
            Err(what) => Err(Box::new(self.failed(input, what))),
        }
    }

    fn failed(&self, input: Vec<u8>, what: String) -> Failure {
        let (bytes, what) = shrink(self.target, input, what);
        let file = findings().join(format!("{}-{:016x}", self.target.name, hash(&bytes)));
        drop(fs::write(&file, &bytes));
        let Self {
            target, seed, case, ..
        } = self;
        Failure {
            target: target.name,
            what,
            seed: *seed,
            case: *case,
            bytes,
            file,
        }
    }
}

/// Where inputs that fail are written.
fn findings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz")
}

/// The inputs of a target that are kept in the repository, in order of name.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort_unstable();
    files
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .collect()
}

/// An answer without its numbers: what differs in more is a new answer.
fn shape(answer: &str) -> String {
    answer
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect()
}

fn hash(value: &impl Hash) -> u64 {
    // `DefaultHasher::new` has fixed keys, so runs repeat.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    })
    .unwrap_or_default()
}

/// Takes parts away as long as the input fails.
fn shrink(target: &Target, mut input: Vec<u8>, mut what: String) -> (Vec<u8>, String) {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let (mut size, mut tries) = (input.len() / 2, 0);
    while size > 0 && tries < MAX_SHRINKS {
        let mut start = 0;
        while start < input.len() && tries < MAX_SHRINKS {
            let mut smaller = input.clone();
            smaller.drain(start..(start + size).min(input.len()));
            tries += 1;
            match try_once(target, &smaller) {
                Err(reason) => (input, what) = (smaller, reason),
                Ok(_) => start += size,
            }
        }
        size /= 2;
    }
    panic::set_hook(hook);
    (input, what)
}
