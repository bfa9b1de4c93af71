//! What stands around the data of commands and events.

use serde_json::Value;

use crate::protocol::{Command, CommandId, Event, InfoData, InfoEvent, ResultData, ResultEvent};

/// The envelope of an event.
pub(crate) struct Facts {
    pub(crate) id: Option<String>,
    pub(crate) job_id: Option<String>,
}

impl Facts {
    pub(crate) fn of(event: &Event) -> Self {
        let (id, job_id) = match event {
            Event::Progress(event) => (&event.id, Some(event.job_id.clone())),
            Event::Result(event) => (&event.id, event.job_id.clone()),
            Event::Error(event) => (&event.id, event.job_id.clone()),
            Event::Info(event) => (&event.id, event.job_id.clone()),
            Event::Unknown(value) => return Self::of_unknown(value),
        };
        let id = match id {
            Some(CommandId::Text(text)) => Some(text.clone()),
            _ => None,
        };
        Self { id, job_id }
    }

    fn of_unknown(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            id: text("id"),
            job_id: text("job_id"),
        }
    }
}

/// Whether nothing of the event's job follows.
pub(crate) fn is_end(event: &Event) -> bool {
    match event {
        Event::Error(error) => error.job_id.is_some(),
        Event::Result(ResultEvent {
            data: ResultData::Batch(_),
            ..
        }) => true,
        Event::Result(ResultEvent {
            data: ResultData::Unknown(value),
            ..
        }) => value["kind"] == "batch",
        _ => false,
    }
}

/// Whether a `resume` had nothing to do: the job has ended, or is not paused.
pub(crate) fn nothing_resumed(answer: &Event) -> bool {
    matches!(answer, Event::Info(InfoEvent { data: InfoData::Resume(told), .. }) if told.jobs.is_empty())
}

pub(crate) fn name_of(command: &Command) -> String {
    let value = serde_json::to_value(command).unwrap_or_default();
    value
        .get("command")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(crate) fn line(command: &Command, id: &str) -> Vec<u8> {
    let mut value = serde_json::to_value(command).unwrap_or_default();
    value["id"] = id.into();
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}
