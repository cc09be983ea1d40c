//! A network between a client and a server that loses datagrams as a test says.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use super::PATIENCE;

/// Which datagram: the Nth, from 1, of its way, and its bytes.
pub struct Passing<'a> {
    /// From the client to the server.
    pub up: bool,
    pub nth: usize,
    pub bytes: &'a [u8],
}

/// A relay for one client at a time.
pub struct Relay {
    pub address: SocketAddr,
    lost: Receiver<()>,
}

impl Relay {
    /// Relays to `server` what `passes` lets pass. It ends when nothing came for [`PATIENCE`].
    pub fn to(server: &str, passes: impl FnMut(Passing<'_>) -> bool + Send + 'static) -> Self {
        let outer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = outer.local_addr().unwrap();
        let inner = UdpSocket::bind("127.0.0.1:0").unwrap();
        inner.connect(server).unwrap();
        for socket in [&outer, &inner] {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        let client = Arc::new(Mutex::new(None));
        let (sender, lost) = channel();
        let passes = Arc::new(Mutex::new(passes));
        let [to_server, to_client] = [true, false].map(|up| {
            let (passes, sender, mut nth) = (Arc::clone(&passes), sender.clone(), 0);
            move |bytes: &[u8]| {
                nth += 1;
                let passes = passes.lock().unwrap()(Passing { up, nth, bytes });
                if !passes {
                    let _ = sender.send(());
                }
                passes
            }
        });
        let (out, back) = (outer.try_clone().unwrap(), inner.try_clone().unwrap());
        let seen = Arc::clone(&client);
        std::thread::spawn(move || {
            carry(&outer, to_server, |bytes, from| {
                *seen.lock().unwrap() = Some(from);
                let _ = inner.send(bytes);
            });
        });
        std::thread::spawn(move || {
            carry(&back, to_client, |bytes, _| {
                if let Some(client) = *client.lock().unwrap() {
                    let _ = out.send_to(bytes, client);
                }
            });
        });
        Self { address, lost }
    }

    /// How many datagrams were lost since the last call.
    pub fn lost(&self) -> usize {
        self.lost.try_iter().count()
    }
}

fn carry(
    from: &UdpSocket,
    mut passes: impl FnMut(&[u8]) -> bool,
    hand_over: impl Fn(&[u8], SocketAddr),
) {
    let mut buffer = [0; 65_536];
    // That the other side does not listen any more is reported here too.
    let mut refusals = 0;
    while refusals < 1000 {
        match from.recv_from(&mut buffer) {
            Ok((length, sender)) if passes(&buffer[..length]) => {
                hand_over(&buffer[..length], sender);
            }
            Ok(_) => {}
            Err(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => refusals += 1,
            Err(_) => return,
        }
    }
}
