//! A private mosquitto on free ports.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::{command::signal, wait_for, wait_for_port};

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
        let folder = TempDir::new().unwrap();
        let certificates = Certificates::in_folder(folder.path());
        let [port, tls_port, mutual_tls_port, websocket_port] = free_ports();
        let mut config = format!(
            "allow_anonymous {}\nlog_dest none\n{}\n",
            settings.users.is_empty(),
            settings.more
        );
        if !settings.users.is_empty() {
            config += &format!(
                "password_file {}\n",
                password_file(folder.path(), &settings.users)
            );
        }
        if let Some(acl) = settings.acl {
            let path = folder.path().join("acl");
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
        config +=
            &format!("listener {mutual_tls_port} 127.0.0.1\n{files}require_certificate true\n");
        config += &format!("listener {websocket_port} 127.0.0.1\nprotocol websockets\n");
        config += &format!("listener 0 {}\n", folder.path().join("socket").display());
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let child = launch(folder.path());
        wait_for_port(port);
        wait_for_port(tls_port);
        let socket = folder.path().join("socket");
        wait_for("the unix socket", || {
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
        Self {
            child,
            folder,
            port,
            tls_port,
            mutual_tls_port,
            websocket_port,
            certificates,
        }
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

    /// Starts it again on the same ports.
    pub fn restart(&mut self) {
        self.child = launch(self.folder.path());
        wait_for_port(self.port);
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(folder: &Path) -> Child {
    // As root mosquitto would change to its own user, which cannot read our folder.
    let config = folder.join("mosquitto.conf");
    let text = std::fs::read_to_string(&config).unwrap();
    if !text.starts_with("user ") {
        std::fs::write(&config, format!("user root\n{text}")).unwrap();
    }
    let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let program =
        program.expect("mosquitto is not installed: tests/run installs what the tests need");
    Command::new(program)
        .arg("-c")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
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

/// Ports that were free a moment ago.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    std::array::from_fn(|at| listeners[at].local_addr().unwrap().port())
}
