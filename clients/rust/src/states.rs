//! Where jobs and files stand, as a user interface shows it.

use serde::Serialize;

use crate::error::Report;
use crate::protocol::{BatchData, Failure, FileDone, FileStatus, ProgressData};

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

impl FileState {
    pub(crate) fn waiting(file: &str) -> Self {
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

impl FileStanding {
    pub(crate) fn of(done: &FileDone) -> Self {
        match done.status {
            FileStatus::Completed => Self::Completed,
            FileStatus::CompletedWithErrors => Self::CompletedWithErrors,
            FileStatus::Skipped => Self::Skipped,
            FileStatus::Failed | FileStatus::Unknown(_) => Self::Failed,
        }
    }
}
