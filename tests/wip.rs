#![allow(dead_code, unreachable_pub, unused_imports)]
mod suite {
    pub mod ota;
    pub mod support;
}
use suite::support;
