//! A process group, and beyond it what `/proc` says of descendants in sessions of their own.

use std::io;
use std::mem;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use libc::{pid_t, SIGKILL, SIGTERM};

/// How long the worker's own guard has to end page processes before this does.
const GUARD_TIME: Duration = Duration::from_millis(500);

/// The child and all that it started.
#[derive(Debug)]
pub(crate) struct Tree {
    root: pid_t,
}

impl Tree {
    /// Make the command the head of a group, so that a Ctrl+C in the host's terminal is the host's alone.
    pub(crate) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    pub(crate) fn of(child: &Child) -> io::Result<Self> {
        let root = pid_t::try_from(child.id()).map_err(io::Error::other)?;
        Ok(Self { root })
    }

    /// Whether the child has ended; its number stays its own until it is waited for.
    pub(crate) fn has_ended(&self, _: &mut Child) -> bool {
        // SAFETY: the structure is plain numbers, for which zeros are valid, and outlives the call.
        unsafe {
            let mut told: libc::siginfo_t = mem::zeroed();
            let how = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            libc::waitid(libc::P_PID, self.root as libc::id_t, &mut told, how) != 0 || told.si_pid() != 0
        }
    }

    /// Ask the child to end.
    pub(crate) fn terminate(&self) {
        signal(self.root, SIGTERM);
    }

    /// End the child and all its descendants. The child must not be reaped yet, so that its number is its own.
    pub(crate) fn kill(&self) {
        let mut known = descendants(self.root);
        signal(-self.root, SIGKILL);
        let deadline = Instant::now() + GUARD_TIME;
        loop {
            known.retain(Process::is_alive);
            if known.is_empty() {
                return;
            }
            if Instant::now() >= deadline {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        for process in known {
            signal(process.pid, SIGKILL);
        }
    }
}

fn signal(pid: pid_t, number: libc::c_int) {
    // SAFETY: kill takes two numbers and touches no memory of ours.
    unsafe { libc::kill(pid, number) };
}

/// A process told apart from a later one of the same number by the time it began.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    pid: pid_t,
    parent: pid_t,
    began: String,
    is_zombie: bool,
}

impl Process {
    /// None where there is no `/proc`, or no such process.
    fn read(pid: pid_t) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in brackets, may hold blanks and brackets itself.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        let is_zombie = fields.next()? == "Z";
        let parent = fields.next()?.parse().ok()?;
        let began = fields.nth(17)?.to_owned();
        Some(Self {
            pid,
            parent,
            began,
            is_zombie,
        })
    }

    fn is_alive(&self) -> bool {
        Self::read(self.pid).is_some_and(|now| now.began == self.began && !now.is_zombie)
    }
}

/// All that descend from a process now. None where the system has no `/proc`, as macOS: there the
/// group and the worker's guard must do.
fn descendants(root: pid_t) -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut others: Vec<Process> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Process::read)
        .collect();
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        let (children, rest) = others.into_iter().partition(|process| process.parent == parent);
        others = rest;
        parents.extend(children.iter().map(|child: &Process| child.pid));
        found.extend(children);
    }
    found
}
