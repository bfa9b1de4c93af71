//! How the worker is started and watched.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::protocol::ClientInfo;

/// The program to start, what it is told, and how patiently it is watched.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The worker's executable.
    pub program: PathBuf,
    /// None, unless the worker is started by something else, such as `python -m ocr_worker`.
    pub args: Vec<OsString>,
    /// Variables beside those of this process.
    pub env: Vec<(OsString, OsString)>,
    /// Where jobs are remembered; absent: the worker's own choice.
    pub state_dir: Option<PathBuf>,
    /// The app's name and version, for the worker's log and its list of jobs.
    pub client: ClientInfo,
    /// Most `progress` events a second of a job.
    pub progress_hz: f64,
    pub patience: Patience,
}

/// Time limits.
#[derive(Clone, Debug)]
pub struct Patience {
    /// From the start to the answer to hello.
    pub start: Duration,
    /// For an answer to any other command, but for those that begin a job: they wait as long as the worker lives.
    pub answer: Duration,
    /// Without a word from the worker, after which it is pinged.
    pub silence: Duration,
    /// For any word after that ping; then the worker is ended and started anew.
    pub ping: Duration,
    /// For each step of a stop: shutdown, then SIGTERM, then the end by force.
    pub stop: Duration,
    /// Waits before a crashed worker is started again; there are as many restarts as waits.
    pub restarts: Vec<Duration>,
    /// After so much time without a crash, all restarts are allowed again.
    pub health: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            ping: Duration::from_secs(10),
            stop: Duration::from_secs(3),
            restarts: [250, 1_000, 4_000].map(Duration::from_millis).to_vec(),
            health: Duration::from_secs(60),
        }
    }
}

impl Launch {
    /// Start this executable, with the client's name and version taken from nowhere else.
    pub fn new(program: impl Into<PathBuf>, client_name: &str, client_version: &str) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            state_dir: None,
            client: ClientInfo {
                name: client_name.to_owned(),
                version: Some(client_version.to_owned()),
            },
            progress_hz: 10.0,
            patience: Patience::default(),
        }
    }

    /// Remember jobs in this folder, so that they outlive the app.
    pub fn state_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(folder.into());
        self
    }

    /// Give the program an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.args.push(argument.into());
        self
    }

    /// Give the program a variable, such as `OCR_WORKER_PAGE_PROCESSES`.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Watch the worker less, or more, patiently.
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }
}
