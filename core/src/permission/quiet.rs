//! Quiet hours: by what the customer's own clock shows, also when it is put forward or back.

use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

use crate::records::{QuietHours, Timestamp};

/// The quiet hours that a time falls into.
pub(super) fn quiet_at(
    hours: &[QuietHours],
    zone: &TimeZone,
    time: Timestamp,
) -> Option<QuietHours> {
    let shown = shown(zone, time)?;
    let minute = u16::try_from(shown.hour()).ok()? * 60 + u16::try_from(shown.minute()).ok()?;
    let day = u32::try_from(shown.weekday().to_monday_zero_offset()).ok()?;
    hours.iter().find(|hours| hours.has(day, minute)).copied()
}

/// The first moment after a time that is not quiet; none: it never ends.
///
/// Quiet ends only where hours end, by either reading of a clock that shows them twice, or where
/// the clock is changed.
pub(super) fn next_loud(
    hours: &[QuietHours],
    zone: &TimeZone,
    time: Timestamp,
) -> Option<Timestamp> {
    let today = shown(zone, time)?.date();
    let instant = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
    let mut ends: Vec<jiff::Timestamp> = zone
        .following(instant)
        .take(2)
        .map(|change| change.timestamp())
        .collect();
    // All days of a week, that before, and that after.
    for days in -1..=8 {
        let Ok(date) = today.checked_add(days.days()) else {
            continue;
        };
        for end in hours.iter().map(|hours| hours.end) {
            let at = date.at(
                i8::try_from(end / 60).ok()?,
                i8::try_from(end % 60).ok()?,
                0,
                0,
            );
            let ambiguous = zone.to_ambiguous_timestamp(at);
            ends.extend(
                [ambiguous.earlier(), ambiguous.later()]
                    .into_iter()
                    .flatten(),
            );
        }
    }
    let mut ends: Vec<Timestamp> = ends
        .into_iter()
        .map(|end| Timestamp::from_micros(end.as_microsecond()))
        .collect();
    ends.sort_unstable();
    ends.into_iter()
        .find(|end| *end > time && quiet_at(hours, zone, *end).is_none())
}

fn shown(zone: &TimeZone, time: Timestamp) -> Option<Zoned> {
    Some(
        jiff::Timestamp::from_microsecond(time.as_micros())
            .ok()?
            .to_zoned(zone.clone()),
    )
}

impl QuietHours {
    /// Whether they are at this minute of a day; the day is 0 on Mondays.
    fn has(self, day: u32, minute: u16) -> bool {
        let on = |day: u32| self.days & (1 << (day % 7)) != 0;
        if self.start < self.end {
            return on(day) && (self.start..self.end).contains(&minute);
        }
        (on(day) && minute >= self.start) || (on(day + 6) && minute < self.end)
    }
}

#[cfg(test)]
mod tests;
