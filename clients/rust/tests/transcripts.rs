//! The golden sessions of protocol/transcripts, played with the real worker; each event is read into the types and
//! written again.

mod common;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ocr_sidecar::protocol;
use serde_json::Value;

use common::{material, plain, repository, worker, Folder};

type Bound = HashMap<String, String>;

struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    seq: i64,
}

impl Session {
    fn start(folder: &Folder) -> Self {
        let mut child = Command::new(worker())
            .env("OCR_WORKER_STATE_DIR", folder.join("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            said: BufReader::new(child.stdout.take().unwrap()),
            child,
            seq: 0,
        }
    }

    fn send(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn receive(&mut self) -> Option<Value> {
        let mut line = String::new();
        if self.said.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        let value: Value = serde_json::from_str(&line).unwrap();
        self.seq += 1;
        assert_eq!(value["seq"], self.seq, "{line}");
        assert_is_held(&value);
        Some(value)
    }
}

/// The types know every event, and lose nothing of it.
fn assert_is_held(value: &Value) {
    let event: protocol::Event = serde_json::from_value(value.clone()).unwrap();
    let shown = format!("{event:?}");
    assert!(!shown.contains("Unknown("), "{shown}");
    assert_eq!(plain(serde_json::to_value(&event).unwrap()), plain(value.clone()));
}

#[test]
fn the_worker_plays_all_golden_sessions_in_words_that_the_types_know() {
    let mut paths: Vec<_> = fs::read_dir(repository().join("protocol/transcripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 13);
    for path in paths {
        let steps = fs::read_to_string(&path).unwrap();
        let steps: Vec<Value> = steps
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();

        let outcome = replay(&steps);

        assert_eq!(outcome, Ok(()), "{}", path.display());
    }
}

fn replay(steps: &[Value]) -> Result<(), String> {
    let folder = Folder::new();
    let mut session = Session::start(&folder);
    let mut bound = Bound::from([
        ("in".into(), material().display().to_string()),
        ("out".into(), folder.join("out").display().to_string()),
    ]);
    let mut skipped = Vec::new();
    for step in steps {
        if let Some(command) = step.get("send") {
            let line = put_in(&command.to_string(), &bound);
            session.send(&line);
        } else if let Some(line) = step.get("send_line") {
            session.send(&put_in(line.as_str().unwrap(), &bound));
        } else if let Some(patterns) = step.get("skip") {
            skipped = patterns.as_array().unwrap().clone();
        } else if step.get("end").is_some() {
            session.stdin = None;
        } else if let Some(pattern) = step.get("recv") {
            expect(pattern, &skipped, &mut session, &mut bound)?;
        } else if let Some(code) = step.get("exit") {
            return finish(code.as_i64().unwrap(), &skipped, session, &bound);
        }
    }
    session.stdin = None;
    finish(0, &skipped, session, &bound)
}

fn expect(
    pattern: &Value,
    skipped: &[Value],
    session: &mut Session,
    bound: &mut Bound,
) -> Result<(), String> {
    while let Some(event) = session.receive() {
        let mut trial = bound.clone();
        if matches(pattern, &event, &mut trial) {
            *bound = trial;
            return Ok(());
        }
        if !is_skipped(&event, skipped, bound) {
            return Err(format!("{event} is not {pattern}"));
        }
    }
    Err(format!("the worker ended before {pattern}"))
}

fn finish(code: i64, skipped: &[Value], mut session: Session, bound: &Bound) -> Result<(), String> {
    while let Some(event) = session.receive() {
        if !is_skipped(&event, skipped, bound) {
            return Err(format!("unexpected {event}"));
        }
    }
    let status = session.child.wait().unwrap();
    if status.code().map(i64::from) == Some(code) {
        Ok(())
    } else {
        Err(format!("{status}, not {code}"))
    }
}

fn is_skipped(event: &Value, skipped: &[Value], bound: &Bound) -> bool {
    skipped
        .iter()
        .any(|pattern| matches(pattern, event, &mut bound.clone()))
}

fn matches(pattern: &Value, actual: &Value, bound: &mut Bound) -> bool {
    match (pattern, actual) {
        (Value::Object(wanted), _) if wanted.contains_key("$any") => {
            is_a(wanted["$any"].as_str().unwrap(), actual)
        }
        (Value::Object(wanted), Value::Object(found)) => wanted.iter().all(|(name, inner)| {
            let must_lack = inner.get("$absent").is_some();
            found
                .get(name)
                .map_or(must_lack, |value| !must_lack && matches(inner, value, bound))
        }),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(wanted, found)| matches(wanted, found, bound))
        }
        (Value::String(wanted), Value::String(found)) => is_text(wanted, found, bound),
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        _ => pattern == actual,
    }
}

fn is_text(wanted: &str, found: &str, bound: &mut Bound) -> bool {
    match wanted.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if !name.contains('}') => {
            bound.entry(name.to_owned()).or_insert_with(|| found.to_owned()) == found
        }
        _ => put_in(wanted, bound) == found,
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such type: {other}"),
    }
}

fn put_in(text: &str, bound: &Bound) -> String {
    bound.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value)
    })
}
