//! Pages that come, go and ask twice, with the real worker.

#[path = "../../../tests/common/mod.rs"]
mod common;

use std::sync::mpsc::{self, Receiver};

use ocr_sidecar::protocol::{InfoData, InfoEvent};
use ocr_sidecar::JobStatus;

use super::*;
use common::{launch, material, processes, stand_in, wait_until, Folder, HANG};

fn desk(folder: &Folder) -> (Desk, Receiver<Message>) {
    desk_of(launch(folder))
}

fn desk_of(launch: Launch) -> (Desk, Receiver<Message>) {
    let (told, heard) = mpsc::channel();
    let desk = Desk::new(launch, move |message| {
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
    assert!(processes(&folder).is_empty());
}

/// A worker that accepts a batch of `slow.png` only when another job was cancelled.
const SLOW: &str = "
import itertools
numbers, held, is_open = itertools.count(1), [], False
def tell(asked, type, data, **more):
    about = {'id': asked['id'], 'command': asked['command'], 'seq': next(numbers)}
    print(json.dumps({'type': type, 'data': data, **about, **more}), flush=True)
def take_on(asked):
    data = {'kind': 'accepted', 'message': '', 'file_count': 1, 'total_files': 1}
    tell(asked, 'info', data, job_id=f'job {next(numbers)}')
greet()
for line in sys.stdin:
    asked = json.loads(line)
    match asked['command']:
        case 'ocr_batch' if asked['files'][0].endswith('slow.png') and not is_open: held.append(asked)
        case 'ocr_batch': take_on(asked)
        case 'list_jobs': tell(asked, 'result', {'kind': 'jobs', 'jobs': [], 'total': 0})
        case 'cancel':
            is_open = True
            tell(asked, 'info', {'kind': 'cancel', 'message': '', 'jobs': []})
            for one in held: take_on(one)
        case 'shutdown': sys.exit()
";

#[test]
fn a_batch_that_is_not_accepted_yet_holds_up_nothing_but_its_own_request() {
    let folder = Folder::new();
    let (desk, _heard) = desk_of(stand_in(&folder, SLOW));
    let slow = Start {
        files: vec!["/slow.png".into()],
        ..wish(&folder, "")
    };
    let quick = Start {
        request_id: "quick".into(),
        files: vec!["/quick.png".into()],
        ..slow.clone()
    };

    let [first, again] = thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| desk.start(&slow)));
        wait_until("the slow one", || desk.kept().asked.contains("wish"));
        let job_id = desk.start(&quick).unwrap().snapshot.job_id;
        let others = desk.sidecar().unwrap().list_jobs(Default::default());
        assert!(others.unwrap().jobs.is_empty());
        let (attached, _page) = page(&desk);
        assert_eq!(attached.jobs.len(), 1);
        desk.job(&job_id).unwrap().cancel().unwrap();
        both.map(|one| one.join().unwrap().unwrap().snapshot.job_id)
    });

    assert_eq!(first, again);
    assert_eq!(page(&desk).0.jobs.len(), 2);
    desk.stop();
}

#[test]
fn who_waited_for_a_worker_that_cannot_be_started_does_not_try_again() {
    let folder = Folder::new();
    let program = "open(mark, 'a').write('x')";
    let (desk, _heard) = desk_of(stand_in(&folder, program));
    let before = Instant::now();

    desk.sidecar().unwrap_err();
    desk.sidecar_since(before).unwrap_err();
    assert_eq!(starts(&folder), 1);

    desk.sidecar().unwrap_err();
    assert_eq!(starts(&folder), 2);
}

fn starts(folder: &Folder) -> usize {
    std::fs::read(folder.join("mark")).unwrap().len()
}

#[test]
fn a_worker_that_is_being_started_when_all_is_to_stop_ends() {
    let folder = Folder::new();
    let program = "
import os, time
open(mark, 'w').close()
while not os.path.exists(mark + ' go'): time.sleep(0.01)
greet(); sys.stdin.readline()";
    let (desk, _heard) = desk_of(stand_in(&folder, program));

    let started = thread::scope(|scope| {
        let starting = scope.spawn(|| desk.sidecar());
        wait_until("the worker", || folder.join("mark").exists());
        desk.stop();
        std::fs::write(folder.join("mark go"), "").unwrap();
        starting.join().unwrap()
    });

    assert!(matches!(started, Err(Error::Stopped)));
    assert!(processes(&folder).is_empty());
}
