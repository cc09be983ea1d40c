//! The files that answers are put into.

use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};
use crate::file;

/// As [`file::replace`], in a thread: a pipe that nobody reads from must not keep signals waiting.
pub(super) async fn replaced(path: &Path, bytes: Bytes) -> Result<()> {
    let path = path.to_owned();
    spawn_blocking(move || file::replace(&path, &bytes))
        .await
        .map_err(|cause| Error::local("cannot write", &cause.into()))?
}

/// The ETag that `path` holds; none when there is no such file, or nothing in it.
pub(super) fn read_etag(path: &Path) -> Result<Option<Bytes>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = file::read_text(path, file::SMALL)?;
    let digits = text.trim();
    let etag = HEXLOWER.decode(digits.to_ascii_lowercase().as_bytes());
    match etag {
        Ok(etag) if etag.is_empty() => Ok(None),
        Ok(etag) if etag.len() <= 8 => Ok(Some(etag.into())),
        _ => Err(Error::usage(format!(
            "{} does not hold an ETag of 1 to 8 bytes in hexadecimal digits",
            path.display()
        ))),
    }
}
