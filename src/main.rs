//! `main` turns words into an exit code; it has no ideas of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    iotctl::run(std::env::args_os())
}
