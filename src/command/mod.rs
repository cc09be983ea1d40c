//! One file per thing a user can do; the only room where a protocol meets the terminal.

pub mod coap_discover;
pub mod coap_observe;
pub mod coap_ping;
mod coap_record;
pub mod coap_request;
pub mod coap_server;
pub mod coap_session;
pub mod mqtt_broker;
pub mod mqtt_pub;
mod mqtt_record;
pub mod mqtt_session;
pub mod mqtt_sub;

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
    /// `coap get` to `coap ipatch`
    CoapRequest(Box<coap_request::Plan>),
    /// `coap observe`
    CoapObserve(Box<coap_observe::Plan>),
    /// `coap discover`
    CoapDiscover(Box<coap_discover::Plan>),
    /// `coap ping`
    CoapPing(Box<coap_ping::Plan>),
    /// `coap server`
    CoapServer(Box<coap_server::Plan>),
}

/// Carries out a plan to its end.
///
/// # Errors
/// Whatever kept the plan from being carried out whole.
pub fn run(plan: Plan) -> Result<()> {
    // One thread: a command waits far more than it computes, and starting more would take longer than most of them run.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::local("cannot start", &cause))?;
    let ended = match plan {
        Plan::MqttPub(plan) => runtime.block_on(mqtt_pub::run(*plan)),
        Plan::MqttSub(plan) => runtime.block_on(mqtt_sub::run(*plan)),
        Plan::MqttBroker(plan) => runtime.block_on(mqtt_broker::run(*plan)),
        Plan::CoapRequest(plan) => runtime.block_on(coap_request::run(*plan)),
        Plan::CoapObserve(plan) => runtime.block_on(coap_observe::run(*plan)),
        Plan::CoapDiscover(plan) => runtime.block_on(coap_discover::run(*plan)),
        Plan::CoapPing(plan) => runtime.block_on(coap_ping::run(*plan)),
        Plan::CoapServer(plan) => runtime.block_on(coap_server::run(*plan)),
    };
    // A name lookup or a read from a terminal may still be blocked in a thread; nobody waits for it.
    runtime.shutdown_background();
    ended
}
