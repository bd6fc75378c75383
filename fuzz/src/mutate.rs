//! Mutations of an input: what typing errors, broken exports and attackers do to it.

use crate::random::Random;

/// Maximum length of an input, in bytes. Repetition may make one [`LARGE`].
const MAX_BYTES: usize = 4 * 1024;
/// Maximum length of an input that repetition makes, in bytes: past most limits of the readers.
const LARGE: usize = 96 * 1024;
/// Maximum number of mutations in one step.
const MAX_MUTATIONS: usize = 6;

/// Pieces of text that readers treat in a way of their own.
const TOKENS: [&str; 40] = [
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    ";",
    "\t",
    "\r\n",
    "\n",
    "\0",
    "|",
    "#",
    "&a",
    "*a",
    "- ",
    "null",
    "true",
    "NaN",
    "1e999",
    "-0",
    "9223372036854775808",
    "0x",
    "+",
    "@",
    ";ext=",
    "T00:00:00Z",
    "00/00/0000",
    "\u{feff}",
    "\u{200b}",
    "\u{301}",
    "\u{0130}",
    "\u{1f469}\u{200d}\u{1f469}",
    "\u{2028}",
    "١",
    "ß",
    "\u{fffd}",
];

/// Bytes at the edges of encodings and number formats.
const EDGES: [u8; 10] = [0x00, 0x01, 0x7f, 0x80, 0xbf, 0xc0, 0xe2, 0xf4, 0xfe, 0xff];

/// A mutation of an input. `words` are the target's own pieces of text, `other` is another input.
pub(crate) fn mutate(input: &[u8], words: &[&str], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(MAX_MUTATIONS) {
        mutate_once(&mut bytes, words, other, random);
    }
    if random.one_in(200) {
        repeat(&mut bytes, LARGE, random);
    } else {
        bytes.truncate(MAX_BYTES.max(input.len()));
    }
    bytes
}

fn mutate_once(bytes: &mut Vec<u8>, words: &[&str], other: &[u8], random: &mut Random) {
    match random.below(12) {
        0 => flip_bit(bytes, random),
        1 => overwrite(bytes, random),
        2 => insert(bytes, &[random.byte()], random),
        3 | 4 => insert_token(bytes, words, random),
        5 => delete(bytes, random),
        6 => copy_within(bytes, random),
        7 => splice(bytes, other, random),
        8 => replace_number(bytes, random),
        9 => repeat(bytes, MAX_BYTES, random),
        10 => truncate(bytes, random),
        _ => replace_word(bytes, words, random),
    }
}

fn flip_bit(bytes: &mut [u8], random: &mut Random) {
    let (at, bit) = (random.below(bytes.len()), random.below(8));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn overwrite(bytes: &mut [u8], random: &mut Random) {
    let edge = random.choose(&EDGES).copied().unwrap_or_default();
    let value = if random.one_in(2) {
        edge
    } else {
        random.byte()
    };
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

fn insert(bytes: &mut Vec<u8>, piece: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, piece.iter().copied());
}

fn insert_token(bytes: &mut Vec<u8>, words: &[&str], random: &mut Random) {
    let token = token(words, random);
    insert(bytes, token.as_bytes(), random);
}

/// One of the target's words, or of those that concern all readers.
fn token<'w>(words: &[&'w str], random: &mut Random) -> &'w str {
    let own = random.choose(words).copied();
    let common = random.choose(&TOKENS).copied().unwrap_or_default();
    match own {
        Some(own) if !random.one_in(3) => own,
        _ => common,
    }
}

/// A part of an input, of at most `most` bytes.
fn part(bytes: &[u8], most: usize, random: &mut Random) -> std::ops::Range<usize> {
    let start = random.below(bytes.len() + 1);
    let length = random.below((bytes.len() - start).min(most) + 1);
    start..start + length
}

fn delete(bytes: &mut Vec<u8>, random: &mut Random) {
    let part = part(bytes, 64, random);
    bytes.drain(part);
}

fn copy_within(bytes: &mut Vec<u8>, random: &mut Random) {
    let piece = bytes[part(bytes, 256, random)].to_vec();
    insert(bytes, &piece, random);
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let piece = &other[part(other, 512, random)];
    insert(bytes, piece, random);
}

fn truncate(bytes: &mut Vec<u8>, random: &mut Random) {
    let length = random.below(bytes.len() + 1);
    bytes.truncate(length);
}

/// Repeats a part of the input, up to a maximum size in bytes.
fn repeat(bytes: &mut Vec<u8>, most: usize, random: &mut Random) {
    let part = part(bytes, 32, random);
    if part.is_empty() || bytes.len() >= most {
        return;
    }
    let count = random.below((most - bytes.len()) / part.len() + 1);
    let piece = bytes[part.clone()].repeat(count);
    bytes.splice(part.end..part.end, piece);
}

/// Replaces a run of digits by a number at an edge.
fn replace_number(bytes: &mut Vec<u8>, random: &mut Random) {
    const NUMBERS: [&str; 12] = [
        "0",
        "1",
        "13",
        "29",
        "31",
        "99",
        "255",
        "2147483648",
        "9007199254740993",
        "18446744073709551616",
        "-1",
        "1e30",
    ];
    let from = random.below(bytes.len() + 1);
    let Some(start) = bytes[from..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|at| from + at)
    else {
        return;
    };
    let length = bytes[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = random.choose(&NUMBERS).copied().unwrap_or_default();
    bytes.splice(start..start + length, number.bytes());
}

/// Replaces a run of letters by a token.
fn replace_word(bytes: &mut Vec<u8>, words: &[&str], random: &mut Random) {
    let from = random.below(bytes.len() + 1);
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let Some(start) = bytes[from..].iter().position(is_letter).map(|at| from + at) else {
        return;
    };
    let length = bytes[start..]
        .iter()
        .take_while(|byte| is_letter(byte))
        .count();
    bytes.splice(start..start + length, token(words, random).bytes());
}
