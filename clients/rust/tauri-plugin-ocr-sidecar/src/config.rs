//! Where the worker is, and where it keeps jobs.

use std::path::PathBuf;

use ocr_sidecar::Launch;
use serde::Deserialize;
use tauri::{AppHandle, Manager, Runtime};

/// `plugins.ocr-sidecar` of `tauri.conf.json`. All may be absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The worker's executable, in the app's resources. Default: `ocr-worker/ocr-worker`.
    pub worker: Option<PathBuf>,
    /// Where jobs are remembered. Default: `ocr` in the app's data folder.
    pub state_dir: Option<PathBuf>,
}

impl Config {
    pub(crate) fn launch<R: Runtime>(self, app: &AppHandle<R>) -> tauri::Result<Launch> {
        let package = app.package_info();
        let launch = Launch::new(self.program(app)?, &package.name, &package.version.to_string());
        let state_dir = match self.state_dir {
            Some(folder) => folder,
            None => app.path().app_local_data_dir()?.join("ocr"),
        };
        Ok(launch.state_dir(state_dir))
    }

    /// While an app is developed, `OCR_WORKER` names another worker, such as one of a checkout.
    fn program<R: Runtime>(&self, app: &AppHandle<R>) -> tauri::Result<PathBuf> {
        if let (true, Some(program)) = (cfg!(debug_assertions), std::env::var_os("OCR_WORKER")) {
            return Ok(program.into());
        }
        let name = format!("ocr-worker/ocr-worker{}", std::env::consts::EXE_SUFFIX);
        let worker = self.worker.clone().unwrap_or_else(|| name.into());
        // An absolute path stays what it is.
        Ok(app.path().resource_dir()?.join(worker))
    }
}
