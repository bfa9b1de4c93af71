//! What handles, reader and supervisor share: commands that wait for their answer, jobs, and the state.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::course::JobCell;
use crate::envelope::{is_end, line, name_of, Facts};
use crate::error::{Error, Result};
use crate::launch::Launch;
use crate::metrics::Counters;
use crate::protocol::{
    Command, ErrorEvent, Event, HelloData, InfoData, InfoEvent, Passwords, ResultData, ResultEvent,
};
use crate::stored::last_words;
use crate::worker::{Listener, Log, Outbox};

/// What the sidecar is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "message")]
pub enum State {
    /// The worker waits for work.
    Idle,
    /// A job is accepted and has not ended.
    Running,
    /// It was stopped by the host.
    Cancelled,
    /// The worker cannot be started, or crashed too often.
    Error(String),
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) launch: Launch,
    pub(crate) counters: Counters,
    pub(crate) signals: Sender<Signal>,
    /// Whether a stop was asked for: what takes long looks here.
    is_stopping: AtomicBool,
    core: Mutex<Core>,
}

/// What the supervisor is told.
#[derive(Debug)]
pub(crate) enum Signal {
    /// The stdout of the process of this number has ended.
    Silent(u64),
    /// End the worker, then drop the sender.
    Stop(Sender<()>),
}

#[derive(Debug)]
struct Core {
    phase: Phase,
    outbox: Option<Outbox>,
    /// Counts worker processes, so that late words of a dead one are told apart.
    process: u64,
    pid: Option<u32>,
    log: Log,
    hello: Option<HelloData>,
    last_heard: Instant,
    asked: u64,
    waiting: HashMap<String, Waiting>,
    jobs: HashMap<String, Arc<JobCell>>,
}

#[derive(Clone, Debug)]
enum Phase {
    Working,
    Stopped,
    GivenUp(Error),
}

/// A command without an answer.
#[derive(Debug)]
struct Waiting {
    reply: Sender<Result<Reply>>,
    opening: Option<Opening>,
}

/// What an accepted command's job is begun with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opening {
    pub(crate) files: Vec<String>,
    pub(crate) passwords: Option<Passwords>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) event: Event,
    /// The job that it accepts.
    pub(crate) job: Option<Arc<JobCell>>,
}

impl Shared {
    pub(crate) fn new(launch: Launch, signals: Sender<Signal>) -> Self {
        let core = Core {
            phase: Phase::Working,
            outbox: None,
            process: 0,
            pid: None,
            log: Log::default(),
            hello: None,
            last_heard: Instant::now(),
            asked: 0,
            waiting: HashMap::new(),
            jobs: HashMap::new(),
        };
        Self {
            launch,
            counters: Counters::new(),
            signals,
            is_stopping: AtomicBool::new(false),
            core: Mutex::new(core),
        }
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Send a command and wait for its answer.
    pub(crate) fn ask(&self, command: Command) -> Result<Event> {
        let waited = self.launch.patience.answer;
        let (id, answer) = self.post(&command, None)?;
        match answer.recv_timeout(waited) {
            Ok(answer) => answer.map(|reply| reply.event),
            Err(_) => {
                self.core().waiting.remove(&id);
                let command = name_of(&command);
                Err(Error::TimedOut { command, waited })
            }
        }
    }

    /// Send a command that begins a job, and wait as long as the worker lives: a job that nobody waited for would run on.
    pub(crate) fn ask_for_job(&self, command: Command, opening: Opening) -> Result<Reply> {
        let (_, answer) = self.post(&command, Some(opening))?;
        answer.recv().unwrap_or(Err(Error::Stopped))
    }

    /// Send a command; its answer comes by the receiver.
    pub(crate) fn post(
        &self,
        command: &Command,
        opening: Option<Opening>,
    ) -> Result<(String, Receiver<Result<Reply>>)> {
        let (reply, answer) = mpsc::channel();
        let mut core = self.core();
        core.phase.check()?;
        core.asked += 1;
        let id = format!("{}-{}", name_of(command), core.asked);
        let line = line(command, &id);
        let limit_bytes = core
            .hello
            .as_ref()
            .map_or(usize::MAX, |hello| hello.limits.max_line_bytes as usize);
        if line.len() > limit_bytes {
            return Err(Error::LineTooLong {
                bytes: line.len(),
                limit_bytes,
            });
        }
        let sent = core
            .outbox
            .as_ref()
            .is_some_and(|outbox| outbox.send(line).is_ok());
        if !sent {
            let message = "it is being started anew".into();
            return Err(Error::Crashed { message });
        }
        core.waiting.insert(id.clone(), Waiting { reply, opening });
        self.counters.commands.add_one();
        Ok((id, answer))
    }

    /// The part of the thread that reads: take one line of a process.
    fn hear(&self, process: u64, line: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Event>(line) else {
            self.counters.unreadable_lines.add_one();
            return;
        };
        self.count(&event);
        let mut core = self.core();
        if core.process != process {
            return;
        }
        core.last_heard = Instant::now();
        let facts = Facts::of(&event);
        let (waiting, accepted) = core.answered(&facts, &event);
        let told = facts.job_id.as_ref().and_then(|id| core.jobs.get(id).cloned());
        if accepted.is_some() {
            self.counters.jobs_accepted.add_one();
        }
        // Who waits for the end finds it counted.
        if let (Some(job), true) = (&told, is_end(&event)) {
            self.counters.jobs_ended.add_one();
            core.jobs.remove(&job.id);
        }
        drop(core);
        if let Some(job) = told {
            job.hear(event.clone());
        }
        if let Some(waiting) = waiting {
            let _ = waiting.reply.send(answer(event, accepted));
        }
    }

    fn count(&self, event: &Event) {
        self.counters.events.add_one();
        match event {
            Event::Error(_) => self.counters.errors.add_one(),
            Event::Unknown(_)
            | Event::Info(InfoEvent {
                data: InfoData::Unknown(_),
                ..
            })
            | Event::Result(ResultEvent {
                data: ResultData::Unknown(_),
                ..
            }) => self.counters.unknown_events.add_one(),
            _ => {}
        }
    }

    /// A new process is spoken to from now on; returns its number.
    pub(crate) fn meet(&self, outbox: Outbox, pid: u32, log: Log) {
        let mut core = self.core();
        (core.outbox, core.pid, core.log) = (Some(outbox), Some(pid), log);
        core.last_heard = Instant::now();
    }

    pub(crate) fn next_process(&self) -> u64 {
        let mut core = self.core();
        core.process += 1;
        core.process
    }

    pub(crate) fn greeted(&self, hello: HelloData) {
        self.core().hello = Some(hello);
    }

    /// Close the worker's stdin, once what waits is written.
    pub(crate) fn hang_up(&self) {
        self.core().outbox = None;
    }

    /// The process is gone: nobody will answer what it was asked.
    pub(crate) fn part(&self, error: &Error) {
        let mut core = self.core();
        (core.outbox, core.pid) = (None, None);
        let waiting = std::mem::take(&mut core.waiting);
        drop(core);
        for one in waiting.into_values() {
            let _ = one.reply.send(Err(error.clone()));
        }
    }

    /// No process follows: the jobs end too.
    pub(crate) fn finish(&self, error: &Error) {
        let mut core = self.core();
        core.phase = match error {
            Error::Stopped => Phase::Stopped,
            error => Phase::GivenUp(error.clone()),
        };
        let jobs = std::mem::take(&mut core.jobs);
        drop(core);
        self.part(error);
        for job in jobs.into_values() {
            self.counters.jobs_ended.add_one();
            job.fail(error);
        }
    }

    pub(crate) fn ask_to_stop(&self) {
        self.is_stopping.store(true, Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }

    /// Refuse commands from now on, though the process still ends its work.
    pub(crate) fn begin_stop(&self) {
        self.core().phase = Phase::Stopped;
    }

    pub(crate) fn unfinished(&self) -> Vec<Arc<JobCell>> {
        self.core().jobs.values().cloned().collect()
    }

    /// Of a job that the worker has nothing left to do for, the store has the end; of one that goes on it has none.
    pub(crate) fn settle(&self, job: &JobCell, ask: impl FnMut(Command) -> Result<Event>) -> Result<()> {
        let Some(events) = last_words(&job.id, ask)? else {
            return Ok(());
        };
        if self.core().jobs.remove(&job.id).is_some() {
            self.counters.jobs_ended.add_one();
        }
        for event in events {
            job.catch_up(event);
        }
        Ok(())
    }

    pub(crate) fn forget(&self, job: &JobCell, error: &Error) {
        self.core().jobs.remove(&job.id);
        self.counters.jobs_ended.add_one();
        job.fail(error);
    }

    pub(crate) fn silent_for(&self) -> Duration {
        self.core().last_heard.elapsed()
    }

    pub(crate) fn state(&self) -> State {
        let core = self.core();
        match &core.phase {
            Phase::Stopped => State::Cancelled,
            Phase::GivenUp(error) => State::Error(error.to_string()),
            Phase::Working if core.jobs.is_empty() => State::Idle,
            Phase::Working => State::Running,
        }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.core().pid
    }

    pub(crate) fn log(&self) -> String {
        let log = self.core().log.clone();
        log.text()
    }

    pub(crate) fn hello(&self) -> Option<HelloData> {
        self.core().hello.clone()
    }

    pub(crate) fn job(&self, job_id: &str) -> Option<Arc<JobCell>> {
        self.core().jobs.get(job_id).cloned()
    }
}

impl Phase {
    fn check(&self) -> Result<()> {
        match self {
            Self::Working => Ok(()),
            Self::Stopped => Err(Error::Stopped),
            Self::GivenUp(error) => Err(error.clone()),
        }
    }
}

impl Core {
    /// Who waits for this event, and the job that it begins: known before anything else of that job is heard.
    fn answered(&mut self, facts: &Facts, event: &Event) -> (Option<Waiting>, Option<Arc<JobCell>>) {
        let Some(waiting) = facts.id.as_ref().and_then(|id| self.waiting.remove(id)) else {
            return (None, None);
        };
        let job = match (&waiting.opening, event, &facts.job_id) {
            (Some(opening), Event::Info(InfoEvent { data, .. }), Some(job_id)) => {
                if matches!(data, InfoData::Accepted(_)) && !self.jobs.contains_key(job_id) {
                    let job = JobCell::new(job_id.clone(), &opening.files, opening.passwords.clone());
                    self.jobs.insert(job_id.clone(), Arc::new(job));
                }
                self.jobs.get(job_id).cloned()
            }
            _ => None,
        };
        (Some(waiting), job)
    }
}

fn answer(event: Event, job: Option<Arc<JobCell>>) -> Result<Reply> {
    match event {
        Event::Error(ErrorEvent { data, .. }) => Err(Error::Refused(data)),
        Event::Unknown(value) => Err(Error::Unreadable {
            message: value.to_string().chars().take(300).collect(),
        }),
        event => Ok(Reply { event, job }),
    }
}

/// Hands what a process says to those who share it.
pub(crate) struct Ear {
    pub(crate) shared: Arc<Shared>,
    pub(crate) process: u64,
}

impl Listener for Ear {
    fn hear(&mut self, line: &[u8]) {
        self.shared.hear(self.process, line);
    }

    fn end(&mut self) {
        let _ = self.shared.signals.send(Signal::Silent(self.process));
    }
}
