//! Pages that come, go and ask twice, with the real worker.

#[path = "../../../tests/common/mod.rs"]
mod common;

use std::sync::mpsc::{self, Receiver};

use ocr_sidecar::protocol::{InfoData, InfoEvent};
use ocr_sidecar::JobStatus;

use super::*;
use common::{launch, material, Folder, HANG};

fn desk(folder: &Folder) -> (Desk, Receiver<Message>) {
    let (told, heard) = mpsc::channel();
    let desk = Desk::new(launch(folder), move |message| {
        told.send(message.clone()).unwrap_or_default()
    });
    (desk, heard)
}

fn page(desk: &Desk) -> (Attached, Receiver<Message>) {
    let (told, heard) = mpsc::channel();
    let attached = desk.attach("main", move |message| {
        told.send(message.clone()).unwrap_or_default()
    });
    (attached, heard)
}

fn wish(folder: &Folder, file: &str) -> Start {
    Start {
        request_id: "wish".into(),
        files: vec![material().join(file)],
        output_dir: folder.join("out"),
        options: BatchOptions::default(),
        priority: 0,
    }
}

fn is_of_kind(message: &Message, wanted: fn(&Event) -> bool) -> bool {
    matches!(message, Message::Event { event, .. } if wanted(event))
}

fn is_accepted(event: &Event) -> bool {
    matches!(
        event,
        Event::Info(InfoEvent {
            data: InfoData::Accepted(_),
            ..
        })
    )
}

fn is_result(event: &Event) -> bool {
    matches!(event, Event::Result(_))
}

fn wait_for(heard: &Receiver<Message>, wanted: fn(&Event) -> bool) {
    while !is_of_kind(&heard.recv_timeout(HANG).unwrap(), wanted) {}
}

#[test]
fn a_wish_that_is_told_twice_is_one_job() {
    let folder = Folder::new();
    let (desk, _heard) = desk(&folder);

    let first = desk.start(&wish(&folder, "long.pdf")).unwrap();
    let second = desk.start(&wish(&folder, "long.pdf")).unwrap();

    assert_eq!(first.snapshot.job_id, second.snapshot.job_id);
    assert_eq!(page(&desk).0.jobs.len(), 1);
    desk.stop();
}

#[test]
fn a_page_that_is_loaded_anew_hears_all_from_the_start_and_the_old_one_no_more() {
    let folder = Folder::new();
    let (desk, _heard) = desk(&folder);
    let (before, old) = page(&desk);
    assert!(before.jobs.is_empty());
    desk.start(&wish(&folder, "long.pdf")).unwrap();
    wait_for(&old, is_accepted);

    let (found, new) = page(&desk);

    assert_eq!(found.jobs[0].request_id, "wish");
    assert_eq!(found.jobs[0].snapshot.status, JobStatus::Running);
    wait_for(&new, is_accepted);
    desk.job(&found.jobs[0].snapshot.job_id)
        .unwrap()
        .cancel()
        .unwrap();
    wait_for(&new, is_result);
    assert!(!old.try_iter().any(|message| is_of_kind(&message, is_result)));
    desk.stop();
}

#[test]
fn whoever_is_not_attached_hears_of_progress_result_and_error() {
    let folder = Folder::new();
    let (desk, heard) = desk(&folder);
    desk.start(&wish(&folder, "cards.png")).unwrap();

    let mut names = Vec::new();
    while names.last() != Some(&"python_result") {
        names.extend(heard.recv_timeout(HANG).unwrap().event_name());
    }

    assert_eq!(names[0], "python_progress");
    desk.stop();
}

#[test]
fn a_stop_in_mid_job_is_told_as_an_error_and_the_job_is_reopened_by_another_worker() {
    let folder = Folder::new();
    let (desk, heard) = desk(&folder);
    let started = desk.start(&wish(&folder, "long.pdf")).unwrap();

    desk.stop();

    let ends = |message: &Message| matches!(message.event_name(), Some("python_error" | "python_result"));
    while !ends(&heard.recv_timeout(HANG).unwrap()) {}
    let again = desk
        .reopen("another wish", &started.snapshot.job_id, None)
        .unwrap();
    assert_eq!(again.snapshot.job_id, started.snapshot.job_id);
    assert_eq!(again.snapshot.status, JobStatus::Running);
    desk.stop();
}

#[test]
fn to_look_starts_no_worker() {
    let folder = Folder::new();
    let (desk, _heard) = desk(&folder);

    let (attached, _page) = page(&desk);

    assert_eq!((attached.state, attached.jobs.len()), (State::Idle, 0));
    assert!(desk.job("none").is_none());
    assert!(common::processes(&folder).is_empty());
}
