//! What has been counted since the start.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Counts since the sidecar was started, all worker processes together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    pub uptime_seconds: f64,
    pub commands: u64,
    pub events: u64,
    /// Events that this version does not know.
    pub unknown_events: u64,
    /// Lines that are not JSON: none, if the worker is ours.
    pub unreadable_lines: u64,
    /// Events of type error.
    pub errors: u64,
    /// Worker processes that ended unasked, those that did not respond included.
    pub crashes: u64,
    /// Worker processes that were ended as they did not respond.
    pub hangs: u64,
    pub restarts: u64,
    pub jobs_accepted: u64,
    pub jobs_ended: u64,
    /// How long the last ping took.
    pub ping_seconds: Option<f64>,
}

impl Metrics {
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.uptime_seconds.max(f64::EPSILON)
    }

    /// The share of errors among the events.
    pub fn error_rate(&self) -> f64 {
        self.errors as f64 / (self.events as f64).max(1.0)
    }
}

#[derive(Debug)]
pub(crate) struct Counters {
    began: Instant,
    pub(crate) commands: Counter,
    pub(crate) events: Counter,
    pub(crate) unknown_events: Counter,
    pub(crate) unreadable_lines: Counter,
    pub(crate) errors: Counter,
    pub(crate) crashes: Counter,
    pub(crate) hangs: Counter,
    pub(crate) restarts: Counter,
    pub(crate) jobs_accepted: Counter,
    pub(crate) jobs_ended: Counter,
    /// 0: there was none.
    ping_nanos: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            commands: Counter::default(),
            events: Counter::default(),
            unknown_events: Counter::default(),
            unreadable_lines: Counter::default(),
            errors: Counter::default(),
            crashes: Counter::default(),
            hangs: Counter::default(),
            restarts: Counter::default(),
            jobs_accepted: Counter::default(),
            jobs_ended: Counter::default(),
            ping_nanos: AtomicU64::new(0),
        }
    }

    pub(crate) fn set_ping(&self, took: Duration) {
        self.ping_nanos.store(took.as_nanos() as u64, Relaxed);
    }

    pub(crate) fn read(&self) -> Metrics {
        let ping = Duration::from_nanos(self.ping_nanos.load(Relaxed));
        Metrics {
            uptime_seconds: self.began.elapsed().as_secs_f64(),
            commands: self.commands.get(),
            events: self.events.get(),
            unknown_events: self.unknown_events.get(),
            unreadable_lines: self.unreadable_lines.get(),
            errors: self.errors.get(),
            crashes: self.crashes.get(),
            hangs: self.hangs.get(),
            restarts: self.restarts.get(),
            jobs_accepted: self.jobs_accepted.get(),
            jobs_ended: self.jobs_ended.get(),
            ping_seconds: (!ping.is_zero()).then_some(ping.as_secs_f64()),
        }
    }
}
