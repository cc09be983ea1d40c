//! Runs `iotctl` and other programs, as a sentence.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{PATIENCE, wait_for};

/// A command line, untouched by the environment of whoever runs the tests.
pub struct Line {
    command: Command,
    input: Option<Vec<u8>>,
}

/// `iotctl` with these words, split at spaces.
pub fn iotctl(words: &str) -> Line {
    program(env!("CARGO_BIN_EXE_iotctl"), words)
}

/// Another program with these words, split at spaces.
pub fn program(name: &str, words: &str) -> Line {
    let mut command = Command::new(name);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("IOTCTL_") {
            command.env_remove(name);
        }
    }
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("NO_COLOR");
    command.args(words.split_whitespace());
    Line {
        command,
        input: None,
    }
}

/// What a finished command left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Line {
    /// A command that was made up elsewhere.
    pub fn of(command: Command) -> Self {
        Self {
            command,
            input: None,
        }
    }

    /// One more word, spaces and all.
    pub fn word(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    /// More words, split at spaces.
    pub fn words(mut self, words: &str) -> Self {
        self.command.args(words.split_whitespace());
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Bytes for its standard input.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs it to its end, which must come within [`PATIENCE`].
    #[track_caller]
    pub fn run(mut self) -> Ended {
        let stdin = if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let child = self.command.stdin(stdin).stdout(Stdio::piped());
        let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(bytes), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // A command that ends early does not read all of its input.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        finish(child)
    }

    /// Starts it; its lines can be waited for.
    pub fn start(mut self) -> Running {
        let child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Running::new(child.unwrap())
    }

    /// Starts it, and waits until messages can come: it says so in a file in `folder`.
    pub fn ready(self, folder: &Path) -> Running {
        let ready = folder.join("ready");
        let _ = fs::remove_file(&ready);
        let running = self.word("--ready-file").word(&ready).start();
        wait_for("the command", || ready.exists().then_some(()));
        running
    }

    /// The command itself, for special plumbing.
    pub fn into_command(self) -> Command {
        self.command
    }
}

/// Waits for the end of a process and collects what it wrote to the pipes that it has; kills it when it takes too long.
#[track_caller]
pub fn finish(mut child: Child) -> Ended {
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            let said = String::from_utf8_lossy(&stderr.join().unwrap()).into_owned();
            panic!("the command did not end; it said: {said}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    Ended {
        code: code(status),
        stdout: stdout.join().unwrap(),
        stderr: String::from_utf8_lossy(&stderr.join().unwrap()).into_owned(),
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// The exit code, or the signal as a negative number.
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| -status.signal().unwrap_or(0))
}

impl Ended {
    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Checks the exit code, shows what was said if it is another, and hands the value on. Who exits with 129, 130 or 143,
    /// as a shell has it, is to have died by SIGHUP, SIGINT or SIGTERM.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        let code = match code {
            129 => -1,
            130 => -2,
            143 => -15,
            code => code,
        };
        assert_eq!(
            self.code,
            code,
            "stdout: {}\nstderr: {}",
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        );
        self
    }

    /// Checks that standard error says this.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "{words:?} is not in stderr: {}",
            self.stderr
        );
        self
    }

    /// Checks that standard output contains this.
    #[track_caller]
    pub fn contains(self, text: &str) -> Self {
        assert!(
            self.text().contains(text),
            "{text:?} is not in: {}",
            self.text()
        );
        self
    }

    /// Checks that nothing was said on standard error.
    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.stderr, "");
        self
    }

    /// Checks all of standard error.
    #[track_caller]
    pub fn says_only(self, words: &str) -> Self {
        assert_eq!(self.stderr, words);
        self
    }

    /// Checks standard output to the letter.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert_eq!(
            String::from_utf8_lossy(&self.stdout),
            text,
            "stderr: {}",
            self.stderr
        );
        self
    }
}

/// A running program whose output is collected line by line. It is killed when the value is dropped.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<(Stream, String)>,
    stdout: VecDeque<String>,
    stderr: VecDeque<String>,
    said: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Stream {
    Out,
    Err,
}

impl Running {
    pub fn new(mut child: Child) -> Self {
        let (sender, lines) = channel();
        let sources: [(Stream, Option<Box<dyn Read + Send>>); 2] = [
            (
                Stream::Out,
                child.stdout.take().map(|pipe| Box::new(pipe) as _),
            ),
            (
                Stream::Err,
                child.stderr.take().map(|pipe| Box::new(pipe) as _),
            ),
        ];
        for (stream, pipe) in sources {
            let Some(pipe) = pipe else { continue };
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    if sender.send((stream, line)).is_err() {
                        return;
                    }
                }
            });
        }
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
            stdout: VecDeque::new(),
            stderr: VecDeque::new(),
            said: String::new(),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines of standard output up to and including the next `count`.
    #[track_caller]
    pub fn lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    /// The next line of standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        loop {
            if let Some(line) = self.stdout.pop_front() {
                return line;
            }
            self.gather(PATIENCE);
        }
    }

    /// Waits for a line of standard error that contains `words`.
    #[track_caller]
    pub fn hears(&mut self, words: &str) -> String {
        loop {
            while let Some(line) = self.stderr.pop_front() {
                if line.contains(words) {
                    return line;
                }
            }
            self.gather(PATIENCE);
        }
    }

    #[track_caller]
    fn gather(&mut self, patience: Duration) {
        match self.lines.recv_timeout(patience) {
            Ok((Stream::Out, line)) => self.stdout.push_back(line),
            Ok((Stream::Err, line)) => {
                self.said.push_str(&line);
                self.said.push('\n');
                self.stderr.push_back(line);
            }
            Err(_) => panic!("nothing more came; standard error was: {}", self.said),
        }
    }

    /// Writes to its standard input.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// Ends its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends its standard input and waits for its end; returns the exit code and all lines of standard output not yet taken.
    #[track_caller]
    pub fn ends(mut self) -> Ended {
        self.stdin = None;
        self.ends_by_itself()
    }

    /// The same while its standard input stays open: for a command that reads it and must end for another reason.
    #[track_caller]
    pub fn ends_by_itself(mut self) -> Ended {
        let status = wait_for("the end of the command", || self.child.try_wait().unwrap());
        while let Ok((stream, line)) = self.lines.recv_timeout(PATIENCE) {
            match stream {
                Stream::Out => self.stdout.push_back(line),
                Stream::Err => self.said.push_str(&(line + "\n")),
            }
        }
        let lines = self.stdout.iter();
        let stdout = lines.flat_map(|line| [line.as_bytes(), b"\n"].concat());
        Ended {
            code: code(status),
            stdout: stdout.collect(),
            stderr: std::mem::take(&mut self.said),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by name (`INT`, `TERM`, `STOP`, `CONT`, `KILL`) to a process.
pub fn signal(process: u32, name: &str) {
    let done = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}
