//! The second half: everybody who is tied to the records that changed, however far.

use std::collections::BTreeSet;

use profile_core::identity::{DecisionKind, MatchDecision};
use profile_core::records::RecordKey;

use super::{Search, ends};
use crate::store::{Result, Snapshot, StoredDecision};

impl Search<'_> {
    pub(super) async fn reach(&mut self, reads: &mut dyn Snapshot) -> Result<()> {
        let mut frontier = self.found.touched.clone();
        frontier.extend(self.start.seeds.iter().cloned());
        for decision in std::mem::take(&mut self.start.decided) {
            frontier.extend(spoken_of(&decision).cloned());
            self.found.decisions.push(decision);
        }
        frontier.extend(self.start.withdrawn.iter().flat_map(spoken_of).cloned());
        while !frontier.is_empty() {
            self.found.component.extend(frontier.iter().cloned());
            let mut next = self.step(reads, &frontier).await?;
            next.retain(|key| !self.found.component.contains(key));
            frontier = next;
        }
        Ok(())
    }

    /// Who is tied to a frontier.
    async fn step(
        &mut self,
        reads: &mut dyn Snapshot,
        frontier: &BTreeSet<RecordKey>,
    ) -> Result<BTreeSet<RecordKey>> {
        self.load_records(reads, frontier.iter().cloned()).await?;
        let mut next = BTreeSet::new();
        let identifiers = self.linking_all(frontier);
        self.look_up_identifiers(reads, identifiers.clone()).await?;
        for holders in identifiers
            .iter()
            .filter_map(|identifier| self.identifiers.get(identifier))
        {
            next.extend(holders.tied().cloned());
        }
        // Of a record that is new there is nothing yet.
        let is_new = |key: &&RecordKey| {
            self.changing.contains(*key) && !self.start.before.contains_key(*key)
        };
        let stored: Vec<RecordKey> = frontier
            .iter()
            .filter(|key| !is_new(key))
            .cloned()
            .collect();
        if !stored.is_empty() {
            for pair in reads.pairs(&stored).await? {
                if pair.verdict == MatchDecision::Link {
                    next.extend([pair.left.clone(), pair.right.clone()]);
                }
                self.found
                    .stored
                    .insert(ends(&pair.left, &pair.right), pair);
            }
            for decision in reads.decisions_about(&stored).await? {
                next.extend(self.take_decision(decision));
            }
        }
        for ((left, right), judgement) in &self.found.compared {
            if judgement.verdict == MatchDecision::Link
                && (frontier.contains(left) || frontier.contains(right))
            {
                next.extend([left.clone(), right.clone()]);
            }
        }
        Ok(next)
    }

    /// Takes a decision that is in force and not taken back now; answers with whom it ties
    /// together.
    fn take_decision(&mut self, stored: StoredDecision) -> Vec<RecordKey> {
        let id = &stored.decision.id;
        let known = self.found.decisions.iter().chain(&self.start.withdrawn);
        if known.into_iter().any(|known| known.decision.id == *id) {
            return Vec::new();
        }
        let tied = match stored.decision.kind {
            DecisionKind::MustLink => spoken_of(&stored).cloned().collect(),
            DecisionKind::CannotLink => Vec::new(),
        };
        self.found.decisions.push(stored);
        tied
    }
}

fn spoken_of(stored: &StoredDecision) -> impl Iterator<Item = &RecordKey> {
    stored.decision.left.iter().chain(&stored.decision.right)
}
