//! What the embedded brokers share: their engine is sans-I/O, and here are the clock, the tasks and the tables around it.
//!
//! | file | what it holds |
//! |---|---|
//! | `host`, `serve` | the engine with a clock and a task per connection; its listeners |
//! | `users`, `password`, `login` | who may connect, and how that is found out without holding others up |
//! | `fault` | how faults on purpose are written, and when they happen |
//! | `descriptors` | how many connections there can be |
//! | [`web`] | pages, metrics and event streams over HTTP, for who only reads |
//! | `timers`, `slab` | what is due when; tables with keys |

mod descriptors;
mod fault;
mod host;
mod login;
mod password;
mod serve;
mod slab;
mod timers;
mod users;
pub(crate) mod web;

pub(crate) use descriptors::raise_descriptors;
pub(crate) use fault::{Fault, Faults, Keys, WHEN_KEYS, When, Wrong};
pub(crate) use host::{Engine, Host, State};
pub(crate) use login::{Checking, Login};
pub(crate) use serve::serve;
pub(crate) use slab::{Key, Slab};
pub(crate) use timers::Timers;
pub(crate) use users::{Check, Users, significant};
