//! Tells others when messages can come: a script need not guess when a command is subscribed, and a service manager is told
//! as `sd_notify(3)` has it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::Source;
use super::attended::{Attended, Taking};
use crate::error::{Error, Result};
use crate::file::Standing;
use crate::output;

/// Where systemd listens, for a service of `Type=notify`.
const MANAGER: &str = "NOTIFY_SOCKET";

/// Who is told, and how.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    /// A file that stands there from then on until the command ends (`--ready-file`).
    pub file: Option<PathBuf>,
    /// A command for the shell, which is not waited for (`--on-ready`).
    pub command: Option<String>,
}

/// What is still to be told.
pub struct Announcement<'a> {
    ready: Option<&'a Ready>,
    file: Option<Standing>,
}

impl Ready {
    /// Before it is so: a file of an earlier run is taken away.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: it cannot be.
    pub fn announcement(&self) -> Result<Announcement<'_>> {
        let managed = std::env::var_os(MANAGER).is_some();
        let there = self.file.is_some() || self.command.is_some() || managed;
        Ok(Announcement {
            ready: there.then_some(self),
            file: self.file.as_deref().map(Standing::clear).transpose()?,
        })
    }
}

/// Tells a service manager at a socket that all is ready; a name that begins with `@` is an abstract one.
fn notify(place: &OsStr) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    #[cfg(target_os = "linux")]
    if let Some(name) = place.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(b"READY=1", &address).map(drop);
    }
    if place.as_bytes().first() != Some(&b'/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    socket.send_to(b"READY=1", place).map(drop)
}

impl<'b> Announcement<'b> {
    /// Messages can come now; the first call counts.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: the file cannot be written, or the command not be run.
    pub fn tell(&mut self) -> Result<()> {
        let Some(ready) = self.ready.take() else {
            return Ok(());
        };
        if let Some(file) = &self.file {
            file.put(b"")?;
        }
        if let Some(place) = std::env::var_os(MANAGER) {
            // One that is gone has nobody to tell; one that waits in vain says so itself.
            let _ = notify(&place);
        }
        let Some(script) = &ready.command else {
            return Ok(());
        };
        // What it says is no message of ours.
        let started = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(output::beside_messages())
            .spawn();
        // It goes on by itself.
        started
            .map(drop)
            .map_err(|cause| Error::local("cannot run the command of --on-ready", &cause))
    }

    /// The same source, which is ready once it waits for nothing any more.
    pub fn watch<'a, S: Source>(&'a mut self, source: &'a mut S) -> impl Source + use<'a, 'b, S> {
        let look = |source: &&'a mut S| match self.ready.is_some() && source.awaits().is_none() {
            true => self.tell(),
            false => Ok(()),
        };
        Attended::new(source, || Taking::GoesOn, look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_manager_is_told_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let told = |socket: &UnixDatagram| {
            let mut text = [0; 16];
            let length = socket.recv(&mut text).unwrap();
            String::from_utf8_lossy(&text[..length]).into_owned()
        };
        let socket = UnixDatagram::bind(&path).unwrap();
        notify(path.as_os_str()).unwrap();
        assert_eq!(told(&socket), "READY=1");
        assert!(notify(OsStr::new("relative")).is_err());
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::SocketAddrExt;
            let name = format!("iotctl-ready-{}", std::process::id());
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
            let socket = UnixDatagram::bind_addr(&address).unwrap();
            notify(OsStr::new(&format!("@{name}"))).unwrap();
            assert_eq!(told(&socket), "READY=1");
        }
    }
}
