//! Files that are read whole: passwords, keys, certificates, configuration, reports. One bound and one wording for all.
//!
//! A path may be a pipe or a device (`<(…)`, `/dev/zero`), so that what is read is bounded, not what `stat` says.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// More than any password, key, certificate bundle or configuration takes.
pub const SMALL: u64 = 4 << 20;

/// What editors on Windows put before UTF-8.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// [`Kind::Local`] that names the file: it cannot be read, or it is longer. No error shows what is in it.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |cause: io::Error| unreadable(path, &cause);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        let text = format!("cannot read {}: larger than {limit} bytes", path.display());
        return Err(Error::new(Kind::Local, text));
    }
    Ok(bytes)
}

/// The text of a file of at most `limit` bytes, without a byte order mark.
///
/// # Errors
/// As [`read`]; and [`Kind::Local`] where it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String> {
    text(read(path, limit)?).map_err(|what| {
        Error::new(
            Kind::Local,
            format!("cannot read {}: {what}", path.display()),
        )
    })
}

/// `cannot read FILE: no such file or directory`.
pub fn unreadable(path: &Path, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot read {}", path.display()), cause)
}

/// Bytes as text, without a byte order mark; or what they are instead.
pub fn text(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("the text is UTF-16; save it as UTF-8");
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "the text is not UTF-8")?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "\u{feff}ann:secret").unwrap();
        assert_eq!(read_text(&path, 13).unwrap(), "ann:secret");
        let error = read_text(&path, 12).unwrap_err();
        assert_eq!(
            error.text(),
            format!("cannot read {}: larger than 12 bytes", path.display())
        );
        assert_eq!(error.kind(), Kind::Local);
    }

    #[test]
    fn a_device_without_an_end_is_refused() {
        let error = read(Path::new("/dev/zero"), SMALL).unwrap_err();
        assert_eq!(
            error.text(),
            "cannot read /dev/zero: larger than 4194304 bytes"
        );
    }

    #[test]
    fn other_encodings_are_named() {
        assert_eq!(
            text(vec![0xff, 0xfe, b'a', 0]),
            Err("the text is UTF-16; save it as UTF-8")
        );
        assert_eq!(text(vec![b'a', 0xe4]), Err("the text is not UTF-8"));
    }
}
