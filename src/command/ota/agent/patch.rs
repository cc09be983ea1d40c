//! What a device does with a patch: fetches it beside its slots, and applies it from the slot that runs to the other one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::disk::{Disk, PATCH, forget, read_back, shortage};
use crate::error::plain;
use crate::firmware::delta::{self, BadPatch};
use crate::firmware::device::{Download, Outcome, Slot};
use crate::firmware::suit::Patch;
use crate::firmware::{Refusal, digest_of};

impl Disk {
    /// Makes room for a patch, and reads what an earlier download of it has left.
    pub(super) fn prepare_patch(&mut self, fresh: &Download) -> Outcome {
        let path = self.folder().join(PATCH);
        self.prepare_at(&path, None, fresh)
    }

    /// Computes the digest of the first bytes of a slot, elsewhere, as it may take long.
    pub(super) fn compare(&self, slot: Slot, size: u64) -> impl FnOnce() -> Outcome + Send + use<> {
        let path = self.path(slot).to_owned();
        move || match File::open(&path).and_then(|file| digest_of(file.take(size))) {
            Ok(digest) => Outcome::Checked(digest, None),
            Err(cause) => unreadable(&path, &cause),
        }
    }

    /// Applies the patch that was fetched, elsewhere, as it may take long.
    pub(super) fn apply(
        &mut self,
        [from, to]: [Slot; 2],
        patch: &Patch,
        size: u64,
    ) -> impl FnOnce() -> Outcome + Send + use<> {
        let applying = Applying {
            patch: patch.clone(),
            size,
        };
        let folder = self.folder().to_owned();
        let [from, to] = [from, to].map(|slot| self.path(slot).to_owned());
        self.close();
        move || {
            let file = folder.join(PATCH);
            let outcome = applying.run(&file, &from, &to);
            // What was left of its download is of no use any more.
            let _ = forget(&folder);
            let _ = fs::remove_file(file);
            outcome
        }
    }
}

struct Applying {
    patch: Patch,
    /// Of the image that it makes, in bytes.
    size: u64,
}

impl Applying {
    fn run(&self, file: &Path, from: &Path, to: &Path) -> Outcome {
        match File::open(file).and_then(|it| digest_of(it.take(self.patch.size))) {
            Ok(given) if given == self.patch.digest => {}
            Ok(given) => {
                let wanted = self.patch.digest;
                return Outcome::Refused(Refusal::PayloadDigest { given, wanted });
            }
            Err(cause) => return unreadable(file, &cause),
        }
        if let Err(outcome) = self.write(file, from, to) {
            return outcome;
        }
        match read_back(to, self.size) {
            Ok((digest, Ok(counter))) => Outcome::Checked(digest, counter),
            Ok((_, Err(why))) => Outcome::Refused(why),
            Err(cause) => unreadable(to, &cause),
        }
    }

    fn write(&self, file: &Path, from: &Path, to: &Path) -> Result<(), Outcome> {
        let unwritable = |cause: io::Error| {
            Outcome::Failed(format!("cannot write {}: {}", to.display(), plain(&cause)))
        };
        let mut old = File::open(from).map_err(|cause| unreadable(from, &cause))?;
        let mut options = OpenOptions::new();
        let new = options.create(true).truncate(false).write(true).open(to);
        let mut new = new.map_err(unwritable)?;
        let before = new.metadata().map_err(unwritable)?;
        if let Some(why) = shortage(to, &before, self.size).map_err(unwritable)? {
            return Err(Outcome::Refused(why));
        }
        if before.is_file() {
            new.set_len(self.size).map_err(unwritable)?;
        }
        let from = (&mut old, self.patch.base_size);
        let applied = delta::apply(
            || File::open(file),
            self.patch.size,
            from,
            (&mut new, self.size),
        );
        applied.map_err(|why| match why {
            BadPatch::Io(cause) => Outcome::Failed(format!("cannot apply it: {}", plain(&cause))),
            why => Outcome::Failed(why.to_string()),
        })
    }
}

fn unreadable(path: &Path, cause: &io::Error) -> Outcome {
    Outcome::Failed(format!("cannot read {}: {}", path.display(), plain(cause)))
}
