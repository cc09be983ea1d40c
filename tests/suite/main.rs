//! The one integration-test binary; each part is a module.

mod cli;
mod generated;
mod layers;
mod readme;
mod support;
