//! The secrets of TLS connections in a file, in the format of NSS, for Wireshark and others.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use rustls::KeyLog;

use crate::error::{Error, Result};

/// A file that lines are appended to.
pub(super) struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens `path`, or creates it, readable for its owner only.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`] when it cannot be written to.
    pub(super) fn open(path: &Path) -> Result<Arc<Self>> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(file) => Ok(Arc::new(Self(Mutex::new(file)))),
            Err(cause) => {
                let what = format!("cannot write the TLS key log {}", path.display());
                Err(Error::local(what, &cause))
            }
        }
    }
}

impl KeyLog for KeyLogFile {
    /// A connection does not fail because nobody can listen to it: what cannot be written is left out.
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (HEXLOWER.encode(client_random), HEXLOWER.encode(secret));
        let line = format!("{label} {random} {secret}\n");
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(line.as_bytes());
    }
}

impl fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLogFile")
    }
}
