//! Keeps the worker and its jobs for pages that come and go. Knows nothing of windows.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use ocr_sidecar::protocol::{BatchOptions, Event, Passwords, ResultData, ResultEvent};
use ocr_sidecar::{Batch, Error, Job, Launch, Report, Result, Sidecar, Snapshot, State};
use serde::{Deserialize, Serialize};

/// Ended jobs that a page still finds.
const MOST_ENDED: usize = 100;

/// A batch that a page asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Start {
    /// The page's name for its wish: asked twice, as by a page that was reloaded meanwhile, it is done once.
    pub request_id: String,
    pub files: Vec<PathBuf>,
    pub output_dir: PathBuf,
    #[serde(default)]
    pub options: BatchOptions,
    #[serde(default)]
    pub priority: i64,
}

/// A job as a page is shown it.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    pub request_id: String,
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// What a page finds when it attaches.
#[derive(Clone, Debug, Serialize)]
pub struct Attached {
    #[serde(flatten)]
    pub state: State,
    pub jobs: Vec<Shown>,
}

/// What an attached page is told.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// A job that the page may not know yet. All its events follow, from the first on.
    Job(Shown),
    Event {
        request_id: String,
        event: Event,
    },
    /// The job has no result, and no event says why.
    Failed {
        request_id: String,
        job_id: String,
        error: Report,
    },
}

impl Message {
    /// The name of the event for those who are not attached.
    pub(crate) fn event_name(&self) -> Option<&'static str> {
        match self {
            Self::Event {
                event: Event::Progress(_),
                ..
            } => Some("python_progress"),
            Self::Event {
                event:
                    Event::Result(ResultEvent {
                        data: ResultData::Batch(_),
                        ..
                    }),
                ..
            } => Some("python_result"),
            Self::Event {
                event: Event::Error(_),
                ..
            }
            | Self::Failed { .. } => Some("python_error"),
            _ => None,
        }
    }
}

type Listener = Arc<dyn Fn(&Message) + Send + Sync>;

pub(crate) struct Desk {
    launch: Launch,
    /// Hears of all jobs, whoever is attached.
    crier: Listener,
    /// The worker is started by one call at a time; the last start that failed, and when it did.
    starting: Mutex<Option<(Instant, Error)>>,
    kept: Mutex<Kept>,
    /// A request was answered.
    answered: Condvar,
}

#[derive(Default)]
struct Kept {
    sidecar: Option<Sidecar>,
    /// How often it was to stop.
    stops: u64,
    entries: Vec<Entry>,
    /// Requests that the worker has not answered yet.
    asked: HashSet<String>,
    /// By the name of the page's window: a page that is loaded anew replaces itself.
    pages: HashMap<String, Page>,
}

#[derive(Clone)]
struct Entry {
    request_id: String,
    job: Job,
}

#[derive(Clone)]
struct Page {
    listener: Listener,
    is_left: Arc<AtomicBool>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Desk")
            .field("launch", &self.launch)
            .finish_non_exhaustive()
    }
}

impl Desk {
    pub(crate) fn new(launch: Launch, crier: impl Fn(&Message) + Send + Sync + 'static) -> Self {
        Self {
            launch,
            crier: Arc::new(crier),
            starting: Mutex::default(),
            kept: Mutex::default(),
            answered: Condvar::new(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker, or a new one where it was given up or stopped.
    pub(crate) fn sidecar(&self) -> Result<Sidecar> {
        self.sidecar_since(Instant::now())
    }

    /// For a call that began then: who waited for a start that failed does not try again.
    fn sidecar_since(&self, begun: Instant) -> Result<Sidecar> {
        let stops = self.kept().stops;
        let mut failed = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sidecar) = self.living() {
            return Ok(sidecar);
        }
        if let Some((_, error)) = failed.as_ref().filter(|(at, _)| *at >= begun) {
            return Err(error.clone());
        }
        let sidecar = Sidecar::start(self.launch.clone())
            .inspect_err(|error| *failed = Some((Instant::now(), error.clone())))?;
        let mut kept = self.kept();
        if kept.stops != stops {
            drop(kept);
            sidecar.stop();
            return Err(Error::Stopped);
        }
        kept.sidecar = Some(sidecar.clone());
        Ok(sidecar)
    }

    /// The worker, if there is one: nothing is started only to look.
    fn living(&self) -> Option<Sidecar> {
        let sidecar = self.kept().sidecar.clone()?;
        matches!(sidecar.state(), State::Idle | State::Running).then_some(sidecar)
    }

    pub(crate) fn state(&self) -> State {
        let sidecar = self.kept().sidecar.clone();
        sidecar.map_or(State::Idle, |sidecar| sidecar.state())
    }

    /// Show a page all jobs, and tell it all that happened and happens to them.
    pub(crate) fn attach(
        &self,
        window: &str,
        listener: impl Fn(&Message) + Send + Sync + 'static,
    ) -> Attached {
        let page = Page {
            listener: Arc::new(listener),
            is_left: Arc::default(),
        };
        let mut kept = self.kept();
        if let Some(before) = kept.pages.insert(window.to_owned(), page.clone()) {
            before.is_left.store(true, Relaxed);
        }
        let entries = kept.entries.clone();
        drop(kept);
        let jobs = entries.iter().map(Entry::shown).collect();
        for entry in entries {
            entry.follow(page.clone());
        }
        Attached {
            state: self.state(),
            jobs,
        }
    }

    pub(crate) fn start(&self, start: &Start) -> Result<Shown> {
        let batch = Batch {
            files: start.files.clone(),
            output_dir: start.output_dir.clone(),
            options: start.options.clone(),
            priority: start.priority,
        };
        self.once(&start.request_id, |sidecar| sidecar.batch(batch))
    }

    /// Go on with a job of the state folder.
    pub(crate) fn reopen(
        &self,
        request_id: &str,
        job_id: &str,
        passwords: Option<Passwords>,
    ) -> Result<Shown> {
        self.once(request_id, |sidecar| sidecar.resume(job_id, passwords))
    }

    fn once(&self, request_id: &str, begin: impl FnOnce(&Sidecar) -> Result<Job>) -> Result<Shown> {
        let _asked = match self.ask(request_id) {
            Ok(asked) => asked,
            Err(entry) => return Ok(entry.shown()),
        };
        let job = begin(&self.sidecar()?)?;
        let entry = Entry {
            request_id: request_id.to_owned(),
            job,
        };
        let mut kept = self.kept();
        kept.forget_old();
        kept.entries.push(entry.clone());
        let pages: Vec<Page> = kept.pages.values().cloned().collect();
        drop(kept);
        entry.clone().follow(Page {
            listener: Arc::clone(&self.crier),
            is_left: Arc::default(),
        });
        for page in pages {
            entry.clone().follow(page);
        }
        Ok(entry.shown())
    }

    /// Take a request on, or find what came of it. The same one, asked again, waits for its answer; others do not.
    fn ask(&self, request_id: &str) -> std::result::Result<Asked<'_>, Entry> {
        let mut kept = self.kept();
        loop {
            if let Some(entry) = kept.find(|entry| entry.request_id == request_id) {
                return Err(entry);
            }
            if kept.asked.insert(request_id.to_owned()) {
                let request_id = request_id.to_owned();
                return Ok(Asked {
                    desk: self,
                    request_id,
                });
            }
            kept = self.answered.wait(kept).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn job(&self, job_id: &str) -> Option<Job> {
        // The last one: a job that was reopened has several.
        let found = self.kept().find(|entry| entry.job.id() == job_id);
        found.map(|entry| entry.job)
    }

    /// End the worker, and one that is being started as soon as it has spoken.
    pub(crate) fn stop(&self) {
        let mut kept = self.kept();
        kept.stops += 1;
        let sidecar = kept.sidecar.clone();
        drop(kept);
        if let Some(sidecar) = sidecar {
            sidecar.stop();
        }
    }
}

/// A request that is in the worker's hands.
struct Asked<'a> {
    desk: &'a Desk,
    request_id: String,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.desk.kept().asked.remove(&self.request_id);
        self.desk.answered.notify_all();
    }
}

impl Kept {
    fn find(&self, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        self.entries.iter().rev().find(|entry| wanted(entry)).cloned()
    }

    fn forget_old(&mut self) {
        let ended = self.entries.iter().filter(|entry| entry.has_ended()).count();
        let mut too_many = (ended + 1).saturating_sub(MOST_ENDED);
        self.entries.retain(|entry| {
            let goes = too_many > 0 && entry.has_ended();
            too_many -= usize::from(goes);
            !goes
        });
    }
}

impl Entry {
    fn shown(&self) -> Shown {
        Shown {
            request_id: self.request_id.clone(),
            snapshot: self.job.snapshot(),
        }
    }

    fn has_ended(&self) -> bool {
        self.job.result_within(std::time::Duration::ZERO).is_some()
    }

    /// Tell a page of the job until either ends.
    fn follow(self, page: Page) {
        thread::spawn(move || {
            (page.listener)(&Message::Job(self.shown()));
            let mut was_told = false;
            for event in self.job.events() {
                if page.is_left.load(Relaxed) {
                    return;
                }
                was_told = matches!(event, Event::Error(_));
                let request_id = self.request_id.clone();
                (page.listener)(&Message::Event { request_id, event });
            }
            if let (false, Err(error)) = (was_told, self.job.result()) {
                let (request_id, job_id) = (self.request_id.clone(), self.job.id().to_owned());
                (page.listener)(&Message::Failed {
                    request_id,
                    job_id,
                    error: error.report(),
                });
            }
        });
    }
}

#[cfg(test)]
mod tests;
