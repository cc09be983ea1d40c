//! When messages are due: stages of a rate, and how its messages are spread. Pure; no clock.
//!
//! Every kind of arrival is a process of mean rate one, carried into time by the inverse of the planned
//! number of messages N(t): where the rate is high, the same gaps become short.

use std::time::Duration;

use super::clock::{Nanos, nanos};
use super::plan::{Arrivals, Stage};
use crate::random::Random;

/// Which part of a group's messages one worker sends.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    /// Its connections in the group.
    pub connections: usize,
    /// All connections of the group.
    pub of: usize,
    /// Where among its like this worker stands, from 0 to below 1: workers do not send in step.
    pub phase: f64,
    /// The seed of everything random, different for each worker.
    pub random: Random,
}

/// The due times of one worker's part of a group, in order, without end.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    curve: Curve,
    process: Process,
    /// Messages of the whole group for each of ours.
    spread: f64,
    /// Messages so far, of ours.
    taken: u64,
    connections: usize,
}

/// A point process of mean rate one.
#[derive(Clone, Debug)]
enum Process {
    Constant {
        phase: f64,
    },
    Drawn {
        random: Random,
        poisson: bool,
        at: f64,
    },
    /// Phases in order, each with its connection.
    Devices(Vec<(f64, usize)>),
    Bursts {
        every: f64,
        phase: f64,
    },
    /// Sums of gaps in nanoseconds; the last one is a whole round.
    Recorded {
        sums: Vec<Nanos>,
        first: f64,
    },
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Since sending began.
    pub at: Nanos,
    /// Of which of our connections in the group, from 0.
    pub connection: usize,
}

impl Schedule {
    /// The schedule of one worker that has `share.connections` of the group's, at least one.
    pub(crate) fn new(stages: &[Stage], arrivals: &Arrivals, share: Share) -> Self {
        let Share {
            connections,
            of,
            phase,
            mut random,
        } = share;
        let process = match arrivals {
            Arrivals::Constant => Process::Constant { phase },
            Arrivals::Uniform | Arrivals::Poisson => Process::Drawn {
                poisson: *arrivals == Arrivals::Poisson,
                at: 0.0,
                random,
            },
            Arrivals::Devices => {
                let mut phases: Vec<_> = (0..connections)
                    .map(|connection| (random.fraction(), connection))
                    .collect();
                phases.sort_by(|a, b| a.0.total_cmp(&b.0));
                Process::Devices(phases)
            }
            Arrivals::Bursts { every } => Process::Bursts {
                every: every.as_secs_f64(),
                phase,
            },
            Arrivals::Recorded(gaps) => Process::Recorded {
                sums: sums(gaps),
                first: phase,
            },
        };
        Self {
            curve: Curve::new(stages),
            process,
            spread: of as f64 / connections as f64,
            taken: 0,
            connections,
        }
    }

    /// The next message, without end as long as the rate is not zero for ever.
    fn compute(&mut self) -> Option<Due> {
        let taken = self.taken;
        self.taken += 1;
        let mut connection = (taken % self.connections as u64) as usize;
        let at = match &mut self.process {
            Process::Constant { phase } => {
                self.curve.when((taken as f64 + *phase) * self.spread)?
            }
            Process::Drawn {
                random,
                poisson,
                at,
            } => {
                let drawn = random.fraction();
                *at += if *poisson {
                    -(1.0 - drawn).ln()
                } else {
                    2.0 * drawn
                };
                self.curve.when(*at * self.spread)?
            }
            Process::Devices(phases) => {
                let (phase, device) = phases[connection];
                connection = device;
                let round = (taken / self.connections as u64) as f64;
                self.curve
                    .when((round + phase) * self.connections as f64 * self.spread)?
            }
            Process::Bursts { every, phase } => {
                let evenly = self.curve.when((taken as f64 + *phase) * self.spread)?;
                // A message due at the very end of an interval belongs to the next one, whatever its last digit.
                (evenly / *every + 1e-9).floor() * *every
            }
            Process::Recorded { sums, first } => {
                let which = ((taken as f64 + *first) * self.spread) as u64;
                let at = recorded(sums, which);
                return Some(Due { at, connection });
            }
        };
        Some(Due {
            at: (at * 1e9) as Nanos,
            connection,
        })
    }
}

/// Seconds until `count` messages of the whole group that are due at or after `warmup` seconds have had their time: the
/// moment at which the next one would be due, or the end of the last stage. `None` where chance or a recording says when
/// messages are due.
pub(crate) fn lasts(load: (&[Stage], &Arrivals), warmup: f64, count: u64) -> Option<f64> {
    let (stages, arrivals) = load;
    if !matches!(
        arrivals,
        Arrivals::Constant | Arrivals::Devices | Arrivals::Bursts { .. }
    ) {
        return None;
    }
    let mut curve = Curve::new(stages);
    let all = stages.iter().filter_map(|stage| stage.lasts);
    let whole = all.sum::<Duration>().as_secs_f64();
    let before = curve.count(warmup);
    Some(curve.when(before + count as f64).unwrap_or(whole))
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        self.compute()
    }
}

fn sums(gaps: &[Duration]) -> Vec<Nanos> {
    let add = |sum: &mut Nanos, gap: &Duration| {
        *sum += nanos(*gap);
        Some(*sum)
    };
    gaps.iter().scan(0, add).collect()
}

fn recorded(sums: &[Nanos], which: u64) -> Nanos {
    let Some(round) = sums.last() else {
        return 0;
    };
    let length = sums.len() as u64;
    which / length * round + sums[(which % length) as usize]
}

/// The planned number of messages over time, and back.
#[derive(Clone, Debug)]
struct Curve {
    stages: Vec<Piece>,
    /// The stage of the last answer: questions only go up.
    current: usize,
}

/// A stage with what came before it.
#[derive(Clone, Debug)]
struct Piece {
    /// Seconds before it.
    begins: f64,
    /// Messages before it.
    before: f64,
    /// Seconds.
    lasts: f64,
    from: f64,
    to: f64,
}

impl Curve {
    fn new(stages: &[Stage]) -> Self {
        let (mut begins, mut before) = (0.0, 0.0);
        let mut pieces = Vec::with_capacity(stages.len() + 1);
        for stage in stages {
            let lasts = stage.lasts.map_or(f64::INFINITY, |time| time.as_secs_f64());
            pieces.push(Piece {
                begins,
                before,
                lasts,
                from: stage.from,
                to: stage.to,
            });
            begins += lasts;
            before += (stage.from + stage.to) / 2.0 * lasts;
        }
        if let Some(last) = stages.last().filter(|last| last.lasts.is_some()) {
            pieces.push(Piece {
                begins,
                before,
                lasts: f64::INFINITY,
                from: last.to,
                to: last.to,
            });
        }
        Self {
            stages: pieces,
            current: 0,
        }
    }

    /// How many messages are due before this moment, in seconds.
    fn count(&self, at: f64) -> f64 {
        let piece = self.stages.iter().rfind(|piece| piece.begins <= at);
        piece.map_or(0.0, |piece| piece.before + piece.until(at - piece.begins))
    }

    /// When message number `count` is due, in seconds; `None`: never.
    fn when(&mut self, count: f64) -> Option<f64> {
        loop {
            let piece = self.stages.get(self.current)?;
            let inside = count - piece.before;
            if inside < piece.messages() {
                return Some(piece.begins + piece.when(inside));
            }
            self.current += 1;
        }
    }
}

impl Piece {
    /// How many messages are due in its first seconds.
    fn until(&self, time: f64) -> f64 {
        let slope = (self.to - self.from) / self.lasts;
        (0.5 * slope * time).mul_add(time, self.from * time)
    }

    fn messages(&self) -> f64 {
        if self.from == 0.0 && self.to == 0.0 {
            return 0.0;
        }
        (self.from + self.to) / 2.0 * self.lasts
    }

    /// Solves `from · t + (to − from) / (2 · lasts) · t² = count` without losing digits.
    fn when(&self, count: f64) -> f64 {
        if count <= 0.0 {
            return 0.0;
        }
        let slope = if self.lasts.is_finite() {
            (self.to - self.from) / self.lasts
        } else {
            0.0
        };
        if slope == 0.0 {
            return count / self.from;
        }
        let root = (2.0f64.mul_add(count * slope, self.from * self.from)).max(0.0);
        2.0 * count / (self.from + root.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    fn steady(rate: f64) -> Vec<Stage> {
        vec![Stage {
            lasts: None,
            from: rate,
            to: rate,
        }]
    }

    fn share(connections: usize, of: usize, phase: f64) -> Share {
        Share {
            connections,
            of,
            phase,
            random: Random::new(7, 1),
        }
    }

    fn dues(stages: &[Stage], arrivals: &Arrivals, share: Share, until: Nanos) -> Vec<Due> {
        Schedule::new(stages, arrivals, share)
            .take_while(|due| due.at < until)
            .collect()
    }

    #[test]
    fn a_constant_rate_is_even_and_goes_round_the_connections() {
        let found = dues(
            &steady(1000.0),
            &Arrivals::Constant,
            share(4, 4, 0.0),
            SECOND,
        );
        assert_eq!(found.len(), 1000);
        for (number, due) in found.iter().enumerate() {
            assert_eq!(due.connection, number % 4);
            assert!(due.at.abs_diff(number as u64 * 1_000_000) <= 1, "{due:?}");
        }
    }

    #[test]
    fn workers_together_send_the_whole_rate_and_not_in_step() {
        let all: Vec<_> = (0..4)
            .flat_map(|worker| {
                let share = share(2, 8, f64::from(worker) / 4.0);
                dues(&steady(1000.0), &Arrivals::Constant, share, SECOND)
            })
            .map(|due| due.at)
            .collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((all.len(), sorted.len()), (1000, 1000));
    }

    #[test]
    fn a_ramp_sends_what_its_area_says_and_the_last_rate_goes_on() {
        let stages = [
            Stage {
                lasts: Some(Duration::from_secs(10)),
                from: 0.0,
                to: 100.0,
            },
            Stage {
                lasts: Some(Duration::from_secs(5)),
                from: 200.0,
                to: 200.0,
            },
        ];
        let in_time = |from: Nanos, to: Nanos| {
            dues(&stages, &Arrivals::Constant, share(1, 1, 0.0), to * SECOND)
                .iter()
                .filter(|due| due.at >= from * SECOND)
                .count()
        };
        assert_eq!(in_time(0, 10), 500);
        assert_eq!(in_time(0, 5), 125);
        assert_eq!(in_time(10, 15), 1000);
        assert_eq!(in_time(15, 20), 1000);
    }

    #[test]
    fn a_pause_is_a_stage_of_rate_zero() {
        let stage = |lasts, rate| Stage {
            lasts: Some(Duration::from_secs(lasts)),
            from: rate,
            to: rate,
        };
        let stages = [stage(1, 10.0), stage(3, 0.0), stage(1, 10.0), stage(1, 0.0)];
        let found: Vec<_> = Schedule::new(&stages, &Arrivals::Constant, share(1, 1, 0.0)).collect();
        assert_eq!(found.len(), 20);
        assert_eq!(found[10].at, 4 * SECOND);
    }

    #[test]
    fn a_count_lasts_as_long_as_its_gaps() {
        let lasts_for = |stages: &[Stage], warmup, count| {
            lasts((stages, &Arrivals::Constant), warmup, count).unwrap()
        };
        assert!((lasts_for(&steady(10.0), 0.0, 10) - 1.0).abs() < 1e-9);
        assert!((lasts_for(&steady(3.0), 0.5, 6) - 2.5).abs() < 1e-9);
        let stage = |time, from, to| Stage {
            lasts: Some(Duration::from_secs(time)),
            from,
            to,
        };
        let ramp = [stage(10, 0.0, 100.0), stage(5, 0.0, 0.0)];
        assert!(
            (lasts_for(&ramp, 5.0, 375) - 15.0).abs() < 1e-9,
            "the pause too"
        );
        assert!((lasts_for(&ramp, 0.0, 125) - 5.0).abs() < 1e-9);
        let load = (&steady(1.0)[..], &Arrivals::Poisson);
        assert_eq!(lasts(load, 0.0, 5), None);
    }

    #[test]
    fn random_arrivals_have_the_rate_and_their_spread() {
        for (arrivals, deviation) in [
            (Arrivals::Poisson, 1.0),
            (Arrivals::Uniform, 1.0 / 3.0_f64.sqrt()),
        ] {
            let found = dues(&steady(1000.0), &arrivals, share(1, 1, 0.0), 100 * SECOND);
            assert!(found.len().abs_diff(100_000) < 1_500, "{}", found.len());
            let gaps: Vec<f64> = found
                .windows(2)
                .map(|pair| (pair[1].at - pair[0].at) as f64 / 1e6)
                .collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let squares = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
            let found = (squares / gaps.len() as f64).sqrt();
            assert!((found - deviation).abs() < 0.02, "{arrivals:?}: {found}");
        }
    }

    #[test]
    fn each_device_keeps_its_own_period() {
        let found = dues(
            &steady(10.0),
            &Arrivals::Devices,
            share(5, 5, 0.0),
            60 * SECOND,
        );
        for device in 0..5 {
            let times: Vec<_> = found
                .iter()
                .filter(|due| due.connection == device)
                .map(|due| due.at)
                .collect();
            assert_eq!(times.len(), 120);
            assert!(times[0] < SECOND / 2);
            for pair in times.windows(2) {
                assert!((pair[1] - pair[0]).abs_diff(SECOND / 2) <= 2);
            }
        }
        assert!(found.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    #[test]
    fn bursts_come_all_at_once() {
        let every = Duration::from_millis(100);
        let found = dues(
            &steady(1000.0),
            &Arrivals::Bursts { every },
            share(1, 1, 0.0),
            SECOND,
        );
        assert_eq!(found.len(), 1000);
        for burst in found.chunks(100) {
            assert!(burst.iter().all(|due| due.at == burst[0].at));
        }
    }

    #[test]
    fn recorded_gaps_are_played_over_and_over() {
        let gaps = [1, 3, 2].map(Duration::from_secs).to_vec();
        let found = dues(
            &steady(1.0),
            &Arrivals::Recorded(gaps),
            share(1, 1, 0.0),
            13 * SECOND,
        );
        let times: Vec<_> = found.iter().map(|due| due.at / SECOND).collect();
        assert_eq!(times, [1, 4, 6, 7, 10, 12]);
    }
}
