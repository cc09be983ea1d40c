//! PyPI's aiocoap: its servers on free ports, and its client.

use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use super::command::{Line, program};
use super::libcoap::answers;
use super::ports::free_port_with;
use super::wait_for;

/// Where the server takes WebSockets, above the port that it is told.
const WEBSOCKET: u16 = 3000;
/// And where DTLS.
const SECURED: u16 = 1;
/// Who the server and its client are over DTLS.
pub const IDENTITY: &str = "me";
/// And the key of both.
pub const KEY: &str = "an old secret";

/// A running server.
pub struct Server {
    child: Child,
    port: u16,
    _keys: Keys,
}

/// A file of keys, for [`IDENTITY`].
pub struct Keys {
    _folder: TempDir,
    pub file: PathBuf,
}

/// For a server, which knows clients by names of its own, or for the URIs that match a pattern.
pub fn keys(whose: &str) -> Keys {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.json");
    let text = serde_json::json!({
        whose: { "dtls": { "psk": { "ascii": KEY }, "client-identity": { "ascii": IDENTITY } } }
    });
    std::fs::write(&file, text.to_string()).unwrap();
    Keys {
        _folder: folder,
        file,
    }
}

/// A server of the files of a folder, which may be written.
pub fn fileserver(folder: &Path) -> Server {
    start(
        || program("aiocoap-fileserver", "--write").word(folder),
        true,
    )
}

/// A resource directory (RFC 9176), without DTLS: with it, it cannot ask endpoints for their links over UDP.
pub fn directory() -> Server {
    start(|| program("aiocoap-rd", ""), false)
}

/// A forward proxy.
pub fn proxy() -> Server {
    start(|| program("aiocoap-proxy", "--forward"), true)
}

fn start(line: impl Fn() -> Line, dtls: bool) -> Server {
    // Another process may take a port between our looking for it and the server's taking it.
    (0..5)
        .find_map(|_| try_start(line(), dtls))
        .expect("aiocoap does not start")
}

fn try_start(line: Line, dtls: bool) -> Option<Server> {
    let port = free_port_with(WEBSOCKET);
    let keys = keys(":client");
    let line = line.word("--credentials").word(&keys.file);
    let line = line.word("--bind").word(format!("127.0.0.1:{port}"));
    let line = match dtls {
        true => line.env("AIOCOAP_DTLSSERVER_ENABLED", "1"),
        false => line,
    };
    let mut command = line.into_command();
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = silent.stderr(Stdio::null()).spawn().unwrap();
    let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
    let alive = wait_for("aiocoap", || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        // What the DTLS port answers would need a handshake; that it is taken is enough.
        let secured = || !dtls || UdpSocket::bind(("127.0.0.1", port + SECURED)).is_err();
        let ready = listens(port) && listens(port + WEBSOCKET) && secured() && answers(port);
        ready.then_some(true)
    });
    alive.then_some(Server {
        child,
        port,
        _keys: keys,
    })
}

/// A script that uses it as a library.
pub fn python(script: &str) -> Line {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_it = |folder: &PathBuf| folder.join("aiocoap-client").exists();
    let folder = std::env::split_paths(&path).find(has_it);
    let folder = folder.expect("aiocoap is not installed: tests/run installs what the tests need");
    let python = folder.join("python3").display().to_string();
    program(&python, "-c").word(script)
}

/// `aiocoap-client` with these words.
pub fn client(words: &str) -> Line {
    program("aiocoap-client", words)
}

/// A script of `tests/clients` that uses the library.
pub fn library(script: &str) -> Line {
    // The client is a script of the environment that has the library.
    let line =
        "python=$(dirname \"$(command -v aiocoap-client)\")/python3; exec \"$python\" \"$@\"";
    program("sh", "-c").word(line).word("sh").word(format!(
        "{}/tests/clients/{script}",
        env!("CARGO_MANIFEST_DIR")
    ))
}

impl Server {
    pub fn uri(&self, scheme: &str, path: &str) -> String {
        let above = match scheme {
            "coap+ws" => WEBSOCKET,
            "coaps" => SECURED,
            _ => 0,
        };
        format!("{scheme}://127.0.0.1:{}{path}", self.port + above)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
