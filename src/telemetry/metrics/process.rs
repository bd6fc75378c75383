//! Figures of this process, as Linux tells them. Names: OpenTelemetry, "Semantic conventions for OS
//! process metrics", and for start time the name that Prometheus clients share.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;

use super::Metrics;
use crate::memory;

impl Metrics {
    /// Shows processor time, memory, descriptors and age of this process whenever somebody
    /// collects. `limit` is the memory limit of its container.
    pub fn observe_process(&self, limit: Option<u64>) {
        self.gauge(
            "process.memory.usage",
            "By",
            "Resident memory of this process",
            None,
            || memory::resident_bytes().unwrap_or(0),
        );
        if let Some(limit) = limit {
            self.gauge(
                "process.memory.limit",
                "By",
                "Memory limit of this process's container",
                None,
                move || limit,
            );
        }
        self.observe_cpu();
        self.gauge(
            "process.unix.file_descriptor.count",
            "{file_descriptor}",
            "Open file descriptors of this process",
            None,
            open_descriptors,
        );
        self.observe_age();
    }

    fn observe_cpu(&self) {
        let _ = self
            .meter
            .f64_observable_counter("process.cpu.time")
            .with_unit("s")
            .with_description("Processor time of this process")
            .with_callback(|observer| {
                let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
                let Some(times) = cpu_seconds(&stat) else {
                    return;
                };
                for (mode, seconds) in ["user", "system"].into_iter().zip(times) {
                    observer.observe(seconds, &[KeyValue::new("cpu.mode", mode)]);
                }
            })
            .build();
    }

    fn observe_age(&self) {
        let began = Instant::now();
        let _ = self
            .meter
            .f64_observable_gauge("process.uptime")
            .with_unit("s")
            .with_description("Time since this process started")
            .with_callback(move |observer| {
                observer.observe(began.elapsed().as_secs_f64(), &[]);
            })
            .build();
        #[expect(
            clippy::disallowed_methods,
            reason = "the metric is the time of the machine"
        )]
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        self.gauge(
            "process.start_time",
            "s",
            "Start of this process, in seconds since 1970",
            None,
            move || since_epoch,
        );
    }
}

/// The number of open descriptors, without the one that counts them.
fn open_descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |open| (open.count() as u64).saturating_sub(1))
}

/// Clock ticks a second in `/proc`: a constant of Linux's interface, on all processors.
const TICKS_PER_SECOND: u32 = 100;

/// Seconds of user and system time. Source: `proc_pid_stat(5)`, fields 14 and 15; the name in field
/// 2 may hold blanks and brackets, so fields are counted from its end.
fn cpu_seconds(stat: &str) -> Option<[f64; 2]> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut seconds = || {
        let ticks: u32 = fields.next()?.parse().ok()?;
        Some(f64::from(ticks) / f64::from(TICKS_PER_SECOND))
    };
    Some([seconds()?, seconds()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_of_any_kind() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 9 8 7 6 250 50 1 1 20 0 9 0 100 1 1";
        assert_eq!(cpu_seconds(stat), Some([2.5, 0.5]));
        assert_eq!(cpu_seconds("7 (short) S 1"), None);
        assert_eq!(cpu_seconds(""), None);
    }
}
