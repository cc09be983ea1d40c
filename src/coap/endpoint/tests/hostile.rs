//! Silence, malformed datagrams and peers that break the protocol: everything ends, and says why.

use super::alone::Alone;
use super::*;
use crate::coap::block::{Block, Szx};
use crate::coap::endpoint::{Broken, Ignored, Resume};
use crate::coap::message::{Malformed, Token};
use crate::coap::option::{self, Unfit, Wrong};

fn answer(to: &Message, code: Code) -> Message {
    Message::new(Type::Ack, code, to.mid, to.token)
}

fn ignored(alone: &mut Alone) -> Vec<Ignored> {
    let events = alone.events().into_iter();
    let ignored = events.filter_map(|event| match event {
        Event::Ignored { ignored, .. } => Some(ignored),
        _ => None,
    });
    ignored.collect()
}

/// After what was delivered, the request goes on until its deadline.
fn times_out(alone: &mut Alone) {
    assert_eq!(alone.outcome(), None);
    alone.wait(seconds(31.0));
    let outcome = alone.outcome();
    assert!(
        matches!(outcome, Some(Err(Failure::TimedOut { .. }))),
        "{outcome:?}"
    );
    assert!(alone.client.is_idle());
}

#[test]
fn silence_ends_at_the_deadline() {
    for asked in [get("x"), non(get("x")), observe("x")] {
        let mut alone = Alone::new();
        alone.begin(asked);
        alone.wait(seconds(29.9));
        times_out(&mut alone);
    }
}

#[test]
fn silence_without_deadline_ends_as_the_rfc_has_it() {
    let mut asked = get("x");
    asked.deadline = None;
    let mut alone = Alone::new();
    alone.begin(asked.clone());
    alone.wait(seconds(93.1));
    assert_eq!(alone.sent().len(), 5);
    assert_eq!(
        alone.outcome(),
        Some(Err(Failure::GaveUp { transmissions: 5 }))
    );
    let mut alone = Alone::new();
    alone.begin(non(asked));
    alone.wait(seconds(247.1));
    assert!(matches!(
        alone.outcome(),
        Some(Err(Failure::TimedOut { .. }))
    ));
}

#[test]
fn every_parameter_of_the_retransmission_counts() {
    let config = Config {
        ack_timeout: seconds(1.0),
        ack_random_factor: 1.0,
        max_retransmit: 2,
        ..Config::default()
    };
    let mut alone = Alone::with(config);
    alone.begin(get("x"));
    alone.wait(seconds(6.9));
    assert_eq!((alone.sent().len(), alone.outcome()), (3, None));
    alone.wait(seconds(0.2));
    assert_eq!(
        alone.outcome(),
        Some(Err(Failure::GaveUp { transmissions: 3 }))
    );
}

#[test]
fn an_acknowledgement_and_then_nothing() {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    alone.deliver(&Message::empty(Type::Ack, asked.mid));
    alone.wait(seconds(29.0));
    assert!(alone.sent().is_empty(), "no retransmission");
    alone.wait(seconds(2.0));
    let after = seconds(30.0);
    let failure = Failure::TimedOut {
        acknowledged: true,
        stray: None,
        after,
    };
    assert_eq!(alone.outcome(), Some(Err(failure)));
}

#[test]
fn a_reset_fails_con_and_non() {
    for asked in [get("x"), non(get("x"))] {
        let mut alone = Alone::new();
        let asked = alone.asked(asked);
        alone.deliver(&Message::empty(Type::Rst, asked.mid));
        assert_eq!(alone.outcome(), Some(Err(Failure::Reset)));
        assert!(alone.client.is_idle());
    }
}

#[test]
fn an_unreachable_port_fails_at_once() {
    let mut alone = Alone::new();
    alone.begin(get("x"));
    alone.client.ping(alone.now, server_address(), seconds(5.0));
    alone.client.handle_unreachable(alone.now, server_address());
    assert_eq!(alone.outcome(), Some(Err(Failure::Unreachable)));
    assert!(alone.client.is_idle() && alone.client.poll_timeout().is_none());
}

#[test]
fn wrong_tokens_ids_and_sources_are_ignored() {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    let mut wrong = answer(&asked, Code::CONTENT);
    wrong.token = Token::new(b"other").expect("a token");
    alone.deliver(&wrong);
    assert_eq!(ignored(&mut alone), [Ignored::Token]);
    let mut wrong = answer(&asked, Code::CONTENT);
    wrong.mid = wrong.mid.wrapping_add(1);
    alone.deliver(&wrong);
    assert_eq!(ignored(&mut alone), [Ignored::MessageId]);
    let right = answer(&asked, Code::CONTENT).encode().expect("encodes");
    let spoofed = ([192, 0, 2, 66], 5683).into();
    alone.client.handle_datagram(alone.now, spoofed, &right);
    assert_eq!(ignored(&mut alone), [Ignored::Token]);
    times_out(&mut alone);
}

#[test]
fn malformed_datagrams_are_ignored_and_named() {
    let cases: [(&[u8], Malformed); 7] = [
        (&[0x40, 0x45], Malformed::Short),
        (&[0x00, 0x45, 0, 1], Malformed::Version(0)),
        (&[0xC0, 0x45, 0, 1], Malformed::Version(3)),
        (&[0x69, 0x45, 0, 1], Malformed::TokenLength(9)),
        (&[0x60, 0x45, 0, 1, 0xF1, 0], Malformed::Option),
        (&[0x60, 0x45, 0, 1, 0xFF], Malformed::Marker),
        (&[0x60, 0xC1, 0, 1], Malformed::Code(Code::new(6, 1))),
    ];
    for (bytes, fault) in cases {
        let mut alone = Alone::new();
        alone.asked(get("x"));
        alone.raw(bytes);
        assert_eq!(ignored(&mut alone), [Ignored::Malformed(fault)]);
        assert!(alone.sent().is_empty());
        times_out(&mut alone);
    }
}

#[test]
fn a_malformed_confirmable_message_is_reset() {
    let mut alone = Alone::new();
    alone.raw(&[0x40, 0x45, 0x12, 0x34, 0xFF]);
    assert_eq!(alone.sent(), [Message::empty(Type::Rst, 0x1234)]);
    alone.raw(&[0x80, 0x45, 0x12, 0x34]);
    assert!(
        alone.sent().is_empty(),
        "another version is ignored silently"
    );
}

#[test]
fn messages_of_impossible_types_are_ignored() {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    let mut request_in_ack = answer(&asked, Code::PUT);
    alone.deliver(&request_in_ack);
    request_in_ack.kind = Type::Rst;
    alone.deliver(&request_in_ack);
    alone.deliver(&Message::empty(Type::Non, 7));
    assert_eq!(ignored(&mut alone), [Ignored::Type; 3]);
    times_out(&mut alone);
}

#[test]
fn a_request_to_a_client_is_reset() {
    let mut alone = Alone::new();
    alone.deliver(&Message::new(Type::Con, Code::GET, 9, Token::EMPTY));
    assert_eq!(alone.sent(), [Message::empty(Type::Rst, 9)]);
}

#[test]
fn unknown_critical_options_reject_and_elective_ones_do_not() {
    let with = |number: u16, times: usize| {
        let mut alone = Alone::new();
        let asked = alone.asked(get("x"));
        let mut message = answer(&asked, Code::CONTENT);
        (0..times).for_each(|_| message.options.push_uint(number, 1));
        alone.deliver(&message);
        alone.outcome()
    };
    let broken = |number, wrong| {
        let unfit = Unfit { number, wrong };
        Some(Err(Failure::Broken(Broken::CriticalOption(unfit))))
    };
    assert_eq!(with(65_001, 1), broken(65_001, Wrong::Unknown));
    let repeated = broken(option::BLOCK2, Wrong::Repeated);
    assert_eq!(with(option::BLOCK2, 2), repeated);
    assert!(matches!(with(65_000, 1), Some(Ok(_))));
    assert!(matches!(with(option::CONTENT_FORMAT, 2), Some(Ok(_))));
}

#[test]
fn a_separate_response_with_a_critical_option_is_reset() {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    let mut message = Message::new(Type::Con, Code::CONTENT, 77, asked.token);
    message.options.push_uint(65_001, 1);
    alone.deliver(&message);
    assert_eq!(alone.sent(), [Message::empty(Type::Rst, 77)]);
}

#[test]
fn duplicates_and_late_acknowledgements_do_no_harm() {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    let response = Message::new(Type::Con, Code::CONTENT, 77, asked.token);
    alone.deliver(&response);
    assert!(matches!(alone.outcome(), Some(Ok(_))));
    alone.deliver(&response);
    alone.deliver(&Message::empty(Type::Ack, asked.mid));
    alone.deliver(&Message::empty(Type::Ack, asked.mid));
    assert_eq!(
        alone.sent(),
        vec![Message::empty(Type::Ack, 77); 2],
        "each copy is acknowledged"
    );
    assert_eq!(alone.outcome(), None);
    alone.wait(seconds(300.0));
    assert!(alone.sent().is_empty());
}

#[test]
fn a_response_to_nobody_is_reset_when_it_wants_an_answer() {
    let mut alone = Alone::new();
    let token = Token::new(b"nobody").expect("a token");
    alone.deliver(&Message::new(Type::Con, Code::CONTENT, 1, token));
    alone.deliver(&Message::new(Type::Non, Code::CONTENT, 2, token));
    let mut notification = Message::new(Type::Non, Code::CONTENT, 3, token);
    notification.options.push_uint(option::OBSERVE, 9);
    alone.deliver(&notification);
    assert_eq!(
        alone.sent(),
        [1, 3].map(|mid| Message::empty(Type::Rst, mid))
    );
}

fn block_answer(to: &Message, offset: usize, more: bool, szx: Szx, length: usize) -> Message {
    let mut message = answer(to, Code::CONTENT);
    let block = Block {
        num: (offset / szx.size()) as u32,
        more,
        szx,
    };
    message.options.set_block(option::BLOCK2, block);
    message.payload = vec![b'x'; length].into();
    message
}

/// Answers the first request with block 0, and the second one with what the test says.
fn second(make: impl Fn(&Message) -> Message) -> Option<Result<Reply, Failure>> {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    alone.deliver(&block_answer(&asked, 0, true, Szx::MAX, 1024));
    let asked = alone.sent().pop().expect("the next block is asked for");
    alone.events();
    alone.deliver(&make(&asked));
    alone.outcome()
}

#[test]
fn wrong_blocks_fail() {
    let broken = |it| Some(Err(Failure::Broken(it)));
    let gap = second(|asked| block_answer(asked, 2048, false, Szx::MAX, 10));
    assert_eq!(
        gap,
        broken(Broken::Gap {
            expected: 1024,
            found: 2048
        })
    );
    let again = second(|asked| block_answer(asked, 0, true, Szx::MAX, 1024));
    assert_eq!(
        again,
        broken(Broken::Gap {
            expected: 1024,
            found: 0
        })
    );
    let short = second(|asked| block_answer(asked, 1024, true, Szx::MAX, 1000));
    assert_eq!(short, broken(Broken::BlockLength { length: 1000 }));
    let long = second(|asked| block_answer(asked, 1024, false, Szx::MIN, 17));
    assert_eq!(long, broken(Broken::BlockLength { length: 17 }));
    let reserved = second(|asked| block_answer(asked, 1024, false, Szx::BERT, 10));
    assert_eq!(reserved, broken(Broken::BlockSize));
    let last = second(|asked| {
        let mut message = block_answer(asked, 0, true, Szx::MAX, 1024);
        message.options.set_block(
            option::BLOCK2,
            Block {
                num: Block::LAST,
                more: true,
                szx: Szx::MAX,
            },
        );
        message
    });
    assert_eq!(last, broken(Broken::BlockNumber));
}

#[test]
fn a_success_that_answers_nothing_that_was_asked_is_none() {
    let outcome = |request: Request, code, with: Option<(u16, &'static [u8])>| {
        let mut alone = Alone::new();
        let asked = alone.asked(request);
        let mut message = answer(&asked, code);
        with.into_iter()
            .for_each(|(number, value)| message.options.push(number, value));
        alone.deliver(&message);
        alone.outcome().expect("ended")
    };
    let why = |ended: Result<Reply, Failure>| match ended {
        Err(Failure::Broken(Broken::Misplaced { why, .. })) => why,
        other => panic!("{other:?}"),
    };
    let known = |code| {
        let mut request = get("x");
        request.options.push(option::ETAG, &b"known"[..]);
        move |with| outcome(request.clone(), code, with)
    };
    let put = |length| with_body(Code::PUT, "x", vec![1; length]);
    let etag = Some((option::ETAG, &b"known"[..]));
    let bare = "in response to a request without ETag";
    assert_eq!(why(outcome(get("x"), Code::VALID, etag)), bare);
    assert_eq!(why(outcome(put(3), Code::VALID, None)), bare);
    let gone_on = second(|asked| answer(asked, Code::VALID)).expect("ended");
    assert_eq!(why(gone_on), bare);
    assert!(known(Code::VALID)(etag).is_ok());
    assert!(known(Code::VALID)(None).is_ok());
    let other = known(Code::VALID)(Some((option::ETAG, b"other")));
    assert_eq!(why(other), "for an ETag that the request did not have");
    let bare = "in response to a request without Block1";
    assert_eq!(why(outcome(get("x"), Code::CONTINUE, None)), bare);
    assert_eq!(why(outcome(put(3), Code::CONTINUE, None)), bare);
    let gone_on = second(|asked| answer(asked, Code::CONTINUE)).expect("ended");
    assert_eq!(why(gone_on), bare);
    let unnumbered = outcome(put(3000), Code::CONTINUE, None);
    assert_eq!(why(unnumbered), "without Block1");
    let mut alone = Alone::new();
    let mut asked = alone.asked(put(1500));
    for _ in 0..2 {
        let mut message = answer(&asked, Code::CONTINUE);
        let block = asked.options.block1().expect("a block");
        message.options.set_block(option::BLOCK1, block);
        alone.deliver(&message);
        asked = alone.sent().pop().unwrap_or(asked);
    }
    let ended = alone.outcome().expect("ended");
    assert_eq!(why(ended), "in response to the last block of the upload");
}

#[test]
fn a_block_with_an_etag_and_one_without_are_of_two_bodies() {
    for tagged in [0, 1024] {
        let mut alone = Alone::new();
        let mut asked = alone.asked(get("x"));
        let mut restarts = 0;
        for number in 0..4 {
            let offset = asked.options.block2().map_or(0, Block::offset);
            restarts += usize::from(number > 0 && offset == 0);
            let mut message = block_answer(&asked, offset, offset == 0, Szx::MAX, 1024);
            let letter = if restarts == 0 { b'a' } else { b'b' };
            message.payload = vec![letter + u8::from(offset > 0); 1024].into();
            if restarts == 0 && offset == tagged {
                message.options.push_uint(option::ETAG, 1);
            }
            alone.deliver(&message);
            asked = alone.sent().pop().unwrap_or(asked);
        }
        let reply = alone.outcome().expect("ended").expect("a reply");
        let body = [vec![b'b'; 1024], vec![b'c'; 1024]].concat();
        assert_eq!((restarts, reply.response.payload), (1, body.into()));
    }
}

#[test]
fn what_is_gone_on_with_is_compared_with_a_block_without_etag_too() {
    let mut alone = Alone::new();
    let mut request = get("x");
    let etag = Some(Bytes::from_static(b"1"));
    request.resume = Some(Resume { offset: 1024, etag });
    let asked = alone.asked(request);
    alone.deliver(&block_answer(&asked, 1024, false, Szx::MAX, 10));
    let again = alone.sent().pop().expect("block 0");
    assert_eq!(again.options.block2().map(Block::offset), Some(0));
}

#[test]
fn a_smaller_block_may_come_in_the_middle() {
    let reply = second(|asked| block_answer(asked, 1024, false, Szx::MIN, 16));
    assert_eq!(
        reply
            .expect("ended")
            .expect("a reply")
            .response
            .payload
            .len(),
        1040
    );
}

#[test]
fn blocks_without_end_meet_the_limit() {
    let mut alone = Alone::with(Config {
        body_limit: 10_000,
        ..Config::default()
    });
    let mut asked = alone.asked(get("x"));
    for offset in (0..).step_by(1024) {
        alone.deliver(&block_answer(&asked, offset, true, Szx::MAX, 1024));
        match alone.sent().pop() {
            Some(next) => asked = next,
            None => break,
        }
        assert!(offset < 10_000);
    }
    assert_eq!(
        alone.outcome(),
        Some(Err(Failure::TooLarge { limit: 10_000 }))
    );
}

#[test]
fn a_resource_that_changes_is_read_anew_and_never_mixed() {
    let mut alone = Alone::new();
    let mut asked = alone.asked(get("x"));
    let mut outcome = None;
    let mut etag = 0;
    for _ in 0..20 {
        let offset = asked.options.block2().map_or(0, Block::offset);
        etag += 1;
        let mut message = block_answer(&asked, offset, true, Szx::MAX, 1024);
        message.options.push_uint(option::ETAG, etag);
        alone.deliver(&message);
        outcome = alone.outcome();
        match alone.sent().pop() {
            Some(next) => asked = next,
            None => break,
        }
    }
    assert_eq!(outcome, Some(Err(Failure::Changed)));
}

#[test]
fn a_change_in_the_middle_is_survived() {
    let mut alone = Alone::new();
    let asked = alone.asked(get("x"));
    let block = |asked: &Message, offset, more, letter: u8, etag| {
        let mut message = block_answer(asked, offset, more, Szx::MAX, 1024);
        message.payload = vec![letter; 1024].into();
        message.options.push_uint(option::ETAG, etag);
        message
    };
    alone.deliver(&block(&asked, 0, true, b'a', 1));
    let asked = alone.sent().pop().expect("block 1");
    alone.deliver(&block(&asked, 1024, false, b'b', 2));
    let asked = alone.sent().pop().expect("block 0 again");
    assert_eq!(asked.options.block2().map(|it| it.num), Some(0));
    alone.deliver(&block(&asked, 0, true, b'b', 2));
    let asked = alone.sent().pop().expect("block 1 again");
    alone.deliver(&block(&asked, 1024, false, b'b', 2));
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.payload, vec![b'b'; 2048]);
}

#[test]
fn uploads_are_begun_again_smaller_or_given_up() {
    let mut alone = Alone::new();
    let asked = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
    let mut smaller = answer(&asked, Code::REQUEST_ENTITY_TOO_LARGE);
    smaller.options.set_block(
        option::BLOCK1,
        Block {
            num: 0,
            more: false,
            szx: Szx::MIN,
        },
    );
    alone.deliver(&smaller);
    let again = alone.sent().pop().expect("smaller");
    assert_eq!(again.options.block1(), Block::at(0, true, Szx::MIN));
    alone.deliver(&answer(&again, Code::REQUEST_ENTITY_INCOMPLETE));
    let restarted = alone.sent().pop().expect("once more");
    assert_eq!(restarted.options.block1().map(|it| it.num), Some(0));
    assert!(!restarted.options.contains(option::REQUEST_TAG));
    alone.deliver(&answer(&restarted, Code::REQUEST_ENTITY_INCOMPLETE));
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.code, Code::REQUEST_ENTITY_INCOMPLETE);
}

#[test]
fn blocks_are_tagged_only_beside_those_of_another_upload() {
    let mut alone = Alone::new();
    let large = || with_body(Code::PUT, "x", vec![1; 3000]);
    let tag = |asked: &Message| asked.options.first(option::REQUEST_TAG).cloned();
    let first = alone.asked(large());
    assert_eq!(tag(&first), None);
    // The first goes on.
    alone.client.request(alone.now, large()).expect("a request");
    alone.deliver(&answer(&first, Code::FORBIDDEN));
    let second = alone.sent().pop().expect("its turn");
    assert!(tag(&second).is_some());
    alone.deliver(&answer(&second, Code::FORBIDDEN));
    // Both have come to their end.
    let third = alone.asked(large());
    assert_eq!(tag(&third), None);
    // This one has not.
    alone.wait(seconds(31.0));
    alone.sent();
    assert!(tag(&alone.asked(large())).is_some());
}

#[test]
fn options_that_a_server_refuses_are_left_out() {
    let begin = || {
        let mut alone = Alone::new();
        let asked = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
        assert_eq!(asked.options.uint(option::SIZE1), Some(3000));
        (alone, asked)
    };
    let (mut alone, asked) = begin();
    alone.deliver(&answer(&asked, Code::BAD_OPTION));
    let again = alone.sent().pop().expect("once more");
    assert_eq!(again.options.block1(), Block::at(0, true, Szx::MAX));
    assert!(!again.options.contains(option::SIZE1));
    alone.deliver(&answer(&again, Code::BAD_OPTION));
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.code, Code::BAD_OPTION);
    // Without a tag, 4.00 is about something else.
    let (mut alone, asked) = begin();
    alone.deliver(&answer(&asked, Code::BAD_REQUEST));
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.code, Code::BAD_REQUEST);
    // With one, it may be the tag.
    let (mut alone, _) = begin();
    alone.wait(seconds(31.0));
    alone.sent();
    let tagged = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
    assert!(tagged.options.contains(option::REQUEST_TAG));
    alone.deliver(&answer(&tagged, Code::BAD_REQUEST));
    let again = alone.sent().pop().expect("once more");
    assert!(!again.options.contains(option::REQUEST_TAG));
}

#[test]
fn a_body_that_is_too_large_for_one_message_is_sent_in_blocks_once() {
    let begin = |length: usize, limit: Option<u64>| {
        let mut alone = Alone::new();
        let asked = alone.asked(with_body(Code::PUT, "x", vec![1; length]));
        assert_eq!(asked.options.block1(), None);
        let mut large = answer(&asked, Code::REQUEST_ENTITY_TOO_LARGE);
        let limit = limit.into_iter();
        limit.for_each(|it| large.options.push_uint(option::SIZE1, it));
        alone.deliver(&large);
        let next = alone.sent().pop();
        (alone, next)
    };
    let (mut alone, next) = begin(300, None);
    let next = next.expect("the first block");
    let szx = Szx::of_size(256).expect("a size");
    assert_eq!(next.options.block1(), Block::at(0, true, szx));
    alone.deliver(&answer(&next, Code::REQUEST_ENTITY_TOO_LARGE));
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.code, Code::REQUEST_ENTITY_TOO_LARGE);
    // It is the whole body that is too large, in blocks or not.
    assert_eq!(begin(300, Some(299)).1, None);
    assert!(begin(300, Some(300)).1.is_some());
    // No block is smaller than that.
    assert_eq!(begin(16, None).1, None);
}

#[test]
fn a_limit_that_is_told_ends_the_upload() {
    let mut alone = Alone::new();
    let asked = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
    let mut limit = answer(&asked, Code::REQUEST_ENTITY_TOO_LARGE);
    limit.options.push_uint(option::SIZE1, 2000);
    alone.deliver(&limit);
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.options.uint(option::SIZE1), Some(2000));
}

#[test]
fn an_acknowledgement_of_another_block_ends_the_upload() {
    for code in [Code::CONTINUE, Code::CHANGED] {
        let mut alone = Alone::new();
        let asked = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
        let mut taken = answer(&asked, code);
        let other = Block::at(1024, true, Szx::MAX).expect("a block");
        taken.options.set_block(option::BLOCK1, other);
        alone.deliver(&taken);
        let broken = Broken::OtherBlock {
            expected: 0,
            found: 1,
        };
        assert_eq!(
            broken.to_string(),
            "the server acknowledged block 1 of the upload instead of block 0"
        );
        assert_eq!(alone.outcome(), Some(Err(Failure::Broken(broken))));
    }
}

#[test]
fn a_later_block_that_is_too_large_begins_the_upload_anew() {
    let mut alone = Alone::new();
    let asked = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
    let mut taken = answer(&asked, Code::CONTINUE);
    let block = |offset, szx| Block::at(offset, true, szx).expect("a block");
    (taken.options).set_block(option::BLOCK1, block(0, Szx::MAX));
    alone.deliver(&taken);
    let asked = alone.sent().pop().expect("the second block");
    assert_eq!(asked.options.block1(), Some(block(1024, Szx::MAX)));
    let mut refused = answer(&asked, Code::REQUEST_ENTITY_TOO_LARGE);
    (refused.options).set_block(option::BLOCK1, block(1024, Szx::MIN));
    alone.deliver(&refused);
    let again = alone.sent().pop().expect("the first block");
    assert_eq!(again.options.block1(), Some(block(0, Szx::MIN)));
    assert_eq!(again.payload.len(), 16);
}

#[test]
fn an_upload_that_is_cut_short_is_no_success() {
    let mut alone = Alone::new();
    let asked = alone.asked(with_body(Code::PUT, "x", vec![1; 3000]));
    alone.deliver(&answer(&asked, Code::CHANGED));
    let broken = Broken::Unfinished { sent: 1024 };
    assert_eq!(alone.outcome(), Some(Err(Failure::Broken(broken))));
}

#[test]
fn an_echo_challenge_is_answered_and_not_for_ever() {
    let mut alone = Alone::new();
    let mut asked = alone.asked(get("x"));
    let challenge = |asked: &Message| {
        let mut message = answer(asked, Code::UNAUTHORIZED);
        message.options.push(option::ECHO, &b"echo"[..]);
        message
    };
    for _ in 0..2 {
        alone.deliver(&challenge(&asked));
        asked = alone.sent().pop().expect("repeated");
        assert_eq!(asked.options.first(option::ECHO).expect("Echo"), "echo");
    }
    alone.deliver(&challenge(&asked));
    let reply = alone.outcome().expect("ended").expect("a reply");
    assert_eq!(reply.response.code, Code::UNAUTHORIZED);
}

#[test]
fn when_to_try_again_is_told() {
    for code in [Code::TOO_MANY_REQUESTS, Code::SERVICE_UNAVAILABLE] {
        let mut alone = Alone::new();
        let asked = alone.asked(get("x"));
        let mut busy = answer(&asked, code);
        busy.options.push_uint(option::MAX_AGE, 17);
        alone.deliver(&busy);
        let reply = alone.outcome().expect("ended").expect("a reply");
        assert_eq!(
            (reply.response.code, reply.response.options.max_age()),
            (code, 17)
        );
    }
}

fn group(window: f64) -> Request {
    let mut asked = get(".well-known/core");
    asked.peer = ([224, 0, 1, 187], 5683).into();
    asked.group = Some(seconds(window));
    asked
}

#[test]
fn a_group_answers_each_with_a_name_and_once() {
    let mut alone = Alone::new();
    let handle = alone.begin(group(7.0));
    let asked = alone.sent().pop().expect("sent");
    assert_eq!(asked.kind, Type::Non);
    let mut response = Message::new(Type::Non, Code::CONTENT, 1, asked.token);
    for (host, mid) in [(1, 1), (2, 1), (1, 1), (1, 2)] {
        response.mid = mid;
        let bytes = response.encode().expect("encodes");
        alone
            .client
            .handle_datagram(alone.now, ([192, 0, 2, host], 5683).into(), &bytes);
    }
    let events = alone.events();
    let from = |event: &Event| match event {
        Event::Reply { reply, .. } => Some(reply.from.to_string()),
        _ => None,
    };
    let responders: Vec<_> = events.iter().filter_map(from).collect();
    assert_eq!(responders, ["192.0.2.1:5683", "192.0.2.2:5683"]);
    alone.wait(seconds(6.9));
    assert!(
        alone.events().is_empty() && alone.sent().is_empty(),
        "no retransmission"
    );
    alone.wait(seconds(0.2));
    assert_eq!(alone.events(), [Event::Finished { handle }]);
    assert!(alone.client.is_idle());
}

#[test]
fn a_large_answer_of_a_group_is_fetched_from_its_responder() {
    let mut alone = Alone::new();
    alone.begin(group(7.0));
    let asked = alone.sent().pop().expect("sent");
    let mut first = block_answer(&asked, 0, true, Szx::MAX, 1024);
    first.kind = Type::Non;
    alone.deliver(&first);
    let (peer, bytes) = alone.client.poll_transmit().expect("the next block");
    assert_eq!(peer, server_address());
    let asked = Message::decode(&bytes).expect("CoAP");
    alone.deliver(&block_answer(&asked, 1024, false, Szx::MAX, 5));
    let reply = alone.outcome().expect("a reply").expect("a reply");
    assert_eq!(reply.response.payload.len(), 1029);
    alone.wait(seconds(8.0));
    assert!(alone.client.is_idle());
}

#[test]
fn a_server_answers_a_group_late_and_errors_not_at_all() {
    let list = ".well-known/core";
    for (path, filter, answers) in [
        ("test", None, 1),
        ("nothing", None, 0),
        (list, Some("href=/test"), 1),
        (list, Some("href=/nothing"), 0),
    ] {
        let mut net = Net::new();
        let mut asked = Message::new(Type::Non, Code::GET, 5, Token::EMPTY);
        for segment in path.split('/') {
            asked.options.push_text(option::URI_PATH, segment);
        }
        if let Some(filter) = filter {
            asked.options.push_text(option::URI_QUERY, filter);
        }
        let bytes = asked.encode().expect("encodes");
        net.server
            .handle_multicast(net.now, client_address(), &bytes);
        net.flush();
        assert!(net.down().is_empty());
        net.run_for(seconds(5.0));
        assert_eq!(net.down().len(), answers);
        net.server
            .handle_multicast(net.now, client_address(), &[0x40, 1, 0, 1, 0xFF]);
        assert!(net.server.poll_transmit().is_none());
    }
}

#[test]
fn a_server_refuses_what_it_must_not_understand() {
    let mut net = Net::new();
    let mut asked = get("test");
    asked.options.push_uint(65_001, 1);
    let reply = net.ask(asked);
    assert_eq!(reply.response.code, Code::BAD_OPTION);
    assert!(body(&reply).contains("65001"));
    let mut asked = get("test");
    asked.options.push_text(option::LOCATION_PATH, "a");
    assert_eq!(net.ask(asked.clone()).response.code, Code::CONTENT);
    asked.options.push_text(136, "b");
    let reply = net.ask(asked);
    assert_eq!(reply.response.code, Code::BAD_OPTION);
    assert!(body(&reply).contains("option 136 is reserved"));
    let mut asked = get("test");
    asked.options.push_text(option::PROXY_SCHEME, "coap");
    assert_eq!(net.ask(asked).response.code, Code::PROXYING_NOT_SUPPORTED);
}

#[test]
fn nothing_that_arrives_panics_and_nothing_grows() {
    let mut random = Random::seeded(99);
    let mut net = Net::new();
    net.begin(observe("obs-large"));
    net.begin(with_body(Code::PUT, "large-update", pattern(5000)));
    net.run_for(seconds(20.0));
    let seen: Vec<Bytes> = net.sent.iter().map(|it| it.bytes.clone()).collect();
    for round in 0..20_000 {
        let mut bytes = seen[random.next() as usize % seen.len()].to_vec();
        for _ in 0..random.next() % 6 {
            let at = random.next() as usize % bytes.len();
            bytes[at] = random.next() as u8;
        }
        let now = net.now + Duration::from_millis(round * 7);
        net.client.handle_datagram(now, server_address(), &bytes);
        net.server.handle_datagram(now, client_address(), &bytes);
        net.client.handle_timeout(now);
        net.server.handle_timeout(now);
        while let Some(event) = net.server.poll_event() {
            net.site.handle(now, &mut net.server, event);
        }
        while net.client.poll_event().is_some() || net.client.poll_transmit().is_some() {}
        while net.server.poll_transmit().is_some() {}
    }
}

#[test]
fn numbers_that_do_not_go_up_are_told_once() {
    // What came, and what is shown of it; an answer that was overtaken on its way is nothing to tell.
    type Case = (&'static [u64], usize, Option<(u32, u32)>);
    let cases: [Case; 5] = [
        (&[7, 7, 7], 1, Some((7, 7))),
        (&[254, 255, 0, 1], 2, Some((255, 0))),
        (&[5000, 5001, 2, 3], 2, Some((5001, 2))),
        (&[1, 3, 2, 4], 3, None),
        (&[0xFF_FFFF, 0, 1], 3, None),
    ];
    for (numbers, shown, told) in cases {
        let mut alone = Alone::new();
        let asked = alone.asked(observe("x"));
        for (at, number) in numbers.iter().enumerate() {
            let mut note = answer(&asked, Code::CONTENT);
            if at > 0 {
                (note.kind, note.mid) = (Type::Non, 9000 + at as u16);
            }
            note.options.set_uint(option::OBSERVE, *number);
            alone.deliver(&note);
        }
        let events = alone.events();
        let notified = |it: &&Event| matches!(it, Event::Notification { .. });
        assert_eq!(events.iter().filter(notified).count(), shown, "{numbers:?}");
        let told_of: Vec<_> = events
            .iter()
            .filter_map(|it| match it {
                Event::NumbersStandStill { last, found, .. } => Some((*last, *found)),
                _ => None,
            })
            .collect();
        assert_eq!(told_of, told.into_iter().collect::<Vec<_>>(), "{numbers:?}");
    }
}
