//! A union-find over the records that knows what each cluster says.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::guard::{Group, Guard, Side};
use super::rules::Rule;
use super::{Clustering, Evidence, Member, Reason, Refusal, grouped, is_of_home};
use crate::identity::compare::{BirthSlip, Score, Veto, birth_slip, doubt_forgiven, much_agrees};
use crate::identity::context::Context;
use crate::identity::decision::{Decision, DecisionKind};
use crate::identity::features::Features;
use crate::model::matching::{AgreementLevel, Field};
use crate::model::{BelongsTo, Model};
use crate::records::{Record, RecordKey};

pub(super) struct Partition<'a> {
    model: &'a Model,
    context: &'a Context,
    records: &'a [(&'a Record, &'a Features)],
    parent: Vec<usize>,
    groups: Vec<Group<'a>>,
    /// Links taken: they span the clusters.
    taken: Vec<(usize, usize, Reason)>,
    refused: Vec<(usize, usize, Reason, Guard)>,
    /// The names of the decisions that keep clusters apart.
    apart: Vec<String>,
}

impl<'a> Partition<'a> {
    pub(super) fn new(
        records: &'a [(&'a Record, &'a Features)],
        context: &'a Context,
        model: &'a Model,
    ) -> Self {
        Self {
            model,
            context,
            records,
            parent: (0..records.len()).collect(),
            groups: records
                .iter()
                .map(|(record, features)| Group::of(record, features, model))
                .collect(),
            taken: Vec::new(),
            refused: Vec::new(),
            apart: Vec::new(),
        }
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }

    /// Takes decisions, newest first.
    pub(super) fn decide(&mut self, decisions: &[Decision]) {
        let mut newest: Vec<&Decision> = decisions.iter().collect();
        newest.sort_by(|a, b| (b.time, &b.id).cmp(&(a.time, &a.id)));
        for decision in newest {
            let left = self.indexes(&decision.left);
            let right = self.indexes(&decision.right);
            match decision.kind {
                DecisionKind::MustLink => self.bind(&decision.id, &left, &right),
                DecisionKind::CannotLink => self.keep_apart(&decision.id, &left, &right),
            }
        }
    }

    /// Makes the records of both sides one person, as far as newer decisions let it: each joins the
    /// first that it may be joined with.
    fn bind(&mut self, id: &str, left: &[usize], right: &[usize]) {
        let mut bound: Vec<usize> = Vec::new();
        for &record in left.iter().chain(right) {
            let joined = bound.iter().any(|&into| {
                let reason = Reason::Decision { id: id.to_owned() };
                self.join(into, record, reason, |_, _| None)
            });
            if !joined {
                bound.push(record);
            }
        }
    }

    /// The live records of a list, in its order.
    fn indexes(&self, keys: &[RecordKey]) -> Vec<usize> {
        let find = |key: &RecordKey| {
            self.records
                .binary_search_by(|(record, _)| record.key.cmp(key))
                .ok()
        };
        keys.iter().filter_map(find).collect()
    }

    fn keep_apart(&mut self, id: &str, left: &[usize], right: &[usize]) {
        let left: BTreeSet<usize> = left.iter().map(|&index| self.root(index)).collect();
        let right: BTreeSet<usize> = right.iter().map(|&index| self.root(index)).collect();
        // Newer decisions have made one of what is on both sides; the rest stays apart.
        let common: BTreeSet<usize> = left.intersection(&right).copied().collect();
        let left = left.difference(&common).copied();
        let right = right.difference(&common).copied();
        let number = self.apart.len();
        self.apart.push(id.to_owned());
        let left = left.map(|root| (root, Side::Left));
        for (root, side) in left.chain(right.map(|root| (root, Side::Right))) {
            self.groups[root].apart.insert((number, side));
        }
    }

    /// Joins two clusters unless a guard forbids it.
    fn join(
        &mut self,
        a: usize,
        b: usize,
        reason: Reason,
        guard: impl FnOnce(&Group<'_>, &Group<'_>) -> Option<Guard>,
    ) -> bool {
        let (x, y) = (self.root(a), self.root(b));
        if x == y {
            return true;
        }
        if let Some(guard) = self
            .forbidden(x, y, &reason)
            .or_else(|| guard(&self.groups[x], &self.groups[y]))
        {
            self.refused.push((a, b, reason, guard));
            return false;
        }
        let (into, from) = (x.min(y), x.max(y));
        let group = std::mem::take(&mut self.groups[from]);
        self.parent[from] = into;
        self.groups[into].absorb(group);
        self.taken.push((a, b, reason));
        true
    }

    /// What forbids any link but a decision, and what forbids a decision too.
    fn forbidden(&self, x: usize, y: usize, reason: &Reason) -> Option<Guard> {
        let (x, y) = (&self.groups[x], &self.groups[y]);
        let apart = x
            .apart
            .iter()
            .find(|(number, side)| y.apart.contains(&(*number, side.other())));
        if let Some((number, _)) = apart {
            return Some(Guard::Decision {
                id: self.apart[*number].clone(),
            });
        }
        match reason {
            Reason::Decision { .. } => None,
            Reason::SharedIdentifier { kind } => {
                let kind = self.model.identifiers.get(kind);
                let personal = kind.filter(|kind| kind.belongs_to == BelongsTo::Person);
                x.over_limit(y, self.model, personal.map(|kind| kind.priority))
            }
            Reason::Match { .. } | Reason::FormerIdentifier { .. } => {
                x.over_limit(y, self.model, None)
            }
        }
    }

    /// Joins the holders of an identifier that belongs to a person, each with the first that it may
    /// be joined with.
    pub(super) fn join_holders(&mut self, rule: &Rule<'_>) {
        let firsts = self.clusters_of(rule);
        self.join_first_fit(rule, &firsts);
    }

    /// Attaches clusters without a name to the one with a name that shares a household's
    /// identifier, or to each other if there is none. Where there are several, it is not clear to
    /// whom, and nobody is joined.
    pub(super) fn attach_nameless(&mut self, rule: &Rule<'_>) {
        let firsts = self.clusters_of(rule);
        self.join_namesakes(rule, &firsts);
        self.attach(rule, |group| group.has_name);
        self.attach_former(rule);
    }

    /// Joins clusters whose names agree, as far as both say them: the identifier that they share
    /// says the rest.
    fn join_namesakes(&mut self, rule: &Rule<'_>, firsts: &[usize]) {
        let mut people: Vec<usize> = Vec::new();
        for &first in firsts {
            let mut joined = false;
            for &person in &people {
                let (x, y) = (self.root(person), self.root(first));
                if x == y {
                    joined = true;
                } else if self.groups[x].names_agree(&self.groups[y]) {
                    joined |= self.join(person, first, reason(rule), |x, y| {
                        x.contradiction(y, BirthSlip::No, false).map(Guard::Veto)
                    });
                }
            }
            if !joined {
                people.push(first);
            }
        }
    }

    /// Joins those who held a contact before with those of the same names who hold it, or held it
    /// too; and attaches to the one with a name who held it before whoever has it without a name.
    /// Where somebody with another name has it by now, it joins nobody new. A former holder without
    /// a name joins nobody: the value may have been a mistake.
    fn attach_former(&mut self, rule: &Rule<'_>) {
        if rule.former.is_empty() || rule.over_shared {
            return;
        }
        let reason = || Reason::FormerIdentifier {
            kind: rule.kind.to_owned(),
        };
        let all: Vec<usize> = rule.holders.iter().chain(&rule.former).copied().collect();
        let firsts = self.firsts(&all);
        let holding = firsts.iter().filter(|first| rule.holders.contains(first));
        for place in holding.count()..firsts.len() {
            for &earlier in &firsts[..place] {
                let (x, y) = (self.root(earlier), self.root(firsts[place]));
                if x != y && self.groups[x].names_agree(&self.groups[y]) {
                    self.join(earlier, firsts[place], reason(), |x, y| {
                        x.contradiction(y, BirthSlip::No, false).map(Guard::Veto)
                    });
                }
            }
        }
        let mut named = self.firsts(&all);
        named.retain(|&first| self.groups[find(&self.parent, first)].has_name);
        let holding = self.firsts(&rule.holders);
        let is_anothers = holding
            .iter()
            .any(|&first| self.groups[find(&self.parent, first)].has_name);
        let Some((&into, others)) = named.split_first() else {
            return;
        };
        for first in holding.into_iter().filter(|_| !is_anothers) {
            if others.is_empty() {
                self.join(into, first, reason(), |x, y| {
                    x.contradiction(y, BirthSlip::No, false).map(Guard::Veto)
                });
            } else {
                let ambiguous = (into, first, reason(), Guard::Ambiguous);
                self.refused.push(ambiguous);
            }
        }
    }

    /// The first of each cluster among some records.
    fn firsts(&mut self, records: &[usize]) -> Vec<usize> {
        let mut seen = HashSet::new();
        let mut firsts = records.to_vec();
        firsts.retain(|&record| seen.insert(self.root(record)));
        firsts
    }

    /// The same for devices and records that say nothing of who they are.
    pub(super) fn attach_silent(&mut self, rule: &Rule<'_>) {
        self.attach(rule, |group| group.says_who);
    }

    fn attach(&mut self, rule: &Rule<'_>, speaks: impl Fn(&Group<'_>) -> bool) {
        let firsts = self.clusters_of(rule);
        let (speaking, silent): (Vec<usize>, Vec<usize>) = firsts
            .iter()
            .partition(|&&first| speaks(&self.groups[find(&self.parent, first)]));
        match speaking.as_slice() {
            [] => self.join_all_with_first(rule, &silent),
            [one] => self.join_all_with_first(rule, &[&[*one], silent.as_slice()].concat()),
            [first, ..] => {
                for &other in &silent {
                    self.refused
                        .push((*first, other, reason(rule), Guard::Ambiguous));
                }
            }
        }
    }

    /// The first holder of each cluster that holds the identifier; none where too many people do.
    fn clusters_of(&mut self, rule: &Rule<'_>) -> Vec<usize> {
        let firsts = self.firsts(&rule.holders);
        if rule.over_shared {
            // One each, so that each of them can be told.
            for &other in &firsts[1..] {
                let guard = Guard::TooManyProfiles {
                    kind: rule.kind.to_owned(),
                };
                self.refused.push((firsts[0], other, reason(rule), guard));
            }
            return Vec::new();
        }
        firsts
    }

    /// Joins clusters with the first of them. Those that a guard keeps from it stay alone: what
    /// they share says nothing of which of them are one.
    fn join_all_with_first(&mut self, rule: &Rule<'_>, firsts: &[usize]) {
        let Some((&into, rest)) = firsts.split_first() else {
            return;
        };
        for &first in rest {
            self.join(into, first, reason(rule), |x, y| {
                x.contradiction(y, BirthSlip::No, false).map(Guard::Veto)
            });
        }
    }

    /// Joins each cluster with the first that no guard keeps it from.
    fn join_first_fit(&mut self, rule: &Rule<'_>, firsts: &[usize]) {
        let mut joined: Vec<usize> = Vec::new();
        for &first in firsts {
            let fits = joined.iter().any(|&into| {
                self.join(into, first, reason(rule), |x, y| {
                    x.contradiction(y, BirthSlip::No, false).map(Guard::Veto)
                })
            });
            if !fits {
                joined.push(first);
            }
        }
    }

    /// Notes that two records that are alike are not joined.
    pub(super) fn refuse_scored(&mut self, a: usize, b: usize, score: &Score, guard: Guard) {
        if self.root(a) != self.root(b) {
            let reason = self.scored(a, b, score);
            self.refused.push((a, b, reason, guard));
        }
    }

    fn scored(&self, a: usize, b: usize, score: &Score) -> Reason {
        self.shared(a, b).unwrap_or(Reason::Match {
            millibits: score.millibits,
        })
    }

    /// Joins two records that are alike. A household is only noted.
    pub(super) fn join_scored(&mut self, a: usize, b: usize, score: &Score) {
        if let Some(veto) = score.veto {
            self.refuse_scored(a, b, score, Guard::Veto(veto));
            return;
        }
        let reason = self.scored(a, b, score);
        let slip = birth_slip(score);
        let forgiven = doubt_forgiven(score);
        let garbled = score.level(Field::GivenName) == AgreementLevel::Different;
        let much = much_agrees(score);
        let of_home = is_of_home(score);
        self.join(a, b, reason, |x, y| {
            let veto = x.contradiction(y, slip, forgiven);
            let given = |veto: &Veto| *veto == Veto::GivenNamesDiffer;
            veto.filter(|veto| !(garbled && given(veto)) || x.is_another_with_number(y))
                .filter(|veto| !(much && given(veto)) || x.known_given_names_conflict(y))
                .or_else(|| (of_home && x.has_another_flat(y)).then_some(Veto::FlatsDiffer))
                .map(Guard::Veto)
        });
    }

    /// The strongest identifier that two records share, if they share one: it says more to people
    /// than a score.
    fn shared(&self, a: usize, b: usize) -> Option<Reason> {
        let ids = |index: usize| self.records[index].1.ids.iter();
        let both = ids(a).filter(|id| {
            ids(b).any(|other| other.key == id.key) && !self.context.is_generic(id.key)
        });
        let kinds = both.filter_map(|id| self.model.identifiers.iter().nth(usize::from(id.kind)));
        let (kind, _) = kinds.min_by_key(|(name, kind)| (kind.priority, *name))?;
        Some(Reason::SharedIdentifier { kind: kind.clone() })
    }

    pub(super) fn into_clustering(mut self) -> Clustering {
        let roots: Vec<usize> = (0..self.records.len())
            .map(|index| self.root(index))
            .collect();
        let key = |index: usize| self.records[index].0.key.clone();
        let evidence = spanning(&self.taken, self.records.len());
        let members = evidence.into_iter().enumerate().map(|(index, link)| {
            let evidence = link.map_or(Evidence::Alone, |(reason, with)| Evidence::Linked {
                reason,
                with: key(with),
            });
            Member {
                record: key(index),
                evidence,
            }
        });
        let clusters = grouped(&roots, members.collect());
        let refused = self
            .refused
            .iter()
            .filter(|(a, b, ..)| roots[*a] != roots[*b])
            .map(|(a, b, reason, guard)| Refusal {
                left: key(*a),
                right: key(*b),
                reason: reason.clone(),
                guard: guard.clone(),
            });
        Clustering {
            clusters,
            refused: refused.collect(),
        }
    }
}

fn reason(rule: &Rule<'_>) -> Reason {
    Reason::SharedIdentifier {
        kind: rule.kind.to_owned(),
    }
}

fn find(parent: &[usize], mut index: usize) -> usize {
    while parent[index] != index {
        index = parent[index];
    }
    index
}

/// For each record the link that leads towards the first of its cluster; for that one its
/// strongest.
fn spanning(taken: &[(usize, usize, Reason)], count: usize) -> Vec<Option<(Reason, usize)>> {
    let mut links: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    for (number, (a, b, _)) in taken.iter().enumerate() {
        links.entry(*a).or_default().push((number, *b));
        links.entry(*b).or_default().push((number, *a));
    }
    let mut evidence: Vec<Option<(Reason, usize)>> = vec![None; count];
    let mut reached = HashSet::new();
    for first in 0..count {
        if reached.contains(&first) || !links.contains_key(&first) {
            continue;
        }
        reached.insert(first);
        let (number, with) = links[&first][0];
        evidence[first] = Some((taken[number].2.clone(), with));
        let mut queue = VecDeque::from([first]);
        while let Some(index) = queue.pop_front() {
            for &(number, next) in &links[&index] {
                if reached.insert(next) {
                    evidence[next] = Some((taken[number].2.clone(), index));
                    queue.push_back(next);
                }
            }
        }
    }
    evidence
}
