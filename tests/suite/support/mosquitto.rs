//! A private mosquitto on free ports.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::command::{Line, iotctl, program, signal};
use super::ports::free_ports;
use super::wait_for;

/// A running mosquitto with a plain, a TLS, a mutual TLS, a WebSocket and a unix listener.
pub struct Mosquitto {
    child: Child,
    folder: TempDir,
    pub port: u16,
    pub tls_port: u16,
    pub mutual_tls_port: u16,
    pub websocket_port: u16,
    pub certificates: Certificates,
}

/// What this broker is to be like.
#[derive(Default)]
pub struct Settings {
    /// Lines for its configuration file, before the first listener.
    pub more: String,
    /// `user:password` pairs; anonymous users are refused then.
    pub users: Vec<(&'static str, &'static str)>,
    /// The access control file.
    pub acl: Option<&'static str>,
}

/// A mosquitto that lets everyone do everything.
pub fn mosquitto() -> Mosquitto {
    Mosquitto::start(Settings::default())
}

impl Mosquitto {
    pub fn start(settings: Settings) -> Self {
        // Another process may take a port between our looking for it and mosquitto's taking it.
        (0..5)
            .find_map(|_| Self::try_start(&settings))
            .expect("mosquitto does not start")
    }

    fn try_start(settings: &Settings) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let certificates = Certificates::in_folder(folder.path());
        let ports = free_ports();
        let config = configuration(settings, folder.path(), &certificates, ports);
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let child = launch(folder.path())?;
        let [port, tls_port, mutual_tls_port, websocket_port] = ports;
        Some(Self {
            child,
            folder,
            port,
            tls_port,
            mutual_tls_port,
            websocket_port,
            certificates,
        })
    }

    /// Waits until `count` subscriptions to this filter were made since the start of the test.
    pub fn sees_subscriptions(&self, filter: &str, count: usize) {
        let log = self.folder.path().join("log");
        let end = format!(" {filter}");
        wait_for(&format!("a subscription to {filter}"), || {
            let text = std::fs::read_to_string(&log).unwrap();
            (text.lines().filter(|line| line.ends_with(&end)).count() >= count).then_some(())
        });
    }

    /// How often a client with this identifier has connected, as far as the log has it (`log_type notice`).
    pub fn connections(&self, client_id: &str) -> usize {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        let connected = format!(" as {client_id} ");
        let lines = text
            .lines()
            .filter(|line| line.contains("New client connected"));
        lines.filter(|line| line.contains(&connected)).count()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// mosquitto_pub to this broker, as another client than ours.
    pub fn pub_line(&self, words: &str) -> Line {
        program("mosquitto_pub", &format!("-h 127.0.0.1 -p {}", self.port)).words(words)
    }

    /// mosquitto_sub at this broker.
    pub fn sub_line(&self, words: &str) -> Line {
        program("mosquitto_sub", &format!("-h 127.0.0.1 -p {}", self.port)).words(words)
    }

    /// `iotctl mqtt COMMAND` on the plain port.
    pub fn iotctl(&self, words: &str) -> Line {
        let (command, words) = words.split_once(' ').unwrap_or((words, ""));
        let place = format!("-h 127.0.0.1 -p {}", self.port);
        iotctl(&format!("mqtt {command} {place} {words}"))
    }

    pub fn socket(&self) -> String {
        self.folder.path().join("socket").display().to_string()
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in good order: it saves its state if it is persistent.
    pub fn stop(&mut self) {
        signal(self.child.id(), "TERM");
        self.child.wait().unwrap();
    }

    /// Has it save its state, if it is persistent, and waits until that is on the disk.
    pub fn save(&self) {
        let file = self.folder.path().join("mosquitto.db");
        let written = || {
            let facts = std::fs::metadata(&file).ok()?;
            Some((facts.ino(), facts.modified().unwrap()))
        };
        let before = written();
        signal(self.child.id(), "USR1");
        wait_for("the state of mosquitto", || {
            written().filter(|now| Some(*now) != before)
        });
    }

    /// Starts it again on the same ports.
    pub fn restart(&mut self) {
        self.child = launch(self.folder.path()).expect("mosquitto does not start again");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(
    settings: &Settings,
    folder: &Path,
    certificates: &Certificates,
    [port, tls_port, mutual_tls_port, websocket_port]: [u16; 4],
) -> String {
    let mut config = format!(
        "allow_anonymous {}\nlog_dest stderr\nlog_type error\nlog_type subscribe\npersistence_location {}/\n{}\n",
        settings.users.is_empty(),
        folder.display(),
        settings.more
    );
    if !settings.users.is_empty() {
        config += &format!("password_file {}\n", password_file(folder, &settings.users));
    }
    if let Some(acl) = settings.acl {
        let path = folder.join("acl");
        std::fs::write(&path, acl).unwrap();
        config += &format!("acl_file {}\n", path.display());
    }
    let files = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\n",
        certificates.ca.display(),
        certificates.server.display(),
        certificates.server_key.display()
    );
    config += &format!("listener {port} 127.0.0.1\n");
    config += &format!("listener {tls_port} 127.0.0.1\n{files}");
    config += &format!("listener {mutual_tls_port} 127.0.0.1\n{files}require_certificate true\n");
    config += &format!("listener {websocket_port} 127.0.0.1\nprotocol websockets\n");
    // The last one: once it answers, all the others do.
    config += &format!("listener 0 {}\n", folder.join("socket").display());
    config
}

/// Starts it and waits for its last listener, the unix socket; `None` when it ends at once.
fn launch(folder: &Path) -> Option<Child> {
    // As root mosquitto would change to its own user, which cannot read our folder.
    let config = folder.join("mosquitto.conf");
    let text = std::fs::read_to_string(&config).unwrap();
    if !text.starts_with("user ") {
        std::fs::write(&config, format!("user root\n{text}")).unwrap();
    }
    let socket = folder.join("socket");
    let _ = std::fs::remove_file(&socket);
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    let mut child = Command::new(installed())
        .arg("-c")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(log.unwrap())
        .spawn()
        .unwrap();
    wait_for("mosquitto", || {
        if UnixStream::connect(&socket).is_ok() {
            return Some(true);
        }
        child.try_wait().unwrap().map(|_| false)
    })
    .then_some(child)
}

fn installed() -> &'static str {
    ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("mosquitto is not installed: tests/run installs what the tests need")
}

fn password_file(folder: &Path, users: &[(&str, &str)]) -> String {
    let path = folder.join("passwords");
    std::fs::write(
        &path,
        users
            .iter()
            .map(|(user, password)| format!("{user}:{password}\n"))
            .collect::<String>(),
    )
    .unwrap();
    let hashed = Command::new("mosquitto_passwd")
        .arg("-U")
        .arg(&path)
        .status()
        .unwrap();
    assert!(hashed.success());
    path.display().to_string()
}
