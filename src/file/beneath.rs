//! Opens what lies below a folder, and nothing else: files of the CoAP server, and those that are named by messages.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// Opens a path below `root`; an empty one is `root` itself. Links are followed as long as they do not lead out, where the
/// system can promise that (Linux 5.6); otherwise none is. `mode` is that of a file which is made.
///
/// # Errors
/// As open(2) and openat2(2).
pub(crate) fn open(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> io::Result<OwnedFd> {
    let path = if path.is_empty() { "." } else { path };
    let flags = flags | OFlags::CLOEXEC;
    match open_beneath(root, path, flags, mode) {
        // A sandbox may forbid the call to all alike.
        Err(Errno::NOSYS | Errno::PERM) => Ok(walk(root, path, flags, mode)?),
        done => Ok(done?),
    }
}

#[cfg(target_os = "linux")]
fn open_beneath(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    loop {
        match openat2(root, path, flags, mode, resolve) {
            // Something was renamed meanwhile, so that the system could not be sure.
            Err(Errno::AGAIN) => {}
            done => return done,
        }
    }
}

#[cfg(not(target_os = "linux"))]
const fn open_beneath(_: BorrowedFd<'_>, _: &str, _: OFlags, _: Mode) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// The same folder by folder.
fn walk(root: BorrowedFd<'_>, path: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let into = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut folder = openat(root, ".", into, Mode::empty())?;
    for part in folders.split('/').filter(|it| !it.is_empty()) {
        folder = openat(&folder, part, into, Mode::empty())?;
    }
    openat(&folder, name, flags | OFlags::NOFOLLOW, mode)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        fs::create_dir_all(inside.join("sub")).unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        fs::write(inside.join("sub/file"), "x").unwrap();
        symlink("../secret", inside.join("out")).unwrap();
        symlink("/etc", inside.join("absolute")).unwrap();
        symlink("sub/file", inside.join("in")).unwrap();
        let root = fs::File::open(&inside).unwrap();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        for path in ["out", "absolute/passwd", "absolute", "sub/../../secret"] {
            assert!(
                open(root.as_fd(), path, flags, Mode::empty()).is_err(),
                "{path}"
            );
        }
        for path in ["out", "absolute/passwd", "in"] {
            assert!(
                walk(root.as_fd(), path, flags, Mode::empty()).is_err(),
                "{path}"
            );
        }
        for path in ["", "sub/file", "in"] {
            assert!(
                open(root.as_fd(), path, flags, Mode::empty()).is_ok(),
                "{path}"
            );
        }
        assert!(walk(root.as_fd(), "sub/file", flags, Mode::empty()).is_ok());
    }
}
