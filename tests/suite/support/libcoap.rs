//! Debian's coap-server on a free port.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::command::{Line, iotctl, program};
use super::ports::free_port_with;
use super::wait_for;

/// A running coap-server; the port above `port` is that of DTLS and TLS.
pub struct Libcoap {
    child: Child,
    pub port: u16,
}

/// A server without encryption.
pub fn plain() -> Libcoap {
    server("notls", Path::new("."), "")
}

/// A server by its variant (`notls`, `openssl`, `gnutls`), which runs in a folder, with these further words.
pub fn server(variant: &str, folder: &Path, words: &str) -> Libcoap {
    // Another process may take a port between our looking for it and the server's taking it.
    (0..5)
        .find_map(|_| try_start(variant, folder, words))
        .expect("coap-server does not start")
}

fn try_start(variant: &str, folder: &Path, words: &str) -> Option<Libcoap> {
    // With DTLS or TLS, it takes the port above as well.
    let port = free_port_with(1);
    let line = program(
        &format!("coap-server-{variant}"),
        &format!("-A 127.0.0.1 -p {port} {words}"),
    );
    let mut command = line.into_command();
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = silent
        .stderr(Stdio::null())
        .current_dir(folder)
        .spawn()
        .unwrap();
    let alive = wait_for("coap-server", || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        answers(port).then_some(true)
    });
    alive.then_some(Libcoap { child, port })
}

/// What its coap-client says to a request: the body, or the code of an error.
pub fn asked(words: &str) -> String {
    let ended = program("coap-client-notls", "-B 60").words(words).run();
    format!("{}{}", ended.text(), ended.stderr)
}

/// Whether a CoAP ping is answered.
pub fn answers(port: u16) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    let patience = Duration::from_millis(200);
    socket.set_read_timeout(Some(patience)).unwrap();
    let mut answer = [0; 16];
    socket.send(&[0x40, 0, 1, 2]).is_ok() && socket.recv(&mut answer).is_ok()
}

impl Libcoap {
    /// `iotctl coap COMMAND` at `coap://…` with this path; further words follow.
    pub fn iotctl(&self, command: &str, path: &str) -> Line {
        iotctl(&format!("coap {command}")).word(self.uri("coap", path))
    }

    pub fn uri(&self, scheme: &str, path: &str) -> String {
        let secure = scheme.starts_with("coaps");
        let port = self.port + u16::from(secure);
        format!("{scheme}://127.0.0.1:{port}{path}")
    }
}

impl Drop for Libcoap {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
