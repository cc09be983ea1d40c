use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use std::future::pending;

use super::*;
use crate::error::Kind;
use crate::flow::{self, Fate, Merged, Next, Origin, Source, Stages, Until};
use crate::output::{Console, Style};
use crate::stop::Stop;

fn message(text: String) -> Message {
    Message::plain(text.into())
}

/// What a test decides of each message at each target.
type Decide = Box<dyn FnMut(&str) -> Decision>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Accept,
    Refuse,
    GiveBack,
    Later,
}

/// Takes few at once, and finishes them in an order that the test decides.
struct Fickle {
    room: usize,
    decide: Decide,
    under_way: Vec<(Number, Message)>,
    has: Rc<RefCell<Vec<String>>>,
}

fn text(message: &Message) -> String {
    String::from_utf8(message.payload.to_vec()).unwrap()
}

impl Target for Fickle {
    fn name(&self) -> String {
        String::from("fickle")
    }

    fn has_room(&self) -> bool {
        self.under_way.len() < self.room
    }

    fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        assert!(self.has_room());
        self.under_way.push((number, message));
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.under_way.is_empty() {
            return pending().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        let mut left = Vec::new();
        for (number, message) in self.under_way.drain(..) {
            let outcome = match (self.decide)(&text(&message)) {
                Decision::Accept => {
                    self.has.borrow_mut().push(text(&message));
                    Outcome::Accepted
                }
                Decision::Refuse => Outcome::Refused(Error::new(Kind::Refused, "no")),
                Decision::GiveBack => Outcome::Again(Box::new(message)),
                Decision::Later => {
                    left.push((number, message));
                    continue;
                }
            };
            into.push(Progress::One(number, outcome));
        }
        self.under_way = left;
        Ok(())
    }
}

/// Hands out numbers, and looks at what it is told of them.
struct Numbers {
    next: u64,
    count: u64,
    settled: u64,
    told: Rc<RefCell<BTreeMap<u64, Fate>>>,
    /// What of each must be at the targets before the source is told.
    has: Vec<Rc<RefCell<Vec<String>>>>,
    goes: fn(u64) -> Vec<(usize, String)>,
    /// Nothing is given up.
    strict: bool,
    /// Who sends is answered.
    answers: bool,
}

impl Source for Numbers {
    async fn drive(&mut self) -> Result<()> {
        if self.next > self.count + 1 {
            return pending().await;
        }
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        pending().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        while self.next <= self.count {
            let number = self.next;
            self.next += 1;
            if !sink(Next::Message(message(number.to_string())))? {
                return Ok(());
            }
        }
        if self.next == self.count + 1 {
            self.next += 1;
            sink(Next::End(Ok(())))?;
        }
        Ok(())
    }

    fn settle(&mut self, count: u64) {
        for number in self.settled + 1..=self.settled + count {
            self.check(number);
        }
        self.settled += count;
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        assert!(self.told.borrow_mut().insert(number, fate).is_none());
    }

    fn answers(&self) -> bool {
        self.answers
    }

    fn awaits(&self) -> Option<String> {
        None
    }
}

impl Numbers {
    /// Nothing is settled before all its targets have it.
    fn check(&self, number: u64) {
        if self.strict && self.told.borrow().get(&number) == Some(&Fate::Accepted) {
            for (target, text) in (self.goes)(number) {
                assert!(
                    self.has[target].borrow().contains(&text),
                    "{number} too early"
                );
            }
        }
    }
}

/// Sends each number where `goes` says.
struct Sends(fn(u64) -> Vec<(usize, String)>);

impl Router for Sends {
    fn route(&mut self, of: Message, into: &mut Outgoing) -> Result<Routed> {
        let number = text(&of).parse().unwrap();
        into.extend(
            (self.0)(number)
                .into_iter()
                .map(|(to, text)| (to, message(text))),
        );
        Ok(Routed::Sent)
    }

    fn dead_letter(&mut self, of: Message, _: &Error) -> Option<(usize, Message)> {
        Some((2, of))
    }
}

struct Run {
    ended: Result<()>,
    told: BTreeMap<u64, Fate>,
    has: Vec<Vec<String>>,
}

async fn run(
    count: u64,
    goes: fn(u64) -> Vec<(usize, String)>,
    refusals: Refusals,
    decide: impl Fn(usize) -> Decide,
) -> Run {
    run_of(count, goes, refusals, decide, false).await
}

/// The same; `answers`: who sends is answered.
async fn run_of(
    count: u64,
    goes: fn(u64) -> Vec<(usize, String)>,
    refusals: Refusals,
    decide: impl Fn(usize) -> Decide,
    answers: bool,
) -> Run {
    let has: Vec<Rc<RefCell<Vec<String>>>> = (0..3).map(|_| Rc::default()).collect();
    let told = Rc::default();
    let mut source = Numbers {
        next: 1,
        count,
        settled: 0,
        told: Rc::clone(&told),
        has: has.clone(),
        goes,
        strict: refusals == Refusals::Stop,
        answers,
    };
    let targets = (0..3).map(|at| Fickle {
        room: 1 + at * 3,
        decide: decide(at),
        under_way: Vec::new(),
        has: Rc::clone(&has[at]),
    });
    let fan = Fan::new(Sends(goes), targets.collect(), refusals);
    let mut fan = fan.answering(Origin::of(std::slice::from_ref(&source)));
    let (stages, until) = (Stages::default(), Until::default());
    let mut stop = Stop::watch().unwrap();
    let style = Style {
        quiet: true,
        ..Style::default()
    };
    let console = Console::new(style);
    let ended = flow::pass(&mut source, &mut fan, &stages, &until, &mut stop, console).await;
    let told = told.borrow().clone();
    Run {
        ended,
        told,
        has: has.iter().map(|it| it.borrow().clone()).collect(),
    }
}

/// To none, one, or several of the targets, and several times to one.
fn everywhere(number: u64) -> Vec<(usize, String)> {
    let all = [
        (0, format!("{number}a")),
        (1, format!("{number}b")),
        (1, format!("{number}c")),
    ];
    all[..(number % 4) as usize].to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_settled_once_all_its_targets_have_it_whatever_they_do_with_it_before() {
    for round in 0..30_u64 {
        let state = RandomState::new();
        let decide = |at: usize| -> Decide {
            let (state, mut drawn) = (state.clone(), 0_u64);
            // One that is given back again and again is taken for what ends the connection.
            let mut given_back = BTreeSet::new();
            Box::new(move |text| {
                drawn += 1;
                match state.hash_one((at, drawn, round)) % 5 {
                    2 if given_back.insert(text.to_owned()) => Decision::GiveBack,
                    0..=2 => Decision::Accept,
                    _ => Decision::Later,
                }
            })
        };
        let run = run(60, everywhere, Refusals::Stop, decide).await;
        run.ended.unwrap();
        assert_eq!(run.told.len(), 60);
        for (number, fate) in run.told {
            let filtered = everywhere(number).is_empty();
            assert_eq!(fate == Fate::Filtered, filtered, "{number}");
        }
        let expected: BTreeSet<_> = (1..=60).flat_map(everywhere).collect();
        let arrived = run.has.iter().enumerate();
        let arrived: Vec<_> = arrived
            .flat_map(|(at, texts)| texts.iter().map(move |text| (at, text.clone())))
            .collect();
        assert_eq!(arrived.len(), expected.len(), "once each");
        assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

fn first(number: u64) -> Vec<(usize, String)> {
    vec![(0, number.to_string())]
}

fn refuses_3(at: usize) -> Decide {
    Box::new(move |text| match text {
        "3" if at == 0 => Decision::Refuse,
        _ => Decision::Accept,
    })
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_stops_is_dropped_or_goes_elsewhere() {
    let stopped = run(5, first, Refusals::Stop, refuses_3).await;
    assert_eq!(stopped.ended.unwrap_err().text(), "no");
    assert!(!stopped.told.contains_key(&3), "it is not acknowledged");
    let dropped = run(5, first, Refusals::Drop, refuses_3).await;
    assert_eq!(dropped.ended.unwrap_err().kind(), Kind::Refused);
    assert_eq!(dropped.told[&3], Fate::Dropped);
    assert_eq!(dropped.has[0], ["1", "2", "4", "5"]);
    let elsewhere = run(5, first, Refusals::DeadLetter, refuses_3).await;
    elsewhere.ended.unwrap();
    assert_eq!(
        (&*elsewhere.has[2], elsewhere.told.len()),
        (&[String::from("3")][..], 5)
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_answered_sees_a_refusal_and_the_others_go_on() {
    let refuses = |at: usize| -> Decide {
        Box::new(move |text| match text {
            // Where such messages go they are refused too.
            "3" if at == 0 || at == 2 => Decision::Refuse,
            _ => Decision::Accept,
        })
    };
    for refusals in [Refusals::Stop, Refusals::Drop, Refusals::DeadLetter] {
        let run = run_of(5, first, refusals, refuses, true).await;
        assert_eq!(
            run.ended.unwrap_err().kind(),
            Kind::Refused,
            "it is counted"
        );
        assert_eq!(run.told.get(&3), Some(&Fate::Dropped), "{refusals:?}");
        assert_eq!(run.has[0], ["1", "2", "4", "5"]);
    }
}

/// Has all that it was handed, and says so at once.
#[derive(Default)]
struct Batches {
    newest: Number,
    told: Number,
}

impl Target for Batches {
    fn name(&self) -> String {
        String::from("batches")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.told == self.newest
    }

    fn take(&mut self, number: Number, _: Message) -> Result<()> {
        self.newest = number;
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            return pending().await;
        }
        self.told = self.newest;
        into.push(Progress::Through(self.newest));
        Ok(())
    }
}

fn some_of_them(number: u64) -> Vec<(usize, String)> {
    match number % 3 {
        0 => Vec::new(),
        _ => vec![(1, number.to_string())],
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_target_has_is_told_at_once() {
    let told = Rc::default();
    let mut source = Numbers {
        next: 1,
        count: 100,
        settled: 0,
        told: Rc::clone(&told),
        has: Vec::new(),
        goes: some_of_them,
        strict: false,
        answers: false,
    };
    let targets = vec![Batches::default(), Batches::default()];
    let mut fan = Fan::new(Sends(some_of_them), targets, Refusals::Stop);
    let mut stop = Stop::watch().unwrap();
    let (stages, until) = (Stages::default(), Until::default());
    let carried = flow::engine::carry(&mut source, &mut fan, &stages, &until, &mut stop);
    let (ended, account) = carried.await;
    ended.unwrap();
    assert_eq!((account.delivered, account.filtered), (67, 33));
    assert_eq!((source.settled, account.received), (100, 100));
    let filtered = told.borrow().values().all(|fate| *fate == Fate::Filtered);
    assert!(
        filtered && told.borrow().len() == 33,
        "nothing else is told one by one"
    );
}

/// A source is told of its own messages only, in its order, whatever the other one waits for.
#[tokio::test(start_paused = true)]
async fn merged_sources_are_settled_one_by_one() {
    struct ByOrigin(Origin);
    impl Router for ByOrigin {
        fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
            into.push((self.0.get(), message));
            Ok(Routed::Sent)
        }
    }
    let has: Vec<Rc<RefCell<Vec<String>>>> = (0..2).map(|_| Rc::default()).collect();
    let told: Vec<Rc<RefCell<BTreeMap<u64, Fate>>>> = (0..2).map(|_| Rc::default()).collect();
    let source = |at: usize| Numbers {
        next: 1,
        count: 4,
        settled: 0,
        told: Rc::clone(&told[at]),
        has: has.clone(),
        goes: first,
        strict: false,
        answers: false,
    };
    // The first target never finishes.
    let target = |at: usize| Fickle {
        room: 10,
        decide: Box::new(move |_| match at {
            0 => Decision::Later,
            _ => Decision::Accept,
        }),
        under_way: Vec::new(),
        has: Rc::clone(&has[at]),
    };
    let mut merged = Merged::new(vec![source(0), source(1)]);
    let router = ByOrigin(merged.origin());
    let mut fan = Fan::new(router, vec![target(0), target(1)], Refusals::Stop);
    let until = Until {
        duration: Some(std::time::Duration::from_secs(1)),
        ..Until::default()
    };
    let mut stop = Stop::watch().unwrap();
    let ended = flow::run(&mut merged, &mut fan, &Stages::default(), &until, &mut stop).await;
    assert_eq!(ended.unwrap_err().kind(), Kind::TimedOut);
    assert_eq!(told[0].borrow().len(), 0);
    assert_eq!(told[1].borrow().len(), 4);
    let sources: Vec<Numbers> = merged.into_sources().collect();
    assert_eq!((sources[0].settled, sources[1].settled), (0, 4));
}
