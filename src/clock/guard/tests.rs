use std::sync::Mutex;

use super::*;

/// Clocks that are set by hand.
#[derive(Debug, Clone)]
struct Hand(Arc<Mutex<(Timestamp, Duration, Duration)>>);

impl TimeSource for Hand {
    fn wall(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }

    fn since_boot(&self) -> Option<Duration> {
        Some(self.0.lock().unwrap().2)
    }
}

impl Hand {
    /// Time passes for all clocks.
    fn pass(&self, time: Duration) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 = Timestamp::from_micros(clocks.0.as_micros() + micros(time));
        clocks.1 += time;
        clocks.2 += time;
    }

    /// The machine's clock is set ahead by seconds, or back.
    fn set_by(&self, seconds: i64) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 = Timestamp::from_micros(clocks.0.as_micros() + seconds * 1_000_000);
    }

    /// The machine sleeps: its clock and the time since boot go on.
    fn sleep(&self, seconds: u64) {
        self.set_by(i64::try_from(seconds).unwrap());
        self.0.lock().unwrap().2 += Duration::from_secs(seconds);
    }
}

const START: i64 = 1_795_000_000;
const MINUTE: Duration = Duration::from_mins(1);
const TEN_YEARS: i64 = 315_360_000;

fn started_at(seconds: i64) -> (Hand, GuardedClock<Hand>) {
    let clocks = (
        Timestamp::from_micros(seconds * 1_000_000),
        Duration::from_secs(77),
        Duration::from_secs(777),
    );
    let hand = Hand(Arc::new(Mutex::new(clocks)));
    (hand.clone(), GuardedClock::new(hand))
}

/// A clock that has gone evenly for an hour.
fn steady() -> (Hand, GuardedClock<Hand>) {
    let (hand, clock) = started_at(START - 3600);
    for _ in 0..60 {
        hand.pass(MINUTE);
        clock.now();
    }
    (hand, clock)
}

/// Seconds since the start of the test.
fn now(clock: &GuardedClock<Hand>) -> i64 {
    clock.now().as_micros() / 1_000_000 - START
}

#[test]
fn a_jump_ahead_that_is_taken_back_leaves_nothing() {
    let (hand, clock) = steady();
    hand.set_by(TEN_YEARS);
    hand.pass(MINUTE);
    assert_eq!(
        (
            now(&clock),
            clock.is_steady(MINUTE),
            clock.episode().is_failing()
        ),
        (60, false, true)
    );
    hand.pass(MINUTE);
    assert_eq!(now(&clock), 120);
    hand.set_by(-TEN_YEARS);
    hand.pass(MINUTE);
    assert_eq!(
        (
            now(&clock),
            clock.episode().is_failing(),
            clock.episode().failures()
        ),
        (180, false, 1)
    );
    assert!(clock.is_steady(Duration::from_hours(1)));
}

#[test]
fn a_jump_that_stays_is_followed_after_ten_minutes() {
    for by in [3600, -3600] {
        let (hand, clock) = steady();
        hand.set_by(by);
        for minute in 0..10 {
            assert_eq!(now(&clock), minute * 60, "{by}");
            hand.pass(MINUTE);
        }
        assert_eq!(now(&clock), 600 + by);
        assert_eq!(
            (clock.is_steady(MINUTE), clock.episode().is_failing()),
            (false, false)
        );
        hand.pass(MINUTE);
        assert!(clock.is_steady(MINUTE));
    }
}

#[test]
fn the_clock_is_followed_where_the_machine_has_slept() {
    let (hand, clock) = steady();
    hand.sleep(8 * 3600);
    hand.pass(MINUTE);
    assert_eq!(
        (now(&clock), clock.episode().failures()),
        (8 * 3600 + 60, 0)
    );
}

#[test]
fn a_clock_that_was_never_set_is_corrected_at_once_and_never_followed() {
    let (hand, clock) = started_at(0);
    hand.pass(MINUTE);
    assert_eq!(clock.now().as_micros(), 60_000_000);
    hand.set_by(START);
    assert_eq!(now(&clock), 60);

    let (hand, clock) = steady();
    hand.set_by(-START);
    for minute in 0..20 {
        assert_eq!(now(&clock), minute * 60);
        hand.pass(MINUTE);
    }
}

#[test]
fn a_clock_that_goes_back_soon_after_the_start_was_wrong_before() {
    let (hand, clock) = started_at(START + TEN_YEARS);
    hand.pass(MINUTE);
    assert_eq!(now(&clock), TEN_YEARS + 60);
    hand.set_by(-TEN_YEARS);
    assert_eq!(
        (now(&clock), clock.is_steady(Duration::from_secs(1))),
        (60, false)
    );
}

#[test]
fn small_steps_and_slow_drift_are_followed() {
    let (hand, clock) = steady();
    hand.set_by(-5);
    assert_eq!(now(&clock), -5);
    // Nobody asked for a day, and NTP slewed by a minute meanwhile.
    hand.pass(Duration::from_hours(24));
    hand.set_by(60);
    assert_eq!(
        (now(&clock), clock.episode().failures()),
        (24 * 3600 + 55, 0)
    );
}
