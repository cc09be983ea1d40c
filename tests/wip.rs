#![allow(dead_code, unreachable_pub, unused_imports)]
mod suite {
    pub mod bad_input;
    pub mod completion;
    pub mod generated;
    pub mod layers;
    pub mod ota;
    pub mod readme;
    pub mod support;
}
use suite::support;
