#![allow(dead_code, unreachable_pub)]
#[path = "suite/ota.rs"]
mod ota;
#[path = "suite/support/mod.rs"]
mod support;
