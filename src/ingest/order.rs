//! The order of a tenant's batches: each is prepared while the one before is written, and commits
//! after it, so that statements count in the order in which they came.

use std::time::Instant;

use tokio::sync::{Mutex, oneshot};

/// The place of a batch: after another one, if that is not over yet.
#[derive(Debug, Default)]
pub(super) struct Order(Mutex<Place>);

#[derive(Debug, Default)]
struct Place {
    /// Ends when the batch before is over, however it ended.
    before: Option<oneshot::Receiver<()>>,
    /// When it was seen to be over.
    since: Option<Instant>,
}

impl Order {
    /// After a batch that ends its half of the channel.
    pub(super) fn after(before: oneshot::Receiver<()>) -> Self {
        Self(Mutex::new(Place {
            before: Some(before),
            since: None,
        }))
    }

    /// Waits until the batch before is over. Answers whether there was one to wait for.
    pub(super) async fn wait(&self) -> bool {
        let mut place = self.0.lock().await;
        let Some(before) = place.before.take() else {
            return false;
        };
        drop(before.await);
        place.since = Some(Instant::now());
        true
    }

    /// Since when it was this batch's turn: from its beginning on, or since the one before ended.
    pub(super) async fn since(&self, began: Instant) -> Instant {
        self.0.lock().await.since.unwrap_or(began)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_batch_waits_once_for_the_one_before() {
        let (done, before) = oneshot::channel();
        let order = Order::after(before);
        assert!(order.wait().now_or_never().is_none(), "it does not wait");
        let (done_too, before) = oneshot::channel();
        let order = Order::after(before);
        let wait = order.wait();
        drop(done_too);
        assert!(wait.await);
        assert!(!order.wait().await);
        assert!(!Order::default().wait().await);
        drop(done);
    }
}
