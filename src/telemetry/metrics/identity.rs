//! Figures of identity resolution.

use opentelemetry::metrics::{BoundCounter, BoundHistogram};

use super::{Builder, Metrics};

/// The instruments of identity resolution.
#[derive(Debug)]
pub(super) struct Instruments {
    merges: BoundCounter<u64>,
    splits: BoundCounter<u64>,
    reclustered: BoundHistogram<u64>,
    compared: BoundCounter<u64>,
    generic_identifiers: BoundCounter<u64>,
    generic_keys: BoundCounter<u64>,
}

impl Instruments {
    pub(super) fn new(build: &Builder<'_>) -> Self {
        let counter = |name, unit, help| build.counter(name, unit, help).bind(&[]);
        Self {
            merges: counter(
                "customer_profile.identity.merges",
                "{profile}",
                "Profiles merged into others",
            ),
            splits: counter(
                "customer_profile.identity.splits",
                "{profile}",
                "Profiles split off others",
            ),
            reclustered: build
                .sizes(
                    "customer_profile.identity.reclustered",
                    "{record}",
                    "Records clustered anew by one write",
                )
                .bind(&[]),
            compared: counter(
                "customer_profile.identity.comparisons",
                "{pair}",
                "Pairs of records compared",
            ),
            generic_identifiers: counter(
                "customer_profile.identity.generic_identifiers",
                "{identifier}",
                "Identifiers met that too many records hold to link by",
            ),
            generic_keys: counter(
                "customer_profile.identity.generic_keys",
                "{key}",
                "Blocking keys met that too many records share to compare by",
            ),
        }
    }
}

impl Metrics {
    /// Profiles that went into others in one write, profiles that came out, records that were
    /// clustered anew.
    pub fn identity(&self, merges: usize, splits: usize, reclustered: usize) {
        self.identity.merges.add(merges as u64);
        self.identity.splits.add(splits as u64);
        self.identity.reclustered.record(reclustered as u64);
    }

    /// Pairs of records that one write compared; identifiers and match keys it met that too many
    /// hold.
    pub fn matching(&self, compared: usize, generic_identifiers: usize, generic_keys: usize) {
        self.identity.compared.add(compared as u64);
        self.identity
            .generic_identifiers
            .add(generic_identifiers as u64);
        self.identity.generic_keys.add(generic_keys as u64);
    }
}
