//! What the store says of a job whose end nobody heard: while no worker lived, or with nothing left to do.

use crate::error::{Error, Result};
use crate::protocol::{
    BatchData, BatchStatus, Command, CommandName, Counts, Event, FileDone, FileStatus, GetJob, InfoData,
    InfoEvent, JobData, JobState, ResultData, ResultEvent,
};

/// A job's files that have ended, and its result with counts in place of lists: as events, the result last.
/// None while the job is at work.
pub(crate) fn last_words(
    job_id: &str,
    mut ask: impl FnMut(Command) -> Result<Event>,
) -> Result<Option<Vec<Event>>> {
    let mut files = Vec::new();
    let mut seen = 0;
    loop {
        let job = page(job_id, seen, &mut ask)?;
        if matches!(job.state, JobState::Queued | JobState::Running | JobState::Paused) {
            return Ok(None);
        }
        seen += job.files.len() as i64;
        files.extend(job.files.iter().filter_map(done));
        if job.files.is_empty() || seen >= job.stats.total {
            let mut events: Vec<Event> = files.into_iter().map(|file| told(job_id, file)).collect();
            events.push(end(job_id, &job, &events)?);
            return Ok(Some(events));
        }
    }
}

fn page(job_id: &str, offset: i64, ask: &mut impl FnMut(Command) -> Result<Event>) -> Result<JobData> {
    let get = GetJob {
        id: None,
        job_id: job_id.to_owned(),
        limit: None,
        offset: Some(offset),
    };
    match ask(Command::GetJob(get))? {
        Event::Result(ResultEvent {
            data: ResultData::Job(data),
            ..
        }) => Ok(data),
        other => Err(Error::not_understood(&other)),
    }
}

/// A file as its `file_done` had it. None for one that has not ended, which no `file_done` has a status for.
fn done(file: &crate::protocol::JobFile) -> Option<FileDone> {
    let mut fields = serde_json::to_value(file).ok()?;
    if fields["message"].is_null() {
        fields["message"] = "".into();
    }
    let done: FileDone = serde_json::from_value(fields).ok()?;
    (!matches!(done.status, FileStatus::Unknown(_))).then_some(done)
}

fn told(job_id: &str, file: FileDone) -> Event {
    Event::Info(InfoEvent {
        command: None,
        data: InfoData::FileDone(file),
        id: None,
        job_id: Some(job_id.to_owned()),
        seq: 0,
        rest: Default::default(),
    })
}

fn end(job_id: &str, job: &JobData, files: &[Event]) -> Result<Event> {
    let count = |wanted: FileStatus| {
        let is_one = |event: &&Event| matches!(event, Event::Info(InfoEvent { data: InfoData::FileDone(file), .. }) if file.status == wanted);
        files.iter().filter(is_one).count() as i64
    };
    let with_errors = count(FileStatus::CompletedWithErrors);
    let Some(statistics) = job.statistics.clone() else {
        let message = format!("job {job_id} has no statistics");
        return Err(Error::Unreadable { message });
    };
    let data = BatchData {
        counts: Some(Counts {
            completed_with_errors: with_errors,
            failed: count(FileStatus::Failed),
            skipped: count(FileStatus::Skipped),
            successful: count(FileStatus::Completed) + with_errors,
            rest: Default::default(),
        }),
        dry_run: None,
        duration_seconds: statistics.duration_seconds,
        failed: None,
        manifest: None,
        reason: None,
        skipped: None,
        statistics,
        status: match job.state {
            JobState::Completed => BatchStatus::Completed,
            JobState::Cancelled => BatchStatus::Cancelled,
            _ => BatchStatus::Stopped,
        },
        successful: None,
        total_files: job.stats.total,
        total_pages_processed: job.pages_done,
        rest: Default::default(),
    };
    Ok(Event::Result(ResultEvent {
        command: CommandName::OcrBatch,
        data: ResultData::Batch(data),
        id: None,
        job_id: Some(job_id.to_owned()),
        seq: 0,
        rest: Default::default(),
    }))
}
