//! What a command says besides its results: notes, warnings, and the error that ended it.

use std::fmt::Display;
use std::io::{self, IsTerminal};

use crate::error::{Cause, Error, Kind};

use super::escape::{Keep, escape};
use super::stderr;
use super::style::{Style, Tone};

/// Shows the failure that ended a command on standard error, and its hint on a second line.
///
/// Shown with `--quiet` too; nothing is shown for [`Kind::ReaderGone`], and for [`Kind::Command`], which has spoken for itself. The lines are not coloured,
/// as an error may come before the flags are read. A standard error that cannot be written to is
/// left alone: there is no third place to complain.
pub fn report(error: &Error) {
    let lines = lines(error);
    if !lines.is_empty() {
        stderr::say(&lines);
    }
}

fn lines(error: &Error) -> Vec<u8> {
    let mut lines = Vec::new();
    if matches!(error.kind(), Kind::ReaderGone | Kind::Command(_)) {
        return lines;
    }
    if let Some(Cause::StandsIn(_)) = error.cause() {
        escape(error.text().as_bytes(), Keep::Layout, &mut lines);
        return lines;
    }
    push_line(&mut lines, "iotctl: ", error.text());
    if let Some(hint) = error.hint_text() {
        push_line(&mut lines, "hint: ", hint);
    }
    lines
}

fn push_line(lines: &mut Vec<u8>, label: &str, text: &str) {
    lines.extend_from_slice(label.as_bytes());
    escape(text.as_bytes(), Keep::Nothing, lines);
    lines.push(b'\n');
}

/// Says on standard error what a command does; silent with `--quiet`. No call waits for somebody to read it.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    quiet: bool,
    color: bool,
    terminal: bool,
}

impl Console {
    /// Console in `style`; asks once whether standard error is a terminal.
    pub fn new(style: Style) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            quiet: style.quiet,
            color: style.color.colors(terminal),
            terminal,
        }
    }

    /// Says `text`, one line without a full stop: `iotctl: listening on 127.0.0.1:1883`.
    pub fn note(&self, text: impl Display) {
        self.say(Tone::Speaker, &text);
    }

    /// Warns that something may not be as the user thinks.
    pub fn warn(&self, text: impl Display) {
        self.say(Tone::Caution, &text);
    }

    /// Shows a line of detail that was asked for, without the program's name in front.
    pub fn plain(&self, text: impl Display) {
        if !self.quiet {
            let mut line = Vec::new();
            push_line(&mut line, "", &text.to_string());
            stderr::say(&line);
        }
    }

    /// Says that the command is still waiting, to the user at a terminal.
    pub fn progress(&self, text: impl Display) {
        if self.terminal {
            self.note(text);
        }
    }

    fn say(&self, tone: Tone, text: &dyn Display) {
        if !self.quiet {
            stderr::say(&self.line(tone, text));
        }
    }

    fn line(&self, tone: Tone, text: &dyn Display) -> Vec<u8> {
        let mut line = Vec::new();
        let label = if self.color {
            format!("{} ", tone.paint("iotctl:"))
        } else {
            String::from("iotctl: ")
        };
        push_line(&mut line, &label, &text.to_string());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::ColorChoice;

    #[test]
    fn an_error_is_one_line_and_a_hint() {
        let error = Error::usage("no topic").hint("name one with -t");
        assert_eq!(lines(&error), b"iotctl: no topic\nhint: name one with -t\n");
    }

    #[test]
    fn what_a_peer_said_cannot_drive_the_terminal() {
        let error = Error::new(Kind::Refused, "refused: \x1b]0;x\x07\nsecond");
        assert_eq!(
            lines(&error),
            b"iotctl: refused: \\x1b]0;x\\x07\\x0asecond\n"
        );
    }

    #[test]
    fn a_reader_that_left_is_not_told() {
        assert!(lines(&Error::new(Kind::ReaderGone, "gone")).is_empty());
    }

    #[test]
    fn notes_are_coloured_only_when_asked() {
        let style = |color| Style {
            color,
            quiet: false,
        };
        let plain = Console::new(style(ColorChoice::Never));
        assert_eq!(plain.line(Tone::Speaker, &"up"), b"iotctl: up\n");
        let bright = Console::new(style(ColorChoice::Always));
        assert_eq!(
            bright.line(Tone::Caution, &"up"),
            b"\x1b[33miotctl:\x1b[0m up\n"
        );
    }
}
