//! The broker on a clock that only moves when it is told to.

mod confirms;
mod consuming;
mod errors;
mod faults;
mod hostile;
mod limits;
mod rabbit;
mod routing;
mod turns;
mod world;
