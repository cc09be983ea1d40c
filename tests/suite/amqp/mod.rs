//! The AMQP commands against a private RabbitMQ and scripted peers.

mod broker;
mod bulk;
mod cli;
mod consuming;
mod guards;
mod mqtt;
mod peer;
mod publishing;
mod queues;
mod recovery;
mod rpc;
mod tapping;
mod topology;
mod trouble;
mod words;
