//! `install`: links through which the program takes the place of others.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::output;

use super::mqtt::mosquitto::Client;

/// Makes the links in `folder`, and prints the path of each that is new.
///
/// # Errors
/// [`Kind::Refused`] for a name that is taken by something else; [`Kind::Local`] for a folder that cannot be written to.
pub(super) fn links(folder: &Path) -> Result<()> {
    let program = std::env::current_exe()
        .map_err(|cause| Error::local("cannot find the path of this program", &cause))?;
    if fs::metadata(folder).is_err_and(|cause| cause.kind() == ErrorKind::NotFound) {
        let text = format!("there is no directory {}", folder.display());
        return Err(Error::new(Kind::Local, text).hint("create it first, as with mkdir -p"));
    }
    let links = Client::ALL.map(|client| folder.join(client.name()));
    let is_ours = |link: &Path| fs::read_link(link).is_ok_and(|to| to == program);
    // All or none: a folder with some of them would mix two programs.
    for link in links.iter().filter(|link| !is_ours(link)) {
        if link.symlink_metadata().is_ok() {
            let text = format!(
                "{} exists, and is not a link to this program",
                link.display()
            );
            return Err(
                Error::new(Kind::Refused, text).hint("remove it, or choose another directory")
            );
        }
    }
    for link in links.iter().filter(|link| !is_ours(link)) {
        symlink(&program, link)
            .map_err(|cause| Error::local(format!("cannot create {}", link.display()), &cause))?;
        output::print(format!("{}\n", link.display()).as_bytes())?;
    }
    Ok(())
}
