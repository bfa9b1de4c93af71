//! What a page may call. Each call waits in a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;

use ocr_sidecar::protocol::{ErrorCode, ErrorData, InspectData, JobsData, ListJobs, Passwords};
use ocr_sidecar::{Error, Job, Report, State};
use tauri::ipc::Channel;
use tauri::{command, Runtime, WebviewWindow};

use crate::desk::{Attached, Desk, Message, Shown, Start};
use crate::OcrSidecar;

type Answer<T> = Result<T, Report>;
type Plugin<'a> = tauri::State<'a, OcrSidecar>;

#[command]
pub(crate) fn attach<R: Runtime>(
    window: WebviewWindow<R>,
    plugin: Plugin<'_>,
    channel: Channel<Message>,
) -> Attached {
    // The channel of a page that is gone takes nothing; the next page has its own.
    plugin
        .desk
        .attach(window.label(), move |message| drop(channel.send(message.clone())))
}

#[command]
pub(crate) fn state(plugin: Plugin<'_>) -> State {
    plugin.desk.state()
}

#[command]
pub(crate) async fn list_jobs(plugin: Plugin<'_>, wanted: Option<ListJobs>) -> Answer<JobsData> {
    wait(&plugin, move |desk| {
        desk.sidecar()?.list_jobs(wanted.unwrap_or_default())
    })
    .await
}

#[command]
pub(crate) async fn start(plugin: Plugin<'_>, batch: Start) -> Answer<Shown> {
    wait(&plugin, move |desk| desk.start(&batch)).await
}

#[command]
pub(crate) async fn reopen(
    plugin: Plugin<'_>,
    request_id: String,
    job_id: String,
    passwords: Option<Passwords>,
) -> Answer<Shown> {
    wait(&plugin, move |desk| desk.reopen(&request_id, &job_id, passwords)).await
}

#[command]
pub(crate) async fn pause(plugin: Plugin<'_>, job_id: String) -> Answer<()> {
    wait(&plugin, move |desk| job(desk, &job_id)?.pause()).await
}

#[command]
pub(crate) async fn resume(plugin: Plugin<'_>, job_id: String) -> Answer<()> {
    wait(&plugin, move |desk| job(desk, &job_id)?.resume()).await
}

#[command]
pub(crate) async fn cancel(plugin: Plugin<'_>, job_id: String) -> Answer<()> {
    wait(&plugin, move |desk| job(desk, &job_id)?.cancel()).await
}

#[command]
pub(crate) async fn inspect(
    plugin: Plugin<'_>,
    file: PathBuf,
    password: Option<String>,
) -> Answer<InspectData> {
    wait(&plugin, move |desk| {
        desk.sidecar()?.inspect(&file, password.as_deref())
    })
    .await
}

async fn wait<T: Send + 'static>(
    plugin: &OcrSidecar,
    call: impl FnOnce(&Desk) -> ocr_sidecar::Result<T> + Send + 'static,
) -> Answer<T> {
    let desk = Arc::clone(&plugin.desk);
    match tauri::async_runtime::spawn_blocking(move || call(&desk)).await {
        Ok(answer) => answer.map_err(|error| error.report()),
        Err(error) => Err(Report {
            code: "internal".into(),
            message: error.to_string(),
            retryable: false,
        }),
    }
}

fn job(desk: &Desk, job_id: &str) -> ocr_sidecar::Result<Job> {
    desk.job(job_id).ok_or_else(|| {
        Error::Refused(ErrorData {
            code: ErrorCode::JobNotFound,
            message: format!("This app has no job {job_id}"),
            retryable: false,
            details: Default::default(),
            rest: Default::default(),
        })
    })
}
