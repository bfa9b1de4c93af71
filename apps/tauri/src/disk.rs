//! What the page may have done with files: as `apps/electron/src/disk.ts`. Knows nothing of OCR.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tauri::command;
use tauri::ipc::Response;

type Answer<T> = Result<T, String>;

/// What the worker reads.
const READ: [&str; 13] = [
    "pdf", "png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp", "pnm", "pbm", "pgm", "ppm",
];
/// What a page can draw.
const DRAWN: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// Files as they are, and those in folders, in order of their names. Of folders within, those with
/// outputs are left out.
#[command(async)]
pub fn expand(paths: Vec<PathBuf>) -> Answer<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let found = fs::metadata(&path).map_err(|error| named(&path, &error))?;
        if found.is_dir() {
            add_files_in(&path, false, &mut files)?;
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// The text of `NAME_ocr_results.json`.
#[command(async)]
pub fn results(path: PathBuf) -> Answer<String> {
    if !name_of(&path).ends_with("_ocr_results.json") {
        return Err(format!("{} is no file of results", path.display()));
    }
    fs::read_to_string(&path).map_err(|error| named(&path, &error))
}

/// The bytes of an image file.
#[command(async)]
pub fn picture(path: PathBuf) -> Answer<Response> {
    need_ending(&path, &DRAWN)?;
    let bytes = fs::read(&path).map_err(|error| named(&path, &error))?;
    Ok(Response::new(bytes))
}

/// Show a PDF in the program that the user has for it.
#[command(async)]
pub fn open(path: PathBuf) -> Answer<()> {
    need_ending(&path, &["pdf"])?;
    let opener = match std::env::consts::OS {
        "windows" => "explorer",
        "macos" => "open",
        _ => "xdg-open",
    };
    let mut shown = Command::new(opener)
        .arg(&path)
        .spawn()
        .map_err(|error| format!("{opener}: {error}"))?;
    // Waited for, so that none is left as a zombie.
    std::thread::spawn(move || shown.wait());
    Ok(())
}

fn add_files_in(folder: &Path, is_within: bool, files: &mut Vec<PathBuf>) -> Answer<()> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|error| named(folder, &error))?;
    if is_within
        && entries
            .iter()
            .any(|entry| is_manifest(&name_of(&entry.path())))
    {
        return Ok(());
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder, which may lead around in a circle, is none by this.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            add_files_in(&path, true, files)?;
        } else if ends_in(&path, &READ) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_manifest(name: &str) -> bool {
    name.starts_with("batch_") && name.ends_with("_manifest.json")
}

fn need_ending(path: &Path, endings: &[&str]) -> Answer<()> {
    if path.is_absolute() && ends_in(path, endings) {
        return Ok(());
    }
    Err(format!(
        "{} is not {}",
        path.display(),
        endings.join(" or ")
    ))
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    endings.contains(&ending.as_str())
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn named(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
