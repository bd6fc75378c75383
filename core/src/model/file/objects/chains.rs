//! Chains of rules: a kind follows another one, which follows a third.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::file::forms::Located;
use crate::model::file::reader::Reader;

/// Maximum number of kinds in a chain: each is one more read.
const MAX_CHAIN: usize = 4;

/// The kinds that each kind follows, at their places.
pub(super) type Edges<'a> = BTreeMap<&'a str, Vec<&'a Located<String>>>;

/// Notes a mistake where kinds follow each other in a circle, or in too long a chain. Takes time
/// linear in the rules.
pub(super) fn check(edges: &Edges<'_>, reader: &mut Reader) {
    let depths = depths(edges);
    let mut seen = BTreeSet::new();
    for (kind, follows) in edges {
        let depth = depths[kind];
        if depth > MAX_CHAIN + 1 {
            check_circle(kind, edges, &depths, &mut seen, reader);
        } else if depth > MAX_CHAIN
            && let Some(next) = deepest(follows, &depths)
        {
            let way = way(kind, edges, &depths);
            let message = format!("a chain of rules has at most {MAX_CHAIN} kinds: {way}");
            reader.error(next.place.clone(), message);
        }
    }
}

/// The number of kinds in the longest chain that begins with each. In a circle, and above a chain
/// that is too long, a number that is greater than `MAX_CHAIN + 1`.
fn depths<'a>(edges: &Edges<'a>) -> BTreeMap<&'a str, usize> {
    let mut depths: BTreeMap<&str, usize> = edges.keys().map(|kind| (*kind, 1)).collect();
    for _ in 0..=MAX_CHAIN {
        for (kind, follows) in edges {
            let deepest = follows.iter().map(|next| depth(next, &depths)).max();
            depths.insert(kind, deepest.unwrap_or_default() + 1);
        }
    }
    depths
}

fn depth(kind: &Located<String>, depths: &BTreeMap<&str, usize>) -> usize {
    depths.get(kind.value.as_str()).copied().unwrap_or(1)
}

/// The followed kind with the longest chain, the first of several.
fn deepest<'a>(
    follows: &[&'a Located<String>],
    depths: &BTreeMap<&str, usize>,
) -> Option<&'a Located<String>> {
    let last_first = follows.iter().rev();
    last_first.copied().max_by_key(|next| depth(next, depths))
}

/// A chain that is too long, in words.
fn way(kind: &str, edges: &Edges<'_>, depths: &BTreeMap<&str, usize>) -> String {
    let mut way = vec![kind];
    while let Some(next) = edges
        .get(way[way.len() - 1])
        .and_then(|it| deepest(it, depths))
    {
        way.push(&next.value);
    }
    way.join(" → ")
}

/// Notes the circle that the chain from a kind runs into, if it was not noted before.
fn check_circle<'a>(
    kind: &'a str,
    edges: &Edges<'a>,
    depths: &BTreeMap<&str, usize>,
    seen: &mut BTreeSet<&'a str>,
    reader: &mut Reader,
) {
    let mut way: Vec<&str> = Vec::new();
    let mut kind = kind;
    while seen.insert(kind) {
        way.push(kind);
        let Some(next) = edges.get(kind).and_then(|it| deepest(it, depths)) else {
            return;
        };
        if let Some(begin) = way.iter().position(|known| *known == next.value) {
            let circle = way[begin..].join(" → ");
            let message = format!("follows itself: {circle} → {}", next.value);
            reader.error(next.place.clone(), message);
            return;
        }
        kind = &next.value;
    }
}
