//! `ota verify`: whether a device that trusts these keys would take an update.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{LARGEST, keys, read, refused, show};
use crate::error::{Error, Result};
use crate::file::unreadable;
use crate::firmware::mcuboot::{self, Image};
use crate::firmware::refusal;
use crate::firmware::suit::{self, Envelope, Update};
use crate::firmware::{Digest, Identity, PublicKey, Refusal, Trusted, digest_of, sha256, short};
use crate::output;

/// `ota verify`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// A manifest or an image.
    pub file: PathBuf,
    /// Public keys.
    pub trust: Vec<PathBuf>,
    /// The device, where it is to be judged whether the update is for it.
    pub identity: Option<Identity>,
    /// The image that the manifest is about.
    pub payload: Option<PathBuf>,
    /// As JSON.
    pub json: bool,
}

impl Plan {
    pub(super) fn run(self) -> Result<()> {
        let trusted = keys::trusted(&self.trust)?;
        let bytes = read(&self.file)?;
        if bytes.starts_with(&mcuboot::MAGIC) {
            return self.image(&bytes, &trusted);
        }
        if !bytes.starts_with(&suit::MAGIC) {
            return Err(self.refused(&Refusal::Unknown));
        }
        self.manifest(&bytes, &trusted)
    }

    fn refused(&self, why: &Refusal) -> Error {
        refused(self.file.display(), why)
    }

    fn image(&self, bytes: &[u8], trusted: &Trusted) -> Result<()> {
        if self.payload.is_some() {
            return Err(Error::usage("--payload is for a manifest"));
        }
        if self.identity.is_some() {
            let text = "--vendor and --class are for a manifest";
            return Err(
                Error::usage(text).hint("an MCUboot image does not say which devices it is for")
            );
        }
        let image = Image::read(bytes).map_err(|why| self.refused(&why))?;
        let key = image.signer(trusted).map_err(|why| self.refused(&why))?;
        let version = image.version().to_string();
        self.say(key, None, Some(&version), &[])
    }

    fn manifest(&self, bytes: &[u8], trusted: &Trusted) -> Result<()> {
        let judged = || -> refusal::Result<_> {
            let verified = Envelope::split(bytes)?.verified(trusted)?;
            let manifest = verified.manifest()?;
            let identity = match &self.identity {
                Some(identity) => identity.clone(),
                None => show::identity(&manifest)?,
            };
            let update = manifest.update(&identity, None)?;
            check_embedded(verified.envelope(), &update)?;
            Ok((verified.signer(), update))
        };
        let (key, update) = judged().map_err(|why| self.refused(&why))?;
        if let Some(payload) = &self.payload {
            let (given, digest) = measure(payload)?;
            let judged = compare(given, || digest, &update);
            judged.map_err(|why| refused(payload.display(), &why))?;
        }
        let mut checked = Vec::new();
        checked.extend(self.payload.as_deref().map(Path::to_string_lossy));
        self.say(
            key,
            Some(update.sequence),
            update.version.as_deref(),
            &checked,
        )
    }

    fn say(
        &self,
        key: &PublicKey,
        sequence: Option<u64>,
        version: Option<&str>,
        checked: &[std::borrow::Cow<'_, str>],
    ) -> Result<()> {
        let text = if self.json {
            let line = json!({"file": self.file.to_string_lossy(), "key": short(key.id()), "algorithm": key.algorithm().to_string(),
                "sequence": sequence, "version": version, "payload": checked.first()});
            format!("{line}\n")
        } else {
            let mut text = format!(
                "{}: signed by {} key {key}",
                self.file.display(),
                key.algorithm()
            );
            if let Some(sequence) = sequence {
                text.push_str(&format!(", sequence {sequence}"));
            }
            if let Some(version) = version {
                text.push_str(&format!(", version {version}"));
            }
            for payload in checked {
                text.push_str(&format!("\n{payload}: the image of this manifest"));
            }
            text.push('\n');
            text
        };
        output::print(text.as_bytes())
    }
}

/// Size and digest of a file, of which never more than a part is in memory.
fn measure(path: &Path) -> Result<(u64, Digest)> {
    let failed = |cause| unreadable(path.display(), &cause);
    let mut file = File::open(path).map_err(failed)?.take(LARGEST + 1);
    let digest = digest_of(&mut file).map_err(failed)?;
    Ok((LARGEST + 1 - file.limit(), digest))
}

/// Whether something of this size and digest is the image of an update.
fn compare(given: u64, digest: impl FnOnce() -> Digest, update: &Update) -> refusal::Result<()> {
    let wanted = update.size;
    if given != wanted {
        return Err(Refusal::Size { given, wanted });
    }
    let (given, wanted) = (digest(), update.digest);
    match given == wanted {
        true => Ok(()),
        false => Err(Refusal::PayloadDigest { given, wanted }),
    }
}

fn check_embedded(envelope: &Envelope<'_>, update: &Update) -> refusal::Result<()> {
    for source in &update.sources {
        match envelope.payload(&source.uri) {
            Some(bytes) if source.patch.is_none() => {
                compare(bytes.len() as u64, || sha256(bytes), update)?;
            }
            None if source.uri.starts_with('#') => {
                return Err(Refusal::NoPayload(source.uri.clone()));
            }
            _ => {}
        }
    }
    Ok(())
}
