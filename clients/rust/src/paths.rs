//! Paths as the worker is told them: absolute, and as a URI where they are no text.

use std::path::Path;

use crate::error::{Error, Result};

/// Write a path for a command.
pub fn path_to_wire(path: &Path) -> Result<String> {
    let absolute = std::path::absolute(path).map_err(|_| Error::BadPath(path.to_owned()))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => uri(&absolute).ok_or_else(|| Error::BadPath(path.to_owned())),
    }
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

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf_8_is_written_as_a_uri_of_its_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let told = path_to_wire(Path::new(OsStr::from_bytes(b"/a b/\xff%.pdf"))).unwrap();

        assert_eq!(told, "file:///a%20b/%FF%25.pdf");
    }
}
