use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use tokio::time::Instant as Clock;

use super::*;
use crate::flow::{Next, Number, Outcome};
use crate::message::{Detail, Message, MqttDetail};

fn message(payload: &str) -> Message {
    Message {
        time: SystemTime::UNIX_EPOCH,
        topic: "t".into(),
        payload: payload.to_owned().into(),
        detail: Detail::Mqtt(MqttDetail::default()),
    }
}

/// Hands out what the script says; then nothing more comes. A window bounds what is not settled, as a server's does.
struct Script {
    next: VecDeque<Next>,
    window: u64,
    unsettled: u64,
    settled: u64,
    /// How often the source was asked to keep the connection alive without reading.
    held: u64,
    /// What was sent to keep the connection alive, every ten seconds.
    pings: u64,
    /// Ends the source after it was held so often: a connection that is lost then.
    gives_up_after: Option<u64>,
    /// Fails with this at once, with all messages still to be taken: they came in the same read.
    fails: Option<&'static str>,
}

impl Script {
    fn new(next: impl IntoIterator<Item = Next>) -> Self {
        Self {
            next: next.into_iter().collect(),
            window: u64::MAX,
            unsettled: 0,
            settled: 0,
            held: 0,
            pings: 0,
            gives_up_after: None,
            fails: None,
        }
    }

    fn messages(count: usize) -> Self {
        Self::new((0..count).map(|at| Next::Message(message(&at.to_string()))))
    }

    fn has_next(&self) -> bool {
        !self.next.is_empty() && self.unsettled < self.window
    }
}

impl Source for Script {
    async fn drive(&mut self) -> Result<()> {
        if let Some(text) = self.fails {
            return Err(Error::new(Kind::Unauthorized, text));
        }
        if self.has_next() {
            return Ok(());
        }
        pending().await
    }

    async fn hold(&mut self) -> Error {
        self.held += 1;
        if self.gives_up_after.is_some_and(|limit| self.held > limit) {
            return Error::new(Kind::Lost, "the connection is lost");
        }
        loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            self.pings += 1;
        }
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        while self.has_next() {
            let Some(next) = self.next.pop_front() else {
                break;
            };
            match &next {
                Next::Message(_) | Next::Again(_) | Next::Skipped | Next::Refused(_) => {
                    self.unsettled += 1;
                }
                Next::Lost => self.unsettled = 0,
                Next::Complete | Next::End(_) => {}
            }
            if !sink(next)? {
                break;
            }
        }
        Ok(())
    }

    fn settle(&mut self, count: u64) {
        assert!(count <= self.unsettled, "settled what was not handed out");
        self.unsettled -= count;
        self.settled += count;
    }

    fn awaits(&self) -> Option<String> {
        None
    }
}

/// Takes so many at once, and finishes them newest first, one a second.
struct Slow {
    room: usize,
    under_way: BTreeSet<Number>,
    taken: Vec<String>,
    /// Refuses messages with this body.
    refuses: &'static str,
    refused: BTreeSet<Number>,
    stalls: bool,
    /// Only for this long, from when it first has something.
    stalls_for: Option<Duration>,
    stalls_until: Option<Clock>,
}

impl Slow {
    const fn new(room: usize) -> Self {
        Self {
            room,
            under_way: BTreeSet::new(),
            taken: Vec::new(),
            refuses: "none",
            refused: BTreeSet::new(),
            stalls: false,
            stalls_for: None,
            stalls_until: None,
        }
    }
}

impl Target for Slow {
    fn name(&self) -> String {
        String::from("slow")
    }

    fn has_room(&self) -> bool {
        self.under_way.len() < self.room
    }

    fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let text = String::from_utf8(message.payload.to_vec()).unwrap();
        if text == self.refuses {
            self.refused.insert(number);
        }
        self.taken.push(text);
        self.under_way.insert(number);
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.stalls || self.is_idle() {
            return pending().await;
        }
        if let Some(stall) = self.stalls_for {
            sleep_until(
                *self
                    .stalls_until
                    .get_or_insert_with(|| Clock::now() + stall),
            )
            .await;
            self.stalls_for = None;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let number = self.under_way.pop_last().unwrap();
        let outcome = match self.refused.contains(&number) {
            true => Outcome::Refused(Error::new(Kind::Refused, "the command failed")),
            false => Outcome::Accepted,
        };
        into.push(Progress::One(number, outcome));
        Ok(())
    }
}

async fn flow(source: &mut Script, target: &mut Slow, until: Until) -> Result<()> {
    let mut stop = Stop::watch().unwrap();
    run(source, target, &Stages::default(), &until, &mut stop).await
}

fn count(count: u64) -> Until {
    Until {
        count: Some(count),
        ..Until::default()
    }
}

#[tokio::test(start_paused = true)]
async fn everything_is_settled_once_its_target_has_it() {
    let mut source = Script::messages(10);
    let mut target = Slow::new(4);
    flow(&mut source, &mut target, count(10)).await.unwrap();
    let all: Vec<String> = (0..10).map(|at| at.to_string()).collect();
    assert_eq!((target.taken, source.settled), (all, 10));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_target_stops_the_reading_and_not_the_keep_alive() {
    let mut source = Script::messages(10);
    source.window = 5;
    let mut target = Slow::new(4);
    target.stalls = true;
    let until = Until {
        timeout: Some(Duration::from_secs(60)),
        ..Until::default()
    };
    // Both are stalled: the target ends nothing, and the source's window is not settled. The deadline holds all the same.
    let ended = flow(&mut source, &mut target, until).await.unwrap_err();
    assert_eq!(
        (ended.exit_code(), ended.text()),
        (5, "timed out after 4 messages")
    );
    assert_eq!((target.taken.len(), source.settled), (4, 0));
    assert!(source.held > 0, "the source was not held");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_while_it_is_held_is_an_error() {
    let mut source = Script::messages(1);
    source.gives_up_after = Some(0);
    let mut target = Slow::new(1);
    target.stalls = true;
    let ended = flow(&mut source, &mut target, Until::default()).await;
    assert_eq!(ended.unwrap_err().text(), "the connection is lost");
    assert_eq!(source.settled, 0);
}

#[tokio::test(start_paused = true)]
async fn what_came_with_the_end_of_the_source_goes_its_way() {
    for (wanted, end) in [(2, Ok(())), (5, Err("not authorized"))] {
        let mut source = Script::messages(2);
        source.fails = Some("not authorized");
        let mut target = Slow::new(8);
        let ended = flow(&mut source, &mut target, count(wanted)).await;
        assert_eq!(ended.as_ref().map(drop).map_err(Error::text), end);
        assert_eq!((target.taken.len(), source.settled), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_voids_what_is_under_way() {
    let mut script: Vec<Next> = vec![Next::Message(message("a")), Next::Message(message("b"))];
    script.push(Next::Lost);
    // The server delivers them again.
    script.extend(["a", "b"].map(|text| Next::Again(message(text))));
    script.push(Next::Message(message("c")));
    let mut source = Script::new(script);
    let mut target = Slow::new(8);
    // Three messages, however often they came.
    flow(&mut source, &mut target, count(3)).await.unwrap();
    assert_eq!(target.taken, ["a", "b", "a", "b", "c"]);
    assert_eq!((source.settled, source.unsettled), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_settled_and_fails_the_flow() {
    let mut source = Script::messages(3);
    let mut target = Slow::new(2);
    target.refuses = "1";
    let ended = flow(&mut source, &mut target, count(3)).await.unwrap_err();
    assert_eq!(
        (ended.exit_code(), ended.text()),
        (1, "the command failed for 1 of 3 messages")
    );
    assert_eq!(source.settled, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_over_is_settled_and_not_counted() {
    let next = [
        Next::Skipped,
        Next::Message(message("1")),
        Next::Message(message("2")),
        Next::Skipped,
        Next::Message(message("3")),
    ];
    let mut source = Script::new(next);
    let mut target = Slow::new(8);
    let stages = Stages {
        filter: vec!["payload != 2".parse().unwrap()],
        ..Stages::default()
    };
    let mut stop = Stop::watch().unwrap();
    run(&mut source, &mut target, &stages, &count(2), &mut stop)
        .await
        .unwrap();
    assert_eq!(target.taken, ["1", "3"]);
    assert_eq!((source.settled, source.unsettled), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn after_its_end_nothing_more_is_taken_and_what_runs_ends() {
    let mut source = Script::messages(9);
    let mut target = Slow::new(8);
    let until = Until {
        until: Some("payload == 3".parse().unwrap()),
        ..Until::default()
    };
    flow(&mut source, &mut target, until).await.unwrap();
    assert_eq!((target.taken.len(), source.settled), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_source_is_the_end() {
    let why = Error::new(Kind::Refused, "no more");
    let mut source = Script::new([Next::Message(message("1")), Next::End(Err(why))]);
    let mut target = Slow::new(8);
    let ended = flow(&mut source, &mut target, Until::default()).await;
    assert_eq!(ended.unwrap_err().text(), "no more");
    assert_eq!(source.settled, 1);
}

/// A connection that closes over a message with the body of `poison`, and is there again a second later. Otherwise it takes
/// what it has a second after that, one after the other.
struct Fragile {
    poison: &'static str,
    /// In the order in which they came.
    under_way: VecDeque<(Number, Message)>,
    up: bool,
    /// How often each was sent.
    sent: Vec<String>,
    /// Refuses this one, and gives it back when the connection is lost as well.
    returns: &'static str,
    proved: bool,
    stalls: bool,
    /// Only so often.
    closes: Option<u32>,
}

impl Fragile {
    fn new(poison: &'static str) -> Self {
        Self {
            poison,
            under_way: VecDeque::new(),
            up: true,
            sent: Vec::new(),
            returns: "none",
            proved: false,
            stalls: false,
            closes: None,
        }
    }
}

impl Target for Fragile {
    fn name(&self) -> String {
        String::from("fragile")
    }

    fn has_room(&self) -> bool {
        self.up && self.under_way.len() < 3
    }

    fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.sent
            .push(String::from_utf8(message.payload.to_vec()).unwrap());
        self.under_way.push_back((number, message));
        Ok(())
    }

    fn finish(&mut self) {
        self.proved = true;
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.stalls || (self.up && self.is_idle()) {
            return pending().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        if !std::mem::replace(&mut self.up, true) {
            return Ok(());
        }
        let Some((number, message)) = self.under_way.pop_front() else {
            return Ok(());
        };
        if message.payload == self.returns {
            let why = Error::new(Kind::Refused, "no queue");
            into.push(Progress::One(number, Outcome::Refused(why)));
            // The acknowledgement comes besides.
            into.push(Progress::One(number, Outcome::Accepted));
        } else if message.payload == self.poison && self.closes != Some(0) {
            self.closes = self.closes.map(|left| left - 1);
            self.up = false;
            self.under_way.push_front((number, message));
            into.extend(
                self.under_way.drain(..).map(|(number, message)| {
                    Progress::One(number, Outcome::Again(Box::new(message)))
                }),
            );
        } else {
            into.push(Progress::One(number, Outcome::Accepted));
        }
        Ok(())
    }
}

async fn sent(source: &mut Script, target: &mut Fragile) -> (u8, String) {
    let mut stop = Stop::watch().unwrap();
    source.next.push_back(Next::End(Ok(())));
    match send(source, target, &Until::default(), &mut stop).await {
        Ok(()) => (0, String::new()),
        Err(error) => (error.exit_code(), error.text().to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn everything_is_sent_and_proved() {
    let mut target = Fragile::new("none");
    let ended = sent(&mut Script::messages(9), &mut target).await;
    assert_eq!(ended, (0, String::new()));
    assert_eq!(target.sent.len(), 9);
    assert!(target.proved);
}

#[tokio::test(start_paused = true)]
async fn the_message_that_no_connection_survives_is_named_and_the_others_arrive() {
    let (mut source, mut target) = (Script::messages(6), Fragile::new("2"));
    let ended = sent(&mut source, &mut target).await;
    let text = "fragile closed the connection each time it received message 3 to t: of 6 messages sent, 5 acknowledged, 1 refused, 9 sent again";
    assert_eq!(ended, (1, String::from(text)));
    // An outage is the first thought; after the second loss 2 goes out alone, four times.
    let sent = "0 1 2 3 4 2 3 4 2 2 2 2 3 4 5";
    assert_eq!(target.sent.join(" "), sent);
    assert_eq!((source.settled, source.unsettled), (6, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_returned_is_not_delivered_whatever_comes_after() {
    let mut target = Fragile::new("none");
    target.returns = "1";
    let ended = sent(&mut Script::messages(3), &mut target).await;
    let text = "no queue: of 3 messages sent, 2 acknowledged, 1 refused";
    assert_eq!(ended, (1, String::from(text)));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_in_an_error_lets_what_is_under_way_arrive() {
    let mut source = Script::messages(2);
    let why = Error::new(Kind::Local, "line 3 is wrong");
    source.next.push_back(Next::End(Err(why)));
    let mut target = Fragile::new("none");
    let ended = sent(&mut source, &mut target).await;
    let text = "line 3 is wrong: of 2 messages sent, 2 acknowledged";
    assert_eq!(ended, (8, String::from(text)));
}

#[tokio::test(start_paused = true)]
async fn after_the_clock_what_is_under_way_gets_a_while_and_no_longer() {
    let until = || Until {
        duration: Some(Duration::from_millis(500)),
        ..Until::default()
    };
    let mut source = Script::messages(1);
    let mut target = Slow::new(1);
    flow(&mut source, &mut target, until()).await.unwrap();
    assert_eq!(source.settled, 1);
    let began = Clock::now();
    let mut source = Script::messages(2);
    let mut target = Slow::new(2);
    target.stalls = true;
    let ended = flow(&mut source, &mut target, until()).await.unwrap_err();
    assert_eq!(
        (ended.exit_code(), ended.text()),
        (5, "timed out: slow still has 2 messages")
    );
    assert!(began.elapsed() < Duration::from_secs(4));
}

/// Always has something, as a server that floods.
struct Flood(u64);

impl Source for Flood {
    async fn drive(&mut self) -> Result<()> {
        tokio::time::advance(Duration::from_millis(10)).await;
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        pending().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        while self.0 < 1_000_000 {
            self.0 += 1;
            if !sink(Next::Message(message("x")))? {
                break;
            }
        }
        Ok(())
    }

    fn settle(&mut self, _: u64) {}

    fn awaits(&self) -> Option<String> {
        None
    }
}

/// Is done at once with up to ten messages.
#[derive(Default)]
struct Quick(Number, Number);

impl Target for Quick {
    fn name(&self) -> String {
        String::from("quick")
    }

    fn has_room(&self) -> bool {
        self.0 - self.1 < 10
    }

    fn is_idle(&self) -> bool {
        self.0 == self.1
    }

    fn take(&mut self, number: Number, _: Message) -> Result<()> {
        self.0 = number;
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            return pending().await;
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        self.1 = self.0;
        into.push(Progress::Through(self.0));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_holds_while_both_sides_always_have_something() {
    let mut stop = Stop::watch().unwrap();
    let until = Until {
        duration: Some(Duration::from_secs(1)),
        ..Until::default()
    };
    let (mut source, mut target) = (Flood(0), Quick::default());
    let stages = Stages::default();
    run(&mut source, &mut target, &stages, &until, &mut stop)
        .await
        .unwrap();
    assert!((100..20_000).contains(&source.0), "{} messages", source.0);
}

#[tokio::test(start_paused = true)]
async fn what_ends_after_its_connection_counts_once() {
    let next = ["a", "b"].map(|text| Next::Message(message(text)));
    let again = ["a", "b"].map(|text| Next::Message(message(text)));
    let mut source = Script::new(next.into_iter().chain([Next::Lost]).chain(again));
    let mut target = Slow::new(8);
    target.refuses = "a";
    let mut stop = Stop::watch().unwrap();
    let (stages, until) = (Stages::default(), count(4));
    let (ended, account) = carry(&mut source, &mut target, &stages, &until, &mut stop).await;
    assert_eq!(ended.unwrap_err().exit_code(), 1);
    assert_eq!(
        account.receipt().unwrap().as_deref(),
        Some("received 4 messages: 1 processed, 1 failed, 2 lost with their connection")
    );
    assert_eq!(source.settled, 2);
}

/// Both sides with windows of any size, refusals and losses: never a deadlock, and everything is settled.
#[tokio::test(start_paused = true)]
async fn no_windows_make_a_deadlock() {
    let random = RandomState::new();
    for seed in 0..300_u64 {
        let draw = |what: u64, below: u64| random.hash_one((seed, what)) % below;
        let total = 1 + draw(0, 40) as usize;
        let mut source = Script::messages(total);
        source.window = 1 + draw(1, 6);
        let mut target = Slow::new(1 + draw(2, 6) as usize);
        target.refuses = ["none", "3"][draw(3, 2) as usize];
        let mut lost = 0;
        for at in 0..draw(4, 4) {
            let place = draw(10 + at, source.next.len() as u64) as usize;
            source.next.insert(place, Next::Lost);
            lost += 1;
        }
        let until = Until {
            timeout: Some(Duration::from_secs(1000)),
            ..count(total as u64)
        };
        let mut stop = Stop::watch().unwrap();
        let stages = Stages::default();
        let (ended, account) = carry(&mut source, &mut target, &stages, &until, &mut stop).await;
        if let Err(error) = ended {
            assert_eq!(error.kind(), Kind::Refused, "seed {seed}: {error}");
        }
        assert_eq!(target.taken.len(), total, "seed {seed}");
        assert_eq!(source.unsettled, 0, "seed {seed}, {lost} losses");
        account.receipt().unwrap();
        assert_eq!(account.received, total as u64);
    }
}

/// The target stalls for an hour with the source's window full: the keep-alive goes on, and then everything does.
#[tokio::test(start_paused = true)]
async fn after_an_hour_of_stalling_everything_goes_on() {
    let mut source = Script::messages(9);
    source.window = 3;
    let mut target = Slow::new(3);
    target.stalls_for = Some(Duration::from_secs(3600));
    flow(&mut source, &mut target, count(9)).await.unwrap();
    assert_eq!((target.taken.len(), source.settled), (9, 9));
    assert!(source.pings > 300, "{} pings", source.pings);
}

/// One message, and a command that takes longer for it than everything else.
async fn stuck(until: Until, stall: Duration) -> ((u8, String), Duration) {
    let mut source = Script::messages(1);
    let mut target = Slow::new(1);
    target.stalls_for = Some(stall);
    let began = Clock::now();
    let ended = match flow(&mut source, &mut target, until).await {
        Ok(()) => (0, String::new()),
        Err(error) => (error.exit_code(), error.text().to_owned()),
    };
    (ended, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn after_the_last_message_the_clock_still_counts() {
    let second = Duration::from_secs(1);
    let still = |seconds: u32| {
        let text = "timed out: slow still has 1 message";
        ((5, String::from(text)), second * seconds)
    };
    let (timeout, duration, idle) = (Some(5 * second), Some(5 * second), Some(5 * second));
    let timed = Until {
        timeout,
        ..count(1)
    };
    assert_eq!(stuck(timed, 60 * second).await, still(5));
    let timed = Until {
        duration,
        ..count(1)
    };
    assert_eq!(stuck(timed.clone(), 60 * second).await, still(8));
    let drained = Until {
        drain: Some(second),
        ..timed
    };
    assert_eq!(stuck(drained, 60 * second).await, still(6));
    // What our own command takes is nobody's silence.
    let silent = Until { idle, ..count(1) };
    let good = (0, String::new());
    assert_eq!(stuck(silent, 60 * second).await, (good, 61 * second));
}

#[tokio::test(start_paused = true)]
async fn a_failure_by_the_clock_lets_what_is_under_way_end() {
    let second = Duration::from_secs(1);
    let duration = Some(3 * second);
    let counted = Until {
        duration,
        ..count(2)
    };
    let short = (5, String::from("received 1 of 2 messages"));
    let ended = stuck(counted.clone(), 4 * second).await;
    assert_eq!(ended, (short.clone(), 5 * second));
    assert_eq!(stuck(counted, 60 * second).await, (short, 6 * second));
    let conditional = Until {
        duration,
        until: Some("payload == on".parse().unwrap()),
        ..Until::default()
    };
    let missed = "1 message, but none met the condition payload == on";
    let ended = stuck(conditional, 4 * second).await;
    assert_eq!(ended, ((7, String::from(missed)), 5 * second));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_command_is_no_silence() {
    let second = Duration::from_secs(1);
    let idle = || Until {
        idle: Some(2 * second),
        ..Until::default()
    };
    // One room, and one of several.
    for room in [1, 8] {
        let mut source = Script::messages(3);
        let mut target = Slow::new(room);
        target.stalls_for = Some(60 * second);
        let began = Clock::now();
        flow(&mut source, &mut target, idle()).await.unwrap();
        assert_eq!((target.taken.len(), source.settled), (3, 3));
        assert_eq!(began.elapsed(), 65 * second, "{room}");
    }
}

/// A message every second, of which none passes.
struct Ticking(u32);

impl Source for Ticking {
    async fn drive(&mut self) -> Result<()> {
        if self.0 == 0 {
            return pending().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.0 -= 1;
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        pending().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        let next = match self.0 % 2 {
            0 => Next::Skipped,
            _ => Next::Message(message("other")),
        };
        sink(next).map(drop)
    }

    fn settle(&mut self, _: u64) {}

    fn awaits(&self) -> Option<String> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn an_arrival_that_is_filtered_out_is_an_arrival() {
    let stages = Stages {
        filter: vec!["payload == on".parse().unwrap()],
        ..Stages::default()
    };
    let until = Until {
        idle: Some(Duration::from_millis(1500)),
        ..Until::default()
    };
    let (mut source, mut target) = (Ticking(10), Slow::new(1));
    let mut stop = Stop::watch().unwrap();
    let began = Clock::now();
    run(&mut source, &mut target, &stages, &until, &mut stop)
        .await
        .unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(11_500));
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_given_up_with_its_numbers() {
    let mut source = Script::messages(2);
    source.next.push_back(Next::End(Ok(())));
    let mut target = Fragile::new("none");
    target.stalls = true;
    let until = Until {
        timeout: Some(Duration::from_secs(5)),
        ..Until::default()
    };
    let mut stop = Stop::watch().unwrap();
    let ended = send(&mut source, &mut target, &until, &mut stop).await;
    let error = ended.unwrap_err();
    assert_eq!(
        (error.exit_code(), error.text()),
        (
            5,
            "timed out: of 2 messages sent, 0 acknowledged, 2 not acknowledged"
        )
    );
}

/// A server that goes down twice within a second: the only message that it had is innocent.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_restarted_twice_gets_its_message() {
    let mut target = Fragile::new("0");
    target.closes = Some(2);
    let ended = sent(&mut Script::messages(1), &mut target).await;
    assert_eq!(ended, (0, String::new()));
    assert_eq!(target.sent, ["0", "0", "0"]);
}

/// Has what it takes at once, and is gone with the message of this number, one that nobody is to know of if `doubt`.
struct Brief {
    taken: Number,
    told: Number,
    last: Number,
    doubt: bool,
}

impl Target for Brief {
    fn name(&self) -> String {
        String::from("brief")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.taken <= self.told
    }

    fn take(&mut self, number: Number, _: Message) -> Result<()> {
        self.taken = number;
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.taken == 0 {
            pending::<()>().await;
        }
        self.told = self.last;
        into.push(Progress::Through(self.last - 1));
        let last = match self.doubt {
            true => Outcome::InDoubt(None),
            false => Outcome::Accepted,
        };
        into.push(Progress::One(self.last, last));
        Err(Error::new(Kind::Unauthorized, "goodbye"))
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_with_the_last_outcome_matters_to_whoever_has_more() {
    let sent = async |next: Vec<Next>, doubt| {
        let mut source = Script::new(next);
        let mut brief = Brief {
            taken: 0,
            told: 0,
            last: 3,
            doubt,
        };
        let mut stop = Stop::watch().unwrap();
        let ended = send(&mut source, &mut brief, &Until::default(), &mut stop).await;
        ended.map_err(|error| error.kind())
    };
    let messages = |count| (0..count).map(|_| Next::Message(message("x")));
    let all = |count| messages(count).chain([Next::Complete]).collect::<Vec<_>>();
    assert_eq!(sent(all(3), false).await, Ok(()));
    assert_eq!(sent(all(4), false).await, Err(Kind::Unauthorized));
    assert_eq!(
        sent(messages(3).collect(), false).await,
        Err(Kind::Unauthorized)
    );
    assert_eq!(sent(all(3), true).await, Err(Kind::Unauthorized));
}
