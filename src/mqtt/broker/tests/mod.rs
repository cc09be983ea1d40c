//! The broker packet by packet on a virtual clock.

mod access;
mod connecting;
mod delivery;
mod driving;
mod faults;
mod flows;
mod holding;
mod limits;
mod memory;
mod retained;
mod sessions;
mod subscribing;
mod turns;
mod wills;
mod world;
