//! What can go wrong, and what an app can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::protocol::{ErrorCode, ErrorData, Event};

/// The reason why a command or a job has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The worker refused a command, or a run failed; the code says why.
    Refused(ErrorData),
    /// The worker cannot be started: no such program, or it ended before it said hello.
    NotStarted { message: String },
    /// The worker ended, or was ended as it did not respond, before it answered. It is started anew.
    Crashed { message: String },
    /// The worker crashed more often than is allowed; it is not started again.
    GaveUp { message: String },
    /// The host asked for the end.
    Stopped,
    /// No answer came in time. The worker may still carry the command out.
    TimedOut { command: String, waited: Duration },
    /// The command is longer than a line may be: send fewer files at once.
    LineTooLong { bytes: usize, limit_bytes: usize },
    /// This path cannot be told to the worker.
    BadPath(PathBuf),
    /// The worker's answer is not what the protocol says.
    Unreadable { message: String },
}

impl Error {
    /// Whether the same command may do better later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(data) => data.retryable,
            Self::Crashed { .. } | Self::TimedOut { .. } => true,
            _ => false,
        }
    }

    /// The protocol's code, where the worker gave one.
    pub fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Refused(data) => Some(&data.code),
            _ => None,
        }
    }

    pub(crate) fn not_started(what: &str, error: &io::Error) -> Self {
        Self::NotStarted {
            message: format!("{what}: {error}"),
        }
    }

    pub(crate) fn active(job_id: &str) -> Self {
        Self::Refused(ErrorData {
            code: ErrorCode::JobActive,
            message: format!("Job {job_id} is at work already"),
            retryable: false,
            details: Default::default(),
            rest: Default::default(),
        })
    }

    pub(crate) fn not_understood(event: &Event) -> Self {
        let text = serde_json::to_string(event).unwrap_or_default();
        Self::Unreadable {
            message: text.chars().take(300).collect(),
        }
    }

    /// What a front end gets: as an event's `data`, with codes of this crate's own where no worker gave one.
    pub fn report(&self) -> Report {
        let code = match self {
            Self::Refused(data) => word(&data.code),
            Self::NotStarted { .. } => "not_started".into(),
            Self::Crashed { .. } => "worker_crashed".into(),
            Self::GaveUp { .. } => "worker_gave_up".into(),
            Self::Stopped => "stopped".into(),
            Self::TimedOut { .. } => "no_answer".into(),
            Self::LineTooLong { .. } => "line_too_long".into(),
            Self::BadPath(_) => "bad_name".into(),
            Self::Unreadable { .. } => "unreadable".into(),
        };
        Report {
            code,
            message: self.to_string(),
            retryable: self.is_retryable(),
        }
    }
}

/// An error as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub code: String,
    pub message: String,
    pub retryable: bool,
}

fn word(code: &ErrorCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "internal".into(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(data) => formatter.write_str(&data.message),
            Self::NotStarted { message } => write!(formatter, "The OCR worker does not start: {message}"),
            Self::Crashed { message } => write!(formatter, "The OCR worker ended too early: {message}"),
            Self::GaveUp { message } => {
                write!(formatter, "The OCR worker ends again and again: {message}")
            }
            Self::Stopped => formatter.write_str("The OCR worker was stopped"),
            Self::TimedOut { command, waited } => {
                write!(formatter, "No answer to {command} within {waited:?}")
            }
            Self::LineTooLong { bytes, limit_bytes } => write!(
                formatter,
                "The command has {bytes} bytes, of {limit_bytes} that a line may have; send fewer files at once"
            ),
            Self::BadPath(path) => {
                write!(formatter, "{}: the worker cannot be told this path", path.display())
            }
            Self::Unreadable { message } => {
                write!(formatter, "The OCR worker's answer is not understood: {message}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// What most functions here return.
pub type Result<T> = std::result::Result<T, Error>;
