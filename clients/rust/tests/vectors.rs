//! The vectors of protocol/vectors, by the generated types and by the real worker.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use ocr_sidecar::protocol;
use serde_json::{json, Value};

use common::{plain, repository, worker, Folder};

struct Vector {
    name: String,
    stream: Vec<u8>,
    outcomes: Vec<Value>,
}

fn vectors(folder: &str) -> Vec<Vector> {
    let mut paths: Vec<PathBuf> = fs::read_dir(repository().join("protocol/vectors").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Vector {
    let bytes = fs::read(&path).unwrap();
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
    let header: Value = serde_json::from_slice(&bytes[..end]).unwrap();
    let mut stream = bytes[end + 1..].to_vec();
    for part in header["generate"].as_array().into_iter().flatten() {
        let times = part[1].as_u64().unwrap() as usize;
        stream.extend(part[0].as_str().unwrap().repeat(times).into_bytes());
    }
    Vector {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        stream,
        outcomes: header["outcomes"].as_array().unwrap().clone(),
    }
}

/// The lines of a stream that are not blank, without byte order mark and line ends.
fn lines(stream: &[u8]) -> Vec<&[u8]> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    stream
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn every_valid_line_is_read_as_the_command_it_states_and_written_as_it() {
    for vector in vectors("valid") {
        let commands: Vec<protocol::Command> = lines(&vector.stream)
            .into_iter()
            .map(|line| {
                serde_json::from_slice(line).unwrap_or_else(|error| panic!("{}: {error}", vector.name))
            })
            .collect();

        let written: Vec<Value> = commands
            .iter()
            .map(|command| json!({ "command": command }))
            .map(once_each)
            .map(plain)
            .collect();
        let expected: Vec<Value> = vector
            .outcomes
            .into_iter()
            .map(without_nulls)
            .map(plain)
            .collect();
        assert_eq!(written, expected, "{}", vector.name);
    }
}

/// A null means that the field is absent.
fn without_nulls(mut value: Value) -> Value {
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, inner| !inner.is_null());
        fields.values_mut().for_each(strip);
    }
}

/// Repeats in lists of options are the worker's to drop.
fn once_each(mut outcome: Value) -> Value {
    for name in ["languages", "outputs"] {
        if let Some(Value::Array(items)) = outcome["command"].pointer_mut(&format!("/options/{name}")) {
            let mut seen = Vec::new();
            items.retain(|item| {
                !seen.contains(item) && {
                    seen.push(item.clone());
                    true
                }
            });
        }
    }
    outcome
}

#[test]
fn every_invalid_line_is_refused_by_the_worker_with_an_error_that_the_types_hold() {
    let folder = Folder::new();
    let vectors = vectors("invalid");
    let mut child = Command::new(worker())
        .env("OCR_WORKER_STATE_DIR", folder.join("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let streams: Vec<Vec<u8>> = vectors.iter().map(|vector| vector.stream.clone()).collect();
    // A blank line first, so that no vector's byte order mark is that of the whole stream.
    let writer = thread::spawn(move || {
        stdin.write_all(b"\n").unwrap();
        for (number, stream) in streams.iter().enumerate() {
            stdin.write_all(stream).unwrap();
            writeln!(stdin, "\n{{\"command\":\"ping\",\"id\":\"after-{number}\"}}").unwrap();
        }
    });

    for (number, vector) in vectors.iter().enumerate() {
        let mut outcomes = Vec::new();
        loop {
            let event: protocol::Event = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
            match event {
                protocol::Event::Result(answer)
                    if answer.id == Some(format!("after-{number}").as_str().into()) =>
                {
                    break
                }
                protocol::Event::Error(error) => outcomes.push(error),
                other => assert!(!matches!(other, protocol::Event::Unknown(_)), "{other:?}"),
            }
        }
        let errors: Vec<&Value> = vector
            .outcomes
            .iter()
            .filter_map(|outcome| outcome.get("error"))
            .collect();
        assert_eq!(outcomes.len(), errors.len(), "{}", vector.name);
        for (found, stated) in outcomes.iter().zip(errors) {
            assert_eq!(told(found, stated), *stated, "{}", vector.name);
        }
    }

    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
}

/// An error in the words of the vectors.
fn told(error: &protocol::ErrorEvent, stated: &Value) -> Value {
    let mut told = json!({
        "code": error.data.code,
        "id": error.id,
        "command": error.command,
        "field": error.data.details.get("field"),
    });
    if stated.get("message").is_some() {
        told["message"] = error.data.message.clone().into();
    }
    without_nulls(told)
}
