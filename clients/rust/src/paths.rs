//! Paths as the worker is told them: absolute, and as a URI where they are no text.

use std::path::Path;

use crate::error::{Error, Result};

/// How the worker names a path that is no text; it reads what it wrote.
const URIS: [&str; 2] = ["file:///", "file://localhost/"];

/// Write a path for a command. A URI that the worker gave stays as it is.
pub fn path_to_wire(path: &Path) -> Result<String> {
    if let Some(uri) = path.to_str().filter(|text| is_uri(text)) {
        return Ok(uri.to_owned());
    }
    let absolute = std::path::absolute(path).map_err(|_| Error::BadPath(path.to_owned()))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => uri(&absolute).ok_or_else(|| Error::BadPath(path.to_owned())),
    }
}

fn is_uri(text: &str) -> bool {
    URIS.iter().any(|start| text.starts_with(start))
}

#[cfg(unix)]
fn uri(absolute: &Path) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;

    let mut text = String::from("file://");
    for &byte in absolute.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(text)
}

/// Half a surrogate pair has no bytes to write.
#[cfg(not(unix))]
fn uri(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_made_absolute() {
        let told = path_to_wire(Path::new("scan.pdf")).unwrap();

        assert_eq!(
            Path::new(&told),
            std::env::current_dir().unwrap().join("scan.pdf")
        );
    }

    #[test]
    fn a_name_that_the_worker_gave_goes_back_as_it_came() {
        for uri in ["file:///in/%FF.pdf", "file://localhost/in/a.pdf"] {
            assert_eq!(path_to_wire(Path::new(uri)).unwrap(), uri);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf_8_is_written_as_a_uri_of_its_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let told = path_to_wire(Path::new(OsStr::from_bytes(b"/a b/\xff%.pdf"))).unwrap();

        assert_eq!(told, "file:///a%20b/%FF%25.pdf");
    }
}
