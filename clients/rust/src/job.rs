//! A batch in the worker's hands: its events, its files, its end.

use std::collections::HashMap;
use std::iter::FusedIterator;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::{Error, Report, Result};
use crate::protocol::{
    BatchData, Cancel, Command, ErrorEvent, Event, Failure, FileDone, FileStatus, InfoData, InfoEvent,
    Passwords, Pause, ProgressData, ProgressEvent, ResultData, ResultEvent, Resume,
};
use crate::sidecar::Owner;

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
        self.cell.course().is_paused = true;
        let job_id = Some(self.cell.id.clone());
        let asked = self
            .owner
            .shared()
            .ask(Command::Pause(Pause { id: None, job_id }));
        if asked.is_err() {
            self.cell.course().is_paused = false;
        }
        asked.map(drop)
    }

    /// Go on with the job where it is paused.
    pub fn resume(&self) -> Result<()> {
        self.cell.course().is_paused = false;
        self.owner.shared().ask(self.cell.resume_command()).map(drop)
    }

    /// Stop the job; finished files stay. The job then ends with a result of status cancelled.
    pub fn cancel(&self) -> Result<()> {
        self.cell.course().is_cancelled = true;
        let job_id = Some(self.cell.id.clone());
        let cancel = Command::Cancel(Cancel { id: None, job_id });
        self.owner.shared().ask(cancel).map(drop)
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

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    Running,
    Paused,
    /// Cancel was asked for; the end is near.
    Cancelling,
    /// With a result, whatever its status.
    Ended,
    /// Without a result.
    Failed,
}

/// Where a file stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileState {
    /// The path as the worker was told it.
    pub file: String,
    pub status: FileStanding,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a user interface shows of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStanding {
    Waiting,
    Working,
    Completed,
    CompletedWithErrors,
    Failed,
    Skipped,
}

/// All that a user interface needs to show a job that it has not followed so far.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    pub job_id: String,
    pub status: JobStatus,
    pub files: Vec<FileState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<BatchData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Report>,
}

/// What reader, supervisor and handles share of a job.
#[derive(Debug)]
pub(crate) struct JobCell {
    pub(crate) id: String,
    pub(crate) passwords: Option<Passwords>,
    course: Mutex<Course>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) is_paused: bool,
    pub(crate) is_cancelled: bool,
    pub(crate) outcome: Option<Result<BatchData>>,
    /// All events but progress and heartbeats.
    log: Vec<Event>,
    /// The newest, with its number.
    progress: Option<(u64, ProgressEvent)>,
    files: Vec<FileState>,
    places: HashMap<String, usize>,
}

impl JobCell {
    pub(crate) fn new(id: String, files: &[String], passwords: Option<Passwords>) -> Self {
        let mut course = Course::default();
        for file in files {
            course.file(file);
        }
        Self {
            id,
            passwords,
            course: Mutex::new(course),
            changed: Condvar::new(),
        }
    }

    /// What makes a worker go on with the job, the one that has it or a new one.
    pub(crate) fn resume_command(&self) -> Command {
        Command::Resume(Resume {
            id: None,
            job_id: Some(self.id.clone()),
            passwords: self.passwords.clone(),
        })
    }

    pub(crate) fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hear(&self, event: Event) {
        let mut course = self.course();
        if course.outcome.is_none() {
            course.hear(event);
        }
        drop(course);
        self.changed.notify_all();
    }

    /// End the job without a word of the worker.
    pub(crate) fn fail(&self, error: &Error) {
        self.course().outcome.get_or_insert_with(|| Err(error.clone()));
        self.changed.notify_all();
    }

    fn wait<'a>(&self, course: MutexGuard<'a, Course>, deadline: Option<Instant>) -> MutexGuard<'a, Course> {
        match deadline {
            None => self.changed.wait(course).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.changed
                    .wait_timeout(course, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }
}

impl Course {
    fn snapshot(&self, job_id: &str) -> Snapshot {
        let (result, error) = match &self.outcome {
            Some(Ok(data)) => (Some(data.clone()), None),
            Some(Err(error)) => (None, Some(error.report())),
            None => (None, None),
        };
        Snapshot {
            job_id: job_id.to_owned(),
            status: self.status(),
            files: self.files.clone(),
            progress: self.progress.as_ref().map(|(_, event)| event.data.clone()),
            result,
            error,
        }
    }

    fn status(&self) -> JobStatus {
        match &self.outcome {
            Some(Ok(_)) => JobStatus::Ended,
            Some(Err(_)) => JobStatus::Failed,
            None if self.is_cancelled => JobStatus::Cancelling,
            None if self.is_paused => JobStatus::Paused,
            None => JobStatus::Running,
        }
    }

    fn hear(&mut self, event: Event) {
        match &event {
            Event::Progress(progress) => return self.progress(progress.clone()),
            Event::Info(InfoEvent {
                data: InfoData::Heartbeat(_),
                ..
            }) => return,
            Event::Info(InfoEvent {
                data: InfoData::FileStarted(started),
                ..
            }) => {
                self.working_on(&started.file, None, started.page_count);
            }
            Event::Info(InfoEvent {
                data: InfoData::FileDone(done),
                ..
            }) => self.file_done(done),
            Event::Info(InfoEvent {
                data: InfoData::Pause(_),
                ..
            }) => self.is_paused = true,
            Event::Info(InfoEvent {
                data: InfoData::Resume(_) | InfoData::Accepted(_),
                ..
            }) => self.is_paused = false,
            Event::Result(ResultEvent {
                data: ResultData::Batch(data),
                ..
            }) => self.outcome = Some(Ok(data.clone())),
            Event::Result(ResultEvent {
                data: ResultData::Unknown(value),
                ..
            }) if value["kind"] == "batch" => {
                let message = "the result of a batch has another form than expected".into();
                self.outcome = Some(Err(Error::Unreadable { message }));
            }
            Event::Error(ErrorEvent { data, .. }) => self.outcome = Some(Err(Error::Refused(data.clone()))),
            _ => {}
        }
        self.log.push(event);
    }

    fn progress(&mut self, progress: ProgressEvent) {
        if let Some(file) = &progress.data.file {
            self.working_on(file, progress.data.page, progress.data.page_count);
        }
        for one in &progress.data.working {
            self.working_on(&one.file, one.page, None);
        }
        let number = self.progress.as_ref().map_or(0, |(number, _)| *number);
        self.progress = Some((number + 1, progress));
    }

    fn working_on(&mut self, file: &str, page: Option<i64>, page_count: Option<i64>) {
        let state = self.file(file);
        if matches!(state.status, FileStanding::Waiting | FileStanding::Working) {
            state.status = FileStanding::Working;
            state.page = page.or(state.page);
            state.page_count = page_count.or(state.page_count);
        }
    }

    fn file_done(&mut self, done: &FileDone) {
        let state = self.file(&done.file);
        state.status = standing(done);
        state.page_count = done.pages.or(state.page_count);
        state.output.clone_from(&done.output);
        state.confidence = done.confidence;
        state.error.clone_from(&done.error);
        state.reason.clone_from(&done.reason);
    }

    fn file(&mut self, file: &str) -> &mut FileState {
        let place = *self.places.entry(file.to_owned()).or_insert_with(|| {
            self.files.push(FileState::waiting(file));
            self.files.len() - 1
        });
        &mut self.files[place]
    }
}

impl FileState {
    fn waiting(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            status: FileStanding::Waiting,
            page: None,
            page_count: None,
            output: None,
            confidence: None,
            error: None,
            reason: None,
        }
    }
}

fn standing(done: &FileDone) -> FileStanding {
    match done.status {
        FileStatus::Completed => FileStanding::Completed,
        FileStatus::CompletedWithErrors => FileStanding::CompletedWithErrors,
        FileStatus::Skipped => FileStanding::Skipped,
        FileStatus::Failed | FileStatus::Unknown(_) => FileStanding::Failed,
    }
}
