//! What can go wrong, in words, and the exit code that follows.
//!
//! The kind fixes the exit code, so that every command has one table. An error is one line that
//! names the host, file, flag or topic; where there is a way out, a hint follows on a second line.

use std::fmt;
use std::io;

/// The outcome of everything that can end a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The classes of failure; each has one exit code, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Refused by the peer, or no result: SUBACK or PUBACK failure, 4.xx and 5.xx, nack, returned, empty queue, a command
    /// of `--exec` that failed. Exit code 1.
    Refused,
    /// The command line, a context or an input record is wrong; nothing was sent. Exit code 2.
    Usage,
    /// No connection: name lookup, TCP, TLS or DTLS, WebSocket handshake. Exit code 3.
    Unreachable,
    /// Login or permission denied: reason codes 0x86, 0x87, 0x8a and 0x8c, 4.01 and 4.03, ACCESS_REFUSED. Exit code 4.
    Unauthorized,
    /// A deadline passed: connecting, also with DTLS; a response; `--timeout`; an end with fewer messages than `-C`. Exit
    /// code 5.
    TimedOut,
    /// The peer broke the protocol, or the connection was lost. Exit code 6.
    Lost,
    /// An expectation or a threshold was missed. Exit code 7.
    Missed,
    /// Local input or output failed: a file, standard input, standard output. Exit code 8.
    Local,
    /// Asked to end by SIGHUP. Exit code 129.
    HungUp,
    /// Asked to end by SIGINT. Exit code 130.
    Interrupted,
    /// Asked to end by SIGTERM. Exit code 143.
    Terminated,
    /// The command that was run for the user ended with this exit code, which is ours.
    Command(u8),
    /// Whoever read our standard output went away (`| head -1`): a quiet end. Exit code 0.
    ReaderGone,
}

impl Kind {
    /// Every kind, in the order of its exit code, for the help page, the man page and the tests.
    pub const ALL: [Self; 12] = [
        Self::ReaderGone,
        Self::Refused,
        Self::Usage,
        Self::Unreachable,
        Self::Unauthorized,
        Self::TimedOut,
        Self::Lost,
        Self::Missed,
        Self::Local,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The exit code of a command that ended this way.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Unauthorized => 4,
            Self::TimedOut => 5,
            Self::Lost => 6,
            Self::Missed => 7,
            Self::Local => 8,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::Command(code) => code,
        }
    }

    /// What the exit code means, as the help page and the man page say it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ReaderGone => "success",
            Self::Refused => "refused by the server, no result, or an --exec command failed",
            Self::Usage => "usage error: command line, context or input; nothing was sent",
            Self::Unreachable => "cannot connect: name lookup, TCP, TLS, DTLS or WebSocket failed",
            Self::Unauthorized => "not authorized: login or permission denied",
            Self::TimedOut => {
                "timed out: connecting, a response, --timeout, --message-timeout, fewer messages than -C"
            }
            Self::Lost => "protocol error, or connection lost",
            Self::Missed => {
                "not met: --expect, --until, --sequence, --assert, --check, --count; regression; ota rollout"
            }
            Self::Local => "local I/O error: file, standard input or output",
            Self::HungUp => "hung up (SIGHUP)",
            Self::Interrupted => "interrupted (SIGINT)",
            Self::Terminated => "terminated (SIGTERM)",
            Self::Command(_) => "the exit code of the command",
        }
    }
}

/// A failure as the user sees it: one line, and a hint where there is a way out.
///
/// Boxed inside, so that a `Result` stays two words wide on the hot paths.
pub struct Error(Box<Parts>);

struct Parts {
    kind: Kind,
    text: String,
    hint: Option<String>,
    cause: Option<Cause>,
}

/// What a caller may want to do something about, as no program may depend on the words of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The server's greeting says that it speaks AMQP 1.0, and not 0-9-1.
    SpeaksAmqp10,
    /// An MQTT server refused the connection, with this reason code of MQTT 5.
    ConnectionRefused(u8),
    /// An MQTT server answered a message with a reason code that refuses it.
    MessageRefused,
    /// A server refused a message for reasons that pass, such as a quota.
    RefusedForNow,
    /// A message has been passed on too often.
    HopLimit,
    /// A server ended the connection over a message, and did not take that.
    HungUp,
    /// Another connection to an AMQP server has the queue for itself.
    InUse,
    /// The TLS handshake failed.
    Tls,
    /// The name of a server could not be looked up.
    Lookup,
    /// The operating system has refused a connection, with this number (errno).
    System(i32),
    /// The server closed the connection instead of answering CONNECT.
    NoAnswer,
    /// The peer sent what the protocol does not allow.
    Violation,
    /// The last words and the exit code are those of another program, whose place the command takes.
    StandsIn(u8),
}

impl Error {
    /// A failure of `kind` described by one line without a full stop or line break.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            text: text.into(),
            hint: None,
            cause: None,
        }))
    }

    /// Wrong words on the command line or in a record ([`Kind::Usage`]).
    pub fn usage(text: impl Into<String>) -> Self {
        Self::new(Kind::Usage, text)
    }

    /// A local file or stream failed ([`Kind::Local`]): `cannot read FILE: no such file`.
    pub fn local(what: impl fmt::Display, cause: &io::Error) -> Self {
        Self::new(Kind::Local, format!("{what}: {}", plain(cause)))
    }

    /// The same failure with a way out for the user, shown as a second line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same failure with a cause that a caller can tell from others.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// The end of a command that takes the place of another program: the lines that the other would have shown, or nothing,
    /// and its exit code.
    pub fn stand_in(kind: Kind, code: u8, lines: impl Into<String>) -> Self {
        Self::new(kind, lines).because(Cause::StandsIn(code))
    }

    /// The same failure in other words.
    #[must_use]
    pub fn reworded(mut self, text: impl Into<String>) -> Self {
        self.0.text = text.into();
        self
    }

    /// The same failure as one of `kind`.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The cause, where a caller may want to do something about it.
    pub fn cause(&self) -> Option<Cause> {
        self.0.cause
    }

    /// The class of this failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The exit code of a command that ends with this failure.
    pub fn exit_code(&self) -> u8 {
        match self.0.cause {
            Some(Cause::StandsIn(code)) => code,
            _ => self.0.kind.exit_code(),
        }
    }

    /// The one line that says what happened.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The way out, where there is one.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.text)
    }
}

impl std::error::Error for Error {}

/// Bytes of a peer's words that a line shows.
const LONGEST: usize = 160;

/// Words or a name that a peer chose, for an error or a line of a log: what is longer than any sensible one is cut, and
/// its length shown.
pub fn brief(words: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        let shown = &words[..words.floor_char_boundary(LONGEST)];
        match shown.len() == words.len() {
            true => f.write_str(words),
            false => write!(f, "{shown}… ({} bytes)", words.len()),
        }
    })
}

/// `1 message`, `2 messages`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// `1 message was`, `2 messages were`.
pub(crate) fn counted_were(count: u64, what: &str) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(count, what))
}

/// The words among `known` that a wrong one was probably meant to be, the nearest first and at most two: they differ in a
/// third of its letters or less, or one of the two begins with the other.
pub(crate) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let begins = |name: &str| {
        (word.len() > 1 && name.starts_with(word)) || (name.len() > 2 && word.starts_with(name))
    };
    let rank = |name: &'a str| {
        let far = distance(word, name);
        let near = far <= (word.chars().count() / 3).max(1);
        (near || begins(name)).then_some((!near, far, name))
    };
    let mut found: Vec<_> = known.into_iter().filter_map(rank).collect();
    found.sort_unstable();
    found.dedup();
    // A slip of the finger is likelier than a word cut short.
    let slips = found.iter().filter(|(longer, ..)| !longer).count();
    found.truncate(if slips > 0 { slips.min(2) } else { 2 });
    found.into_iter().map(|(.., name)| name).collect()
}

/// How many letters have to be changed, added, left out, or swapped with the next, to make one word of another.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut before = None;
    for (at, letter) in one.chars().enumerate() {
        let mut next = vec![at + 1];
        for (column, known) in other.iter().enumerate() {
            let changed = row[column] + usize::from(letter != *known);
            let mut least = changed.min(row[column + 1] + 1).min(next[column] + 1);
            let swapped = column > 0 && before == Some(*known) && other[column - 1] == letter;
            if swapped && at > 0 {
                least = least.min(above[column - 1] + 1);
            }
            next.push(least);
        }
        above = std::mem::replace(&mut row, next);
        before = Some(letter);
    }
    row[other.len()]
}

/// An operating-system error in plain lower-case words, without Rust's `(os error 2)`.
pub fn plain(cause: &io::Error) -> String {
    let text = cause.to_string();
    // The library of TLS tells of a missing goodbye, and where its manual explains that.
    if cause.kind() == io::ErrorKind::UnexpectedEof && text.contains("close_notify") {
        return String::from("closed by the peer");
    }
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::from("unknown error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_documented_table() {
        let codes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143]);
    }

    #[test]
    fn operating_system_errors_read_as_words() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(plain(&missing), "no such file or directory");
        let abrupt =
            "peer closed connection without sending TLS close_notify: https://docs.rs/rustls/x";
        let abrupt = io::Error::new(io::ErrorKind::UnexpectedEof, abrupt);
        assert_eq!(plain(&abrupt), "closed by the peer");
    }

    #[test]
    fn a_name_of_any_length_leaves_room_for_the_rest() {
        assert_eq!(brief("sensor/1").to_string(), "sensor/1");
        let long = format!("{}ü{}", "a".repeat(159), "b".repeat(65_374));
        let shown = format!("{}… (65535 bytes)", "a".repeat(159));
        assert_eq!(brief(&long).to_string(), shown);
    }

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let flags = ["--retain", "--cafile", "--capath", "--cert", "--repeat"];
        let flags = |word| meant(word, flags);
        assert_eq!(flags("--retian"), ["--retain"]);
        assert_eq!(flags("--ca"), ["--cafile", "--capath"]);
        assert_eq!(flags("--carfile"), ["--cafile"]);
        assert_eq!(flags("--frobnicate"), [""; 0]);
        assert_eq!(meant("sbu", ["pub", "sub", "broker"]), ["sub"]);
        assert_eq!(meant("publish", ["pub", "sub"]), ["pub"]);
        assert_eq!(meant("", ["pub", "x"]), ["x"]);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_result_stays_small() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }
}
