//! The time at which things happen: a clock that does not step, and waiting until a moment, exactly.
//!
//! | part | what it is for |
//! |---|---|
//! | [`clock`] | one clock for a whole run |
//! | [`timer`] | a timer of the operating system, within microseconds |
//! | [`punctual`] | asks for waking up as much earlier as waking up takes |
//! | [`wake`] | which of many connections have something to do |
//! | [`alarm`] | waits for moments of the runtime's clock, exactly or as the runtime does |

pub(crate) mod alarm;
pub mod clock;
pub(crate) mod punctual;
pub(crate) mod timer;
pub(crate) mod wake;
