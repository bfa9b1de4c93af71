//! The real worker, pages for it, and waits that end.
#![allow(dead_code)] // Each test file uses its own part.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use ocr_sidecar::{Launch, Patience};
use serde_json::Value;

/// For what hangs alone.
pub const HANG: Duration = Duration::from_secs(120);

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ocr-sidecar-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn repository() -> PathBuf {
    // Not as it was compiled: checkouts share what cargo builds.
    let place = std::env::var("CARGO_MANIFEST_DIR").expect("run by cargo");
    let mut folders = Path::new(&place).ancestors();
    let is_it = |folder: &&Path| folder.join("protocol/vectors").exists();
    folders.find(is_it).unwrap().to_owned()
}

/// The worker of the repository's environment, or that of `OCR_WORKER`.
pub fn worker() -> PathBuf {
    std::env::var_os("OCR_WORKER").map_or_else(|| repository().join(".venv/bin/ocr-worker"), PathBuf::from)
}

pub fn launch(folder: &Folder) -> Launch {
    Launch::new(worker(), "test", "0")
        .state_dir(folder.join("state"))
        .env("OCR_WORKER_PAGE_PROCESSES", "2")
        .patience(impatient())
}

/// A program that speaks as a worker does, and does what the test wants: `greet` answers hello, `accept` a batch. It
/// ends with the code 3.
pub fn stand_in(folder: &Folder, program: &str) -> Launch {
    let script = format!(
        "import json, sys
mark = sys.argv[1]
def answer(event):
    command = json.loads(sys.stdin.readline())
    print(json.dumps({{**event, 'id': command['id'], 'command': command['command'], 'seq': 1}}), flush=True)
def greet():
    limits = {{'max_line_bytes': 9999, 'max_pixels': 1, 'max_workers': 1, 'progress_hz': 1}}
    answer({{'type': 'result', 'data': {{'kind': 'hello', 'protocol': 1, 'versions': {{}}, 'pid': 1, 'commands': [],
        'engines': [], 'languages': [], 'limits': limits, 'schema_sha256': '', 'state_dir': ''}}}})
def accept():
    data = {{'kind': 'accepted', 'message': '', 'file_count': 1, 'total_files': 1}}
    answer({{'type': 'info', 'job_id': 'job', 'data': data}})
{program}
print('out of order', file=sys.stderr)
sys.exit(3)
"
    );
    Launch::new(worker().with_file_name("python"), "test", "0")
        .arg("-c")
        .arg(script)
        .arg(folder.join("mark"))
        .state_dir(folder.join("state"))
        .patience(impatient())
}

/// As by default, but faster after a crash.
pub fn impatient() -> Patience {
    Patience {
        start: HANG,
        answer: HANG,
        restarts: vec![Duration::from_millis(20); 3],
        ..Patience::default()
    }
}

/// `page.png`, one page; `cards.png`, a tenth of one; `long.pdf`, forty pages. Made once.
pub fn material() -> &'static Path {
    static MADE: OnceLock<Folder> = OnceLock::new();
    &MADE.get_or_init(make_material).0
}

fn make_material() -> Folder {
    let folder = Folder::new();
    let script = "
import shutil, sys
from pathlib import Path
import img2pdf
from samples import build
folder = Path(sys.argv[1])
page = shutil.copy(build('clean', folder)[0].path, folder / 'page.png')
shutil.copy(build('cards', folder)[0].path, folder / 'cards.png')
(folder / 'long.pdf').write_bytes(img2pdf.convert([str(page)] * 40))
";
    let python = worker().with_file_name("python");
    let made = Command::new(python)
        .arg("-c")
        .arg(script)
        .arg(&folder.0)
        .current_dir(repository())
        .status();
    assert!(made.unwrap().success());
    folder
}

/// The value with each number that is whole written so: 5.0 is 5.
pub fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => fields.values_mut().for_each(|inner| *inner = plain(inner.take())),
        Value::Array(items) => items.iter_mut().for_each(|inner| *inner = plain(inner.take())),
        Value::Number(number) => {
            let whole = number
                .as_f64()
                .filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
            if let Some(whole) = whole {
                value = Value::from(whole as i64);
            }
        }
        _ => {}
    }
    value
}

pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {HANG:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// All living processes whose environment names the folder: the worker's, and whatever they started.
#[cfg(target_os = "linux")]
pub fn processes(folder: &Folder) -> Vec<u32> {
    let mark = folder.join("state").into_os_string().into_encoded_bytes();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.windows(mark.len()).any(|part| part == mark)
        })
        .collect()
}

#[cfg(target_os = "linux")]
pub fn wait_gone(folder: &Folder) {
    wait_until("no process is left", || processes(folder).is_empty());
}

#[cfg(unix)]
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}
