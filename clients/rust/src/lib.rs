#![doc = include_str!("../README.md")]

mod course;
mod envelope;
mod error;
mod job;
mod launch;
mod metrics;
mod paths;
mod pool;
mod process;
pub mod protocol;
mod shared;
mod sidecar;
mod states;
mod stored;
mod supervisor;
mod worker;

pub use error::{Error, Report, Result};
pub use job::{Events, Job};
pub use launch::{Launch, Patience};
pub use metrics::Metrics;
pub use paths::path_to_wire;
pub use pool::Pool;
pub use shared::State;
pub use sidecar::{Batch, Sidecar};
pub use states::{FileStanding, FileState, JobStatus, Snapshot};
