//! The one integration-test binary; each part is a module.

#![expect(
    unreachable_pub,
    reason = "what `support` offers to the other modules reads best as `pub`"
)]

mod alert;
mod amqp;
mod bad_input;
mod bench_amqp;
mod bench_coap;
mod bench_diagnosis;
mod bench_faults;
mod bench_processes;
mod bench_results;
mod bench_scenarios;
mod bench_truth;
mod bridge;
mod bridging;
mod broker_limits;
mod cli;
mod coap_aiocoap;
mod coap_bodies;
mod coap_capture;
mod coap_client;
mod coap_dtls;
mod coap_hostile;
mod coap_loss;
mod coap_observe;
mod coap_oscore;
mod coap_proxy;
mod coap_rd;
mod coap_rd_keep;
mod coap_server;
mod coap_shared;
mod coap_trouble;
mod completion;
mod connecting;
mod crossing;
mod drop_in;
mod durability;
mod endpoints;
mod flow;
mod flow_cells;
mod gateway;
mod generated;
mod hangup;
mod killed;
mod large;
mod launching;
mod layers;
mod log;
mod mosquitto_pub_sub;
mod mqtt_clients;
mod ota;
mod our_broker;
mod probing;
mod publishing;
mod readme;
mod receiving;
mod replay;
mod request;
mod route;
mod rules;
mod rumqttc_peer;
mod sending;
mod serving;
mod showing;
mod simulate;
mod spool;
mod support;
mod tls;
mod transports;
mod trouble;
mod trust;
mod watch;
mod websocket;
