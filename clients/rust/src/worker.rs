//! One worker process and the three threads at its pipes.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::launch::Launch;
use crate::process::Tree;

/// How much of the worker's log is kept.
const LOG_BYTES: usize = 64 * 1024;
const LOOK: Duration = Duration::from_millis(10);
const LAST_LINES: Duration = Duration::from_secs(2);

/// What is done with the worker's lines, in the reader's thread.
pub(crate) trait Listener: Send + 'static {
    fn hear(&mut self, line: &[u8]);
    /// The worker has closed its stdout: it has ended, or will say nothing more.
    fn end(&mut self);
}

/// A process that runs, or has ended and was not waited for.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    tree: Tree,
    log: Log,
    reader: Option<JoinHandle<()>>,
    pub(crate) began: Instant,
}

/// Where lines to the worker go; a thread writes them, so that a worker that does not read blocks nobody.
pub(crate) type Outbox = Sender<Vec<u8>>;

impl Worker {
    pub(crate) fn spawn(launch: &Launch, listener: impl Listener) -> Result<(Self, Outbox)> {
        let mut command = command(launch);
        Tree::prepare(&mut command);
        let program = launch.program.display().to_string();
        let mut child = command
            .spawn()
            .map_err(|error| Error::not_started(&program, &error))?;
        let tree = match Tree::of(&child) {
            Ok(tree) => tree,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::not_started(&program, &error));
            }
        };
        let (outbox, lines) = mpsc::channel();
        let log = Log::default();
        if let Some(stdin) = child.stdin.take() {
            thread::spawn(move || write(stdin, &lines));
        }
        if let Some(stderr) = child.stderr.take() {
            let kept = log.clone();
            thread::spawn(move || kept.fill(stderr));
        }
        let reader = child
            .stdout
            .take()
            .map(|stdout| thread::spawn(move || read(stdout, listener)));
        let worker = Self {
            child,
            tree,
            log,
            reader,
            began: Instant::now(),
        };
        Ok((worker, outbox))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// Wait until the process has ended, or for so long.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            if self.tree.has_ended(&mut self.child) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK);
        }
    }

    pub(crate) fn terminate(&self) {
        self.tree.terminate();
    }

    /// End what is left by force, and say how the process ended, with its last words.
    pub(crate) fn bury(mut self) -> String {
        self.tree.kill();
        let status = self.child.wait();
        if let Some(reader) = self.reader.take() {
            hear_out(&reader);
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        match self.log.last_words() {
            Some(words) => format!("{how}; its last words: {words}"),
            None => how,
        }
    }
}

/// A worker that nobody buried must not stay.
impl Drop for Worker {
    fn drop(&mut self) {
        if self.reader.is_some() {
            self.tree.kill();
            let _ = self.child.wait();
        }
    }
}

/// Wait until all that the worker said is heard. Not for ever: a stranger may hold the other end of the pipe.
fn hear_out(reader: &JoinHandle<()>) {
    let deadline = Instant::now() + LAST_LINES;
    while !reader.is_finished() && Instant::now() < deadline {
        thread::sleep(LOOK);
    }
}

fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.args)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = &launch.state_dir {
        command.env("OCR_WORKER_STATE_DIR", folder);
    }
    command
}

fn write(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>) {
    for line in lines {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read(stdout: ChildStdout, mut listener: impl Listener) {
    let mut stream = BufReader::with_capacity(64 * 1024, stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        match stream.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => listener.hear(&line),
        }
    }
    listener.end();
}

/// The end of the worker's stderr.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<VecDeque<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous()).into_owned()
    }

    fn last_words(&self) -> Option<String> {
        let text = self.text();
        let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
        Some(line.trim().chars().take(500).collect())
    }

    fn fill(&self, mut stderr: ChildStderr) {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut chunk) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(&chunk[..count]);
            let excess = kept.len().saturating_sub(LOG_BYTES);
            kept.drain(..excess);
        }
    }
}
