//! A write that is prepared while others write.

use std::sync::Arc;

use async_trait::async_trait;
use profile_core::records::{TenantId, Timestamp};
use tokio::sync::Mutex;

use super::Tenants;
use super::data::Data;
use super::view::View;
use crate::store::footprint::Footprint;
use crate::store::past::refuse_time;
use crate::store::{Attempt, Changes, Committed, Recorded, Result, Snapshot, WriteMark, WriteTurn};

pub(super) struct MemoryAttempt {
    reads: Recorded<View>,
    tenant: TenantId,
    turn: WriteTurn,
    tenants: Arc<Tenants>,
    /// Held by those that have the turn from the beginning.
    held: Arc<Mutex<()>>,
}

impl MemoryAttempt {
    pub(super) fn new(tenants: &Arc<Tenants>, tenant: &TenantId, held: &Arc<Mutex<()>>) -> Self {
        let turn = tenants.of(tenant, Data::next_turn);
        let (tenants, tenant) = (Arc::clone(tenants), tenant.clone());
        let view = View::Live(Arc::clone(&tenants), tenant.clone());
        Self {
            reads: Recorded::new(view),
            tenant,
            turn,
            tenants,
            held: Arc::clone(held),
        }
    }

    /// Whether a write that came between touched what was read.
    fn is_touched(&self, data: &Data) -> bool {
        let mut between = data.footprints.range(self.turn.sequence..);
        between.any(|(_, footprint)| self.reads.seen.meets(footprint))
    }
}

#[async_trait]
impl Attempt for MemoryAttempt {
    fn turn(&self) -> WriteTurn {
        self.turn
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        &mut self.reads
    }

    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<Committed> {
        refuse_time(time, self.turn.not_before)?;
        let _turn = self.held.clone().lock_owned().await;
        let tenants = self.tenants.clone();
        let mut tenants = tenants.write();
        let data = tenants.entry(self.tenant.clone()).or_default();
        let next = data.next_turn();
        if next.sequence != self.turn.sequence {
            drop(tenants);
            return Ok(Committed::NotNext(self));
        }
        data.refuse(changes)?;
        let mark = WriteMark {
            sequence: next.sequence,
            time,
        };
        data.commit(mark, [changes].into_iter(), Footprint::of(changes));
        Ok(Committed::Done)
    }

    async fn follow(mut self: Box<Self>) -> Result<Option<Box<dyn Attempt>>> {
        let look = |data: &Data| (!self.is_touched(data)).then(|| data.next_turn());
        let Some(turn) = self.tenants.of(&self.tenant, look) else {
            return Ok(None);
        };
        self.turn = turn;
        Ok(Some(self))
    }
}
