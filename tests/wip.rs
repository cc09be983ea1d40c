#![allow(dead_code, unreachable_pub)]
#[path = "suite/support/mod.rs"]
mod support;
#[path = "suite/simulate.rs"]
mod simulate;
#[path = "suite/layers.rs"]
mod layers;
#[path = "suite/generated.rs"]
mod generated;
#[path = "suite/readme.rs"]
mod readme;
