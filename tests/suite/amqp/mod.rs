//! The AMQP commands against a private RabbitMQ and scripted peers.

mod consuming;
mod peer;
mod publishing;
mod rpc;
mod topology;
mod trouble;
mod words;
