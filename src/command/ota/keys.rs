//! Keys in files, and `ota keygen`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustls::pki_types::PrivateKeyDer;

use crate::connect;
use crate::error::{Error, Kind, Result};
use crate::firmware::{Algorithm, PublicKey, SigningKey, Trusted};
use crate::output::{self, Console, Style};

/// `ota keygen`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keygen {
    /// Of the private key.
    pub file: PathBuf,
    /// Of the public key.
    pub public: PathBuf,
    /// Which kind.
    pub algorithm: Algorithm,
}

impl Keygen {
    pub(super) fn run(self) -> Result<()> {
        let key = SigningKey::generate(self.algorithm).map_err(|_| no_randomness())?;
        create(&self.file, 0o600, key.pem().as_bytes())?;
        if let Err(why) = create(&self.public, 0o644, key.public().pem().as_bytes()) {
            // Half a pair would be in the way of the next attempt.
            let _ = fs::remove_file(&self.file);
            return Err(why);
        }
        let (file, public) = (self.file.display(), self.public.display());
        let line = format!(
            "{} key {} in {file} and {public}\n",
            self.algorithm,
            key.public()
        );
        output::print(line.as_bytes())
    }
}

/// A new file: a key that is in use must not be lost.
fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let failed = |cause| Error::local(format_args!("cannot create {}", path.display()), &cause);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = match file {
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = format!("{} exists", path.display());
            return Err(Error::usage(text).hint("remove it, or choose another name"));
        }
        other => other.map_err(failed)?,
    };
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

pub(super) fn no_randomness() -> Error {
    Error::new(Kind::Local, "the system has no randomness")
}

/// What is said of a key of another kind.
const KINDS: &str = "supported are Ed25519 and P-256 (openssl genpkey -algorithm ed25519)";

/// The key that signs.
pub(super) fn signing(path: &Path, password: Option<&Path>, style: Style) -> Result<SigningKey> {
    let der = match connect::signing_key(path, password)? {
        PrivateKeyDer::Pkcs8(der) => der,
        PrivateKeyDer::Sec1(_) => {
            let text = format!("the key in {} is not in PKCS#8 format", path.display());
            let hint = "convert it with openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE";
            return Err(Error::usage(text).hint(hint));
        }
        _ => return Err(unsupported(path)),
    };
    let is_open = fs::metadata(path).is_ok_and(|it| it.is_file() && it.mode() & 0o077 != 0);
    if is_open {
        let path = path.display();
        Console::new(style).warn(format_args!(
            "{path} can be read by other users; chmod 600 {path} keeps it private"
        ));
    }
    SigningKey::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unsupported(path))
}

fn unsupported(path: &Path) -> Error {
    let text = format!(
        "the key in {} is of a type that is not supported",
        path.display()
    );
    Error::usage(text).hint(KINDS)
}

/// The keys whose signatures count: all that are in these files.
pub(super) fn trusted(files: &[PathBuf]) -> Result<Trusted> {
    let mut keys = Vec::new();
    for file in files {
        for spki in connect::public_keys(file)? {
            let key = PublicKey::from_spki(&spki);
            keys.push(key.ok_or_else(|| unsupported(file))?);
        }
    }
    Ok(Trusted::new(keys))
}
