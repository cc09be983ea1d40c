#![allow(dead_code, unreachable_pub, unused_imports)]
#[path = "suite"]
mod suite {
    mod generated;
    mod layers;
    mod readme;
    mod simulate;
    pub mod support;
}
use suite::support;
