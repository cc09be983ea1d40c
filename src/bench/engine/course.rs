//! The coordinator: starts the workers, leads them through the phases, and adds up what they say.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::super::clock::{self, Clock, Nanos, nanos, seconds};
use super::super::driver::Driver;
use super::super::plan::{Coalesce, Load, Plan};
use super::super::profile::Share;
use super::super::random::Random;
use super::super::recorder::{Records, Window};
use super::super::result::{Interval, Messages, Report};
use super::super::series::Series;
use super::super::system;
use super::control::{Control, News, Standing};
use super::load::{Runner, part_of, saturates, window};
use super::summary::{self, Drain, Phases};
use super::wake::Ready;
use super::worker::{self, Part, Setup};
use crate::error::{Error, Result};

/// From the decision to begin to the first message, and from the decision to stop to the last: every worker
/// has heard of it by then.
const NOTICE: Nanos = 20_000_000;
/// When something came this recently, more may be coming.
const STILL_COMING: Nanos = 200_000_000;
/// How often the coordinator looks at the clock.
const LOOK: Duration = Duration::from_millis(10);

/// What to run.
pub struct Run<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// One for each group of the plan.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// The run's number, as the drivers write it into their messages.
    pub run_id: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What was found; without thresholds and setup, which are the caller's.
    pub report: Report,
    /// The first failure to connect, if any, with its exit code.
    pub trouble: Option<Error>,
}

impl Outcome {
    /// Whether none of the connections that were planned could be opened.
    pub const fn has_no_connection(&self) -> bool {
        let connections = &self.report.connections;
        connections.planned > 0 && connections.opened == 0
    }
}

/// What a live view shows; handed out once per interval.
#[derive(Clone, Debug)]
pub struct Live<'a> {
    /// The newest point of the time series.
    pub interval: &'a Interval,
    /// Messages so far.
    pub messages: &'a Messages,
    /// Connections asked for in this shard.
    pub planned_connections: u64,
    /// How much of the run is done, from 0 to 1, where that is known.
    pub progress: Option<f64>,
}

/// Runs the plan to its end, or until `stop` is ready: then nothing more is sent, and what is under way is waited for.
/// `watch` sees each interval and says whether to go on.
///
/// # Errors
/// Too few descriptors, or a thread that cannot be started. Whatever happens to connections and messages
/// is in the report.
pub async fn run(
    run: Run<'_>,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let (sender, news) = unbounded_channel();
    let mut course = Course::start(&run, sender)?;
    let mut reporter = Watch(watch);
    tokio::pin!(stop);
    course.follow(news, stop.as_mut(), &mut reporter).await;
    Ok(course.finish(&run))
}

struct Watch<F>(F);

/// Where the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Sending,
    Draining,
}

struct Course<'a> {
    plan: &'a Plan,
    clock: Clock,
    control: Arc<Control>,
    workers: Vec<(Arc<Ready>, thread::JoinHandle<()>)>,
    standings: Vec<Standing>,
    /// Up to when each worker has reported.
    heard: Vec<Nanos>,
    phase: Phase,
    planned_connections: u64,
    /// The interval that is being added up.
    current: Records,
    total: Records,
    intervals: Series,
    next_interval: Nanos,
    started: Nanos,
    /// When every connection had been tried.
    settled: Option<Nanos>,
    begin: Nanos,
    /// CPU seconds at the beginning and the end of the measured time.
    cpu: [Option<f64>; 2],
    cpu_last: (Nanos, f64),
    trouble: Option<Error>,
    stopped: bool,
    /// When a message or an acknowledgement was last heard of.
    last_came: Nanos,
    drain: Drain,
}

impl<'a> Course<'a> {
    fn start(run: &Run<'a>, news: UnboundedSender<News>) -> Result<Self> {
        let plan = run.plan;
        let own: usize = plan
            .groups
            .iter()
            .map(|group| own(plan, group.connections))
            .sum();
        system::reserve_descriptors(own as u64)?;
        let threads = plan.threads.clamp(1, own.max(1));
        let clock = Clock::start();
        // Before the first worker runs: it may be done before the last one is there.
        let started = clock.now();
        let control = Arc::new(Control::new());
        let mut workers = Vec::with_capacity(threads);
        for number in 0..threads {
            let ready = Arc::new(Ready::default());
            let setup = setup(run, number, threads, clock, &control, &ready, &news);
            workers.push((ready, spawn(setup)?));
        }
        Ok(Self {
            plan,
            clock,
            control,
            standings: vec![Standing::default(); threads],
            heard: vec![0; threads],
            workers,
            phase: Phase::Connecting,
            planned_connections: own as u64,
            current: Records::default(),
            total: Records::default(),
            intervals: Series::default(),
            next_interval: Nanos::MAX,
            started,
            settled: None,
            begin: Nanos::MAX,
            cpu: [None; 2],
            cpu_last: (started, system::cpu_seconds()),
            trouble: None,
            stopped: false,
            last_came: 0,
            drain: Drain::Done,
        })
    }

    async fn follow<F: FnMut(&Live<'_>) -> bool>(
        &mut self,
        mut news: UnboundedReceiver<News>,
        mut stop: impl Future<Output = ()> + Unpin,
        watch: &mut Watch<F>,
    ) {
        while !self.standings.iter().all(|standing| standing.ended) {
            tokio::select! {
                heard = news.recv() => match heard {
                    Some(heard) => self.hear(heard),
                    // All workers are gone.
                    None => return,
                },
                () = &mut stop, if !self.stopped => self.stop(),
                () = sleep(LOOK) => {}
            }
            self.advance();
            self.emit(watch);
        }
    }

    fn hear(&mut self, news: News) {
        self.heard[news.worker] = news.at;
        self.standings[news.worker] = news.standing;
        if news.records.flow.received + news.records.flow.acknowledged > 0 {
            self.last_came = self.last_came.max(news.at);
        }
        self.current.add(news.records);
        if self.trouble.is_none() {
            self.trouble = news.trouble;
        }
    }

    /// Moves on to the next phase when it is time.
    fn advance(&mut self) {
        let now = self.clock.now();
        match self.phase {
            Phase::Connecting => {
                if self.stopped {
                    self.over();
                } else if self.all(|standing| standing.settled) {
                    self.begin(now);
                }
            }
            Phase::Sending => {
                let window = self.control.window();
                if now >= window.from {
                    self.cpu[0].get_or_insert_with(system::cpu_seconds);
                }
                if self.all(|standing| standing.sent_all) && now < window.to {
                    self.end(now);
                }
                if now >= self.control.window().to {
                    self.cpu[1] = Some(system::cpu_seconds());
                    self.phase = Phase::Draining;
                    self.poke();
                }
            }
            Phase::Draining => {
                let patience = nanos(self.plan.phases.drain);
                let drained = self.has_drained();
                if drained || now >= self.control.window().to.saturating_add(patience) {
                    if self.drain == Drain::Done && !drained {
                        let still = now.saturating_sub(self.last_came) < STILL_COMING;
                        self.drain = if still { Drain::Early } else { Drain::Silent };
                    }
                    self.over();
                }
            }
        }
    }

    fn all(&self, holds: impl Fn(&Standing) -> bool) -> bool {
        self.standings.iter().all(holds)
    }

    /// Whether all that was sent has been answered and has come to whoever should get it.
    fn has_drained(&self) -> bool {
        let sum = |of: fn(&Messages) -> u64| of(&self.total.messages) + of(&self.current.messages);
        self.all(|standing| standing.idle && standing.sent_all)
            && sum(|messages| messages.unique) >= sum(|messages| messages.expected)
    }

    fn begin(&mut self, now: Nanos) {
        self.settled = Some(now);
        let links = self.current.links.opened + self.total.links.opened;
        if links == 0 && self.planned_connections > 0 {
            return self.over();
        }
        let phases = &self.plan.phases;
        let begin = phases.start_at.map_or(0, clock::at).max(now + NOTICE);
        let from = begin.saturating_add(nanos(phases.warmup));
        let lasts = phases.duration.map_or(Nanos::MAX, nanos);
        let window = Window {
            from,
            to: from.saturating_add(lasts),
        };
        self.begin = begin;
        self.next_interval = begin + nanos(phases.interval);
        self.cpu_last = (now, system::cpu_seconds());
        self.phase = Phase::Sending;
        self.control.begin(begin, window);
        self.poke();
    }

    fn stop(&mut self) {
        self.stopped = true;
        if self.phase == Phase::Sending {
            self.end(self.clock.now() + NOTICE);
        }
    }

    fn end(&self, at: Nanos) {
        self.control.end(at);
        self.poke();
    }

    fn over(&self) {
        self.control.finish();
        self.poke();
    }

    fn poke(&self) {
        for (ready, _) in &self.workers {
            ready.poke();
        }
    }

    /// Closes the interval when every worker has reported past its end.
    fn emit<F: FnMut(&Live<'_>) -> bool>(&mut self, watch: &mut Watch<F>) {
        let heard = self.heard.iter().copied().min().unwrap_or(0);
        let ended = self.all(|standing| standing.ended);
        if self.begin == Nanos::MAX || heard < self.next_interval && !ended {
            return;
        }
        let every = nanos(self.plan.phases.interval).max(1);
        let behind = heard.saturating_sub(self.next_interval) / every;
        self.next_interval += (behind + 1) * every;
        let interval = self.interval(heard);
        self.total.add(std::mem::take(&mut self.current));
        self.intervals.push(interval);
        let Some(interval) = self.intervals.last() else {
            return;
        };
        let live = Live {
            interval,
            messages: &self.total.messages,
            planned_connections: self.planned_connections,
            progress: self.progress(heard),
        };
        if !(watch.0)(&live) && !self.stopped {
            self.stop();
        }
    }

    fn interval(&mut self, at: Nanos) -> Interval {
        let window = self.control.window();
        let middle = at - at.saturating_sub(self.cpu_last.0.max(self.begin)) / 2;
        let phase = match () {
            () if middle < window.from => "warmup",
            () if middle < window.to => "measure",
            () => "drain",
        };
        let cpu = system::cpu_seconds();
        let (then, before) = std::mem::replace(&mut self.cpu_last, (at, cpu));
        let passed = seconds(at.saturating_sub(then)).max(1e-3);
        let flow = self.current.flow;
        let mut point = Interval {
            at_s: seconds(at.saturating_sub(self.begin)),
            phase: String::from(phase),
            planned: flow.planned,
            sent: flow.sent,
            acknowledged: flow.acknowledged,
            received: flow.received,
            errors: flow.errors,
            connections: self.standings.iter().map(|worker| worker.connections).sum(),
            cpu_percent: (cpu - before) / passed * 100.0,
            ..Interval::default()
        };
        summary::enter(&mut self.current, &mut point);
        point
    }

    fn progress(&self, at: Nanos) -> Option<f64> {
        let phases = &self.plan.phases;
        if let Some(duration) = phases.duration {
            let whole = nanos(phases.warmup + duration).max(1);
            return Some((at.saturating_sub(self.begin) as f64 / whole as f64).min(1.0));
        }
        let shard = self.plan.shard;
        let own = part_of(phases.count?, shard.index.into(), shard.count.into());
        Some((self.total.messages.sent as f64 / own.max(1) as f64).min(1.0))
    }

    fn finish(mut self, run: &Run<'_>) -> Outcome {
        let now = self.clock.now();
        self.total.add(std::mem::take(&mut self.current));
        let threads = self.workers.len();
        for (_, thread) in self.workers {
            // A panic was printed by its hook; what the thread had reported is kept.
            let _ = thread.join();
        }
        let window = self.control.window();
        let begun = self.begin != Nanos::MAX;
        let phases = Phases {
            started: self.started,
            settled: self.settled.unwrap_or(now),
            begin: if begun { self.begin } else { now },
            window: if begun {
                window
            } else {
                Window { from: now, to: now }
            },
            ended: now,
            cpu_s: match self.cpu {
                [Some(from), to] => to.unwrap_or_else(system::cpu_seconds) - from,
                _ => 0.0,
            },
            threads,
            planned_connections: self.planned_connections,
            drain: self.drain,
        };
        let report = summary::report(run, self.total, self.intervals.into_points(), &phases);
        Outcome {
            report,
            trouble: self.trouble,
        }
    }
}

/// How many of `all` connections are this shard's.
fn own(plan: &Plan, all: usize) -> usize {
    let shard = plan.shard;
    part_of(all as u64, shard.index.into(), shard.count.into()) as usize
}

fn spawn(setup: Setup) -> Result<thread::JoinHandle<()>> {
    let cannot = |cause: &std::io::Error| Error::local("cannot start a worker", cause);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| cannot(&cause))?;
    thread::Builder::new()
        .name(format!("bench-{}", setup.number))
        .spawn(move || {
            runtime.block_on(worker::run(setup));
            // A name lookup may still be under way; nobody waits for it.
            runtime.shutdown_background();
        })
        .map_err(|cause| cannot(&cause))
}

/// What worker `number` of `threads` does.
fn setup(
    run: &Run<'_>,
    number: usize,
    threads: usize,
    clock: Clock,
    control: &Arc<Control>,
    ready: &Arc<Ready>,
    news: &UnboundedSender<News>,
) -> Setup {
    let plan = run.plan;
    let mut first_sender = 0;
    let mut parts = Vec::with_capacity(plan.groups.len());
    for (group, driver) in run.drivers.iter().enumerate() {
        parts.push(part(plan, group, driver, (number, threads), first_sender));
        first_sender += plan.groups[group].connections;
    }
    let mine: usize = parts.iter().map(|part| part.connections.len()).sum();
    let all: usize = plan.groups.iter().map(|group| group.connections).sum();
    let dial_every = plan.connect_rate.map_or(0, |rate| {
        (all as f64 / mine.max(1) as f64 / rate * 1e9) as Nanos
    });
    Setup {
        number,
        clock,
        parts,
        coalesce: plan.coalesce,
        interval: nanos(plan.phases.interval).max(1_000_000),
        dial_every,
        seed: plan.seed ^ (number as u64) << 32,
        sends: plan.groups.iter().any(|group| group.load.is_some()),
        control: Arc::clone(control),
        ready: Arc::clone(ready),
        news: news.clone(),
    }
}

fn part(
    plan: &Plan,
    group: usize,
    driver: &Arc<dyn Driver>,
    (number, threads): (usize, usize),
    first_sender: usize,
) -> Part {
    let shard = plan.shard;
    let (index, count) = (shard.index as usize, shard.count as usize);
    let which = &plan.groups[group];
    // Groups of few connections do not all begin with the first worker.
    let number = (number + group) % threads;
    let connections: Vec<(usize, u32)> = (index..which.connections)
        .step_by(count)
        .skip(number)
        .step_by(threads)
        .map(|index| (index, (first_sender + index) as u32))
        .collect();
    let place = index * threads + number;
    let share = Share {
        connections: connections.len(),
        of: which.connections,
        phase: place as f64 / (count * threads) as f64,
        random: Random::new(plan.seed, (group * count * threads + place) as u64),
    };
    let left = plan
        .phases
        .count
        .map(|whole| messages(plan, group, whole, (number, threads)));
    Part {
        driver: Arc::clone(driver),
        connections,
        runner: Runner::new(which.load.as_ref(), share, left),
        window: which.load.as_ref().map_or(0, window),
    }
}

/// How many of `whole` messages are sent by one worker for one group: divided by groups that send, then by
/// shards, then by the workers that have connections of it.
fn messages(plan: &Plan, group: usize, whole: u64, (number, threads): (usize, usize)) -> u64 {
    let sends = |index: &usize| plan.groups[*index].load.is_some();
    let all = (0..plan.groups.len()).filter(sends).count() as u64;
    let before = (0..group).filter(sends).count() as u64;
    let of_group = part_of(whole, before, all.max(1));
    let shard = plan.shard;
    let of_shard = part_of(of_group, shard.index.into(), shard.count.into());
    let workers = own(plan, plan.groups[group].connections)
        .min(threads)
        .max(1) as u64;
    if (number as u64) < workers {
        part_of(of_shard, number as u64, workers)
    } else {
        0
    }
}

/// How reading is paced unless the user says: gathering while saturating, never while measuring latency at a rate.
pub fn coalesce_for(loads: &[Option<Load>]) -> Coalesce {
    if loads.iter().flatten().any(saturates) {
        Coalesce::Adaptive
    } else {
        Coalesce::Never
    }
}
