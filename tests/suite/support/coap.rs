//! CoAP peers on free ports: our server, and one that is scripted in messages.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};

use iotctl::coap::code::Code;
use iotctl::coap::message::{Message, Type};
use iotctl::coap::option;

use super::PATIENCE;
use super::command::{Running, iotctl};

/// A running `coap server` and the URIs of its listeners.
pub struct Server {
    pub running: Running,
    pub uris: Vec<String>,
}

/// Our server, with a listener for each of these schemes.
pub fn server(words: &str, listeners: &[&str]) -> Server {
    let mut line = iotctl("coap server").words(words);
    for scheme in listeners {
        line = line
            .word("--listen")
            .word(format!("{scheme}://127.0.0.1:0"));
    }
    let mut running = line.start();
    let uris = running.lines(listeners.len());
    Server { running, uris }
}

/// A peer that answers each request as its script says.
pub struct Scripted {
    pub port: u16,
    heard: Receiver<Message>,
}

/// A peer whose script gets each request and its number from 0; what it returns is sent back, and again when the
/// request was sent again.
pub fn scripted(
    mut script: impl FnMut(&Message, usize) -> Vec<Message> + Send + 'static,
) -> Scripted {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut number = 0;
        let mut last = (None, Vec::new());
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let Ok(message) = Message::decode(&buffer[..length]) else {
                continue;
            };
            if !message.code.is_request() {
                continue;
            }
            let is_again = last.0 == Some((from, message.mid));
            if !is_again {
                last = (Some((from, message.mid)), script(&message, number));
                number += 1;
                // Before it is answered: a test may ask for it as soon as the command has ended.
                if sender.send(message).is_err() {
                    return;
                }
            }
            for answer in &last.1 {
                let _ = socket.send_to(&answer.encode().unwrap(), from);
            }
        }
    });
    Scripted { port, heard }
}

impl Scripted {
    pub fn uri(&self, path: &str) -> String {
        format!("coap://127.0.0.1:{}{path}", self.port)
    }

    /// The next request that came.
    #[track_caller]
    pub fn request(&self) -> Message {
        let request = self.heard.recv_timeout(PATIENCE);
        request.expect("one more request")
    }

    /// How many requests came that nobody asked for.
    pub fn others(&self) -> usize {
        self.heard.try_iter().count()
    }
}

/// A response in the acknowledgement of a request.
pub fn answer(request: &Message, code: Code, payload: impl AsRef<[u8]>) -> Message {
    let mut answer = Message::new(Type::Ack, code, request.mid, request.token);
    answer.payload = payload.as_ref().to_vec().into();
    answer
}

/// `answer` of a content format.
pub fn content(request: &Message, format: u16, payload: impl AsRef<[u8]>) -> Message {
    let mut answer = answer(request, Code::CONTENT, payload);
    answer
        .options
        .push_uint(option::CONTENT_FORMAT, format.into());
    answer
}
