#![doc = include_str!("../README.md")]

mod commands;
mod config;
mod desk;

use std::sync::Arc;

use ocr_sidecar::{Launch, Sidecar};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Emitter, Manager, RunEvent, Runtime};

pub use config::Config;
pub use desk::{Attached, Message, Shown, Start};
pub use ocr_sidecar;

use desk::Desk;

/// The plugin, set up by `plugins.ocr-sidecar` of `tauri.conf.json`.
pub fn init<R: Runtime>() -> TauriPlugin<R, Option<Config>> {
    Builder::new().build()
}

/// The plugin for apps that choose the worker in Rust.
#[derive(Debug, Default)]
pub struct Builder {
    launch: Option<Launch>,
}

impl Builder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Start the worker so, whatever the configuration says.
    pub fn launch(mut self, launch: Launch) -> Self {
        self.launch = Some(launch);
        self
    }

    pub fn build<R: Runtime>(self) -> TauriPlugin<R, Option<Config>> {
        tauri::plugin::Builder::<R, Option<Config>>::new("ocr-sidecar")
            .invoke_handler(tauri::generate_handler![
                commands::attach,
                commands::state,
                commands::list_jobs,
                commands::start,
                commands::reopen,
                commands::pause,
                commands::resume,
                commands::cancel,
                commands::inspect,
            ])
            .setup(move |app, api| {
                let launch = match self.launch {
                    Some(launch) => launch,
                    None => api.config().clone().unwrap_or_default().launch(app)?,
                };
                let desk = Desk::new(launch, tell_all(app.clone()));
                app.manage(OcrSidecar { desk: Arc::new(desk) });
                Ok(())
            })
            .on_event(|app, event| {
                if let RunEvent::Exit = event {
                    app.state::<OcrSidecar>().stop();
                }
            })
            .build()
    }
}

/// What Rust code of the app uses, beside the pages: [`OcrSidecarExt::ocr_sidecar`].
#[derive(Debug)]
pub struct OcrSidecar {
    pub(crate) desk: Arc<Desk>,
}

impl OcrSidecar {
    /// The worker; started now, if there is none.
    pub fn sidecar(&self) -> ocr_sidecar::Result<Sidecar> {
        self.desk.sidecar()
    }

    /// Begin a job that pages see too. With the request id of an earlier call: that call's job.
    pub fn start(&self, start: &Start) -> ocr_sidecar::Result<Shown> {
        self.desk.start(start)
    }

    /// End the worker, and wait until nothing of it is left. The app's exit does so by itself.
    pub fn stop(&self) {
        self.desk.stop();
    }
}

/// Gives access to the worker from an app, a handle or a window.
pub trait OcrSidecarExt<R: Runtime> {
    fn ocr_sidecar(&self) -> tauri::State<'_, OcrSidecar>;
}

impl<R: Runtime, M: Manager<R>> OcrSidecarExt<R> for M {
    fn ocr_sidecar(&self) -> tauri::State<'_, OcrSidecar> {
        self.state::<OcrSidecar>()
    }
}

/// Events of Tauri for all windows, attached or not.
fn tell_all<R: Runtime>(app: AppHandle<R>) -> impl Fn(&Message) + Send + Sync + 'static {
    move |message: &Message| {
        if let Some(name) = message.event_name() {
            // A window that is being closed does not hear it.
            let _ = app.emit(name, message);
        }
    }
}
