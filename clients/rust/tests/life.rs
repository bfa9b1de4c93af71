//! The life of a sidecar with the real worker: jobs, crashes, stops, and hosts that are killed.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ocr_sidecar::protocol::{
    BatchStatus, Event, InfoData, InfoEvent, JobState, ListJobs, ResultData, ResultEvent,
};
use ocr_sidecar::{
    Batch, Error, FileStanding, Job, JobStatus, Launch, Patience, Pool, Result, Sidecar, State,
};

use common::{
    impatient, launch, material, processes, signal, stand_in, wait_gone, wait_until, worker, Folder, HANG,
};

/// Quick files first, then pages of a second or two.
fn files(folder: &Folder, quick: usize, slow: usize) -> Vec<PathBuf> {
    fs::create_dir_all(folder.join("in")).unwrap();
    let copy = |source: &str, name: String| {
        let target = folder.join("in").join(name);
        fs::copy(material().join(source), &target).unwrap();
        target
    };
    let quick = (0..quick).map(|number| copy("cards.png", format!("quick {number}.png")));
    let slow = (0..slow).map(|number| copy("page.png", format!("slow {number}.png")));
    quick.chain(slow).collect()
}

fn long_job(sidecar: &Sidecar, folder: &Folder) -> Job {
    sidecar
        .batch(Batch::new([material().join("long.pdf")], folder.join("out")))
        .unwrap()
}

fn is_file_done(event: &Event) -> bool {
    matches!(
        event,
        Event::Info(InfoEvent {
            data: InfoData::FileDone(_),
            ..
        })
    )
}

fn is_progress_of_a_page(event: &Event) -> bool {
    matches!(event, Event::Progress(progress) if progress.data.current > 0)
}

/// Follow the job until such an event comes.
fn follow(job: &Job, wanted: impl Fn(&Event) -> bool) {
    let mut events = job.events();
    wait_until("the event", || {
        events.next_within(HANG).is_some_and(|event| wanted(&event))
    });
}

#[test]
fn a_batch_is_told_from_its_acceptance_to_its_result() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let files = files(&folder, 3, 0);

    let job = sidecar.batch(Batch::new(&files, folder.join("out"))).unwrap();
    let events: Vec<Event> = job.events().collect();
    let result = job.result().unwrap();

    assert!(matches!(
        events[0],
        Event::Info(InfoEvent {
            data: InfoData::Accepted(_),
            ..
        })
    ));
    assert_eq!(events.iter().filter(|event| is_file_done(event)).count(), 3);
    assert!(matches!(
        events.last(),
        Some(Event::Result(ResultEvent {
            data: ResultData::Batch(_),
            ..
        }))
    ));
    assert_eq!((result.status, result.total_files), (BatchStatus::Completed, 3));
    let standing: Vec<_> = job
        .files()
        .into_iter()
        .map(|state| (PathBuf::from(state.file), state.status))
        .collect();
    assert_eq!(
        standing,
        files
            .into_iter()
            .map(|file| (file, FileStanding::Completed))
            .collect::<Vec<_>>()
    );
    assert_eq!(sidecar.state(), State::Idle);
    let metrics = sidecar.metrics();
    assert_eq!(
        (metrics.jobs_accepted, metrics.jobs_ended, metrics.crashes),
        (1, 1, 0)
    );
    assert_eq!((metrics.unknown_events, metrics.unreadable_lines), (0, 0));
}

#[test]
fn commands_of_several_threads_are_answered_while_a_batch_runs() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let job = long_job(&sidecar, &folder);

    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(sidecar.ping().is_ok()));
        }
        scope.spawn(|| {
            assert_eq!(
                sidecar.inspect(&material().join("long.pdf"), None).unwrap().pages,
                Some(40)
            );
        });
    });

    assert_eq!(sidecar.state(), State::Running);
    let mine = ListJobs {
        client: Some("test".into()),
        ..ListJobs::default()
    };
    assert_eq!(sidecar.list_jobs(mine).unwrap().jobs[0].job_id, job.id());
    let refused = sidecar.delete_job(job.id()).unwrap_err();
    assert_eq!(refused.report().code, "job_active");
    assert!(sidecar.metrics().ping_seconds.is_some());
}

#[test]
fn a_job_is_paused_resumed_and_cancelled_and_a_late_window_sees_where_it_stands() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let job = long_job(&sidecar, &folder);
    follow(&job, is_progress_of_a_page);

    job.pause().unwrap();
    let (snapshot, mut events) = job.attach();
    assert_eq!(snapshot.status, JobStatus::Paused);
    assert_eq!(snapshot.files[0].status, FileStanding::Working);
    assert!(snapshot.progress.unwrap().current > 0);
    job.resume().unwrap();
    assert_eq!(job.snapshot().status, JobStatus::Running);
    job.cancel().unwrap();

    assert_eq!(job.result().unwrap().status, BatchStatus::Cancelled);
    assert_eq!(job.snapshot().status, JobStatus::Ended);
    assert!(matches!(events.by_ref().last(), Some(Event::Result(_))));
    assert_eq!(events.next(), None);
}

#[test]
fn a_job_goes_on_by_itself_after_its_worker_was_killed() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let job = sidecar
        .batch(Batch::new(files(&folder, 1, 3), folder.join("out")))
        .unwrap();
    follow(&job, is_file_done);

    signal(sidecar.pid().unwrap(), "KILL");

    let result = job.result().unwrap();
    assert_eq!((result.status, result.total_files), (BatchStatus::Completed, 4));
    let metrics = sidecar.metrics();
    assert_eq!((metrics.crashes, metrics.restarts, metrics.hangs), (1, 1, 0));
    sidecar.stop();
    wait_gone(&folder);
}

#[test]
fn a_paused_job_waits_for_its_resume_after_a_crash_and_a_cancelled_one_ends() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let job = sidecar
        .batch(Batch::new(files(&folder, 0, 2), folder.join("out")))
        .unwrap();
    job.pause().unwrap();

    signal(sidecar.pid().unwrap(), "KILL");
    wait_until("the next worker", || {
        sidecar.metrics().restarts == 1 && sidecar.ping().is_ok()
    });

    assert_eq!(job.snapshot().status, JobStatus::Paused);
    assert_eq!(sidecar.get_job(job.id()).unwrap().state, JobState::Interrupted);
    job.resume().unwrap();
    job.cancel().unwrap();
    assert_eq!(job.result().unwrap().status, BatchStatus::Cancelled);
}

#[test]
fn what_is_wanted_of_a_job_between_two_workers_is_no_error() {
    let folder = Folder::new();
    let patience = Patience {
        restarts: vec![HANG],
        ..impatient()
    };
    let launch = stand_in(&folder, "greet(); accept(); sys.stdin.readline()").patience(patience);
    let sidecar = Sidecar::start(launch).unwrap();
    let job = sidecar.batch(Batch::new(["a.png"], folder.join("out"))).unwrap();
    assert!(sidecar.ping().is_err());

    job.pause().unwrap();
    let paused = job.snapshot().status;
    job.resume().unwrap();
    let resumed = job.snapshot().status;
    job.cancel().unwrap();

    assert_eq!((paused, resumed), (JobStatus::Paused, JobStatus::Running));
    assert_eq!(job.snapshot().status, JobStatus::Cancelling);
}

#[test]
fn a_cancel_that_comes_while_the_next_worker_takes_the_job_up_is_told_once_it_has_it() {
    is_told_once_the_next_worker_has_the_job("cancel", Job::cancel);
}

#[test]
fn a_pause_that_comes_while_the_next_worker_takes_the_job_up_is_told_once_it_has_it() {
    is_told_once_the_next_worker_has_the_job("pause", Job::pause);
}

fn is_told_once_the_next_worker_has_the_job(command: &str, steer: fn(&Job) -> Result<()>) {
    let folder = Folder::new();
    let program = "
once = not __import__('os').path.exists(mark); open(mark, 'a').write('x')
greet()
if once: accept(); sys.stdin.readline(); sys.exit(3)
def tell(asked, type, data, **more):
    print(json.dumps({'type': type, 'id': asked['id'], 'command': asked['command'], 'seq': 2, 'data': data, **more}),
        flush=True)
resume = json.loads(sys.stdin.readline())
open(mark + ' resumed', 'w').close()
early = json.loads(sys.stdin.readline())
tell(early, 'info', {'kind': early['command'], 'message': '', 'jobs': []})
tell(resume, 'info', {'kind': 'accepted', 'message': '', 'file_count': 1, 'total_files': 1}, job_id='job')
open(mark + ' again ' + json.loads(sys.stdin.readline())['command'], 'w').close()
sys.stdin.readline()";
    let sidecar = Sidecar::start(stand_in(&folder, program)).unwrap();
    let job = sidecar.batch(Batch::new(["a.png"], folder.join("out"))).unwrap();
    assert!(sidecar.ping().is_err());
    wait_until("the resume", || folder.join("mark resumed").exists());

    steer(&job).unwrap();

    let again = folder.join(&format!("mark again {command}"));
    wait_until("the command once more", || again.exists());
}

#[test]
fn a_worker_that_does_not_respond_is_ended_and_its_job_goes_on() {
    let folder = Folder::new();
    let seconds = Duration::from_secs;
    let patience = Patience {
        silence: seconds(2),
        ping: seconds(2),
        ..impatient()
    };
    let sidecar = Sidecar::start(launch(&folder).patience(patience)).unwrap();
    let job = sidecar
        .batch(Batch::new(files(&folder, 1, 2), folder.join("out")))
        .unwrap();
    follow(&job, is_file_done);

    signal(sidecar.pid().unwrap(), "STOP");

    assert_eq!(job.result().unwrap().status, BatchStatus::Completed);
    assert_eq!(sidecar.metrics().hangs, 1);
}

#[test]
fn what_begins_a_job_is_waited_for_as_long_as_the_worker_lives() {
    let folder = Folder::new();
    let patience = Patience {
        answer: Duration::ZERO,
        ..impatient()
    };
    let launch = stand_in(&folder, "greet(); accept(); sys.stdin.readline()").patience(patience);
    let sidecar = Sidecar::start(launch).unwrap();

    let job = sidecar.batch(Batch::new(["a.png"], folder.join("out"))).unwrap();

    assert_eq!(job.id(), "job");
    assert!(matches!(sidecar.ping(), Err(Error::TimedOut { .. })));
}

#[test]
fn a_silent_worker_that_answers_is_left_alone() {
    let folder = Folder::new();
    let patience = Patience {
        silence: Duration::from_millis(300),
        ping: HANG,
        ..impatient()
    };
    let sidecar = Sidecar::start(launch(&folder).patience(patience)).unwrap();
    let pid = sidecar.pid();

    wait_until("three pings", || sidecar.metrics().commands >= 4);

    assert_eq!((sidecar.pid(), sidecar.metrics().crashes), (pid, 0));
}

#[test]
fn after_three_restarts_the_worker_is_given_up_and_its_job_fails() {
    let folder = Folder::new();
    let program = "once = not __import__('os').path.exists(mark); open(mark, 'a').write('x')\n\
        greet()\n\
        if once: accept(); sys.stdin.readline()\n";
    let sidecar = Sidecar::start(stand_in(&folder, program)).unwrap();
    let job = sidecar.batch(Batch::new(["a.png"], folder.join("out"))).unwrap();

    assert!(sidecar.ping().is_err());

    let error = job.result().unwrap_err();
    assert!(matches!(error, Error::GaveUp { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("exit status: 3; its last words: out of order"),
        "{error}"
    );
    assert!(matches!(sidecar.state(), State::Error(_)));
    assert_eq!(fs::read(folder.join("mark")).unwrap().len(), 4);
    assert!(matches!(sidecar.ping(), Err(Error::GaveUp { .. })));
}

/// For a stand-in: what it says of the job when it is asked to resume it, and then for it.
const STORED: &str = "
statistics = {'start_time': '', 'duration_seconds': 2, 'pages': 1, 'pages_per_second': 1, 'files_per_second': 1,
    'failed_by_input': 1, 'failed_by_worker': 0, 'retries': 0, 'cleanups': 0, 'worker_restarts': 0, 'peak_rss_bytes': 1}
def nothing_to_resume():
    answer({'type': 'info', 'job_id': 'job', 'data': {'kind': 'resume', 'message': '', 'jobs': []}})
def stored(state):
    stats = {'total': 2, 'pending': 0, 'processing': 0, 'completed': 1, 'failed': 1, 'skipped': 0}
    files = [{'file': '/a.png', 'status': 'completed', 'pages': 1, 'output': '/out/a.pdf'},
        {'file': '/b.png', 'status': 'failed', 'error': {'code': 'corrupt', 'message': 'torn', 'retryable': False}}]
    answer({'type': 'result', 'job_id': 'job', 'data': {'kind': 'job', 'job_id': 'job', 'state': state, 'created_at': '',
        'updated_at': '', 'output_dir': '/out', 'priority': 0, 'stats': stats, 'pages_done': 1, 'pages_total': 1,
        'statistics': statistics, 'files': files}})
def end():
    data = {'kind': 'batch', 'status': 'cancelled', 'total_files': 2, 'total_pages_processed': 1, 'duration_seconds': 2,
        'statistics': statistics}
    print(json.dumps({'type': 'result', 'command': 'ocr_batch', 'job_id': 'job', 'seq': 9, 'data': data}), flush=True)
";

/// A job whose first worker has died; the second has nothing to resume, and tells what `of_the_store` says.
fn lost(folder: &Folder, of_the_store: &str) -> (Sidecar, Job) {
    let program = format!(
        "{STORED}
once = not __import__('os').path.exists(mark); open(mark, 'a').write('x')
greet()
if once: accept(); sys.stdin.readline(); sys.exit(3)
nothing_to_resume(); {of_the_store}; sys.stdin.readline()"
    );
    let sidecar = Sidecar::start(stand_in(folder, &program)).unwrap();
    let job = sidecar
        .batch(Batch::new(["/a.png", "/b.png"], folder.join("out")))
        .unwrap();
    assert!(sidecar.ping().is_err());
    (sidecar, job)
}

#[test]
fn a_job_that_ended_while_nobody_listened_has_its_end_from_the_store() {
    let folder = Folder::new();
    let (sidecar, job) = lost(&folder, "stored('completed')");

    let result = job.result_within(HANG).expect("an end").unwrap();
    assert_eq!((result.status, result.total_files), (BatchStatus::Completed, 2));
    let counts = result.counts.unwrap();
    assert_eq!((counts.successful, counts.failed, counts.skipped), (1, 1, 0));
    let statuses: Vec<FileStanding> = job.files().iter().map(|file| file.status).collect();
    assert_eq!(statuses, [FileStanding::Completed, FileStanding::Failed]);
    assert_eq!(job.events().filter(is_file_done).count(), 2);
    assert!(matches!(job.events().last(), Some(Event::Result(_))));
    assert_eq!((sidecar.state(), sidecar.metrics().jobs_ended), (State::Idle, 1));
}

#[test]
fn a_job_that_goes_on_already_is_not_taken_for_ended() {
    let folder = Folder::new();
    let (_sidecar, job) = lost(&folder, "stored('running'); end()");

    let result = job.result_within(HANG).expect("an end").unwrap();
    assert_eq!((result.status, result.counts), (BatchStatus::Cancelled, None));
}

#[test]
fn a_completed_job_that_is_resumed_has_its_result_at_once() {
    let folder = Folder::new();
    let program =
        format!("{STORED}\ngreet(); nothing_to_resume(); stored('completed'); sys.stdin.readline()");
    let sidecar = Sidecar::start(stand_in(&folder, &program)).unwrap();

    let job = sidecar.resume("job", None).unwrap();

    let result = job.result_within(Duration::ZERO).expect("an end").unwrap();
    assert_eq!((result.status, result.total_files), (BatchStatus::Completed, 2));
    assert_eq!(job.files().len(), 2);
    assert!(sidecar.jobs().is_empty());
}

#[test]
fn a_job_that_somebody_else_pauses_is_paused_until_it_has_pages_in_work_again() {
    let folder = Folder::new();
    let program = "
seq = 1
def tell(type, data, **more):
    global seq
    seq += 1
    print(json.dumps({'type': type, 'seq': seq, 'data': data, **more}), flush=True)
def ping_after(type, data):
    asked = json.loads(sys.stdin.readline())
    tell(type, data, job_id='job')
    tell('result', {'kind': 'ping', 'state': 'running', 'uptime_seconds': 1, 'rss_bytes': 1, 'queued_jobs': 0},
        id=asked['id'], command='ping')
def progress(*working):
    return 'progress', {'current': 1, 'total': 2, 'message': '', 'percent': 1, 'working': working}
greet(); accept()
at_work = {'file': '/a.png', 'file_index': 1}
ping_after(*progress(at_work))
ping_after('info', {'kind': 'paused', 'message': ''})
ping_after(*progress())
ping_after(*progress(at_work))
ping_after('info', {'kind': 'pause', 'message': '', 'jobs': []})
ping_after('info', {'kind': 'pause', 'message': '', 'jobs': ['job']})
sys.stdin.readline()";
    let sidecar = Sidecar::start(stand_in(&folder, program)).unwrap();
    let job = sidecar.batch(Batch::new(["/a.png"], folder.join("out"))).unwrap();

    let seen: Vec<JobStatus> = (0..6)
        .map(|_| {
            sidecar.ping().unwrap();
            job.snapshot().status
        })
        .collect();

    use JobStatus::{Paused, Running};
    assert_eq!(seen, [Running, Paused, Paused, Running, Running, Paused]);
}

#[test]
fn restarts_are_allowed_anew_after_a_time_of_health() {
    let folder = Folder::new();
    let program = "open(mark, 'a').write('x'); greet()\nimport time; time.sleep(0.5)";
    let patience = Patience {
        health: Duration::from_millis(100),
        ..impatient()
    };
    let sidecar = Sidecar::start(stand_in(&folder, program).patience(patience)).unwrap();

    wait_until("more restarts than three", || sidecar.metrics().restarts > 4);

    assert!(!matches!(sidecar.state(), State::Error(_)));
}

#[test]
fn a_stop_leaves_nothing_and_no_worker_follows() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let job = long_job(&sidecar, &folder);
    follow(&job, is_progress_of_a_page);

    sidecar.stop();

    wait_gone(&folder);
    assert!(matches!(sidecar.ping(), Err(Error::Stopped)));
    assert!(job.result_within(Duration::ZERO).is_some());
    assert_eq!(
        (sidecar.state(), sidecar.metrics().restarts),
        (State::Cancelled, 0)
    );
}

#[test]
fn a_job_that_a_stop_interrupted_is_resumed_by_the_next_worker() {
    let folder = Folder::new();
    let first = Sidecar::start(launch(&folder)).unwrap();
    let job = first
        .batch(Batch::new(files(&folder, 1, 2), folder.join("out")))
        .unwrap();
    follow(&job, is_file_done);
    first.stop();

    let second = Sidecar::start(launch(&folder)).unwrap();
    let again = second.resume(job.id(), None).unwrap();

    assert_eq!(again.id(), job.id());
    assert_eq!(again.result().unwrap().total_files, 3);
    assert!(second.retry_failed(job.id(), None).unwrap().is_none());
}

#[test]
fn a_worker_that_ignores_shutdown_and_sigterm_is_killed_with_all_that_it_started() {
    let folder = Folder::new();
    let program = "import signal, subprocess, time\n\
        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
        subprocess.Popen(['sleep', '300'], start_new_session=True)\n\
        greet()\n\
        time.sleep(300)";
    let patience = Patience {
        stop: Duration::from_millis(200),
        ..impatient()
    };
    let sidecar = Sidecar::start(stand_in(&folder, program).patience(patience)).unwrap();
    wait_until("the sleeper", || processes(&folder).len() == 2);

    sidecar.stop();

    assert_eq!(processes(&folder), Vec::<u32>::new());
}

#[test]
fn dropping_all_handles_leaves_nothing() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let job = long_job(&sidecar, &folder);
    drop(sidecar);
    follow(&job, is_progress_of_a_page);

    drop(job);

    wait_gone(&folder);
}

#[test]
fn a_program_that_is_no_worker_is_told_with_its_last_words() {
    let folder = Folder::new();

    let missing = Sidecar::start(Launch::new("/no/such/worker", "test", "0")).unwrap_err();
    let broken = Sidecar::start(stand_in(&folder, "")).unwrap_err();

    assert!(matches!(missing, Error::NotStarted { .. }));
    assert!(missing.to_string().contains("/no/such/worker"));
    assert!(
        broken
            .to_string()
            .contains("exit status: 3; its last words: out of order"),
        "{broken}"
    );
}

#[test]
fn a_command_that_is_too_long_is_refused_before_it_is_sent() {
    let folder = Folder::new();
    let sidecar = Sidecar::start(launch(&folder).env("OCR_WORKER_MAX_LINE_BYTES", "2000")).unwrap();
    let files = (0..200).map(|number| format!("scan {number}.png"));

    let error = sidecar.batch(Batch::new(files, folder.join("out"))).unwrap_err();

    assert!(matches!(
        error,
        Error::LineTooLong {
            limit_bytes: 2000,
            ..
        }
    ));
    assert!(sidecar.ping().is_ok());
}

#[test]
fn a_name_that_is_not_utf_8_is_read() {
    use std::os::unix::ffi::OsStringExt;
    let folder = Folder::new();
    let odd = folder
        .join("")
        .join(std::ffi::OsString::from_vec(b"\xff scan.png".to_vec()));
    fs::copy(material().join("cards.png"), &odd).unwrap();
    let sidecar = Sidecar::start(launch(&folder)).unwrap();

    let job = sidecar.batch(Batch::new([odd], folder.join("out"))).unwrap();

    assert_eq!(job.result().unwrap().status, BatchStatus::Completed);
    assert_eq!(job.files().len(), 1);
    assert_eq!(job.files()[0].status, FileStanding::Completed);
}

#[test]
fn a_pool_gives_each_batch_to_the_worker_with_the_fewest_jobs() {
    let folder = Folder::new();
    let pool = Pool::start(&launch(&folder), 2).unwrap();

    for number in 0..2 {
        let out = folder.join(&format!("out {number}"));
        pool.batch(Batch::new([material().join("long.pdf")], out))
            .unwrap();
    }

    let jobs: Vec<usize> = pool
        .sidecars()
        .iter()
        .map(|sidecar| sidecar.jobs().len())
        .collect();
    assert_eq!(jobs, [1, 1]);
    pool.stop();
    wait_gone(&folder);
}

#[test]
fn a_pool_gives_nothing_to_a_worker_that_was_given_up() {
    let folder = Folder::new();
    let program = "
starts = len(open(mark).read()) if __import__('os').path.exists(mark) else 0
open(mark, 'a').write('x')
if starts < 2: greet()
if starts == 1: accept()
if starts < 2: sys.stdin.readline()";
    let pool = Pool::start(&stand_in(&folder, program), 2).unwrap();
    let [first, second] = pool.sidecars() else {
        panic!("two were wanted")
    };
    assert!(first.ping().is_err());
    wait_until("the end of the first", || {
        matches!(first.state(), State::Error(_))
    });

    let job = pool.batch(Batch::new(["a.png"], folder.join("out"))).unwrap();

    assert!(second.job(job.id()).is_some());
}

#[test]
fn ten_killed_hosts_leave_nothing() {
    kill_hosts(10);
}

#[test]
#[ignore = "takes minutes: make test-rust RUST_TESTS=--include-ignored"]
fn a_hundred_killed_hosts_leave_nothing() {
    kill_hosts(100);
}

/// While the worker starts, while its processes do, and while they read.
fn kill_hosts(count: usize) {
    material();
    let folder = Folder::new();
    let mut longest = Duration::ZERO;
    for number in 0..count {
        let mut host = host(&folder);
        match number % 5 {
            4 => wait_until("a page", || folder.join("read").exists()),
            few => wait_until("its processes", || processes(&folder).len() > few),
        }

        host.kill().unwrap();
        host.wait().unwrap();

        let killed = Instant::now();
        wait_gone(&folder);
        longest = longest.max(killed.elapsed());
        let _ = fs::remove_file(folder.join("read"));
    }
    println!("{count} killed hosts: the last process was gone after {longest:?} at most");

    let sidecar = Sidecar::start(launch(&folder)).unwrap();
    let jobs = sidecar.list_jobs(ListJobs::default()).unwrap().jobs;
    assert!(jobs.len() >= count / 5);
    assert!(
        jobs.iter().all(|job| job.state == JobState::Interrupted),
        "{jobs:?}"
    );
}

/// This test program as a host with a long job.
fn host(folder: &Folder) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["the_host_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env("OCR_SIDECAR_DOOMED", folder.join(""))
        .env("OCR_SIDECAR_LONG", material().join("long.pdf"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "is what the tests above kill"]
fn the_host_that_is_killed() {
    let Some(folder) = std::env::var_os("OCR_SIDECAR_DOOMED").map(PathBuf::from) else {
        return;
    };
    let launch = Launch::new(worker(), "doomed", "0")
        .state_dir(folder.join("state"))
        .env("OCR_WORKER_PAGE_PROCESSES", "2");
    let sidecar = Sidecar::start(launch).unwrap();
    let file = std::env::var_os("OCR_SIDECAR_LONG").unwrap();
    let job = sidecar
        .batch(Batch::new([PathBuf::from(file)], folder.join("out")))
        .unwrap();
    follow(&job, is_progress_of_a_page);
    fs::write(folder.join("read"), "").unwrap();
    let _ = job.result();
}
