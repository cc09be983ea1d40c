//! PyPI's aiocoap: its file server on a free port, and its client.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use super::command::{Line, program};
use super::libcoap::answers;
use super::ports::free_port_with;
use super::wait_for;

/// Where the server takes WebSockets, above the port that it is told.
const WEBSOCKET: u16 = 3000;

/// A running aiocoap-fileserver.
pub struct Fileserver {
    child: Child,
    port: u16,
}

/// A server of the files of a folder, which may be written.
pub fn fileserver(folder: &Path) -> Fileserver {
    // Another process may take a port between our looking for it and the server's taking it.
    (0..5)
        .find_map(|_| try_start(folder))
        .expect("aiocoap-fileserver does not start")
}

fn try_start(folder: &Path) -> Option<Fileserver> {
    let port = free_port_with(WEBSOCKET);
    let line = program("aiocoap-fileserver", "--write --bind");
    let line = line.word(format!("127.0.0.1:{port}")).word(folder);
    let mut command = line.into_command();
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = silent.stderr(Stdio::null()).spawn().unwrap();
    let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
    let alive = wait_for("aiocoap-fileserver", || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        let ready = listens(port) && listens(port + WEBSOCKET) && answers(port);
        ready.then_some(true)
    });
    alive.then_some(Fileserver { child, port })
}

/// `aiocoap-client` with these words.
pub fn client(words: &str) -> Line {
    program("aiocoap-client", words)
}

impl Fileserver {
    pub fn uri(&self, scheme: &str, path: &str) -> String {
        let above = if scheme == "coap+ws" { WEBSOCKET } else { 0 };
        format!("{scheme}://127.0.0.1:{}{path}", self.port + above)
    }
}

impl Drop for Fileserver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
