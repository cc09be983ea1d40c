//! `ota inspect`: what a manifest or an image says, whoever has signed it.

use std::path::Path;

use super::{read, refused, show};
use crate::error::Result;
use crate::firmware::mcuboot::{self, Image};
use crate::firmware::suit::{self, Envelope};
use crate::firmware::{Refusal, refusal};
use crate::output;

pub(super) fn run(file: &Path, json: bool) -> Result<()> {
    let bytes = read(file)?;
    let shown = shown(&bytes).map_err(|why| refused(file.display(), &why))?;
    let text = if json {
        format!("{}\n", shown.json())
    } else {
        shown.text()
    };
    output::print(text.as_bytes())
}

fn shown(bytes: &[u8]) -> refusal::Result<show::Rows> {
    if bytes.starts_with(&mcuboot::MAGIC) {
        return Image::read(bytes).map(|image| show::image(&image, bytes.len()));
    }
    if !bytes.starts_with(&suit::MAGIC) {
        return Err(Refusal::Unknown);
    }
    let envelope = Envelope::split(bytes)?;
    let manifest = envelope.unverified()?;
    Ok(show::manifest(&envelope, &manifest, bytes.len()))
}
