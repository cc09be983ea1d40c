//! The AMQP side: a server that only answers, and the raw limit of publishing, with confirms or without.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use iotctl::bench::calibrate::NullPeer;
use iotctl::connect::Protocol;

use super::took::{BATCH, Took, timed};

const QUEUE: &str = "raw";

/// The null peer in a process of its own.
pub(crate) fn sink(path: &str) {
    let peer = NullPeer::start(Protocol::Amqp).expect("a null peer");
    std::fs::write(path, format!("amqp://{}", peer.address())).expect("a file");
    loop {
        std::thread::park();
    }
}

fn frame(kind: u8, channel: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind, 0, channel];
    frame.extend((payload.len() as u32).to_be_bytes());
    frame.extend(payload);
    frame.push(0xCE);
    frame
}

fn method(channel: u8, class: u8, method: u8, fields: &[u8]) -> Vec<u8> {
    frame(1, channel, &[&[0, class, 0, method], fields].concat())
}

/// A message of `size` bytes to our queue by way of the default exchange.
fn message(size: usize) -> Vec<u8> {
    let key = [&[0, 0, 0, QUEUE.len() as u8], QUEUE.as_bytes(), &[0]].concat();
    let mut header = vec![0, 60, 0, 0];
    header.extend((size as u64).to_be_bytes());
    header.extend([0x10, 0, 1]);
    let frames = [
        method(1, 60, 40, &key),
        frame(2, 1, &header),
        frame(3, 1, &vec![b'x'; size]),
    ];
    frames.concat()
}

/// Logged in as a guest, with a channel and a queue that goes with the connection.
fn opened(address: &str, confirms: bool) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a server");
    stream.set_nodelay(true).expect("no delay");
    let start_ok = b"\0\0\0\0\x05PLAIN\0\0\0\x0C\0guest\0guest\x05en_US";
    let tune_ok = [7, 255, 0, 2, 0, 0, 0, 0];
    let open = [method(0, 10, 31, &tune_ok), method(0, 10, 40, b"\x01/\0\0")].concat();
    let queue = [
        &[0, 0, QUEUE.len() as u8],
        QUEUE.as_bytes(),
        &[4, 0, 0, 0, 0],
    ]
    .concat();
    let mut questions = vec![
        b"AMQP\0\0\x09\x01".to_vec(),
        method(0, 10, 11, start_ok),
        open,
        method(1, 20, 10, &[0]),
        method(1, 50, 10, &queue),
    ];
    if confirms {
        questions.push(method(1, 85, 10, &[0]));
    }
    for question in questions {
        stream.write_all(&question).expect("a question");
        let mut head = [0; 7];
        stream.read_exact(&mut head).expect("an answer");
        let [.., a, b, c, d] = head;
        let rest = u32::from_be_bytes([a, b, c, d]) as usize + 1;
        stream.read_exact(&mut vec![0; rest]).expect("an answer");
    }
    stream
}

/// Writes a batch, and with a window waits for the confirms of all of it; 0: no confirms.
pub(crate) fn publish(address: &str, lasts: Duration, size: usize, window: usize) -> Took {
    const ACK: usize = 21;
    let mut stream = opened(address, window > 0);
    let message = message(size);
    let in_batch = match window {
        0 => BATCH / message.len(),
        _ => window,
    };
    let batch = message.repeat(in_batch);
    let (mut input, mut rest) = (vec![0; BATCH], 0);
    let (mut sent, mut confirmed) = (0, 0);
    timed(lasts, || {
        stream.write_all(&batch).expect("a batch");
        sent += in_batch as u64;
        while window > 0 && confirmed < sent {
            let read = rest + stream.read(&mut input[rest..]).expect("confirms");
            let acks = input[..read].chunks_exact(ACK);
            rest = acks.remainder().len();
            for ack in acks {
                let tag = ack[11..19].try_into().map_or(0, u64::from_be_bytes);
                confirmed = confirmed.max(tag);
            }
            input.copy_within(read - rest..read, 0);
        }
        in_batch as u64
    })
}
