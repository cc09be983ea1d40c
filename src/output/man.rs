//! A man page, as `man` shows it on a terminal.

use std::fs::File;
use std::io::{self, IsTerminal, Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{MemfdFlags, memfd_create};

use super::print;
use crate::error::Result;

/// Shows a page in roff: `man` takes the place of this process where standard output is a terminal and there is that program;
/// otherwise the page is printed as it is.
///
/// # Errors
/// As [`print()`].
pub fn show_man_page(page: &str) -> Result<()> {
    if io::stdout().is_terminal()
        && let Ok(file) = in_memory(page)
    {
        // It returns only if there is no such program.
        let _ = Command::new("man").args(["-l", "-"]).stdin(file).exec();
    }
    print(page.as_bytes())
}

/// A file without a name: a pipe may not hold all of the page, and nobody would fill it once this process is another.
fn in_memory(page: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create("man", MemfdFlags::CLOEXEC)?);
    file.write_all(page.as_bytes())?;
    file.rewind()?;
    Ok(file)
}
