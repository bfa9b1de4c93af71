//! Starts the worker, watches it, starts it again after a crash, and ends it.

use std::sync::mpsc::{Receiver, Sender};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::course::{JobCell, Wish};
use crate::envelope::{name_of, nothing_resumed};
use crate::error::{Error, Result};
use crate::protocol::{
    Cancel, Command, ErrorCode, Event, Hello, OnStdinEnd, Pause, Ping, ResultData, ResultEvent, Shutdown,
    ShutdownMode,
};
use crate::shared::{Ear, Shared, Signal};
use crate::worker::Worker;

/// How often to look whether the worker is silent.
const LOOK: Duration = Duration::from_millis(100);
/// A killed worker's lock may outlive it for a moment, as its page processes do.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: Duration = Duration::from_millis(100);
const STOP_WAIT: Duration = Duration::from_secs(10);
const PROTOCOL: i64 = 1;

pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    signals: Receiver<Signal>,
    worker: Option<Worker>,
    process: u64,
    /// How many restarts followed each other without a time of health.
    restarts: usize,
    /// When the silent worker was pinged.
    pinged: Option<Instant>,
}

/// What to do after a wait.
enum Next {
    Watch,
    /// The worker ended.
    Ended,
    Stop(Sender<()>),
}

impl Supervisor {
    pub(crate) fn new(shared: Arc<Shared>, signals: Receiver<Signal>) -> Self {
        Self {
            shared,
            signals,
            worker: None,
            process: 0,
            restarts: 0,
            pinged: None,
        }
    }

    /// Start a worker and wait for its hello.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.process = self.shared.next_process();
        self.pinged = None;
        let ear = Ear {
            shared: Arc::clone(&self.shared),
            process: self.process,
        };
        let (worker, outbox) = Worker::spawn(&self.shared.launch, ear)?;
        self.shared.meet(outbox, worker.pid(), worker.log());
        self.worker = Some(worker);
        self.greet().map_err(|error| {
            let message = match (error, self.bury()) {
                (Error::Crashed { .. } | Error::TimedOut { .. }, how) => format!("no answer to hello, {how}"),
                (refused, _) => refused.to_string(),
            };
            let error = Error::NotStarted { message };
            self.shared.part(&error);
            error
        })
    }

    fn greet(&mut self) -> Result<()> {
        let launch = &self.shared.launch;
        let patience = launch.patience.start;
        let hello = Hello {
            protocol: Some(vec![PROTOCOL]),
            parent_pid: Some(i64::from(std::process::id())),
            client: Some(launch.client.clone()),
            progress_hz: Some(launch.progress_hz),
            on_stdin_end: Some(OnStdinEnd::Shutdown),
            ..Hello::default()
        };
        match self.ask(&Command::Hello(hello), patience)? {
            Event::Result(ResultEvent {
                data: ResultData::Hello(data),
                ..
            }) => {
                self.shared.greeted(data);
                Ok(())
            }
            other => Err(Error::Unreadable {
                message: format!("{other:?}"),
            }),
        }
    }

    /// Wait for an answer, but not for that of a worker that has ended, nor when all is to stop.
    fn ask(&mut self, command: &Command, patience: Duration) -> Result<Event> {
        let (_, answer) = self.shared.post(command, None)?;
        let deadline = Instant::now() + patience;
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return answer.map(|reply| reply.event),
                Err(_) if self.shared.is_stopping() => return Err(Error::Stopped),
                Err(_) if self.has_ended() => {
                    return Err(Error::Crashed {
                        message: "without an answer".into(),
                    })
                }
                Err(_) if Instant::now() >= deadline => {
                    return Err(Error::TimedOut {
                        command: name_of(command),
                        waited: patience,
                    })
                }
                Err(_) => {}
            }
        }
    }

    /// Watch the worker until it is stopped, or crashed too often.
    pub(crate) fn run(mut self) {
        loop {
            match self.watch() {
                Next::Watch => {}
                Next::Ended => {
                    if let Some(done) = self.recover() {
                        return self.stop(done);
                    }
                    if self.worker.is_none() {
                        return;
                    }
                }
                Next::Stop(done) => return self.stop(done),
            }
        }
    }

    fn watch(&mut self) -> Next {
        match self.signals.recv_timeout(LOOK) {
            Ok(Signal::Stop(done)) => return Next::Stop(done),
            Ok(Signal::Silent(process)) if process == self.process => return Next::Ended,
            Ok(Signal::Silent(_)) | Err(_) => {}
        }
        if self.has_ended() {
            return Next::Ended;
        }
        if self.hangs() {
            self.shared.counters.hangs.add_one();
            return Next::Ended;
        }
        Next::Watch
    }

    /// Ping a worker that is silent; true if it does not respond.
    fn hangs(&mut self) -> bool {
        let patience = &self.shared.launch.patience;
        let silent = self.shared.silent_for();
        if silent < patience.silence {
            self.pinged = None;
            return false;
        }
        match self.pinged {
            Some(pinged) => pinged.elapsed() >= patience.ping,
            None => {
                self.pinged = Some(Instant::now());
                // The answer is of no interest: any word will do.
                let _ = self.shared.post(&Command::Ping(Ping::default()), None);
                false
            }
        }
    }

    /// Start a worker again, as often as is allowed; a stop may come in between.
    fn recover(&mut self) -> Option<Sender<()>> {
        let mut message = self.crashed();
        loop {
            if self.shared.is_stopping() {
                // The signal itself is on its way.
                return self.wait(STOP_WAIT);
            }
            let waits = &self.shared.launch.patience.restarts;
            let Some(&wait) = waits.get(self.restarts) else {
                self.shared.finish(&Error::GaveUp { message });
                return None;
            };
            self.restarts += 1;
            if let Some(done) = self.wait(wait) {
                return Some(done);
            }
            self.shared.counters.restarts.add_one();
            match self.begin() {
                Ok(()) => {
                    self.take_up_jobs();
                    return None;
                }
                Err(error) => {
                    self.shared.counters.crashes.add_one();
                    message = error.to_string();
                }
            }
        }
    }

    /// Bury the worker, tell those who wait, and say how it ended.
    fn crashed(&mut self) -> String {
        let began = self.worker.as_ref().map(|worker| worker.began);
        if began.is_some_and(|began| began.elapsed() >= self.shared.launch.patience.health) {
            self.restarts = 0;
        }
        self.shared.counters.crashes.add_one();
        let message = self.bury();
        self.shared.part(&Error::Crashed {
            message: message.clone(),
        });
        message
    }

    fn wait(&self, time: Duration) -> Option<Sender<()>> {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.signals.recv_timeout(left) {
                Ok(Signal::Stop(done)) => return Some(done),
                Ok(Signal::Silent(_)) => {}
                Err(_) => return None,
            }
        }
    }

    /// Go on with the jobs of the worker that crashed. One that was paused waits for its resume.
    fn take_up_jobs(&mut self) {
        for job in self.shared.unfinished() {
            let wish = job.course().wish;
            if wish == Wish::Pause {
                continue;
            }
            match self.reopen(&job) {
                // The worker crashed again: the next one takes the job up.
                Ok(()) | Err(Error::Crashed { .. } | Error::Stopped) => {}
                Err(error) => self.shared.forget(&job, &error),
            }
            // Told before the worker had the job, a pause or a cancel is told again.
            let (wish, id, job_id) = (job.course().wish, None, Some(job.id.clone()));
            let _ = match wish {
                Wish::Run => continue,
                Wish::Pause => self.shared.post(&Command::Pause(Pause { id, job_id }), None),
                Wish::Cancel => self.shared.post(&Command::Cancel(Cancel { id, job_id }), None),
            };
        }
    }

    fn reopen(&mut self, job: &JobCell) -> Result<()> {
        let mut tries = 0;
        let patience = self.shared.launch.patience.answer;
        loop {
            match self.ask(&job.resume_command(), patience) {
                Err(Error::Refused(data)) if data.code == ErrorCode::JobActive && tries < LOCK_TRIES => {
                    tries += 1;
                    thread::sleep(LOCK_WAIT);
                }
                Ok(answer) if nothing_resumed(&answer) => {
                    let shared = Arc::clone(&self.shared);
                    return shared.settle(job, |command| self.ask(&command, patience));
                }
                answer => return answer.map(drop),
            }
        }
    }

    /// Ask for the end, more and more firmly.
    fn stop(mut self, done: Sender<()>) {
        let now = Shutdown {
            id: None,
            mode: Some(ShutdownMode::Now),
        };
        let _ = self.shared.post(&Command::Shutdown(now), None);
        self.shared.begin_stop();
        self.shared.hang_up();
        let patience = self.shared.launch.patience.stop;
        if let Some(worker) = &mut self.worker {
            if !worker.ends_within(patience) {
                worker.terminate();
                worker.ends_within(patience);
            }
        }
        self.bury();
        self.shared.finish(&Error::Stopped);
        drop(done);
    }

    fn bury(&mut self) -> String {
        self.worker.take().map_or_else(String::new, Worker::bury)
    }

    fn has_ended(&mut self) -> bool {
        self.worker
            .as_mut()
            .is_none_or(|worker| worker.ends_within(Duration::ZERO))
    }
}
