//! Peers of a load test that know the truth: they keep what came and when, and pass on what a test says.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::PATIENCE;
use super::coap_peer::{ack, content, option_of};
use super::peer::{packet, read_packet, send, welcome};

/// What came, and when.
pub type Log = Vec<(Instant, Vec<u8>)>;

/// What a publisher does.
pub enum Does<'a> {
    /// It publishes this.
    Publishes(&'a [u8]),
    /// It asks, at QoS 0 when it has sent all, whether it has been heard.
    Asks,
}

struct State<F> {
    script: F,
    log: Arc<Mutex<Log>>,
    subscriber: Option<TcpStream>,
}

/// An MQTT 3.1.1 broker of one subscriber, which gets what the script makes of what a publisher does.
pub struct Relay {
    pub port: u16,
    log: Arc<Mutex<Log>>,
}

impl Relay {
    pub fn start(script: impl FnMut(Does<'_>) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::default();
        let state = State {
            script,
            log: Arc::clone(&log),
            subscriber: None,
        };
        let state = Arc::new(Mutex::new(state));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { port, log }
    }

    /// What was published.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

fn serve<F: FnMut(Does<'_>) -> Vec<Vec<u8>>>(mut stream: TcpStream, state: &Mutex<State<F>>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    welcome(&mut stream);
    while let Some((first, body)) = read_packet(&mut stream) {
        match first >> 4 {
            3 => {
                let topic = 2 + usize::from(body[1]);
                let (id, payload) = body[topic..].split_at(if first & 6 == 0 { 0 } else { 2 });
                let mut state = state.lock().unwrap();
                let log = Arc::clone(&state.log);
                log.lock().unwrap().push((Instant::now(), payload.to_vec()));
                state.pass_on(Does::Publishes(payload));
                if !id.is_empty() {
                    send(&mut stream, &packet(0x40, id));
                }
            }
            8 => {
                state.lock().unwrap().subscriber = Some(stream.try_clone().unwrap());
                send(&mut stream, &packet(0x90, &[body[0], body[1], 0]));
            }
            12 => {
                state.lock().unwrap().pass_on(Does::Asks);
                send(&mut stream, &[0xD0, 0]);
            }
            _ => {}
        }
    }
}

impl<F: FnMut(Does<'_>) -> Vec<Vec<u8>>> State<F> {
    fn pass_on(&mut self, does: Does<'_>) {
        let payloads = (self.script)(does);
        if let Some(subscriber) = &mut self.subscriber {
            let publish = |payload: Vec<u8>| packet(0x30, &[b"\0\x01x", &payload[..]].concat());
            let bytes: Vec<u8> = payloads.into_iter().flat_map(publish).collect();
            send(subscriber, &bytes);
        }
    }
}

/// A CoAP server with one resource and one observer, which is notified of what the script makes of the body of each PUT.
pub fn observed(mut script: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("coap://{}/x", socket.local_addr().unwrap());
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        let (mut observer, mut number) = (None::<(SocketAddr, Vec<u8>)>, 0_u32);
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let request = &buffer[..length];
            let _ = match request[1] {
                1 if option_of(request, 6).is_some() => {
                    let token = request[4..4 + usize::from(request[0] & 15)].to_vec();
                    observer = Some((from, token));
                    socket.send_to(&ack(0x45, request, &content(&[(6, &[1])], b"-")), from)
                }
                3 => socket.send_to(&ack(0x44, request, &[]), from),
                _ => Ok(0),
            };
            let (3, Some((to, token))) = (request[1], &observer) else {
                continue;
            };
            for body in script(body_of(request)) {
                number += 1;
                let [_, a, b, c] = (number + 1).to_be_bytes();
                let head = [0x50 | token.len() as u8, 0x45, b, c];
                let options = content(&[(6, &[a, b, c])], &body);
                let _ = socket.send_to(&[&head, &token[..], &options].concat(), to);
            }
        }
    });
    uri
}

/// What follows the options.
fn body_of(request: &[u8]) -> &[u8] {
    let stamped = request.windows(2).position(|two| two == [0xFF, 0xB7]);
    stamped.map_or(&[], |at| &request[at + 1..])
}
