//! The loop that a program on lapin would have: the bound of what its confirmations and acknowledgements cost.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

/// As many messages may wait for their confirmation, and are sent ahead of their acknowledgement.
const WINDOW: usize = 1000;
/// One acknowledgement stands for as many messages.
const TOGETHER: u64 = 100;

/// `publish URL QUEUE COUNT`, `consume URL QUEUE COUNT`.
pub(crate) fn run(words: &[String]) {
    let [what, url, queue, count] = words else {
        panic!("publish or consume, a URL, a queue and a count");
    };
    let count: u64 = count.parse().expect("a number");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await;
        let connection = connection.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        match what.as_str() {
            "publish" => publish(&channel, queue, count).await,
            _ => consume(&channel, queue, count).await,
        }
        connection.close(200, "OK".into()).await.expect("an end");
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn publish(channel: &Channel, queue: &str, count: u64) {
    let select = channel.confirm_select(ConfirmSelectOptions::default());
    select.await.expect("confirms");
    let body = [b'x'; 64];
    let mut under_way = FuturesUnordered::new();
    for _ in 0..count {
        while under_way.len() >= WINDOW {
            check(under_way.next().await);
        }
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let publish = channel.basic_publish("".into(), queue.into(), options, &body, properties);
        under_way.push(publish.await.expect("a publish"));
    }
    while !under_way.is_empty() {
        check(under_way.next().await);
    }
}

fn check(confirmed: Option<lapin::Result<Confirmation>>) {
    let confirmed = confirmed.expect("one is under way").expect("a connection");
    assert!(matches!(confirmed, Confirmation::Ack(None)));
}

async fn consume(channel: &Channel, queue: &str, count: u64) {
    let qos = channel.basic_qos(WINDOW as u16, BasicQosOptions::default());
    qos.await.expect("a prefetch");
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
    let mut consumer = consumer.await.expect("a consumer");
    for number in 1..=count {
        let delivery = consumer
            .next()
            .await
            .expect("a message")
            .expect("a connection");
        if number % TOGETHER == 0 || number == count {
            let ack = BasicAckOptions { multiple: true };
            let acked = channel.basic_ack(delivery.delivery_tag, ack).await;
            acked.expect("an acknowledgement");
        }
    }
}
