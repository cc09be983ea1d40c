//! The rest of the trouble that a CoAP server can make: each ends within its deadline, with the right exit code, and
//! with a line that says what happened.

use crate::support::coap_peer::{
    ack, content, empty, message, option_of, parts, peer, stream_peer,
};
use crate::support::command::{Ended, Line, iotctl};

const ETAG: u16 = 4;
const OBSERVE: u16 = 6;
const MAX_AGE: u16 = 14;
const BLOCK2: u16 = 23;
const BLOCK1: u16 = 27;
const SIZE1: u16 = 60;
const ECHO: u16 = 252;

/// Waits long enough for a busy machine to hear what comes.
fn get(uri: &str) -> Line {
    iotctl("coap get -W 4").word(uri)
}

/// What comes of a GET that is answered like this, again and again.
fn got(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Ended {
    let uri = peer(move |request, _| vec![answer(request)]);
    get(&uri).run().prints("")
}

/// The value of a block option.
fn block(num: u32, more: bool, szx: u8) -> [u8; 3] {
    let value = num << 4 | u32::from(more) << 3 | u32::from(szx);
    let [_, bytes @ ..] = value.to_be_bytes();
    bytes
}

/// The number in the block option of a request; 0 without one.
fn asked_block(request: &[u8], option: u16) -> u32 {
    let value = option_of(request, option).unwrap_or_default();
    let value = value
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    value >> 4
}

/// What makes an answer to a request.
type Answer = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

#[test]
fn datagrams_that_are_no_coap_are_named() {
    let mut answers: Vec<Answer> = Vec::new();
    for version in [0, 2, 3] {
        answers.push(Box::new(move |request| {
            let mut answer = ack(0x45, request, b"\xffx");
            answer[0] = answer[0] & 0x3f | version << 6;
            answer
        }));
    }
    for length in 9..=15 {
        answers.push(Box::new(move |request| {
            let mut answer = ack(0x45, request, &[0; 16]);
            answer[0] = 0x60 | length;
            answer
        }));
    }
    let rests: [&[u8]; 5] = [
        // Options with the reserved length and delta, one that runs over the end, and one whose length does.
        &[0x1f, 0],
        &[0xf1, 0],
        &[0xce, 1],
        &[0x1d],
        // A marker without payload.
        &[0xff],
    ];
    for rest in rests {
        answers.push(Box::new(move |request| ack(0x45, request, rest)));
    }
    // Cut in the middle of the token, and of the header.
    answers.push(Box::new(|request| ack(0x45, request, b"")[..6].to_vec()));
    answers.push(Box::new(|_| vec![0x60, 0x45]));
    std::thread::scope(|scope| {
        for answer in answers {
            scope.spawn(|| got(answer).exits(5).says("only not a CoAP message: "));
        }
    });
}

#[test]
fn codes_that_answer_nothing_are_named() {
    std::thread::scope(|scope| {
        for code in [0x20, 0xc1, 0xe1] {
            let reserved = move |request: &[u8]| ack(code, request, b"\xffx");
            scope.spawn(move || got(reserved).exits(5).says("is reserved"));
        }
        let request = |request: &[u8]| ack(1, request, b"");
        let ended = got(request).exits(5);
        ended.says("only a message of an invalid type");
    });
}

#[test]
fn a_response_in_another_acknowledgement_is_not_taken() {
    let other = |request: &[u8]| {
        let mut answer = ack(0x45, request, b"\xffx");
        answer[3] ^= 1;
        answer
    };
    let ended = got(other).exits(5);
    ended.says("only a response piggybacked on the acknowledgement of another message");
}

#[test]
fn a_reset_ends_a_request_that_wants_no_acknowledgement_too() {
    let uri = peer(|request, _| vec![empty(3, request)]);
    let ended = get(&uri).words("-N").run().exits(6);
    ended.says("rejected the message (reset)");
}

#[test]
fn elective_options_are_left_out_and_repeated_critical_ones_refused() {
    let elective = |request: &[u8]| ack(0x45, request, &content(&[(65_000, b"?")], b"x"));
    let uri = peer(move |request, _| vec![elective(request)]);
    get(&uri).run().exits(0).prints("x");
    // An elective option that must not be repeated: the first one counts.
    let twice = |request: &[u8]| {
        let options: [(u16, &[u8]); 2] = [(MAX_AGE, &[1]), (MAX_AGE, &[2])];
        ack(0x45, request, &content(&options, b"x"))
    };
    let uri = peer(move |request, _| vec![twice(request)]);
    let line = get(&uri).words("--output json");
    let ended = line.run().exits(0);
    assert!(ended.text().contains("Max-Age"), "{}", ended.text());
    let blocks = |request: &[u8]| {
        let options: [(u16, &[u8]); 2] = [(BLOCK2, &[]), (BLOCK2, &[0x10])];
        ack(0x45, request, &content(&options, b"x"))
    };
    got(blocks).exits(6).says("Block2 (23) is repeated");
}

#[test]
fn doubled_and_late_acknowledgements_do_no_harm() {
    let uri = peer(|request, number| {
        let answer = ack(0x45, request, b"\xffx");
        let late = message(0, 0x45, request, b"\xffx");
        match number {
            0 => vec![
                empty(2, request),
                empty(2, request),
                late.clone(),
                late,
                answer,
            ],
            _ => vec![empty(2, request)],
        }
    });
    get(&uri).run().exits(0).prints("x");
    // The response comes before the acknowledgement, which never comes; it ends the retransmissions.
    let uri = peer(|request, number| match number {
        0 => {
            let mut response = message(0, 0x45, request, b"\xffx");
            response[2] ^= 0x55;
            vec![response]
        }
        _ => {
            assert_eq!(request[..2], [0x60, 0], "an empty acknowledgement");
            Vec::new()
        }
    });
    get(&uri).run().exits(0).prints("x");
}

#[test]
fn three_lost_datagrams_are_three_retransmissions() {
    let uri = peer(|request, number| match number {
        0..3 => Vec::new(),
        _ => vec![ack(0x45, request, b"\xffx")],
    });
    let line = iotctl("coap get --ack-timeout 0.1 --output json").word(&uri);
    let ended = line.run().exits(0);
    let text = ended.text();
    assert!(text.contains("\"retransmitted\":3"), "{text}");
}

#[test]
fn blocks_that_do_not_fit_end_the_transfer() {
    let full = [b'x'; 16];
    // The second block is the third one.
    let gap = move |request: &[u8]| {
        let asked = asked_block(request, BLOCK2);
        let value = block(asked * 2, true, 0);
        ack(0x45, request, &content(&[(BLOCK2, &value)], &full))
    };
    got(gap)
        .exits(6)
        .says("received the block at byte 32 instead of the one at byte 16");
    let short = |request: &[u8]| {
        let value = block(asked_block(request, BLOCK2), true, 0);
        ack(0x45, request, &content(&[(BLOCK2, &value)], b"short"))
    };
    got(short)
        .exits(6)
        .says("a block of 5 bytes does not have the announced size");
    let reserved = |request: &[u8]| {
        let value = block(0, true, 7);
        ack(0x45, request, &content(&[(BLOCK2, &value)], b"x"))
    };
    got(reserved).exits(6).says("the block size 7 is reserved");
    let far = move |request: &[u8]| {
        let value = block(0xF_FFFF, true, 0);
        ack(0x45, request, &content(&[(BLOCK2, &value)], &full))
    };
    got(far).exits(6).says("the body has too many blocks");
}

#[test]
fn a_body_without_end_meets_the_limit() {
    let full = [b'x'; 16];
    let uri = peer(move |request, _| {
        let value = block(asked_block(request, BLOCK2), true, 0);
        vec![ack(0x45, request, &content(&[(BLOCK2, &value)], &full))]
    });
    let ended = get(&uri).words("--body-limit 1KiB").run().exits(6);
    ended
        .prints("")
        .says("larger than the limit of 1024 bytes")
        .says("hint: use --body-limit SIZE to accept more");
}

#[test]
fn a_resource_that_changes_at_every_block_is_never_mixed() {
    let uri = peer(|request, number| {
        let value = block(asked_block(request, BLOCK2), true, 0);
        let options: [(u16, &[u8]); 2] = [(ETAG, &[number as u8]), (BLOCK2, &value)];
        vec![ack(0x45, request, &content(&options, &[number as u8; 16]))]
    });
    let ended = get(&uri).run().exits(6).prints("");
    ended.says("the resource changed while it was being read");
}

#[test]
fn uploads_that_are_not_taken_say_why() {
    let put = |uri: &str| {
        iotctl("coap put -W 4 -s --block 64")
            .word(uri)
            .input([7; 500])
    };
    let uri = peer(|request, _| vec![ack(0x88, request, b"\xffwhere is the rest?")]);
    let ended = put(&uri).run().exits(1);
    ended.says("4.08 Request Entity Incomplete: where is the rest?");
    let uri = peer(|request, _| {
        let value = block(asked_block(request, BLOCK1), true, 2);
        let options: [(u16, &[u8]); 2] = [(BLOCK1, &value), (SIZE1, &[0, 100])];
        vec![ack(0x8d, request, &content(&options, b""))]
    });
    let ended = put(&uri).run().exits(1);
    ended
        .says("4.13 Request Entity Too Large")
        .says("hint: the server accepts at most 100 bytes");
    // Success before the last block is none.
    let uri = peer(|request, _| vec![ack(0x44, request, b"")]);
    let ended = put(&uri).run().exits(6);
    ended.says("the server ended the upload after 64 bytes");
    // To be continued after the last block.
    let uri = peer(|request, _| {
        let value = option_of(request, BLOCK1).unwrap();
        vec![ack(0x5f, request, &content(&[(BLOCK1, &value)], b""))]
    });
    let ended = put(&uri).run().exits(6);
    ended.says("received 2.31 Continue in response to the last block of the upload");
}

#[test]
fn a_server_that_takes_blocks_alone_gets_them() {
    let uri = peer(|request, _| {
        vec![match option_of(request, BLOCK1) {
            None => ack(0x8d, request, b""),
            // 300 bytes in blocks of 256.
            Some(value) if value == [0x0c] => {
                ack(0x5f, request, &content(&[(BLOCK1, &value)], b""))
            }
            Some(value) => {
                assert_eq!(value, [0x14]);
                ack(0x44, request, &content(&[(BLOCK1, &value)], b""))
            }
        }]
    });
    let put = iotctl("coap put -W 4 -s").word(&uri).input([7; 300]);
    put.run().exits(0).quietly();
}

#[test]
fn a_success_that_answers_nothing_that_was_asked_is_none() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("body");
    let valid = |request: &[u8]| ack(0x43, request, &content(&[(ETAG, b"1")], b""));
    let bare = "received 2.03 Valid in response to a request without ETag";
    got(valid).exits(6).says(bare);
    let uri = peer(move |request, _| vec![valid(request)]);
    get(&uri).words("-o").word(&file).run().exits(6).says(bare);
    assert!(!file.exists());
    let put = iotctl("coap put -W 4 -m 1").word(&uri);
    put.run().exits(6).says(bare);
    let observe = iotctl("coap observe -W 4").word(&uri);
    observe.run().exits(6).prints("").says(bare);
    // In the middle of a body.
    let uri = peer(move |request, number| {
        let value = block(0, true, 0);
        vec![match number {
            0 => ack(0x45, request, &content(&[(BLOCK2, &value)], &[b'x'; 16])),
            _ => valid(request),
        }]
    });
    let ended = get(&uri).run().exits(6).prints("");
    ended.says(bare).says("received 16 bytes of the body");
    let proceed = |request: &[u8]| ack(0x5f, request, b"");
    let ended = got(proceed).exits(6);
    ended.says("received 2.31 Continue in response to a request without Block1");
}

#[test]
fn an_etag_that_disappears_is_another_body() {
    let uri = peer(|request, number| {
        let num = asked_block(request, BLOCK2);
        let (letter, tagged) = if number < 1 {
            (b'a', true)
        } else {
            (b'b', false)
        };
        let value = block(num, num == 0, 0);
        let mut options: Vec<(u16, &[u8])> = vec![(BLOCK2, &value)];
        if tagged {
            options.insert(0, (ETAG, b"1"));
        }
        vec![ack(0x45, request, &content(&options, &[letter; 16]))]
    });
    get(&uri).run().exits(0).prints(&"b".repeat(32));
}

#[test]
fn a_busy_server_says_when_to_try_again() {
    for code in [0xa3, 0x9d] {
        let uri =
            peer(move |request, _| vec![ack(code, request, &content(&[(MAX_AGE, &[17])], b""))]);
        let ended = get(&uri).run().exits(1);
        ended.says("hint: try again after 17 s");
    }
}

#[test]
fn an_echo_challenge_is_answered() {
    let uri = peer(|request, _| {
        vec![match option_of(request, ECHO) {
            Some(value) if value == b"fresh" => ack(0x45, request, b"\xffx"),
            _ => ack(0x81, request, &content(&[(ECHO, b"fresh")], b"")),
        }]
    });
    get(&uri).run().exits(0).prints("x");
    let uri = peer(|request, number| {
        let value = [number as u8];
        vec![ack(0x81, request, &content(&[(ECHO, &value)], b""))]
    });
    get(&uri).run().exits(4).says("4.01 Unauthorized");
}

#[test]
fn the_sequence_of_notifications_may_wrap() {
    let uri = peer(|request, number| {
        let notification = |kind: u8, sequence: &[u8], text: &[u8]| {
            let mut message = message(kind, 0x45, request, &content(&[(OBSERVE, sequence)], text));
            message[3] = message[3].wrapping_add(text[0]);
            message
        };
        match number {
            0 => vec![
                ack(0x45, request, &content(&[(OBSERVE, &[0xff; 3])], b"1")),
                notification(1, &[], b"2"),
                // Older by one than the first.
                notification(1, &[0xff, 0xff, 0xfe], b"0"),
                notification(1, &[1], b"3"),
            ],
            _ => vec![ack(0x45, request, b"\xffover")],
        }
    });
    let line = iotctl("coap observe -C 3 -W 10").word(&uri);
    line.run().exits(0).prints("1\n2\n3\n");
}

#[test]
fn a_resource_that_is_never_fresh_is_still_observed() {
    let uri = peer(|request, _| {
        let (token, mid) = parts(request);
        let options: [(u16, &[u8]); 2] = [(OBSERVE, &[5]), (MAX_AGE, &[])];
        let answer = ack(0x45, request, &content(&options, b"x"));
        assert!(!token.is_empty() && mid.len() == 2);
        vec![answer]
    });
    let line = iotctl("coap observe -C 1 -W 10").word(&uri);
    line.run().exits(0).prints("x\n");
}

#[test]
fn streams_that_are_no_coap_are_told_apart() {
    let ask = |uri: &str| iotctl("coap get -W 4").word(uri).run().prints("");
    // Nothing at all.
    ask(&stream_peer(b"", true)).exits(5).says("no response");
    // A response (2.05) before the CSM.
    let ended = ask(&stream_peer(b"\x00\x45", true)).exits(6);
    ended.says("the peer's first message was not CSM");
    // A CSM, then Abort with a diagnostic.
    let ended = ask(&stream_peer(b"\x00\xe1\x40\xe5\xffbye", true)).exits(6);
    ended.says("the peer aborted the connection: bye");
    // A CSM, then Release.
    let ended = ask(&stream_peer(b"\x00\xe1\x00\xe4", true)).exits(6);
    ended.says("the peer released the connection");
    // A CSM, then the end.
    let ended = ask(&stream_peer(b"\x00\xe1", false)).exits(6);
    ended.says("the connection ended");
    // A critical option in the CSM.
    let ended = ask(&stream_peer(b"\x10\xe1\x90", true)).exits(6);
    ended.says("option 9 of a signal is critical");
    // A message of 4 GiB.
    let ended = ask(&stream_peer(b"\x00\xe1\xf0\xff\xff\xff\xff\x45", true));
    ended.exits(6).says("bytes");
    // What a web server would say.
    let ended = ask(&stream_peer(b"HTTP/1.1 400 Bad Request\r\n\r\n", true));
    ended.exits(6);
}
