//! What the page may have done with files: as `apps/electron/src/disk.ts`. Knows nothing of OCR.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tauri::command;
use tauri::ipc::Response;

type Answer<T> = Result<T, String>;

/// What the worker reads.
const READ: [&str; 13] = [
    "pdf", "png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp", "pnm", "pbm", "pgm", "ppm",
];
/// What a page can draw.
const DRAWN: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];
const RESULTS: &str = "_ocr_results.json";

/// Files as they are, and those in folders, in order of their names. Of folders within, those with
/// outputs are left out.
#[command(async)]
pub fn expand(paths: Vec<PathBuf>) -> Answer<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let path = absolute(path)?;
        if fs::metadata(&path).map_err(named(&path))?.is_dir() {
            add_files(entries(&path)?, &mut files)?;
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// The text of `NAME_ocr_results.json`.
#[command(async)]
pub fn results(path: PathBuf) -> Answer<String> {
    let path = absolute(path)?;
    if !name_of(&path).ends_with(RESULTS) {
        return Err(format!("{} is no file of results", path.display()));
    }
    fs::read_to_string(&path).map_err(named(&path))
}

/// The bytes of an image file.
#[command(async)]
pub fn picture(path: PathBuf) -> Answer<Response> {
    let path = ending(path, &DRAWN)?;
    fs::read(&path).map(Response::new).map_err(named(&path))
}

/// Show a PDF in the program that the user has for it.
#[command(async)]
pub fn open(path: PathBuf) -> Answer<()> {
    let path = ending(path, &["pdf"])?;
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
    thread::spawn(move || shown.wait());
    Ok(())
}

fn add_files(entries: Vec<fs::DirEntry>, files: &mut Vec<PathBuf>) -> Answer<()> {
    for entry in entries {
        let path = entry.path();
        // A link to a folder, which may lead around in a circle, is none by this.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let within = self::entries(&path)?;
            if !within.iter().any(is_manifest) {
                add_files(within, files)?;
            }
        } else if ends_in(&path, &READ) {
            files.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Answer<Vec<fs::DirEntry>> {
    let found: io::Result<Vec<_>> = fs::read_dir(folder).and_then(Iterator::collect);
    let mut entries = found.map_err(named(folder))?;
    entries.sort_by_cached_key(|entry| by_number(&name_of(&entry.path())));
    Ok(entries)
}

/// Sorts "page 9" before "page 10": digits are filled up with zeros to the length of the longest number.
fn by_number(name: &str) -> String {
    let mut key = String::new();
    let mut digits = String::new();
    for letter in name.to_lowercase().chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            key += &format!("{digits:0>20}");
            digits.clear();
        }
        key.push(letter);
    }
    key
}

fn is_manifest(entry: &fs::DirEntry) -> bool {
    let name = name_of(&entry.path());
    name.starts_with("batch_") && name.ends_with("_manifest.json")
}

fn ending(path: PathBuf, endings: &[&str]) -> Answer<PathBuf> {
    let path = absolute(path)?;
    if ends_in(&path, endings) {
        return Ok(path);
    }
    Err(format!(
        "{} is not {}",
        path.display(),
        endings.join(" or ")
    ))
}

fn absolute(path: PathBuf) -> Answer<PathBuf> {
    if path.is_absolute() {
        return Ok(path);
    }
    Err(format!("{} is not absolute", path.display()))
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    endings.contains(&ending.to_lowercase().as_str())
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn named(path: &Path) -> impl FnOnce(io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with files of these names; removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(of: &str, names: &[&str]) -> Self {
            let root = std::env::temp_dir().join(format!("ocr-disk-{of}-{}", std::process::id()));
            for name in names {
                let path = root.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, name).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_folder_gives_what_can_be_read_in_it_but_for_folders_of_outputs() {
        let names = [
            "b 10.PNG",
            "b 9.png",
            "notes.txt",
            "in/c.pdf",
            "ocr/a.pdf",
            "ocr/batch_1_manifest.json",
        ];
        let Folder(root) = &Folder::new("expand", &names);

        let files = expand(vec![root.clone(), root.join("notes.txt")]).unwrap();

        let expected = ["b 9.png", "b 10.PNG", "in/c.pdf", "notes.txt"];
        assert_eq!(files, expected.map(|name| root.join(name)));
    }

    #[test]
    fn the_page_reads_results_and_pictures_and_opens_pdfs_and_nothing_else() {
        let Folder(root) = &Folder::new(
            "read",
            &["a_ocr_results.json", "a.png", "secret.json", "run.sh"],
        );

        assert_eq!(
            results(root.join("a_ocr_results.json")).unwrap(),
            "a_ocr_results.json"
        );
        assert!(picture(root.join("a.png")).is_ok());
        assert!(results(root.join("secret.json"))
            .unwrap_err()
            .contains("no file of results"));
        assert!(picture(root.join("secret.json")).is_err_and(|why| why.contains("is not png")));
        assert!(open(root.join("run.sh"))
            .unwrap_err()
            .contains("is not pdf"));
        assert!(results("a_ocr_results.json".into())
            .unwrap_err()
            .contains("not absolute"));
        assert!(expand(vec!["a.png".into()])
            .unwrap_err()
            .contains("not absolute"));
    }
}
