//! `ota sign`: an image and its manifest, signed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{delta, keys, read, refused};
use crate::error::{Error, Result};
use crate::file;
use crate::firmware::suit::{self, DeltaOf, Description, Envelope, Numbering, Payload};
use crate::firmware::{Digest, Identity, SigningKey, Version, mcuboot, sha256, short};
use crate::output::{self, Console, Style};

/// The end of the names of manifests.
pub(super) const MANIFEST: &str = "suit";

/// `ota sign`
#[derive(Clone, Debug)]
pub struct Plan {
    /// The firmware.
    pub firmware: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// A file with the password of the key.
    pub password: Option<PathBuf>,
    /// For people, and in the header of an MCUboot image.
    pub version: String,
    /// `None`: one more than the highest in the directory.
    pub sequence: Option<u64>,
    /// Which devices it is for.
    pub identity: Identity,
    /// Around the firmware, before it is signed.
    pub mcuboot: Option<mcuboot::Options>,
    /// Where devices get the image; relative to the manifest. None: beside the manifest.
    pub uris: Vec<String>,
    /// The image is in the envelope.
    pub embed: bool,
    /// Images that devices may have: each gets a patch.
    pub delta_from: Vec<PathBuf>,
    /// Numbers of the algorithms.
    pub numbering: Numbering,
    /// Where manifest and image are written.
    pub directory: PathBuf,
    /// Others of the same version are replaced.
    pub force: bool,
    /// As JSON.
    pub json: bool,
    /// Of warnings.
    pub style: Style,
}

impl Plan {
    pub(super) fn run(self) -> Result<()> {
        if !self.delta_from.is_empty() {
            delta::available()?;
        }
        let firmware = read(&self.firmware)?;
        if firmware.is_empty() {
            let text = format!("{} is empty", self.firmware.display());
            return Err(Error::usage(text));
        }
        let key = keys::signing(&self.key, self.password.as_deref(), self.style)?;
        fs::create_dir_all(&self.directory).map_err(|cause| {
            Error::local(
                format_args!("cannot create {}", self.directory.display()),
                &cause,
            )
        })?;
        let image = self.image(firmware, &key)?;
        let sequence = match self.sequence {
            Some(sequence) => sequence,
            None => self.next_sequence()?,
        };
        let name = self.name();
        let uris = match self.uris.is_empty() {
            true => vec![format!("{name}.bin")],
            false => self.uris.clone(),
        };
        let payload = if self.embed {
            Payload::Embedded
        } else {
            Payload::Uris(&uris)
        };
        let patches = self.patches(&image)?;
        let deltas: Vec<_> = patches.iter().map(Patch::of).collect();
        let about = Description {
            image: &image,
            version: &self.version,
            sequence,
            identity: &self.identity,
            payload,
            deltas: &deltas,
        };
        let manifest = suit::sign(&about, &key, self.numbering);
        let manifest = manifest.map_err(|_| keys::no_randomness())?;
        let image_path = self.directory.join(format!("{name}.bin"));
        let manifest_path = self.directory.join(format!("{name}.{MANIFEST}"));
        // The image first: whoever sees the manifest may ask for it.
        let mut files: Vec<(PathBuf, &[u8])> = Vec::new();
        if !self.embed {
            files.push((image_path.clone(), &image));
        }
        let patched = patches.iter();
        files.extend(patched.map(|it| (self.directory.join(&it.name), &it.patch[..])));
        files.push((manifest_path.clone(), &manifest));
        self.write(&files)?;
        let image_path = (!self.embed).then_some(image_path);
        let digest = digest_of(&manifest, &image);
        self.say(&about, &digest, &manifest_path, image_path.as_deref(), &key)
    }

    /// From each image that devices may have; what would save nothing is left out.
    fn patches(&self, image: &[u8]) -> Result<Vec<Patch>> {
        let mut patches: Vec<Patch> = Vec::new();
        for from in &self.delta_from {
            let base = read(from)?;
            let patch = delta::patch(&base, image, from)?;
            let name = format!("{}.from-{}.patch", self.name(), short(&sha256(&base)));
            if patch.len() >= image.len() {
                let (from, size) = (from.display(), patch.len());
                let text =
                    format!("the patch from {from} would have {size} bytes, and is left out");
                Console::new(self.style).warn(text);
            } else if !patches.iter().any(|it| it.name == name) {
                patches.push(Patch { base, patch, name });
            }
        }
        Ok(patches)
    }

    fn write(&self, files: &[(PathBuf, &[u8])]) -> Result<()> {
        files
            .iter()
            .try_for_each(|(path, bytes)| self.keeps(path, bytes))?;
        file::replace_all(files)
    }

    /// Nothing else of the same version is lost: devices may be fetching it.
    fn keeps(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let is_free = self.force || !fs::exists(path).unwrap_or(true);
        match is_free || fs::read(path).is_ok_and(|there| there == bytes) {
            true => Ok(()),
            false => {
                let text = format!("{} exists, and has other contents", path.display());
                Err(Error::usage(text).hint("give another --version, or --force to replace it"))
            }
        }
    }

    fn image(&self, firmware: Vec<u8>, key: &SigningKey) -> Result<Vec<u8>> {
        let Some(options) = &self.mcuboot else {
            return Ok(firmware);
        };
        if firmware.starts_with(&mcuboot::MAGIC) {
            let text = format!("{} is an MCUboot image already", self.firmware.display());
            return Err(Error::usage(text).hint("leave --mcuboot out"));
        }
        mcuboot::sign(&firmware, options, key)
            .map_err(|why| Error::usage(format!("{}: {why}", self.firmware.display())))
    }

    /// One above the highest in the directory. A directory that is empty by mistake is said: devices may have had more.
    fn next_sequence(&self) -> Result<u64> {
        let highest = highest_sequence(&self.directory)?;
        if highest.is_none() {
            let directory = self.directory.display();
            let text = format!("there is no manifest in {directory} yet: --sequence auto takes 1");
            Console::new(self.style).note(text);
        }
        highest.unwrap_or(0).checked_add(1).ok_or_else(|| {
            Error::usage("there is no sequence number above the highest in the directory")
        })
    }

    /// `sensor-1.4.0+7`
    fn name(&self) -> String {
        let stem = self.firmware.file_stem().unwrap_or_default();
        format!("{}-{}", stem.to_string_lossy(), self.version)
    }

    fn say(
        &self,
        about: &Description<'_>,
        digest: &Digest,
        manifest: &Path,
        image: Option<&Path>,
        key: &SigningKey,
    ) -> Result<()> {
        let text = if self.json {
            let digest = data_encoding::HEXLOWER.encode(digest);
            let image = image.map(Path::to_string_lossy);
            let patches: Vec<_> = about
                .deltas
                .iter()
                .map(|it| {
                    json!({"file": self.directory.join(it.uri).to_string_lossy(),
                "size": it.patch.len(), "from": data_encoding::HEXLOWER.encode(&sha256(it.base))})
                })
                .collect();
            let line = json!({"manifest": manifest.to_string_lossy(), "image": image, "patches": patches, "size": about.image.len(),
                "sha256": digest, "version": self.version, "sequence": about.sequence, "key": short(key.public().id())});
            format!("{line}\n")
        } else {
            let image = match image {
                Some(image) => image.display().to_string(),
                None => String::from("embedded"),
            };
            let mut text = format!(
                "manifest  {}: sequence {}, version {}, signed by {} key {}\nimage     {image}: {} bytes, SHA-256 {}\n",
                manifest.display(),
                about.sequence,
                self.version,
                key.public().algorithm(),
                key.public(),
                about.image.len(),
                data_encoding::HEXLOWER.encode(digest),
            );
            for it in about.deltas {
                let (path, size) = (self.directory.join(it.uri), it.patch.len());
                let line = format!("patch     {}: {size} bytes\n", path.display());
                text.push_str(&line);
            }
            text
        };
        output::print(text.as_bytes())
    }
}

/// The digest of an image, which its manifest has: to compute it anew takes as long as to sign.
fn digest_of(manifest: &[u8], image: &[u8]) -> Digest {
    let read = Envelope::split(manifest).and_then(|it| it.unverified());
    let images = read.map(|it| it.images()).unwrap_or_default();
    images.first().copied().unwrap_or_else(|| sha256(image))
}

/// A patch, and the file that it goes to, beside the manifest.
struct Patch {
    base: Vec<u8>,
    patch: Vec<u8>,
    name: String,
}

impl Patch {
    fn of(&self) -> DeltaOf<'_> {
        DeltaOf {
            base: &self.base,
            patch: &self.patch,
            uri: &self.name,
        }
    }
}

/// The manifests of a directory, in the order of their names.
pub(super) fn manifests(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |cause| file::unreadable(directory.display(), &cause);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == MANIFEST) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Of the manifests of a directory, where it has one.
fn highest_sequence(directory: &Path) -> Result<Option<u64>> {
    let mut highest = None;
    for path in manifests(directory)? {
        let bytes = read(&path)?;
        let manifest = Envelope::split(&bytes).and_then(|it| it.unverified());
        let manifest = manifest.map_err(|why| refused(path.display(), &why))?;
        highest = highest.max(Some(manifest.sequence_number));
    }
    Ok(highest)
}

/// The version in the header of an MCUboot image.
///
/// # Errors
/// It is none that fits.
pub(crate) fn image_version(text: &str) -> Result<Version> {
    text.parse().map_err(|()| {
        Error::usage(format!(
            "version {text} does not fit into an MCUboot header"
        ))
        .hint("expected MAJOR.MINOR.REVISION+BUILD, such as 1.4.0+7")
    })
}
