//! Whether the command was started without a standard input or output (`iotctl … <&-`, `>&-`).
//!
//! Rust's runtime opens `/dev/null` in place of each missing stream before `main`, so afterwards the
//! streams look as if the user had named `/dev/null`, just as other programs open it for us
//! (Python's `subprocess.DEVNULL` reads and writes too). So we look before the runtime does: the C
//! library calls what stands in `.init_array` first. On other systems than Linux nothing is found missing.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};

static INPUT: AtomicBool = AtomicBool::new(false);
static OUTPUT: AtomicBool = AtomicBool::new(false);

/// Whether there was no standard input when the process started.
pub(crate) fn input_was_closed() -> bool {
    INPUT.load(Ordering::Relaxed)
}

/// Whether somebody types at standard input.
pub(crate) fn input_is_terminal() -> bool {
    !input_was_closed() && io::stdin().is_terminal()
}

/// Whether there was no standard output when the process started.
pub(crate) fn output_was_closed() -> bool {
    OUTPUT.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the only way to run before the runtime")]
mod early {
    use std::sync::atomic::Ordering;

    use rustix::fd::BorrowedFd;
    use rustix::io::{Errno, fcntl_getfd};
    use rustix::stdio;

    // SAFETY: `.init_array` holds pointers to `extern "C"` functions that the C library calls one after
    // another on the only thread; `look` touches two statics and makes two system calls, so it
    // needs nothing that is set up later.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;

    extern "C" fn look() {
        super::INPUT.store(is_missing(stdio::stdin()), Ordering::Relaxed);
        super::OUTPUT.store(is_missing(stdio::stdout()), Ordering::Relaxed);
    }

    fn is_missing(stream: BorrowedFd<'_>) -> bool {
        fcntl_getfd(stream) == Err(Errno::BADF)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::env;
    use std::process::Command;

    use super::*;

    /// Runs the test below in a process of its own, started by a shell with `redirections`.
    fn seen_by_a_child(redirections: &str) -> Option<i32> {
        let command = format!("exec \"$0\" --exact payload::standard::tests::child {redirections}");
        let status = Command::new("sh")
            .args(["-c", &command])
            .arg(env::current_exe().unwrap())
            .env("IOTCTL_TEST_STREAMS", "1")
            .status();
        status.unwrap().code()
    }

    /// In the child: the exit code says what is missing.
    #[test]
    #[expect(
        clippy::exit,
        reason = "the only way to tell, with standard output closed"
    )]
    fn child() {
        if env::var_os("IOTCTL_TEST_STREAMS").is_some() {
            std::process::exit(
                40 + i32::from(input_was_closed()) + 2 * i32::from(output_was_closed()),
            );
        }
    }

    #[test]
    fn what_was_missing_at_the_start_is_known() {
        assert_eq!(seen_by_a_child("</dev/null >/dev/null"), Some(40));
        assert_eq!(seen_by_a_child("<&- >/dev/null"), Some(41));
        assert_eq!(seen_by_a_child("</dev/null >&-"), Some(42));
        assert_eq!(seen_by_a_child("<&- >&-"), Some(43));
    }

    #[test]
    fn dev_null_opened_for_both_is_there() {
        assert_eq!(seen_by_a_child("<>/dev/null 1<>/dev/null"), Some(40));
    }
}
