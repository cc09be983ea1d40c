//! One file per thing a user can do; the only room where a protocol meets the terminal.

pub mod amqp_apply;
pub mod amqp_broker;
pub mod amqp_consume;
pub mod amqp_get;
mod amqp_link;
pub mod amqp_ping;
mod amqp_place;
pub mod amqp_publish;
mod amqp_publish_tally;
mod amqp_publisher;
pub mod amqp_request;
pub mod amqp_respond;
pub mod amqp_session;
pub mod amqp_topology;
pub mod bench;
pub mod bench_amqp;
pub mod bench_coap;
pub mod bench_compare;
pub mod bench_merge;
pub mod bench_mqtt;
mod bench_peer;
pub mod bench_report;
mod bench_results;
pub mod coap_asking;
pub mod coap_decode;
mod coap_directory;
pub mod coap_discover;
mod coap_download;
mod coap_exec;
pub mod coap_keep;
mod coap_links;
pub mod coap_observe;
pub mod coap_ping;
mod coap_progress;
pub mod coap_rd;
mod coap_record;
pub mod coap_request;
pub mod coap_server;
pub mod coap_session;
pub mod mqtt_broker;
pub mod mqtt_pub;
mod mqtt_record;
pub mod mqtt_session;
mod mqtt_source;
pub mod mqtt_sub;
mod serving;

use std::io;

use tokio::runtime;

use crate::error::{Error, Result};

/// What the command line asked for, in the words of this room.
#[derive(Clone, Debug)]
pub enum Plan {
    /// `mqtt pub`
    MqttPub(Box<mqtt_pub::Plan>),
    /// `mqtt sub`
    MqttSub(Box<mqtt_sub::Plan>),
    /// `mqtt broker`
    MqttBroker(Box<mqtt_broker::Plan>),
    /// `bench amqp`
    BenchAmqp(Box<bench_amqp::Plan>),
    /// `bench mqtt`
    BenchMqtt(Box<bench_mqtt::Plan>),
    /// `bench coap`
    BenchCoap(Box<bench_coap::Plan>),
    /// `coap get` to `coap ipatch`
    CoapRequest(Box<coap_request::Plan>),
    /// `coap observe`
    CoapObserve(Box<coap_observe::Plan>),
    /// `coap discover`
    CoapDiscover(Box<coap_discover::Plan>),
    /// `coap rd`
    CoapRd(Box<coap_rd::Plan>),
    /// `coap ping`
    CoapPing(Box<coap_ping::Plan>),
    /// `coap server`
    CoapServer(Box<coap_server::Plan>),
    /// `bench report`
    BenchReport(Box<bench_report::Plan>),
    /// `bench merge`
    BenchMerge(Box<bench_merge::Plan>),
    /// `bench compare`
    BenchCompare(Box<bench_compare::Plan>),
    /// `amqp broker`
    AmqpBroker(Box<amqp_broker::Plan>),
    /// `amqp publish`
    AmqpPublish(Box<amqp_publish::Plan>),
    /// `amqp consume`
    AmqpConsume(Box<amqp_consume::Plan>),
    /// `amqp get`
    AmqpGet(Box<amqp_get::Plan>),
    /// `amqp request`
    AmqpRequest(Box<amqp_request::Plan>),
    /// `amqp respond`
    AmqpRespond(Box<amqp_respond::Plan>),
    /// `amqp declare`, `delete`, `bind`, `unbind`, `purge`
    AmqpTopology(Box<amqp_topology::Plan>),
    /// `amqp ping`
    AmqpPing(Box<amqp_ping::Plan>),
    /// `amqp apply`
    AmqpApply(Box<amqp_apply::Plan>),
}

/// Pipes whose descriptors are as many as the runtime opens for itself: its poller, its waker, the pair for signals. It
/// panics without them.
const SPARE_PIPES: usize = 3;

/// Makes sure that there are descriptors to start with.
fn spare_descriptors() -> Result<()> {
    let pipes: io::Result<Vec<_>> = (0..SPARE_PIPES).map(|_| io::pipe()).collect();
    pipes.map(drop).map_err(|cause| {
        Error::local("cannot start", &cause).hint("raise the limit of open files (ulimit -n)")
    })
}

/// Carries out a plan to its end.
///
/// # Errors
/// Whatever kept the plan from being carried out whole.
pub fn run(plan: Plan) -> Result<()> {
    spare_descriptors()?;
    // One thread: a command waits far more than it computes, and starting more would take longer than most of them run.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::local("cannot start", &cause))?;
    let ended = match plan {
        Plan::MqttPub(plan) => runtime.block_on(mqtt_pub::run(*plan)),
        Plan::MqttSub(plan) => runtime.block_on(mqtt_sub::run(*plan)),
        Plan::MqttBroker(plan) => runtime.block_on(mqtt_broker::run(*plan)),
        Plan::BenchAmqp(plan) => runtime.block_on(bench_amqp::run(*plan)),
        Plan::BenchMqtt(plan) => runtime.block_on(bench_mqtt::run(*plan)),
        Plan::BenchCoap(plan) => runtime.block_on(bench_coap::run(*plan)),
        Plan::CoapRequest(plan) => runtime.block_on(coap_request::run(*plan)),
        Plan::CoapObserve(plan) => runtime.block_on(coap_observe::run(*plan)),
        Plan::CoapDiscover(plan) => runtime.block_on(coap_discover::run(*plan)),
        Plan::CoapRd(plan) => runtime.block_on(coap_rd::run(*plan)),
        Plan::CoapPing(plan) => runtime.block_on(coap_ping::run(*plan)),
        Plan::CoapServer(plan) => runtime.block_on(coap_server::run(*plan)),
        Plan::BenchReport(plan) => runtime.block_on(bench_report::run(*plan)),
        Plan::BenchMerge(plan) => runtime.block_on(bench_merge::run(*plan)),
        Plan::BenchCompare(plan) => runtime.block_on(bench_compare::run(*plan)),
        Plan::AmqpBroker(plan) => runtime.block_on(amqp_broker::run(*plan)),
        Plan::AmqpPublish(plan) => runtime.block_on(amqp_publish::run(*plan)),
        Plan::AmqpConsume(plan) => runtime.block_on(amqp_consume::run(*plan)),
        Plan::AmqpGet(plan) => runtime.block_on(amqp_get::run(*plan)),
        Plan::AmqpRequest(plan) => runtime.block_on(amqp_request::run(*plan)),
        Plan::AmqpRespond(plan) => runtime.block_on(amqp_respond::run(*plan)),
        Plan::AmqpTopology(plan) => runtime.block_on(amqp_topology::run(*plan)),
        Plan::AmqpApply(plan) => runtime.block_on(amqp_apply::run(*plan)),
        Plan::AmqpPing(plan) => runtime.block_on(amqp_ping::run(*plan)),
    };
    // A name lookup or a read from a terminal may still be blocked in a thread; nobody waits for it.
    runtime.shutdown_background();
    ended
}
