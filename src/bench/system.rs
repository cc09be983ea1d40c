//! What this process may use, and what it has used.

use std::fs;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::error::{Error, Kind, Result};
use crate::server::raise_descriptors;

/// Descriptors that are not connections: standard streams, timers, the runtime's own.
const OTHER_DESCRIPTORS: u64 = 64;

/// What else helps a benchmark where descriptors are too few.
pub const SHARED: &str = ", or share the load with --processes or --shard";

/// The same where ports are too few.
pub const SHARDED: &str = ", or share the load with --shard";

/// Makes sure that `connections` can be open at once: raises the soft limit of descriptors to the hard one.
///
/// # Errors
/// [`Kind::Local`] when the hard limit is too low; its hint ends with `or`.
pub fn reserve_descriptors(connections: u64, or: &str) -> Result<()> {
    let needed = connections + OTHER_DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    match raise_descriptors() {
        Some(have) if have < needed => Err(too_few(connections, needed, have, or)),
        _ => Ok(()),
    }
}

fn too_few(connections: u64, needed: u64, have: u64, or: &str) -> Error {
    let text = format!(
        "{connections} connections need {needed} file descriptors, but the limit is {have}"
    );
    let fit = have.saturating_sub(OTHER_DESCRIPTORS);
    let hint = format!("{fit} would fit; raise the hard limit (ulimit -Hn, LimitNOFILE=){or}");
    Error::new(Kind::Local, text).hint(hint)
}

/// The local ports that the kernel gives out by itself: first and last. `None` where that cannot be found out.
pub fn port_range() -> Option<(u16, u16)> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ports = text.split_whitespace().map(str::parse);
    Some((ports.next()?.ok()?, ports.next()?.ok()?))
}

/// CPU seconds, of user and system together, that this process has used.
pub fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// The largest resident memory so far in bytes; 0 where that cannot be found out.
pub fn max_rss_bytes() -> u64 {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0_u64) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_beyond_the_hard_limit_is_said_with_a_way_out() {
        let error = reserve_descriptors(u64::MAX / 2, SHARED).map_or_else(Some, |()| None);
        // Where there is no limit at all nothing is wrong.
        if getrlimit(Resource::Nofile).maximum.is_some() {
            let error = error.expect("there is a limit");
            assert_eq!(error.kind(), Kind::Local);
            let hint = error.hint_text().unwrap_or_default();
            assert!(
                hint.contains("ulimit") && hint.contains(" would fit; "),
                "{hint}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        assert!(max_rss_bytes() > 1 << 20);
        assert!(cpu_seconds() > 0.0);
        let (first, last) = port_range().expect("the kernel says so");
        assert!(first < last);
    }
}
