//! Several workers beside each other, for hosts with more cores than one worker uses well.

use crate::error::{Error, Result};
use crate::job::Job;
use crate::launch::Launch;
use crate::shared::State;
use crate::sidecar::{Batch, Sidecar};

/// Workers that share a state folder; each batch goes to the one with the fewest jobs.
#[derive(Clone, Debug)]
pub struct Pool {
    sidecars: Vec<Sidecar>,
}

impl Pool {
    /// Start so many workers. If one does not start, those before it end.
    pub fn start(launch: &Launch, workers: usize) -> Result<Self> {
        let sidecars = (0..workers)
            .map(|_| Sidecar::start(launch.clone()))
            .collect::<Result<_>>()?;
        Ok(Self { sidecars })
    }

    /// Hand files to the worker with the fewest jobs.
    pub fn batch(&self, batch: Batch) -> Result<Job> {
        self.least_busy().ok_or(Error::Stopped)?.batch(batch)
    }

    /// The worker with the fewest jobs, of those that live; none, if the pool has none.
    pub fn least_busy(&self) -> Option<&Sidecar> {
        self.sidecars.iter().min_by_key(|sidecar| {
            let is_given_up = !matches!(sidecar.state(), State::Idle | State::Running);
            // One without a process is being started anew.
            (is_given_up, sidecar.pid().is_none(), sidecar.jobs().len())
        })
    }

    pub fn sidecars(&self) -> &[Sidecar] {
        &self.sidecars
    }

    /// End all workers at the same time, and wait until nothing of them is left.
    pub fn stop(&self) {
        std::thread::scope(|scope| {
            for sidecar in &self.sidecars {
                scope.spawn(|| sidecar.stop());
            }
        });
    }
}
