//! `ota delta`: a patch from one image to another, or the image that a patch makes.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{LARGEST, read};
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::firmware::delta::{self, AVAILABLE, BadPatch, HEADER, Header};
use crate::firmware::sha256;
use crate::output;

/// `ota delta`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The image that devices have.
    pub old: PathBuf,
    /// The image that they are to have; with `apply` a patch.
    pub new: PathBuf,
    /// Where the patch is written; with `apply` the image.
    pub out: PathBuf,
    /// The patch is applied.
    pub apply: bool,
    /// As JSON.
    pub json: bool,
}

impl Plan {
    pub(super) fn run(self) -> Result<()> {
        available()?;
        let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let out = place(&self.out);
        if [&self.old, &self.new]
            .into_iter()
            .any(|it| place(it) == out)
        {
            let text = format!("{} is read from and written to", self.out.display());
            return Err(Error::usage(text).hint("name another file to write to"));
        }
        let old = read(&self.old)?;
        let given = read(&self.new)?;
        let made = match self.apply {
            true => applied(&old, &given).map_err(|why| bad(&self.new, &why)),
            false => patch(&old, &given, &self.old),
        }?;
        file::replace(&self.out, &made)?;
        let (what, of) = match self.apply {
            true => ("image", &given),
            false => ("patch", &given),
        };
        let digest = data_encoding::HEXLOWER.encode(&sha256(&made));
        let text = if self.json {
            let line = json!({"file": self.out.to_string_lossy(), "size": made.len(), "sha256": digest,
                "from": data_encoding::HEXLOWER.encode(&sha256(&old))});
            format!("{line}\n")
        } else {
            let (out, size, of) = (self.out.display(), made.len(), of.len());
            match self.apply {
                true => format!("{what}  {out}: {size} bytes, SHA-256 {digest}\n"),
                false => format!("{what}  {out}: {size} bytes for an image of {of}\n"),
            }
        };
        output::print(text.as_bytes())
    }
}

/// Whether this build makes patches.
pub(super) fn available() -> Result<()> {
    match AVAILABLE {
        true => Ok(()),
        false => Err(Error::usage(BadPatch::NotBuilt.to_string())
            .hint("build one with cargo build --release --features delta")),
    }
}

/// A patch from `old`, which was read from this file, to `new`.
pub(super) fn patch(old: &[u8], new: &[u8], from: &Path) -> Result<Vec<u8>> {
    let largest = old.len().max(new.len()) as u64;
    if largest > delta::LARGEST {
        let most = delta::LARGEST >> 20;
        let text = format!(
            "an image of {largest} bytes is too large for a patch, which may be of {most} MiB"
        );
        return Err(Error::usage(text));
    }
    let patch = delta::make(old, new).map_err(|why| bad(from, &why))?;
    // Nobody is sent what was not tried.
    match applied(old, &patch) {
        Ok(made) if made == new => Ok(patch),
        _ => {
            let text = format!("the patch from {} does not make the image", from.display());
            Err(Error::new(Kind::Local, text))
        }
    }
}

fn applied(old: &[u8], patch: &[u8]) -> std::result::Result<Vec<u8>, BadPatch> {
    let length = patch.len() as u64;
    let head = &patch[..patch.len().min(HEADER as usize)];
    let header = Header::read(head, length)?;
    if header.size > LARGEST {
        let (given, most) = (header.size, LARGEST);
        return Err(BadPatch::TooLarge { given, most });
    }
    let mut new = Vec::new();
    let from = (&mut Cursor::new(old), old.len() as u64);
    delta::apply(
        || Ok(Cursor::new(patch)),
        length,
        from,
        (&mut new, header.size),
    )?;
    Ok(new)
}

fn bad(path: &Path, why: &BadPatch) -> Error {
    Error::new(Kind::Refused, format!("{}: {why}", path.display()))
}
