//! Tauri's shell plugin on the worker's stdout, where an app does without our plugin: in lines, and raw.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use serde_json::{json, Value};
use tauri::async_runtime::block_on;
use tauri::test::{mock_builder, mock_context, noop_assets};
use tauri_plugin_shell::process::CommandEvent;
use tauri_plugin_shell::ShellExt;

/// As many as make the last line long.
const COUNT: usize = 120;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("ocr-readers-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Files that are not there, with names that break careless readers.
fn names(folder: &Path) -> Vec<String> {
    let hard = "a\r\nb\u{2028}c\u{85}d ÿ 😀 \\u0022";
    let deep = format!("{}/", "long".repeat(60)).repeat(10);
    let path = folder.display();
    let mut names: Vec<_> = (0..COUNT)
        .map(|number| format!("{path}/{deep}{hard} {number}.png"))
        .collect();
    names.sort();
    names
}

/// All that the plugin tells of the worker's stdout.
fn chunks(folder: &Path, is_raw: bool) -> Vec<Vec<u8>> {
    let app = mock_builder()
        .plugin(tauri_plugin_shell::init())
        .build(mock_context(noop_assets()))
        .unwrap();
    let worker = env::var_os("OCR_WORKER").expect("OCR_WORKER names the worker");
    let (mut told, mut child) = app
        .shell()
        .command(worker)
        .env("OCR_WORKER_STATE_DIR", folder.join("state"))
        .set_raw_out(is_raw)
        .spawn()
        .unwrap();
    let batch = json!({
        "command": "ocr_batch", "files": names(folder), "output_dir": folder.join("out"),
        "options": {"stop_on_error_threshold": 1},
    });
    child
        .write(format!("{batch}\n{{\"command\":\"shutdown\",\"mode\":\"drain\"}}\n").as_bytes())
        .unwrap();
    let mut chunks = Vec::new();
    while let Some(event) = block_on(told.recv()) {
        match event {
            CommandEvent::Stdout(chunk) => chunks.push(chunk),
            CommandEvent::Terminated(end) => assert_eq!(end.code, Some(0)),
            CommandEvent::Error(error) => panic!("{error}"),
            _ => {}
        }
    }
    chunks
}

fn failed(events: &[Value]) -> Vec<String> {
    let end = events
        .iter()
        .find(|event| event["data"]["kind"] == "batch")
        .unwrap();
    let files = end["data"]["failed"].as_array().unwrap();
    let mut names: Vec<_> = files
        .iter()
        .map(|one| one["file"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn in_lines_each_chunk_is_an_event() {
    let Folder(folder) = &Folder::new("lines");

    let chunks = chunks(folder, false);

    let events: Vec<Value> = chunks
        .iter()
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(failed(&events), names(folder));
}

#[test]
fn raw_chunks_are_split_at_line_feeds_by_the_app() {
    let Folder(folder) = &Folder::new("raw");

    let bytes = chunks(folder, true).concat();

    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let events: Vec<Value> = lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(failed(&events), names(folder));
}
