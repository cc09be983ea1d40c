//! Runs `iotctl` and other programs, as a sentence.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::PATIENCE;

/// A command line of `iotctl`, untouched by the environment of whoever runs the tests.
pub struct Iotctl {
    command: Command,
    input: Option<Vec<u8>>,
}

/// `iotctl` with these words, split at spaces.
pub fn iotctl(words: &str) -> Iotctl {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iotctl"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("IOTCTL_") {
            command.env_remove(name);
        }
    }
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("NO_COLOR");
    command.args(words.split_whitespace());
    Iotctl {
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

impl Iotctl {
    /// One more word, spaces and all.
    pub fn word(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
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

    /// Runs it to its end.
    pub fn run(mut self) -> Ended {
        self.command.stdin(if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let (Some(bytes), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // A command that ends early does not read all of its input.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        Ended::of(child.wait_with_output().unwrap())
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

    /// The command itself, for special plumbing.
    pub fn into_command(self) -> Command {
        self.command
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let code = output
            .status
            .code()
            .unwrap_or_else(|| -output.status.signal().unwrap_or(0));
        Self {
            code,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Checks the exit code, shows what was said if it is another, and hands the value on.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
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

    /// Waits for its end; returns the exit code and all lines of standard output not yet taken.
    #[track_caller]
    pub fn ends(mut self) -> Ended {
        self.stdin = None;
        let status = super::wait_for("the end of the command", || self.child.try_wait().unwrap());
        while let Ok((stream, line)) = self.lines.recv_timeout(PATIENCE) {
            match stream {
                Stream::Out => self.stdout.push_back(line),
                Stream::Err => self.said.push_str(&(line + "\n")),
            }
        }
        use std::os::unix::process::ExitStatusExt;
        let code = status
            .code()
            .unwrap_or_else(|| -status.signal().unwrap_or(0));
        let stdout = self
            .stdout
            .iter()
            .flat_map(|line| [line.as_bytes(), b"\n"].concat())
            .collect();
        Ended {
            code,
            stdout,
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
