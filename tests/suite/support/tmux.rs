//! A program on a terminal of its own: tmux, which shows what a user would see.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::wait_for;

/// A terminal; it is closed when the value is dropped.
pub struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// Runs `iotctl` with these words, each of them quoted as a shell needs it, in so many columns and lines. When it has
    /// ended, the terminal shows `ended with` and the exit code.
    pub fn start(words: &[&str], environment: &str, columns: u32, lines: u32) -> Self {
        let quoted: Vec<String> = words
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
            .collect();
        Self::run(
            &format!("iotctl {}", quoted.join(" ")),
            environment,
            columns,
            lines,
        )
    }

    /// The same with a line of the shell, in which `iotctl` is the program.
    pub fn run(line: &str, environment: &str, columns: u32, lines: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = env!("CARGO_BIN_EXE_iotctl");
        let script = format!(
            "cd '{}'\nunset NO_COLOR\niotctl() {{ '{program}' \"$@\"; }}\nexport XDG_CONFIG_HOME=/nonexistent {environment}\n\
             {line}\necho \"ended with $?\"\ncat\n",
            folder.path().display(),
        );
        std::fs::write(folder.path().join("script"), script).unwrap();
        let terminal = Self { folder };
        let script = terminal.folder.path().join("script");
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let size = ["-x", &columns, "-y", &lines];
        let script = script.display().to_string();
        let started =
            terminal.tmux(&[&["new-session", "-d"], &size[..], &["bash", &script]].concat());
        assert!(started.status.success(), "{started:?}");
        terminal
    }

    fn tmux(&self, words: &[&str]) -> Output {
        Command::new("tmux")
            .arg("-S")
            .arg(self.folder.path().join("socket"))
            .args(["-f", "/dev/null", "-u"])
            .args(words)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux is installed")
    }

    /// A file in the directory where the program runs.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything that is seen.
    pub fn seen(&self) -> String {
        let seen = self.tmux(&["capture-pane", "-p"]);
        String::from_utf8_lossy(&seen.stdout).into_owned()
    }

    /// The same with the escape sequences of colours.
    pub fn colours(&self) -> String {
        let seen = self.tmux(&["capture-pane", "-p", "-e"]);
        String::from_utf8_lossy(&seen.stdout).into_owned()
    }

    /// Presses a key, which may be pressed again and again, until all of these are seen at the same time.
    #[track_caller]
    pub fn insists(&self, key: &str, words: &[&str]) {
        wait_for(&format!("{words:?}"), || {
            self.keys(&[key]);
            let all = || words.iter().all(|word| self.seen().contains(word));
            (0..20).find_map(|_| {
                std::thread::sleep(std::time::Duration::from_millis(25));
                all().then_some(())
            })
        });
    }

    /// Waits until all of these are seen at the same time.
    #[track_caller]
    pub fn shows(&self, words: &[&str]) -> String {
        let mut last = String::new();
        let what = format!("{words:?}");
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(&what, || {
                last = self.seen();
                words.iter().all(|word| last.contains(word)).then_some(())
            });
        }));
        assert!(found.is_ok(), "{what} was not seen, but:\n{last}");
        last
    }

    /// Presses keys, by the names that tmux has for them.
    pub fn keys(&self, keys: &[&str]) {
        let sent = self.tmux(&[&["send-keys"], keys].concat());
        assert!(sent.status.success(), "{sent:?}");
    }

    /// Types a text.
    pub fn types(&self, text: &str) {
        let sent = self.tmux(&["send-keys", "-l", text]);
        assert!(sent.status.success(), "{sent:?}");
    }

    /// Pastes a text, as a terminal does for a program that has asked to be told what was pasted.
    pub fn pastes(&self, text: &str) {
        for words in [&["set-buffer", text][..], &["paste-buffer", "-p"]] {
            let sent = self.tmux(words);
            assert!(sent.status.success(), "{sent:?}");
        }
    }

    /// Gives the terminal another size.
    ///
    /// A key that comes at the same moment may be seen only with the next one: [`Self::insists`].
    pub fn resize(&self, columns: u32, lines: u32) {
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let done = self.tmux(&["resize-window", "-x", &columns, "-y", &lines]);
        assert!(done.status.success(), "{done:?}");
    }

    /// Whether a program has the whole terminal (the alternate screen).
    pub fn is_taken(&self) -> bool {
        let told = self.tmux(&["display-message", "-p", "#{alternate_on}"]);
        String::from_utf8_lossy(&told.stdout).trim() == "1"
    }

    /// The identifier of the process that the terminal runs.
    pub fn program(&self) -> u32 {
        let told = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        wait_for("the program", || {
            let children =
                std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        })
    }

    /// Waits for the end of the program: the terminal is what it was before, and echoes.
    #[track_caller]
    pub fn ends_with(&self, code: i32) -> String {
        let seen = self.shows(&[&format!("ended with {code}")]);
        assert!(!self.is_taken(), "the terminal was not given back");
        self.types("echoed");
        self.shows(&["echoed"]);
        seen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
