//! The coordinator: starts the workers, leads them through the phases, and adds up what they say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::super::clock::{self, Clock, Nanos, nanos, seconds};
use super::super::driver::Driver;
use super::super::gate::Deliveries;
use super::super::plan::{Coalesce, Load, Plan};
use super::super::profile::{self, Share};
use super::super::recorder::{Records, Window};
use super::super::result::{Interval, Messages, Report};
use super::super::system;
use super::Run;
use super::control::{self, Control, WorkerEvent};
use super::load::{Runner, part_of, parts_before, saturates, window};
use super::points::{Points, WorkerStatus};
use super::summary::{self, Drain, Phases};
use super::worker::{self, Part, Setup};
use crate::error::{Error, Result};
use crate::pace::wake::Ready;
use crate::random::Random;

/// From the decision to begin to the first message, and from the decision to stop to the last: every worker
/// has heard of it by then.
const NOTICE: Nanos = 20_000_000;
/// When something came this recently, more may be coming.
const STILL_COMING: Nanos = 200_000_000;
/// How often the coordinator looks at the clock.
const LOOK: Duration = Duration::from_millis(10);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was found; without thresholds and setup, which are the caller's.
    pub report: Report,
    /// The first failure to connect, if any, with its exit code.
    pub trouble: Option<Error>,
}

impl Outcome {
    /// Whether none of the connections that were planned could be opened.
    pub(crate) const fn has_no_connection(&self) -> bool {
        self.report.has_no_connection()
    }
}

/// What a live view shows; handed out once per interval.
#[derive(Clone, Debug)]
pub(crate) struct Live<'a> {
    /// The newest point of the time series.
    pub interval: &'a Interval,
    /// How long it is, in seconds.
    pub length_s: f64,
    /// Messages so far.
    pub messages: &'a Messages,
    /// Failures so far by cause, with the way out.
    pub errors: &'a BTreeMap<String, (u64, Option<String>)>,
    /// How much of the run is done, from 0 to 1, where that is known.
    pub progress: Option<f64>,
}

/// Runs the plan to its end, or until `stop` is ready: then nothing more is sent, and what is under way is waited for.
/// `watch` sees each interval and says whether to go on.
///
/// # Errors
/// Too few descriptors, or a thread that cannot be started. Whatever happens to connections and messages
/// is in the report.
pub(crate) async fn run(
    run: Run<'_>,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let (sender, news) = unbounded_channel();
    let mut course = Course::start(&run, sender)?;
    let mut reporter = Observer(watch);
    tokio::pin!(stop);
    course.follow(news, stop.as_mut(), &mut reporter).await;
    Ok(course.finish(&run))
}

struct Observer<F>(F);

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
    standings: Vec<control::WorkerStatus>,
    /// Up to when each worker has reported.
    heard: Vec<Nanos>,
    phase: Phase,
    planned_connections: u64,
    /// The interval that is being added up.
    current: Records,
    total: Records,
    points: Points,
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
    fn start(run: &Run<'a>, news: UnboundedSender<WorkerEvent>) -> Result<Self> {
        let plan = run.plan;
        let own: usize = plan
            .groups
            .iter()
            .map(|group| own(plan, group.connections))
            .sum();
        system::reserve_descriptors(own as u64, system::SHARED)?;
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
            standings: vec![control::WorkerStatus::default(); threads],
            heard: vec![0; threads],
            workers,
            phase: Phase::Connecting,
            planned_connections: own as u64,
            current: Records::default(),
            total: Records::default(),
            points: Points::new(Nanos::MAX, 0),
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
        mut news: UnboundedReceiver<WorkerEvent>,
        mut stop: impl Future<Output = ()> + Unpin,
        watch: &mut Observer<F>,
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

    fn hear(&mut self, news: WorkerEvent) {
        self.heard[news.worker] = news.at;
        self.standings[news.worker] = news.standing;
        if news.records.brought() > 0 {
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
                } else if self.all(|standing| standing.settled)
                    && let Some(earliest) = self.admitted()
                {
                    self.begin(now, earliest);
                }
            }
            Phase::Sending => {
                let window = self.control.window();
                if now >= window.from {
                    self.cpu[0].get_or_insert_with(system::cpu_seconds);
                }
                if self.all(|standing| standing.sent_all) && now < window.to {
                    self.end(self.lasts().unwrap_or(now));
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

    fn all(&self, holds: impl Fn(&control::WorkerStatus) -> bool) -> bool {
        self.standings.iter().all(holds)
    }

    /// Whether all that was sent has been answered and has reached all its receivers.
    fn has_drained(&self) -> bool {
        let idle = self.all(|standing| standing.idle && standing.sent_all);
        let deliveries = Deliveries::of([&self.total, &self.current]);
        match &self.plan.phases.gate {
            Some(gate) => gate.drain(idle, deliveries),
            None => idle && deliveries.are_complete(),
        }
    }

    /// From when on the run may begin, unless others have to say so first.
    fn admitted(&mut self) -> Option<Nanos> {
        let now = self.clock.now();
        self.settled.get_or_insert(now);
        match &self.plan.phases.gate {
            Some(gate) if self.has_connection() => gate.settle(),
            _ => Some(self.plan.phases.start_at.map_or(0, clock::at)),
        }
    }

    const fn has_connection(&self) -> bool {
        self.current.links.opened + self.total.links.opened > 0
    }

    fn begin(&mut self, now: Nanos, earliest: Nanos) {
        if !self.has_connection() && self.planned_connections > 0 {
            return self.over();
        }
        let phases = &self.plan.phases;
        let begin = earliest.max(now + NOTICE);
        let from = begin.saturating_add(nanos(phases.warmup));
        let lasts = phases.duration.map_or(Nanos::MAX, nanos);
        let window = Window {
            from,
            to: from.saturating_add(lasts),
        };
        let every = nanos(phases.interval).max(1);
        self.begin = begin;
        self.points = Points::new(begin, every);
        self.next_interval = begin + every;
        self.cpu_last = (now, system::cpu_seconds());
        self.phase = Phase::Sending;
        self.control.begin(begin, window);
        self.poke();
    }

    /// When a load of so many messages has had its time: the last one too has the gap after it.
    fn lasts(&self) -> Option<Nanos> {
        let plan = self.plan;
        let whole = plan.phases.count?;
        let warmup = plan.phases.warmup.as_secs_f64();
        let mut ends = Vec::new();
        for (group, of_plan) in plan.groups.iter().enumerate() {
            match &of_plan.load {
                Some(Load::Open {
                    stages, arrivals, ..
                }) => {
                    let count = of_group(plan, group, whole);
                    ends.push(profile::lasts((stages, arrivals), warmup, count)?);
                }
                Some(Load::Closed { .. }) => return None,
                None => {}
            }
        }
        let seconds = ends.into_iter().reduce(f64::max)?;
        let end = self.begin.saturating_add((seconds * 1e9) as Nanos);
        // Whatever rounding did: what was due is inside.
        let due = self.standings.iter().map(|worker| worker.due).max()?;
        Some(end.max(due + 1))
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
    fn emit<F: FnMut(&Live<'_>) -> bool>(&mut self, watch: &mut Observer<F>) {
        let heard = self.heard.iter().copied().min().unwrap_or(0);
        let ended = self.all(|standing| standing.ended);
        if self.begin == Nanos::MAX || heard < self.next_interval && !ended {
            return;
        }
        let every = nanos(self.plan.phases.interval).max(1);
        let behind = heard.saturating_sub(self.next_interval) / every;
        self.next_interval += (behind + 1) * every;
        let now = WorkerStatus {
            at: heard,
            window: self.control.window(),
            ended,
            connections: self.standings.iter().map(|worker| worker.connections).sum(),
            cpu_percent: self.cpu_percent(heard),
        };
        let (points, held) = self.points.close(&mut self.current, &now);
        self.total.add(std::mem::replace(&mut self.current, held));
        for (interval, length_s) in &points {
            let live = Live {
                interval,
                length_s: *length_s,
                messages: &self.total.messages,
                errors: &self.total.errors,
                progress: self.progress(heard),
            };
            if !(watch.0)(&live) && !self.stopped {
                self.stop();
            }
        }
    }

    /// CPU time of this process since the last point, in percent of one core.
    fn cpu_percent(&mut self, at: Nanos) -> f64 {
        let cpu = system::cpu_seconds();
        let (then, before) = std::mem::replace(&mut self.cpu_last, (at, cpu));
        let passed = seconds(at.saturating_sub(then)).max(1e-3);
        (cpu - before) / passed * 100.0
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
        let report = summary::report(run, self.total, self.points.into_points(), &phases);
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
    news: &UnboundedSender<WorkerEvent>,
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
        // A shard that only receives goes on as long as the others send, if that duration is known.
        sends: plan.groups.iter().any(|group| {
            let is_known = plan.phases.duration.is_some();
            group.load.is_some() && (own(plan, group.connections) > 0 || !is_known)
        }),
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

/// How many of `whole` messages are sent by one worker for one group: divided by groups that send, then by connections,
/// so that each worker has as much of them as it has of the rate.
fn messages(plan: &Plan, group: usize, whole: u64, (number, threads): (usize, usize)) -> u64 {
    let of_group = u128::from(of_group(plan, group, whole));
    let all = plan.groups[group].connections as u64;
    let (index, count) = (plan.shard.index.into(), plan.shard.count.into());
    let of_shard = part_of(all, index, count);
    let (number, threads) = (number as u64, threads as u64);
    let before = parts_before(all, index, count) + parts_before(of_shard, number, threads);
    let after = before + part_of(of_shard, number, threads);
    let until = |connections: u64| {
        let messages = of_group * u128::from(connections);
        messages.div_ceil(u128::from(all.max(1))) as u64
    };
    until(after) - until(before)
}

/// How many of `whole` messages are one group's.
fn of_group(plan: &Plan, group: usize, whole: u64) -> u64 {
    let sends = |index: &usize| plan.groups[*index].load.is_some();
    let all = (0..plan.groups.len()).filter(sends).count() as u64;
    let before = (0..group).filter(sends).count() as u64;
    part_of(whole, before, all.max(1))
}

/// How reading is paced unless the user says: gathering while saturating, never while measuring latency at a rate.
pub(crate) fn coalesce_for(loads: &[Option<Load>]) -> Coalesce {
    if loads.iter().flatten().any(saturates) {
        Coalesce::Adaptive
    } else {
        Coalesce::Never
    }
}
