//! The broker packet by packet on a virtual clock.

mod access;
mod connecting;
mod delivery;
mod driving;
mod faults;
mod flows;
mod limits;
mod sessions;
mod subscribing;
mod wills;
mod world;
