//! serde_json on the worker's stdout without this crate: by lines, and as one stream of values.

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{json, Deserializer, Value};

use common::{worker, Folder};

/// As many as make the last line long.
const COUNT: usize = 120;

/// A worker that is given files that are not there, with names that break careless readers.
fn session(folder: &Folder) -> (Vec<String>, Child, BufReader<ChildStdout>) {
    let hard = "a\r\nb\u{2028}c\u{85}d ÿ 😀 \\u0022";
    let deep = format!("{}/", "long".repeat(60)).repeat(10);
    let path = folder.join("in").display().to_string();
    let mut names: Vec<_> = (0..COUNT)
        .map(|number| format!("{path}/{deep}{hard} {number}.png"))
        .collect();
    let batch = json!({
        "command": "ocr_batch", "files": names, "output_dir": folder.join("out"),
        "options": {"stop_on_error_threshold": 1},
    });
    fs::write(folder.join("commands"), format!("{batch}\n")).unwrap();
    let mut child = Command::new(worker())
        .env("OCR_WORKER_STATE_DIR", folder.join("state"))
        .stdin(File::open(folder.join("commands")).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    names.sort();
    (names, child, stdout)
}

fn failed(event: &Value) -> Vec<String> {
    let files = event["data"]["failed"].as_array().unwrap();
    let mut names: Vec<_> = files
        .iter()
        .map(|one| one["file"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn lines_are_read_as_values() {
    let folder = Folder::new();
    let (names, mut child, stdout) = session(&folder);

    let events: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();

    assert!(child.wait().unwrap().success());
    assert_eq!(failed(events.last().unwrap()), names);
    assert!(events
        .iter()
        .enumerate()
        .all(|(at, event)| event["seq"] == at + 1));
}

#[test]
fn a_stream_of_values_needs_no_lines() {
    let folder = Folder::new();
    let (names, mut child, stdout) = session(&folder);

    let events: Vec<Value> = Deserializer::from_reader(stdout)
        .into_iter()
        .map(Result::unwrap)
        .collect();

    assert!(child.wait().unwrap().success());
    assert_eq!(failed(events.last().unwrap()), names);
}
