//! Looking on: taps of an exchange, the firehose, and filters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cli::{amqp, declared};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

fn publish(words: &str) -> i32 {
    amqp("publish").words(words).run().code
}

#[test]
fn a_tap_takes_nothing_away() {
    let exchange = unique("tapped");
    amqp("declare exchange")
        .words(&format!("{exchange} --type topic"))
        .run()
        .exits(0);
    let queue = declared("tapped", "");
    amqp("bind")
        .words(&format!("{queue} -e {exchange} -k web.error"))
        .run()
        .exits(0);
    let mut tap = amqp("tap")
        .words(&format!("{exchange} -k *.error -C 2 -v"))
        .start();
    wait_for("the tap", || {
        let words = format!("-e {exchange} -k other.error -m ready --mandatory");
        (publish(&words) == 0).then_some(())
    });
    assert_eq!(publish(&format!("-e {exchange} -k web.note -m no")), 0);
    assert_eq!(publish(&format!("-e {exchange} -k web.error -m down")), 0);
    assert_eq!(tap.lines(2), ["other.error ready", "web.error down"]);
    tap.ends().exits(0).quietly();
    let taken = amqp("get").words(&queue).run();
    taken.exits(0).prints("down\n");
}

#[test]
fn the_firehose_shows_what_was_published_where() {
    let server = rabbitmq();
    server.control(&["trace_on"]);
    let queue = declared("traced", "");
    // Every message of the default exchange comes, also those of other tests.
    let seen = Arc::new(AtomicBool::new(false));
    let (done, words) = (
        Arc::clone(&seen),
        format!("-k {queue} -m {queue} --header tries:int=5 --content-type text/plain"),
    );
    let publishing = std::thread::spawn(move || {
        while !done.load(Ordering::Relaxed) {
            assert_eq!(publish(&words), 0);
        }
    });
    let record = amqp("tap")
        .words("--firehose -k publish. -C 1 -W 60 --output json --filter")
        .word(format!("payload == {queue}"))
        .run();
    seen.store(true, Ordering::Relaxed);
    publishing.join().unwrap();
    server.control(&["trace_off"]);
    record
        .exits(0)
        .contains(&format!("\"topic\":\"{queue}\""))
        .contains("\"content_type\":\"text/plain\"")
        .contains("\"tries\":5")
        .contains("\"x-firehose\":\"publish.\"");
}

#[test]
fn what_a_filter_leaves_stays_in_the_queue() {
    let queue = declared("filtered", "");
    let lines = "{\"temp\":19}\n{\"temp\":21}\nno json\n{\"temp\":23}\n";
    let publishing = amqp("publish").words(&format!("-k {queue} -l"));
    publishing.input(lines).run().exits(0);
    let warm = amqp("consume")
        .words(&queue)
        .words("-C 2 --filter")
        .word("/temp > 20");
    warm.run().exits(0).prints("{\"temp\":21}\n{\"temp\":23}\n");
    let rest = amqp("consume").words(&queue).words("-C 2");
    rest.run().exits(0).prints("{\"temp\":19}\nno json\n");
}

#[test]
fn what_cannot_be_tapped_is_told() {
    amqp("tap").run().exits(2).says("no exchange was given");
    amqp("tap").word("").run().exits(2).says("default exchange");
    amqp("tap")
        .words("x --firehose")
        .run()
        .exits(2)
        .says("takes no exchange name");
    amqp("tap").words("no-such").run().exits(1).says("no-such");
    amqp("tap")
        .words("x --filter temp>20")
        .run()
        .exits(2)
        .says("neither payload, a JSON pointer");
}
