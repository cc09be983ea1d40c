//! `iotctl ota`: what it signs, others verify, and what others sign, it verifies.

mod amqp;
#[cfg(feature = "delta")]
mod delta;
mod durability;
mod pulling;
mod rollout;
mod rollout_amqp;
mod rollout_coap;
mod signing;
mod simulated;
mod triggering;
mod updating;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::command::{Ended, Line, iotctl, program};

/// A folder with keys, firmware and updates.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// A pair of keys, `NAME.pem` and `NAME.pub.pem`.
    pub fn key(&self, name: &str, kind: &str) -> PathBuf {
        let file = self.path(&format!("{name}.pem"));
        let made = iotctl("ota keygen").word(&file).words("--type").word(kind);
        made.run().succeeded();
        file
    }

    pub fn public(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.pub.pem"))
    }

    /// `ota sign` of this firmware into `updates`.
    pub fn sign(&self, firmware: &Path, key: &Path, words: &str) -> Line {
        let line = iotctl("ota sign").word(firmware).word("--key").word(key);
        let line = line.word("-o").word(self.path("updates")).words(words);
        line.words("--vendor example.com --class sensor-rev-b")
    }
}

pub trait Expect {
    /// It ended well; what it printed.
    fn succeeded(self) -> String;
    /// It ended with this exit code; the first line of its words.
    fn failed(self, code: i32) -> String;
}

impl Expect for Ended {
    #[track_caller]
    fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        String::from_utf8(self.stdout).unwrap()
    }

    #[track_caller]
    fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.stderr);
        self.stderr.lines().next().unwrap_or_default().to_owned()
    }
}

/// Python with the packages of `tests/install`.
pub fn python(script: &str) -> Line {
    program("firmware-python", "").word("-c").word(script)
}
