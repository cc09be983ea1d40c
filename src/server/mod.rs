//! What the embedded brokers share: their engine is sans-I/O, and here are the clock, the tasks and the tables around it.
//!
//! | file | what it holds |
//! |---|---|
//! | `host`, `serve` | the engine with a clock and a task per connection; its listeners |
//! | `users`, `password`, `login` | who may connect, and how that is found out without holding others up |
//! | `fault` | how faults on purpose are written, and when they happen |
//! | `descriptors` | how many connections there can be |
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

pub use descriptors::raise_descriptors;
pub use fault::{Fault, Faults, Keys, WHEN_KEYS, When, Wrong};
pub use host::{Engine, Host, State};
pub use login::{Checking, Login};
pub use serve::serve;
pub use slab::{Key, Slab};
pub use timers::Timers;
pub use users::{Check, Users, significant};
