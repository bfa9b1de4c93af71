//! A batch in the worker's hands: its events, its files, its end.

use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::course::{JobCell, Wish};
use crate::envelope::nothing_resumed;
use crate::error::{Error, Result};
use crate::protocol::{BatchData, Cancel, Command, Event, Pause};
use crate::sidecar::Owner;
use crate::states::{FileState, Snapshot};

/// A job that was accepted. Clones are handles of the same job; each keeps the worker.
#[derive(Clone, Debug)]
pub struct Job {
    pub(crate) cell: Arc<JobCell>,
    pub(crate) owner: Arc<Owner>,
}

impl Job {
    /// The name by which the worker, and its store, know the job.
    pub fn id(&self) -> &str {
        &self.cell.id
    }

    /// All events of the job: those that came are told first, then those that come.
    ///
    /// Of progress only the newest is told, so that a slow reader costs no memory. The iterator
    /// ends after the terminal event, or when the worker is stopped or given up; [`Job::result`]
    /// has the reason.
    pub fn events(&self) -> Events {
        Events {
            cell: Arc::clone(&self.cell),
            told: 0,
            progress: 0,
        }
    }

    /// Wait for the end of the job.
    pub fn result(&self) -> Result<BatchData> {
        let mut course = self.cell.course();
        loop {
            if let Some(outcome) = &course.outcome {
                return outcome.clone();
            }
            course = self.cell.wait(course, None);
        }
    }

    /// Wait for the end of the job, at most so long.
    pub fn result_within(&self, patience: Duration) -> Option<Result<BatchData>> {
        let deadline = Instant::now() + patience;
        let mut course = self.cell.course();
        while course.outcome.is_none() && Instant::now() < deadline {
            course = self.cell.wait(course, Some(deadline));
        }
        course.outcome.clone()
    }

    /// Start no more pages until the job is resumed.
    pub fn pause(&self) -> Result<()> {
        self.cell.course().heed(Wish::Pause);
        let job_id = Some(self.cell.id.clone());
        let asked = self.steer(Command::Pause(Pause { id: None, job_id }));
        if asked.is_err() {
            self.cell.course().heed(Wish::Run);
        }
        asked.map(drop)
    }

    /// Go on with the job where it is paused.
    pub fn resume(&self) -> Result<()> {
        self.cell.course().heed(Wish::Run);
        let answer = self.steer(self.cell.resume_command())?;
        if answer.is_some_and(|answer| nothing_resumed(&answer)) {
            // It may have ended while no worker lived.
            let shared = self.owner.shared();
            shared.settle(&self.cell, |command| shared.ask(command))?;
        }
        Ok(())
    }

    /// Stop the job; finished files stay. The job then ends with a result of status cancelled.
    pub fn cancel(&self) -> Result<()> {
        self.cell.course().wish = Wish::Cancel;
        let job_id = Some(self.cell.id.clone());
        self.steer(Command::Cancel(Cancel { id: None, job_id })).map(drop)
    }

    /// Ask the worker. None if it has crashed: the next one is told what is wanted of the job.
    fn steer(&self, command: Command) -> Result<Option<Event>> {
        match self.owner.shared().ask(command) {
            Err(Error::Crashed { .. }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Where the job and each of its files stand.
    pub fn snapshot(&self) -> Snapshot {
        self.cell.course().snapshot(&self.cell.id)
    }

    /// Where the job stands, and the events from there on: none is missed, none told twice.
    pub fn attach(&self) -> (Snapshot, Events) {
        let course = self.cell.course();
        let events = Events {
            cell: Arc::clone(&self.cell),
            told: course.log.len(),
            progress: course.progress.as_ref().map_or(0, |(number, _)| *number),
        };
        (course.snapshot(&self.cell.id), events)
    }

    /// Where each file stands, in the order of the batch. For a job of an earlier session: the
    /// files heard of since.
    pub fn files(&self) -> Vec<FileState> {
        self.cell.course().files.clone()
    }
}

/// See [`Job::events`].
#[derive(Debug)]
pub struct Events {
    cell: Arc<JobCell>,
    told: usize,
    progress: u64,
}

impl Events {
    /// The next event, if one comes in time. None also after the last one.
    pub fn next_within(&mut self, patience: Duration) -> Option<Event> {
        self.next_until(Some(Instant::now() + patience))
    }

    fn next_until(&mut self, deadline: Option<Instant>) -> Option<Event> {
        let mut course = self.cell.course();
        loop {
            if let Some(event) = course.log.get(self.told) {
                self.told += 1;
                return Some(event.clone());
            }
            if let Some((number, progress)) = &course.progress {
                if *number > self.progress && course.outcome.is_none() {
                    self.progress = *number;
                    return Some(Event::Progress(progress.clone()));
                }
            }
            let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if course.outcome.is_some() || is_late {
                return None;
            }
            course = self.cell.wait(course, deadline);
        }
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.next_until(None)
    }
}

impl FusedIterator for Events {}
