//! What RabbitMQ's kinds of queues have beyond the others, several virtual hosts, and a server that is short of memory.

use std::sync::atomic::{AtomicBool, Ordering};

use super::cli::{amqp, declared};
use crate::support::command::{Ended, iotctl};
use crate::support::rabbitmq::{RabbitMq, rabbitmq, unique};

fn publish(queue: &str, lines: &str) {
    let line = amqp("publish").words(&format!("-k {queue} -l --mandatory"));
    line.input(lines).run().exits(0);
}

fn consume(queue: &str, words: &str) -> Ended {
    amqp("consume")
        .words(queue)
        .words("-W 60")
        .words(words)
        .run()
}

#[test]
fn a_stream_is_read_from_every_kind_of_offset() {
    let stream = declared("stream", "--queue-type stream");
    publish(&stream, "0\n1\n2\n");
    for (offset, count, text) in [
        ("first", 3, "0\n1\n2\n"),
        ("0", 3, "0\n1\n2\n"),
        ("2", 1, "2\n"),
        // All that came since 1970, or within the last hour.
        ("@1", 3, "0\n1\n2\n"),
        ("1h", 3, "0\n1\n2\n"),
    ] {
        let ended = consume(&stream, &format!("--offset {offset} -C {count}"));
        ended.exits(0).prints(text);
    }
    // From the last chunk, which is at most all there is, and nothing of what is there.
    let last = consume(&stream, "--offset last --idle 1");
    let last = last.exits(0);
    assert!("0\n1\n2\n".ends_with(last.text()), "{}", last.text());
    let mut next = amqp("consume")
        .words(&stream)
        .words("--offset next -C 1 -W 80")
        .start();
    // It is not seen when the consumer is there, so something comes until it has heard something.
    let heard = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !heard.load(Ordering::Relaxed) {
                publish(&stream, "later\n");
            }
        });
        let line = next.line();
        heard.store(true, Ordering::Relaxed);
        assert_eq!(line, "later");
    });
    next.ends().exits(0);
    // A stream is read by whoever wants to, and keeps what it has.
    consume(&stream, "--offset 0 -C 3")
        .exits(0)
        .prints("0\n1\n2\n");
    consume(&stream, "--offset yesterday -C 1")
        .exits(2)
        .says("is not first, last, next, a number");
}

#[test]
fn a_quorum_queue_gives_up_after_so_many_deliveries() {
    let dead = declared("dead", "");
    let queue = unique("quorum");
    amqp("declare queue")
        .words(&queue)
        .words("--queue-type quorum --argument x-delivery-limit:int=2 --dead-letter-exchange")
        .word("")
        .words("--dead-letter-key")
        .words(&dead)
        .run()
        .exits(0);
    publish(&queue, "poison\n");
    // What is given back comes again at once.
    consume(&queue, "-C 3 --ack requeue")
        .exits(0)
        .prints("poison\npoison\npoison\n");
    let ended = consume(&dead, "-C 1 --output json").exits(0);
    ended
        .contains("\"payload\":\"poison\"")
        .contains("\"reason\":\"delivery_limit\"");
}

#[test]
fn a_look_at_a_quorum_queue_that_counts_is_told_of() {
    let queue = declared("looked-at", "--queue-type quorum");
    publish(&queue, "x\n");
    consume(&queue, "-C 1 --ack peek").exits(0).prints("x\n");
    let told = "each look at it counts: beyond its delivery limit a message is dropped";
    let again = consume(&queue, "-C 1 --ack peek").exits(0).prints("x\n");
    assert_eq!(again.says(told).stderr.matches(told).count(), 1);
    let get = amqp("get").words(&queue).words("--ack peek");
    get.run().exits(0).prints("x\n").says(told);
    // What is done with counts no more.
    consume(&queue, "-C 1").exits(0).prints("x\n").quietly();
}

#[test]
fn messages_larger_than_frames_go_both_ways() {
    let queue = declared("large", "");
    let body: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    for size in ["4096", "64KiB"] {
        let line = amqp("publish").words(&format!("-k {queue} -s --mandatory --frame-max {size}"));
        line.input(body.clone()).run().exits(0);
        let ended = consume(&queue, &format!("-C 1 --output raw --frame-max {size}"));
        assert!(ended.exits(0).stdout == body, "{size}");
    }
}

#[test]
fn virtual_hosts_are_apart() {
    let server = rabbitmq();
    for vhost in ["north", "south/east"] {
        server.control(&["add_vhost", vhost]);
        server.control(&["set_permissions", "-p", vhost, "guest", ".*", ".*", ".*"]);
    }
    let north = format!("{}/north", server.url());
    let south = format!("{}/south%2Feast", server.url());
    for (url, body) in [(&north, "cold"), (&south, "warm")] {
        let line = iotctl("amqp publish").words(url);
        let line = line.words("-k weather --declare --mandatory -m");
        line.words(body).run().exits(0);
    }
    iotctl("amqp get")
        .words(&north)
        .words("weather --all")
        .run()
        .exits(0)
        .prints("cold\n");
    let named = amqp("get").words("weather --all --vhost south/east");
    named.run().exits(0).prints("warm\n");
    amqp("get").words("weather").run().exits(1);
}

#[test]
fn a_server_that_is_short_of_memory_is_told_of_at_once() {
    let server = RabbitMq::start();
    server.control(&["set_vm_memory_high_watermark", "0"]);
    let line = iotctl("amqp publish").words(&server.url());
    let mut running = line.words("-k q --declare -l --ack-timeout 80").start();
    running.write(b"1\n2\n3\n");
    running.hears("blocked the connection: low on memory");
    server.control(&["set_vm_memory_high_watermark", "0.4"]);
    running.hears("unblocked the connection");
    running.ends().exits(0);
}
