//! Standard output for messages and results.

use std::io::{self, ErrorKind, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::SystemTime;

use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::payload::standard;

use super::destination::{Destination, Rotation};
use super::escape::{Keep, escape};
use super::folder::Folder;
use super::format::{Format, Render, Surface};
use super::log::Log;
use super::sink::Sink;
use super::style::{ColorChoice, Style, Tone, judged};

/// Standard output, batched: messages are rendered into a buffer, and [`Output::flush`] writes it.
pub struct Output {
    color: bool,
    render: Box<dyn Render>,
    pending: Vec<u8>,
    way: Way,
}

/// Where bytes go.
enum Way {
    /// To a descriptor, mostly standard output.
    Stream(Sink),
    /// To the end of a file.
    Log(Log),
    /// Each message into a file.
    Folder(Folder),
}

impl Output {
    /// Messages on standard output in `format`.
    ///
    /// # Errors
    /// [`Kind::Local`]: `standard output is closed`, when the command was started without one.
    pub fn open(format: Format, style: Style) -> Result<Self> {
        Ok(Self::over(standard_output()?, format, style))
    }

    /// Messages where they are to go.
    ///
    /// # Errors
    /// As [`Output::open`]; [`Kind::Local`] or [`Kind::Usage`] that names a file which cannot be used.
    pub fn open_at(destination: &Destination, format: Format, style: Style) -> Result<Self> {
        let surface = Surface {
            terminal: false,
            color: style.color.colors(false),
        };
        let (render, way) = match destination {
            Destination::Stdout => return Self::open(format, style),
            Destination::File(path, rotation) => {
                return Self::at_end_of(path, *rotation, format, surface, false);
            }
            Destination::Files(names) => (
                format.renderer(surface),
                Way::Folder(Folder::open(names.clone())?),
            ),
        };
        Ok(Self {
            color: false,
            render,
            pending: Vec::new(),
            way,
        })
    }

    /// Messages at the end of a file, to be on the disk ([`Output::sync`]); what a process that was killed has not finished
    /// there is cut off.
    ///
    /// # Errors
    /// As [`Output::open_at`].
    pub(crate) fn durable(path: &Path, rotation: Rotation, format: Format) -> Result<Self> {
        let surface = Surface {
            terminal: false,
            color: false,
        };
        Self::at_end_of(path, rotation, format, surface, true)
    }

    fn at_end_of(
        path: &Path,
        rotation: Rotation,
        format: Format,
        surface: Surface,
        durable: bool,
    ) -> Result<Self> {
        let ending = format.ending();
        let mut render = format.renderer(surface);
        let header = render.header();
        render.has_begun(true);
        Ok(Self {
            color: false,
            render,
            pending: Vec::new(),
            way: Way::Log(Log::open(path, rotation, header, ending, durable)?),
        })
    }

    /// Writes everything that waits into its file, and returns when it is on the disk. Blocks.
    ///
    /// # Errors
    /// [`Kind::Local`] that names the file.
    pub(crate) fn sync(&mut self) -> Result<()> {
        match &mut self.way {
            Way::Log(log) => log.write(&mut self.pending).and_then(|()| log.sync()),
            Way::Stream(_) | Way::Folder(_) => Ok(()),
        }
    }

    /// What messages did not have that were asked for it, and how many of them.
    pub(crate) fn missing(&self) -> Vec<(String, u64)> {
        self.render.missing()
    }

    /// How many bytes of an unfinished message were cut off from its file.
    pub(crate) const fn cut(&self) -> u64 {
        match &self.way {
            Way::Log(log) => log.cut(),
            Way::Stream(_) | Way::Folder(_) => 0,
        }
    }

    /// Messages on any descriptor, as [`Output::open`] writes them to standard output.
    pub fn over(fd: OwnedFd, format: Format, style: Style) -> Self {
        let sink = Sink::new(fd);
        let surface = Surface {
            terminal: sink.is_terminal(),
            color: style.color.colors(sink.is_terminal()),
        };
        Self {
            color: surface.color,
            render: format.renderer(surface),
            pending: Vec::new(),
            way: Way::Stream(sink),
        }
    }

    /// Renders `message` into the buffer; writes nothing yet, unless it goes into a file.
    ///
    /// # Errors
    /// [`Kind::Local`] when a file cannot be written; nothing of the message is there then.
    #[inline]
    pub fn message(&mut self, message: &Message) -> Result<()> {
        if let Way::Stream(_) = self.way {
            self.render.render(message, &mut self.pending);
            return Ok(());
        }
        self.message_into_file(message, message.time).map(drop)
    }

    /// The same for one that came at another time than it says; whether there was anything to write.
    ///
    /// # Errors
    /// As [`Output::message`].
    #[inline(never)]
    pub(crate) fn message_into_file(
        &mut self,
        message: &Message,
        arrived: SystemTime,
    ) -> Result<bool> {
        let start = self.pending.len();
        let mut end = start;
        match &mut self.way {
            // Above.
            Way::Stream(_) => {}
            Way::Log(log) => {
                self.render.render(message, &mut self.pending);
                end = self.pending.len();
                log.take(&mut self.pending, start, arrived)?;
            }
            Way::Folder(folder) => {
                self.render.has_begun(false);
                self.render.render(message, &mut self.pending);
                end = self.pending.len();
                let written = folder.put(message, &self.pending[start..]);
                self.pending.truncate(start);
                written?;
            }
        }
        Ok(end > start)
    }

    fn is_terminal(&self) -> bool {
        matches!(&self.way, Way::Stream(sink) if sink.is_terminal())
    }

    /// Puts a line of text, such as a result, into the buffer; writes nothing yet.
    pub fn line(&mut self, text: &str) {
        self.line_of_bytes(text.as_bytes());
    }

    /// A line of a table or of a tree, which stays one on a terminal.
    pub fn row(&mut self, text: &str) {
        if self.is_terminal() {
            escape(text.as_bytes(), Keep::Nothing, &mut self.pending);
            self.pending.push(b'\n');
        } else {
            self.line(text);
        }
    }

    /// The same for what need not be text.
    pub(crate) fn line_of_bytes(&mut self, bytes: &[u8]) {
        if self.is_terminal() {
            escape(bytes, Keep::Layout, &mut self.pending);
        } else {
            self.pending.extend_from_slice(bytes);
        }
        self.pending.push(b'\n');
    }

    /// On a terminal, removes so many lines above the cursor, as terminals have understood it since the VT100.
    pub(super) fn clear_above(&mut self, lines: usize) {
        if lines > 0 {
            let up = format!("\x1b[{lines}A\r\x1b[J");
            self.pending.extend_from_slice(up.as_bytes());
        }
    }

    /// Puts the text of a report into the buffer, with its verdicts in colour; writes nothing yet.
    pub fn report(&mut self, text: &str) {
        let start = self.pending.len();
        self.line(text);
        if self.color {
            let plain = String::from_utf8_lossy(&self.pending[start..]).into_owned();
            self.pending.truncate(start);
            self.pending.extend_from_slice(judged(&plain).as_bytes());
        }
    }

    /// On a terminal, ends the line that waits, so that the next prompt stands on its own.
    pub fn end_line(&mut self) {
        if self.is_terminal() && self.pending.last().is_some_and(|byte| *byte != b'\n') {
            self.pending.push(b'\n');
        }
    }

    /// How many bytes wait for [`Output::flush`].
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Writes everything that waits, and returns when it is written.
    ///
    /// A reader that stalls stalls this future and nothing else. Cancel-safe: if it is dropped, the
    /// next call first waits for what is under way; nothing is lost or written twice.
    ///
    /// # Errors
    /// [`Kind::ReaderGone`] when the reader left; [`Kind::Local`] for everything else, such as a
    /// full disk.
    pub async fn flush(&mut self) -> Result<()> {
        match &mut self.way {
            Way::Stream(sink) => sink
                .write(&mut self.pending)
                .await
                .map_err(|cause| failed(&cause)),
            Way::Log(log) => log.write(&mut self.pending),
            // It is written.
            Way::Folder(_) => Ok(()),
        }
    }

    /// Returns as soon as the reader of standard output leaves, without anything being written;
    /// never for files and terminals. Cancel-safe.
    pub async fn reader_gone(&mut self) {
        match &mut self.way {
            Way::Stream(sink) => sink.reader_gone().await,
            Way::Log(_) | Way::Folder(_) => std::future::pending().await,
        }
    }
}

/// Writes `bytes`, such as a help page, to standard output, all at once.
///
/// # Errors
/// [`Kind::ReaderGone`] when the reader left; [`Kind::Local`] when standard output is closed or full.
pub fn print(bytes: &[u8]) -> Result<()> {
    let file = standard_output()?.into();
    super::sink::write_all(&file, bytes).map_err(|cause| failed(&cause))
}

/// Writes the text of a report, all at once, with its verdicts in colour where `color` says so.
///
/// # Errors
/// As [`print()`].
pub fn print_report(text: &str, color: ColorChoice) -> Result<()> {
    match color.colors(io::stdout().is_terminal()) {
        true => print(judged(text).as_bytes()),
        false => print(text.as_bytes()),
    }
}

/// Writes a help page, with headings in colour where `color` says so.
///
/// # Errors
/// As [`print()`].
pub fn print_help(page: &str, color: ColorChoice) -> Result<()> {
    match color.colors(io::stdout().is_terminal()) {
        true => print(headed(page).as_bytes()),
        false => print(page.as_bytes()),
    }
}

/// The headings of a page, which begin a line and end it with a colon, and the word before the usage.
fn headed(page: &str) -> String {
    let paint = |line: &str| {
        let text = line.trim_end();
        let heading = match text.strip_prefix("Usage:") {
            Some(_) => "Usage:",
            None if text.ends_with(':') && !text.starts_with(' ') => text,
            None => return line.to_owned(),
        };
        format!("{}{}", Tone::Heading.paint(heading), &line[heading.len()..])
    };
    page.split_inclusive('\n').map(paint).collect()
}

fn standard_output() -> Result<OwnedFd> {
    if standard::output_was_closed() {
        return Err(Error::new(Kind::Local, "standard output is closed"));
    }
    io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|cause| Error::local("cannot use standard output", &cause))
}

fn failed(cause: &io::Error) -> Error {
    match cause.kind() {
        // A socket's reader may leave with our bytes unread: then it is a reset.
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
            Error::new(Kind::ReaderGone, "the reader of standard output closed it")
        }
        _ => Error::local("cannot write to standard output", cause),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, pipe};

    use super::*;
    use crate::message::{Detail, MqttDetail};

    fn message() -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: "a/b".into(),
            payload: "21.5".into(),
            detail: Detail::Mqtt(MqttDetail::default()),
        }
    }

    const TEXT: Format = Format::Text {
        topic: true,
        newline: true,
    };

    #[test]
    fn headings_of_a_page_are_painted() {
        let page = "About\n\nUsage: x [Y]\n\nEnd conditions:\n  -C  End:\n";
        assert_eq!(
            headed(page),
            "About\n\n\u{1b}[1mUsage:\u{1b}[0m x [Y]\n\n\u{1b}[1mEnd conditions:\u{1b}[0m\n  -C  End:\n"
        );
    }

    #[tokio::test]
    async fn messages_wait_for_the_flush() {
        let (mut reader, writer) = pipe().unwrap();
        let mut output = Output::over(writer.into(), TEXT, Style::default());
        output.message(&message()).unwrap();
        output.line("done");
        assert_eq!(output.pending(), "a/b 21.5\ndone\n".len());
        output.flush().await.unwrap();
        assert_eq!(output.pending(), 0);
        drop(output);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a/b 21.5\ndone\n");
    }

    #[tokio::test]
    async fn failures_are_told_apart() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut gone = Output::over(writer.into(), TEXT, Style::default());
        gone.line("x");
        assert_eq!(gone.flush().await.unwrap_err().kind(), Kind::ReaderGone);

        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut full = Output::over(full.into(), TEXT, Style::default());
        full.line("x");
        let error = full.flush().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Local);
        assert_eq!(
            error.text(),
            "cannot write to standard output: no space left on device"
        );
    }
}
