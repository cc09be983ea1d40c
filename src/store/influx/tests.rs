use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::output::Style;

/// Answers requests over one connection after the other; `answer` gets the path and the body. What was stored is kept.
fn server(
    mut answer: impl FnMut(&str, &str) -> String + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stored = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&stored);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut input = Vec::new();
            while let Some((head, body)) = request(&mut stream, &mut input) {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                let answer = answer(&path, &body);
                if answer.contains(" 204 ") {
                    kept.lock().unwrap().extend(body.lines().map(str::to_owned));
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, stored)
}

fn request(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let text = String::from_utf8_lossy(input).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            let length: usize = length.unwrap().parse().unwrap();
            if rest.len() >= length {
                let taken = head.len() + 4 + length;
                input.drain(..taken);
                return Some((head.to_owned(), rest[..length].to_owned()));
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => input.extend_from_slice(&piece[..count]),
        }
    }
}

fn answered(status: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}\r\n{body}")
}

fn influx(url: &str) -> Influx {
    let place = Place::Http {
        connect: Box::new(ConnectArgs {
            url: Some(url.to_owned()),
            ..ConnectArgs::default()
        }),
        path: String::from("/write?db=d&precision=ns"),
        token: None,
    };
    open(&place)
}

fn open(place: &Place) -> Influx {
    let points = Points {
        measurement: crate::payload::select::Selector::text("w"),
        tags: Vec::new(),
        fields: Vec::new(),
        whole: Vec::new(),
        patterns: Vec::new(),
    };
    let console = Console::new(Style {
        quiet: true,
        ..Style::default()
    });
    Influx::open(
        String::from("influx"),
        place,
        points,
        Times::default(),
        console,
    )
    .unwrap()
}

/// The numbers of what was refused.
fn stored(influx: &mut Influx, payloads: impl IntoIterator<Item = String>) -> Result<Vec<u64>> {
    for (number, payload) in (1..).zip(payloads) {
        let message = Message {
            payload: payload.into(),
            ..Message::default()
        };
        influx.put(number, message)?;
    }
    let mut refused = Vec::new();
    influx.commit(&mut refused)?;
    Ok(refused.into_iter().map(|(number, _)| number).collect())
}

#[test]
fn a_line_at_fault_is_refused_alone() {
    let (url, lines) = server(|path, body| {
        assert_eq!(path, "/write?db=d&precision=ns");
        match body.contains('"') {
            true => answered("400 Bad Request", "", "{\"error\":\"field type conflict\"}"),
            false => answered("204 No Content", "", ""),
        }
    });
    let mut influx = influx(&url);
    let payloads = (1..=1000).map(|number| match number {
        7 | 900 => String::from("text"),
        number => number.to_string(),
    });
    assert_eq!(stored(&mut influx, payloads).unwrap(), [7, 900]);
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 998);
    assert_eq!(lines[6], "w value=8 0", "in order");
}

#[test]
fn what_has_no_field_is_told_once() {
    let (url, lines) = server(|_, _| answered("204 No Content", "", ""));
    let mut influx = influx(&url);
    let payloads = ["NaN", "1", "{}"].map(String::from);
    assert_eq!(stored(&mut influx, payloads).unwrap(), [0; 0]);
    assert_eq!(influx.empty(), [1, 3]);
    assert_eq!(influx.empty(), [0; 0]);
    assert_eq!(*lines.lock().unwrap(), ["w value=1 0"]);
}

#[test]
fn a_server_with_too_much_to_do_gets_it_later() {
    let mut answers = vec![
        answered("503 Service Unavailable", "", ""),
        answered("429 Too Many Requests", "Retry-After: 0\r\n", "slow down"),
        answered("204 No Content", "", ""),
    ]
    .into_iter();
    let (url, lines) = server(move |_, _| answers.next().unwrap());
    let mut influx = influx(&url);
    assert_eq!(stored(&mut influx, [String::from("1")]).unwrap(), [0; 0]);
    assert_eq!(*lines.lock().unwrap(), ["w value=1 0"]);
}

#[test]
fn what_no_retry_mends_ends_it() {
    for (status, code, text) in [
        ("401 Unauthorized", 4, "answered 401: authorization failed"),
        ("404 Not Found", 1, "answered 404: database not found"),
    ] {
        let words = text.split(": ").nth(1).unwrap();
        let body = format!("{{\"error\":\"{words}\"}}");
        let (url, _) = server(move |_, _| answered(status, "", &body));
        let ended = stored(&mut influx(&url), [String::from("1")]).unwrap_err();
        assert_eq!(ended.exit_code(), code);
        assert!(ended.text().ends_with(text), "{ended}");
    }
}

#[test]
fn lines_go_over_tcp_and_in_datagrams() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::Tcp(listener.local_addr().unwrap().to_string());
    let mut influx = open(&place);
    stored(&mut influx, ["1", "2"].map(String::from)).unwrap();
    drop(influx);
    let mut text = String::new();
    listener
        .accept()
        .unwrap()
        .0
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "w value=1 0\nw value=2 0\n");

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut influx = open(&Place::Udp(socket.local_addr().unwrap().to_string()));
    stored(&mut influx, (0..200).map(|number| number.to_string())).unwrap();
    let (mut count, mut datagram) = (0, [0; 2 * DATAGRAM]);
    while count < 200 {
        let length = socket.recv(&mut datagram).unwrap();
        assert!(length <= DATAGRAM && datagram[length - 1] == b'\n');
        count += datagram[..length].iter().filter(|it| **it == b'\n').count();
    }
    let none = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = Link::open(&Place::Tcp(none.to_string())).err().unwrap();
    assert_eq!(refused.exit_code(), 3);
}
