//! The door: how many calls of each lane are in work at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Caller, Lane, Reason, Refusal, Shares};

/// How long to wait before a try again when a door is full: nothing is known of when it will not
/// be.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The doors of all lanes.
#[derive(Debug)]
pub struct Doors([Door; Lane::ALL.len()]);

/// The door of one lane.
#[derive(Debug, Clone)]
pub struct Door {
    lane: Lane,
    shares: Arc<Mutex<Shares>>,
}

/// A call in work; it leaves when this is dropped.
#[derive(Debug)]
pub struct Entered {
    door: Door,
    caller: Caller,
}

/// A call that waits for something: meanwhile its place is another's. It has one again when this is
/// dropped.
#[derive(Debug)]
pub struct Outside<'a>(&'a Entered);

impl Entered {
    /// Gives the place up for as long as the call waits in a queue, which has a bound of its own.
    #[must_use]
    pub fn step_out(&self) -> Outside<'_> {
        self.door.shares().give_back(self.caller, 1);
        Outside(self)
    }
}

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        self.0.door.shares().take(self.0.caller, 1);
    }
}

impl Doors {
    /// Doors that let so many calls of each lane in.
    #[must_use]
    pub fn new(limit: impl Fn(Lane) -> usize) -> Self {
        Self(Lane::ALL.map(|lane| Door {
            lane,
            shares: Arc::new(Mutex::new(Shares::new(limit(lane)))),
        }))
    }

    /// The door of a lane.
    #[must_use]
    pub fn of(&self, lane: Lane) -> &Door {
        match lane {
            Lane::Read => &self.0[0],
            Lane::Heavy => &self.0[1],
            Lane::Write => &self.0[2],
        }
    }
}

impl Door {
    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call in.
    ///
    /// # Errors
    /// [`Reason::Full`].
    pub fn enter(&self, caller: Caller) -> Result<Entered, Refusal> {
        if self.shares().try_take(caller, 1) {
            return Ok(Entered {
                door: self.clone(),
                caller,
            });
        }
        Err(Refusal {
            queue: self.lane.name(),
            reason: Reason::Full,
            retry_after: RETRY_AFTER,
        })
    }

    /// How many calls it lets in; a quarter more for callers that have less than their share.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.shares().limit()
    }

    /// How many calls are in work.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.shares().total()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.door.shares().give_back(self.caller, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_lane_leaves_the_others_open() {
        let doors = Doors::new(|_| 2);
        let caller = Caller::default();
        let held: Vec<Entered> = std::iter::from_fn(|| doors.of(Lane::Heavy).enter(caller).ok())
            .take(10)
            .collect();
        assert_eq!(held.len(), 2);
        assert!(doors.of(Lane::Read).enter(caller).is_ok());
        assert!(doors.of(Lane::Write).enter(caller).is_ok());
        drop(held);
        assert_eq!(doors.of(Lane::Heavy).in_use(), 0);
    }

    #[test]
    fn who_waits_for_something_holds_no_place() {
        let doors = Doors::new(|_| 1);
        let door = doors.of(Lane::Read);
        let entered = door.enter(Caller::default()).expect("a place");
        assert!(door.enter(Caller::default()).is_err());
        let outside = entered.step_out();
        let other = door
            .enter(Caller::default())
            .expect("the place of the one who waits");
        drop(outside);
        assert_eq!(door.in_use(), 2);
        drop((entered, other));
        assert_eq!(door.in_use(), 0);
    }

    #[test]
    fn each_lane_has_the_door_of_its_name() {
        let doors = Doors::new(|_| 1);
        for lane in Lane::ALL {
            assert_eq!(doors.of(lane).lane, lane);
        }
    }
}
