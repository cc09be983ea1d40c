//! What the embedded brokers share: their engine is sans-I/O, and here are the clock, the tasks and the tables around it.
//!
//! | file | what it holds |
//! |---|---|
//! | `host`, `serve` | the engine with a clock and a task per connection; its listeners |
//! | `users`, `password` | who may connect |
//! | `keys` | how faults are spelled, and when they happen |
//! | `timers`, `slab` | what is due when; tables with keys |

mod host;
mod keys;
mod password;
mod serve;
mod slab;
mod timers;
mod users;

pub use host::{Engine, Host, State};
pub use keys::{Keys, When};
pub use serve::serve;
pub use slab::{Key, Slab};
pub use timers::Timers;
pub use users::{Users, significant};
