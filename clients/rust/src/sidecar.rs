//! The handle by which an app speaks to its worker.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::course::JobCell;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::launch::Launch;
use crate::metrics::Metrics;
use crate::paths::path_to_wire;
use crate::protocol::{
    BatchOptions, Command, DeleteJob, Event, GetJob, HelloData, InfoData, InfoEvent, Inspect, InspectData,
    JobData, JobsData, ListJobs, OcrBatch, Passwords, Ping, PingData, ResultData, ResultEvent, Resume,
    RetryFailed, Secret,
};
use crate::shared::{Opening, Shared, Signal, State};
use crate::stored::last_words;
use crate::supervisor::Supervisor;

/// A running worker. Clones are handles of the same one; when the last handle and the last
/// [`Job`] are dropped, the worker and all its processes end.
///
/// ```no_run
/// use ocr_sidecar::{Batch, Launch, Sidecar};
///
/// let sidecar = Sidecar::start(Launch::new("ocr-worker", "my-app", "1.0"))?;
/// let job = sidecar.batch(Batch::new(["scan.pdf"], "out"))?;
/// for event in job.events() {
///     println!("{event:?}");
/// }
/// println!("{} pages", job.result()?.total_pages_processed);
/// # Ok::<(), ocr_sidecar::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sidecar {
    owner: Arc<Owner>,
}

/// Files to recognise, and where the outputs go.
#[derive(Clone, Debug)]
pub struct Batch {
    pub files: Vec<PathBuf>,
    pub output_dir: PathBuf,
    pub options: BatchOptions,
    /// Higher first.
    pub priority: i64,
}

impl Batch {
    pub fn new<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>, output_dir: impl Into<PathBuf>) -> Self {
        Self {
            files: files.into_iter().map(Into::into).collect(),
            output_dir: output_dir.into(),
            options: BatchOptions::default(),
            priority: 0,
        }
    }

    /// Read so, instead of by the defaults.
    pub fn options(mut self, options: BatchOptions) -> Self {
        self.options = options;
        self
    }

    fn command(&self) -> Result<OcrBatch> {
        let files = self
            .files
            .iter()
            .map(|file| path_to_wire(file))
            .collect::<Result<_>>()?;
        Ok(OcrBatch {
            id: None,
            files,
            output_dir: path_to_wire(&self.output_dir)?,
            options: Some(self.options.clone()),
            priority: Some(self.priority),
        })
    }
}

impl Sidecar {
    /// Start the worker and wait until it has said what it can.
    pub fn start(launch: Launch) -> Result<Self> {
        let (signals, heard) = mpsc::channel();
        let shared = Arc::new(Shared::new(launch, signals.clone()));
        let mut supervisor = Supervisor::new(Arc::clone(&shared), heard);
        supervisor.begin()?;
        let thread = thread::spawn(move || supervisor.run());
        let owner = Owner {
            shared,
            signals,
            thread: Mutex::new(Some(thread)),
        };
        Ok(Self {
            owner: Arc::new(owner),
        })
    }

    /// Hand over files. Returns as soon as they are accepted.
    pub fn batch(&self, batch: Batch) -> Result<Job> {
        let command = batch.command()?;
        let opening = Opening {
            files: command.files.clone(),
            passwords: command
                .options
                .as_ref()
                .and_then(|options| options.passwords.clone()),
        };
        let reply = self
            .owner
            .shared()
            .ask_for_job(Command::OcrBatch(command), opening)?;
        let cell = reply.job.ok_or_else(|| Error::not_understood(&reply.event))?;
        Ok(self.handle(cell))
    }

    /// Go on with a job that was interrupted, cancelled or stopped, also by an earlier worker. One
    /// that is completed has its result at once, with `counts` in place of lists.
    pub fn resume(&self, job_id: &str, passwords: Option<Passwords>) -> Result<Job> {
        let opening = Opening {
            files: Vec::new(),
            passwords: passwords.clone(),
        };
        let resume = Command::Resume(Resume {
            id: None,
            job_id: Some(job_id.to_owned()),
            passwords,
        });
        match self.owner.shared().ask_for_job(resume, opening)?.job {
            Some(cell) => Ok(self.handle(cell)),
            None => self.ended(job_id),
        }
    }

    /// A job with nothing left to do.
    fn ended(&self, job_id: &str) -> Result<Job> {
        let cell = JobCell::new(job_id.to_owned(), &[], None);
        match last_words(job_id, |command| self.ask(command))? {
            Some(events) => events.into_iter().for_each(|event| cell.hear(event)),
            // Another thread has resumed it just now.
            None => return self.job(job_id).ok_or_else(|| Error::active(job_id)),
        }
        Ok(self.handle(Arc::new(cell)))
    }

    /// Do the failed files of an ended job again; none, if it has no failed files.
    pub fn retry_failed(&self, job_id: &str, passwords: Option<Passwords>) -> Result<Option<Job>> {
        let opening = Opening {
            files: Vec::new(),
            passwords: passwords.clone(),
        };
        let retry = Command::RetryFailed(RetryFailed {
            id: None,
            job_id: job_id.to_owned(),
            passwords,
        });
        let reply = self.owner.shared().ask_for_job(retry, opening)?;
        match (reply.job, &reply.event) {
            (Some(cell), _) => Ok(Some(self.handle(cell))),
            (
                None,
                Event::Info(InfoEvent {
                    data: InfoData::RetryFailed(_),
                    ..
                }),
            ) => Ok(None),
            (None, other) => Err(Error::not_understood(other)),
        }
    }

    fn handle(&self, cell: Arc<JobCell>) -> Job {
        Job {
            cell,
            owner: Arc::clone(&self.owner),
        }
    }

    /// A job of this sidecar that has not ended.
    pub fn job(&self, job_id: &str) -> Option<Job> {
        self.owner.shared().job(job_id).map(|cell| self.handle(cell))
    }

    /// All jobs of this sidecar that have not ended.
    pub fn jobs(&self) -> Vec<Job> {
        self.owner
            .shared()
            .unfinished()
            .into_iter()
            .map(|cell| self.handle(cell))
            .collect()
    }

    /// Say what a file is, without OCR.
    pub fn inspect(&self, file: &Path, password: Option<&str>) -> Result<InspectData> {
        let password = password.map(|text| Secret(text.to_owned()));
        let inspect = Command::Inspect(Inspect {
            id: None,
            file: path_to_wire(file)?,
            password,
        });
        match self.ask(inspect)? {
            Event::Result(ResultEvent {
                data: ResultData::Inspect(data),
                ..
            }) => Ok(data),
            other => Err(Error::not_understood(&other)),
        }
    }

    /// Jobs of the state folder, those of other apps included unless `wanted` names a client.
    pub fn list_jobs(&self, wanted: ListJobs) -> Result<JobsData> {
        match self.ask(Command::ListJobs(wanted))? {
            Event::Result(ResultEvent {
                data: ResultData::Jobs(data),
                ..
            }) => Ok(data),
            other => Err(Error::not_understood(&other)),
        }
    }

    /// One job of the state folder, with the first of its files.
    pub fn get_job(&self, job_id: &str) -> Result<JobData> {
        let get = GetJob {
            id: None,
            job_id: job_id.to_owned(),
            offset: None,
            limit: None,
        };
        match self.ask(Command::GetJob(get))? {
            Event::Result(ResultEvent {
                data: ResultData::Job(data),
                ..
            }) => Ok(data),
            other => Err(Error::not_understood(&other)),
        }
    }

    /// Forget a job that does not run; its outputs stay.
    pub fn delete_job(&self, job_id: &str) -> Result<()> {
        self.ask(Command::DeleteJob(DeleteJob {
            id: None,
            job_id: job_id.to_owned(),
        }))
        .map(drop)
    }

    /// Ask for a sign of life.
    pub fn ping(&self) -> Result<PingData> {
        let began = Instant::now();
        let answer = self.ask(Command::Ping(Ping::default()))?;
        self.owner.shared().counters.set_ping(began.elapsed());
        match answer {
            Event::Result(ResultEvent {
                data: ResultData::Ping(data),
                ..
            }) => Ok(data),
            other => Err(Error::not_understood(&other)),
        }
    }

    /// Send any command and wait for its answer, for what has no function here.
    pub fn ask(&self, command: Command) -> Result<Event> {
        self.owner.shared().ask(command)
    }

    /// What the worker said of itself when it was started last.
    pub fn hello(&self) -> Option<HelloData> {
        self.owner.shared().hello()
    }

    pub fn state(&self) -> State {
        self.owner.shared().state()
    }

    pub fn metrics(&self) -> Metrics {
        self.owner.shared().counters.read()
    }

    /// The end of the worker's log.
    pub fn log(&self) -> String {
        self.owner.shared().log()
    }

    /// The number of the worker's process, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.owner.shared().pid()
    }

    /// End the worker now, and wait until nothing of it is left. Unfinished jobs can be resumed by
    /// a later worker.
    pub fn stop(&self) {
        self.owner.stop();
    }
}

/// Ends the worker when nobody has a handle any more.
#[derive(Debug)]
pub(crate) struct Owner {
    shared: Arc<Shared>,
    signals: Sender<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Owner {
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn stop(&self) {
        self.shared.ask_to_stop();
        let (done, is_done) = mpsc::channel();
        if self.signals.send(Signal::Stop(done)).is_ok() {
            // The sender is dropped when all is over.
            let _ = is_done.recv();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map(JoinHandle::join);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop();
    }
}
