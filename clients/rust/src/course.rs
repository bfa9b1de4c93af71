//! What is known of a job: its events, and where they have brought it.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::protocol::{
    BatchData, Command, ErrorEvent, Event, FileDone, InfoData, InfoEvent, Passwords, ProgressEvent,
    ResultData, ResultEvent, Resume,
};
use crate::states::{FileStanding, FileState, JobStatus, Snapshot};

/// What reader, supervisor and handles share of a job.
#[derive(Debug)]
pub(crate) struct JobCell {
    pub(crate) id: String,
    pub(crate) passwords: Option<Passwords>,
    course: Mutex<Course>,
    changed: Condvar,
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

    /// Hear what the store has kept, but of files only what is news.
    pub(crate) fn catch_up(&self, event: Event) {
        let is_known = match &event {
            Event::Info(InfoEvent {
                data: InfoData::FileDone(done),
                ..
            }) => self.course().has_ended(&done.file),
            _ => false,
        };
        if !is_known {
            self.hear(event);
        }
    }

    /// End the job without a word of the worker.
    pub(crate) fn fail(&self, error: &Error) {
        self.course().outcome.get_or_insert_with(|| Err(error.clone()));
        self.changed.notify_all();
    }

    /// Wait for news, at most until the deadline.
    pub(crate) fn wait<'a>(
        &self,
        course: MutexGuard<'a, Course>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, Course> {
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

/// What is wanted of a job, which outlives the worker.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    #[default]
    Run,
    Pause,
    Cancel,
}

#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) wish: Wish,
    is_paused: bool,
    /// The event that told that none of its pages is in work.
    rests_since: Option<i64>,
    pub(crate) outcome: Option<Result<BatchData>>,
    /// All events but progress and heartbeats.
    pub(crate) log: Vec<Event>,
    /// The newest, with its number.
    pub(crate) progress: Option<(u64, ProgressEvent)>,
    pub(crate) files: Vec<FileState>,
    places: HashMap<String, usize>,
}

impl Course {
    pub(crate) fn snapshot(&self, job_id: &str) -> Snapshot {
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
            None if self.wish == Wish::Cancel => JobStatus::Cancelling,
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
                data: InfoData::Pause(told),
                ..
            }) if !told.jobs.is_empty() => self.heed(Wish::Pause),
            Event::Info(InfoEvent {
                data: InfoData::Resume(_),
                ..
            }) => self.heed(Wish::Run),
            Event::Info(InfoEvent {
                data: InfoData::Accepted(_),
                ..
            }) => self.stand(false),
            Event::Info(InfoEvent {
                data: InfoData::Paused(_),
                seq,
                ..
            }) => {
                self.heed(Wish::Pause);
                self.rests_since = Some(*seq);
            }
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

    /// Somebody has it pause or go on: this host, or another program on the same state folder.
    pub(crate) fn heed(&mut self, wish: Wish) {
        if self.wish != Wish::Cancel {
            self.wish = wish;
        }
        self.stand(wish == Wish::Pause);
    }

    fn stand(&mut self, is_paused: bool) {
        (self.is_paused, self.rests_since) = (is_paused, None);
    }

    fn progress(&mut self, progress: ProgressEvent) {
        // Of a job that rested, pages in work are the news that it goes on.
        let is_later = self.rests_since.is_some_and(|since| progress.seq > since);
        if is_later && !progress.data.working.is_empty() {
            self.heed(Wish::Run);
        }
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
        state.status = FileStanding::of(done);
        state.page_count = done.pages.or(state.page_count);
        state.output.clone_from(&done.output);
        state.confidence = done.confidence;
        state.error.clone_from(&done.error);
        state.reason.clone_from(&done.reason);
    }

    fn has_ended(&self, file: &str) -> bool {
        let state = self.places.get(file).map(|place| self.files[*place].status);
        state.is_some_and(|status| !matches!(status, FileStanding::Waiting | FileStanding::Working))
    }

    fn file(&mut self, file: &str) -> &mut FileState {
        let place = *self.places.entry(file.to_owned()).or_insert_with(|| {
            self.files.push(FileState::waiting(file));
            self.files.len() - 1
        });
        &mut self.files[place]
    }
}
