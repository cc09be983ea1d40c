//! What will happen to an update.

use crate::device::model::Updates;
use crate::pace::clock::Nanos;
use crate::random::Random;

/// How long each step takes, and which one fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fate {
    /// After this part of it.
    pub(super) download: Option<f64>,
    pub(super) verify: bool,
    pub(super) install: bool,
    pub(super) reboot: bool,
    pub(super) health: bool,
    pub(super) download_takes: Nanos,
    pub(super) install_takes: Nanos,
    pub(super) reboot_takes: Nanos,
    pub(super) health_takes: Nanos,
}

impl Fate {
    /// What follows from these numbers. All is drawn each time, so that the chance of one thing changes no other.
    pub(super) fn of(updates: &Updates, from: [u64; 3]) -> Self {
        let [seed, sequence, begun] = from;
        let mut random = Random::new(seed ^ sequence.rotate_left(32), begun);
        let takes = [
            &updates.download,
            &updates.install,
            &updates.reboot,
            &updates.health,
        ];
        let takes = takes.map(|span| {
            let part = random.fraction();
            span.least() + (part * (span.most() - span.least()) as f64) as Nanos
        });
        let fail = &updates.fail;
        let fails = [
            fail.download,
            fail.verify,
            fail.install,
            fail.reboot,
            fail.health,
        ];
        let [download, verify, install, reboot, health] =
            fails.map(|chance| random.fraction() < chance);
        let part = random.fraction();
        let [download_takes, install_takes, reboot_takes, health_takes] = takes;
        Self {
            download: download.then_some(part),
            verify,
            install,
            reboot,
            health,
            download_takes,
            install_takes,
            reboot_takes,
            health_takes,
        }
    }
}
