//! The files of a spool: the only thing of it that touches a disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::file::{replace_alone, sync_folder};

/// The file that is locked for as long as a process uses the spool.
pub(super) const LOCK: &str = "lock";

/// A folder of files. What is appended is safe after [`Disk::sync`], and a new name after [`Disk::sync_names`].
pub(crate) trait Disk: Clone + Send + 'static {
    /// What users call a file in it.
    fn place(&self, name: &str) -> String;

    /// The names of its files, and how long they are.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;

    /// So many bytes of a file from there on; fewer at its end.
    fn read(&mut self, name: &str, from: u64, count: u64) -> io::Result<Vec<u8>>;

    /// Appends to a file, which is made if there is none.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// What was appended to a file is on the disk.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// The names of files are on the disk.
    fn sync_names(&mut self) -> io::Result<()>;

    /// Cuts a file off there, for good.
    fn cut(&mut self, name: &str, length: u64) -> io::Result<()>;

    /// Puts these bytes in the place of a file, whole or not at all.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file, if there is one.
    fn remove(&mut self, name: &str) -> io::Result<()>;
}

/// A folder that no other process uses as a spool meanwhile.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// What was appended to last.
    open: Option<(String, File)>,
    /// What was read last.
    reading: Option<(String, File)>,
    /// Locked until the last clone is dropped.
    lock: Arc<File>,
}

impl Clone for Folder {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            open: None,
            reading: None,
            lock: Arc::clone(&self.lock),
        }
    }
}

impl Folder {
    /// Makes the folder, if there is none, and locks it.
    ///
    /// # Errors
    /// [`Kind::Local`]: it cannot be used, or another process has it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |cause: &io::Error| {
            let what = format!("cannot open the spool {}", path.display());
            Error::local(what, cause)
        };
        fs::create_dir_all(path).map_err(|cause| failed(&cause))?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).append(true).open(path.join(LOCK));
        let lock = lock.map_err(|cause| failed(&cause))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("the spool {} is used by another process", path.display());
                return Err(Error::new(Kind::Local, text).hint("give each its own --spool DIR"));
            }
            Err(TryLockError::Error(cause)) => return Err(failed(&cause)),
        }
        Ok(Self {
            path: path.to_owned(),
            open: None,
            reading: None,
            lock: Arc::new(lock),
        })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The file that is appended to.
    fn opened(&mut self, name: &str) -> io::Result<&mut File> {
        if self.open.as_ref().is_none_or(|(known, _)| known != name) {
            let mut options = OpenOptions::new();
            let file = options.create(true).append(true).open(self.at(name))?;
            self.open = Some((name.to_owned(), file));
        }
        // cannot panic: it was put there
        Ok(&mut self.open.as_mut().expect("an open file").1)
    }
}

impl Disk for Folder {
    fn place(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                files.push((name, entry.metadata()?.len()));
            }
        }
        Ok(files)
    }

    fn read(&mut self, name: &str, from: u64, count: u64) -> io::Result<Vec<u8>> {
        if self.reading.as_ref().is_none_or(|(known, _)| known != name) {
            self.reading = Some((name.to_owned(), File::open(self.at(name))?));
        }
        let mut bytes = Vec::new();
        if let Some((_, file)) = &mut self.reading {
            file.seek(SeekFrom::Start(from))?;
            file.take(count).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.opened(name)?.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.opened(name)?.sync_data()
    }

    fn sync_names(&mut self) -> io::Result<()> {
        sync_folder(&self.at(LOCK))
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        let file = self.opened(name)?;
        file.set_len(length)?;
        file.sync_data()
    }

    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        replace_alone(&self.at(name), bytes)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.at(name)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}
