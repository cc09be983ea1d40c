//! Messages with a key that another one has had do not go on (`--dedup`). A key counts from when the target has confirmed its
//! message: one that was lost on the way is no reason to drop the next.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::fan::Branch;
use super::{Number, Origin, Outcome, Progress, Target, Unit};
use crate::error::Result;
use crate::message::Message;
use crate::pace::alarm::now;
use crate::payload::captures::Pattern;
use crate::payload::select::{Found, Look, Selector};

/// As many keys are remembered.
const MOST_KEYS: usize = 1_000_000;

/// As many bytes of messages wait for what becomes of another with their key.
const MOST_BYTES: usize = 16 << 20;

/// Which messages are the same, and for how long that counts.
#[derive(Clone, Debug)]
pub struct Dedup {
    /// What of a message is its key; one without it is like no other.
    pub key: Selector,
    /// What topics are matched by, for keys of what stands for wildcards.
    pub patterns: Vec<Pattern>,
    /// A key is remembered for so long.
    pub within: Duration,
}

/// A message that waits, and where it is from.
struct Waiting {
    number: Number,
    message: Message,
    origin: usize,
}

impl Waiting {
    fn size(&self) -> usize {
        size_of::<Self>() + self.message.payload.len() + self.message.topic.len()
    }
}

/// The keys: two hashes of each, with secrets of this process, so that nobody makes two of them equal.
struct Keys {
    dedup: Dedup,
    secrets: [RandomState; 2],
    most: usize,
    known: HashMap<u128, Instant>,
    /// The same in order of time.
    order: VecDeque<(u128, Instant)>,
    /// Of what is under way, and what waits behind that.
    open: HashMap<u128, VecDeque<Waiting>>,
}

impl Keys {
    fn new(dedup: Dedup, most: usize) -> Self {
        Self {
            dedup,
            secrets: [RandomState::new(), RandomState::new()],
            most,
            known: HashMap::new(),
            order: VecDeque::new(),
            open: HashMap::new(),
        }
    }

    fn of(&self, message: &Message) -> Option<u128> {
        let look = Look::at(message, false, &self.dedup.patterns);
        let found = self.dedup.key.find_in(&look);
        // Text that looks like a number is not that number.
        let hash = |kind: u8, bytes: &[u8]| {
            let [one, other] = &self.secrets;
            let key = (kind, bytes);
            u128::from(one.hash_one(key)) << 64 | u128::from(other.hash_one(key))
        };
        Some(match found? {
            Found::Bytes(bytes) => hash(0, bytes),
            Found::Text(text) => hash(1, text.as_bytes()),
            Found::Instead(text) => hash(1, text.as_bytes()),
            Found::Number(text) => hash(2, text.as_bytes()),
            Found::Bool(value) => hash(3, &[value.into()]),
            Found::Time(time) => {
                let since = time.duration_since(std::time::UNIX_EPOCH);
                hash(4, &since.unwrap_or_default().as_nanos().to_be_bytes())
            }
            Found::Delta => return None,
        })
    }

    fn knows(&self, key: u128, now: Instant) -> bool {
        let known = self.known.get(&key);
        known.is_some_and(|since| now.duration_since(*since) < self.dedup.within)
    }

    fn enter(&mut self, key: u128, now: Instant) {
        self.known.insert(key, now);
        self.order.push_back((key, now));
        while let Some(&(oldest, since)) = self.order.front()
            && (self.order.len() > self.most || now.duration_since(since) >= self.dedup.within)
        {
            self.order.pop_front();
            // It may have been entered again.
            if self.known.get(&oldest) == Some(&since) {
                self.known.remove(&oldest);
            }
        }
    }
}

/// A target that gets each key once.
pub struct Deduped<T> {
    branch: Branch<T>,
    keys: Option<Keys>,
    /// The keys of what is under way.
    under_way: HashMap<Number, u128>,
    /// What waited for another message, and is to go itself.
    ready: VecDeque<Waiting>,
    /// How much waits.
    bytes: usize,
    /// Nothing overtakes what waits for another message.
    in_order: bool,
    /// One waits, and it was not asked yet whether what it waits for is done with.
    looks: bool,
    /// What is known and was not told.
    told: Vec<Progress>,
    origin: Origin,
}

impl<T: Target> Deduped<T> {
    /// In front of `target`; `origin` says where messages are from.
    pub fn new(target: T, dedup: Option<Dedup>, origin: Origin) -> Self {
        Self {
            branch: Branch::new(target),
            keys: dedup.map(|dedup| Keys::new(dedup, MOST_KEYS)),
            under_way: HashMap::new(),
            ready: VecDeque::new(),
            bytes: 0,
            in_order: false,
            looks: false,
            told: Vec::new(),
            origin,
        }
    }

    /// The same for targets that promise an order: what follows one that waits for another with its key waits too.
    #[must_use]
    pub fn in_order(self, in_order: bool) -> Self {
        Self { in_order, ..self }
    }

    /// The target.
    pub fn into_inner(self) -> T {
        self.branch.target
    }

    /// The target, to ask it.
    pub const fn inner(&mut self) -> &mut T {
        &mut self.branch.target
    }

    fn pass_on(&mut self, number: Number, message: Message) -> Result<()> {
        self.branch.push(number, message);
        self.branch.hand_over()
    }

    /// Whether what follows has to wait for one that waits.
    const fn holds_back(&self) -> bool {
        self.looks || self.in_order && self.bytes > 0
    }

    /// Asks what is known already. What went nowhere has its outcome without waiting; only what is under way is waited for.
    async fn look(&mut self) -> Result<()> {
        let mut driven = pin!(self.branch.target.drive(&mut self.branch.done));
        poll_fn(|context| match driven.as_mut().poll(context) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready => ready,
        })
        .await
    }

    /// What waited goes when there is room.
    fn hand_over(&mut self) -> Result<()> {
        self.branch.hand_over()?;
        while self.branch.has_room()
            && let Some(waiting) = self.ready.pop_front()
        {
            self.bytes -= waiting.size();
            self.origin.set(waiting.origin);
            self.pass_on(waiting.number, waiting.message)?;
        }
        Ok(())
    }

    /// One with a key has its outcome.
    fn key_done(&mut self, key: u128, confirmed: bool) {
        let Some(keys) = &mut self.keys else {
            return;
        };
        if confirmed {
            keys.enter(key, now());
            for same in keys.open.remove(&key).into_iter().flatten() {
                self.bytes -= same.size();
                self.told
                    .push(Progress::One(same.number, Outcome::Duplicate));
            }
            return;
        }
        match keys.open.get_mut(&key).and_then(VecDeque::pop_front) {
            Some(next) => {
                self.under_way.insert(next.number, key);
                self.ready.push_back(next);
            }
            None => drop(keys.open.remove(&key)),
        }
    }

    fn count(&mut self) {
        let mut done = Vec::new();
        self.branch
            .count(|number, outcome| done.push((number, outcome)));
        for (number, outcome) in done {
            let confirmed = matches!(outcome, Outcome::Accepted);
            self.told.push(Progress::One(number, outcome));
            if let Some(key) = self.under_way.remove(&number) {
                self.key_done(key, confirmed);
            }
        }
    }
}

impl<T: Target> Target for Deduped<T> {
    fn name(&self) -> String {
        self.branch.target.name()
    }

    fn unit(&self) -> Unit {
        self.branch.target.unit()
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        self.branch.target.covers(source, message)
    }

    fn has_room(&self) -> bool {
        match &self.keys {
            None => self.branch.target.has_room(),
            Some(_) => {
                self.branch.has_room()
                    && self.ready.is_empty()
                    && !self.holds_back()
                    && self.bytes < MOST_BYTES
            }
        }
    }

    fn is_free(&self) -> bool {
        self.has_room() && self.branch.target.is_free()
    }

    fn is_idle(&self) -> bool {
        self.told.is_empty() && self.ready.is_empty() && self.branch.is_idle()
    }

    fn unsent(&self) -> u64 {
        self.branch.target.unsent()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let Some(keys) = &mut self.keys else {
            return self.branch.target.take(number, message);
        };
        let Some(key) = keys.of(&message) else {
            return self.pass_on(number, message);
        };
        if keys.knows(key, now()) {
            self.told.push(Progress::One(number, Outcome::Duplicate));
            return Ok(());
        }
        if let Some(waiting) = keys.open.get_mut(&key) {
            let origin = self.origin.get();
            let same = Waiting {
                number,
                message,
                origin,
            };
            self.bytes += same.size();
            waiting.push_back(same);
            self.looks = true;
            return Ok(());
        }
        keys.open.insert(key, VecDeque::new());
        self.under_way.insert(number, key);
        self.pass_on(number, message)
    }

    fn finish(&mut self) {
        self.branch.target.finish();
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.keys.is_none() {
            return self.branch.target.drive(into).await;
        }
        let mut driven = self.hand_over();
        if driven.is_ok() && self.told.is_empty() {
            driven = match std::mem::take(&mut self.looks) {
                true => self.look().await,
                false => self.branch.target.drive(&mut self.branch.done).await,
            };
            self.count();
            driven = driven.and_then(|()| self.hand_over());
        }
        into.append(&mut self.told);
        driven
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    /// A target that tells outcomes as the test says.
    #[derive(Default)]
    struct Told {
        taken: Vec<(Number, String)>,
        outcomes: VecDeque<Progress>,
    }

    impl Target for Told {
        fn name(&self) -> String {
            String::from("told")
        }

        fn has_room(&self) -> bool {
            true
        }

        fn is_idle(&self) -> bool {
            true
        }

        fn take(&mut self, number: Number, message: Message) -> Result<()> {
            let text = String::from_utf8_lossy(&message.payload).into_owned();
            self.taken.push((number, text));
            Ok(())
        }

        async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
            into.extend(self.outcomes.drain(..));
            Ok(())
        }
    }

    fn deduped(key: &str) -> Deduped<Told> {
        let dedup = Dedup {
            key: key.parse().unwrap(),
            patterns: Vec::new(),
            within: Duration::from_secs(600),
        };
        Deduped::new(Told::default(), Some(dedup), Origin::default())
    }

    async fn outcomes(
        target: &mut Deduped<Told>,
        told: Vec<Progress>,
    ) -> Vec<(Number, &'static str)> {
        target.inner().outcomes.extend(told);
        let mut into = Vec::new();
        target.drive(&mut into).await.unwrap();
        let word = |progress| match progress {
            Progress::One(number, Outcome::Accepted) => (number, "accepted"),
            Progress::One(number, Outcome::Duplicate) => (number, "duplicate"),
            Progress::One(number, _) => (number, "other"),
            Progress::Through(number) => (number, "through"),
        };
        into.into_iter().map(word).collect()
    }

    fn message(body: &'static str) -> Message {
        Message::plain(body.into())
    }

    fn accepted(number: Number) -> Progress {
        Progress::One(number, Outcome::Accepted)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_counts_once_it_is_confirmed_and_for_its_time() {
        let mut target = deduped("/id");
        for (number, body) in [
            (1, "{\"id\":7}"),
            (2, "{\"id\":7,\"n\":2}"),
            (3, "{}"),
            (4, "{}"),
        ] {
            target.take(number, message(body)).unwrap();
        }
        // The second waits for what becomes of the first; those without a key are like no other.
        assert_eq!(target.inner().taken.len(), 3);
        let told = outcomes(&mut target, vec![accepted(1)]).await;
        assert_eq!(told, [(1, "accepted"), (2, "duplicate")]);
        target.take(5, message("{\"id\":7}")).unwrap();
        assert_eq!(outcomes(&mut target, vec![]).await, [(5, "duplicate")]);
        tokio::time::advance(Duration::from_secs(601)).await;
        target.take(6, message("{\"id\":7}")).unwrap();
        assert_eq!(target.inner().taken.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn values_of_another_type_are_other_keys() {
        let mut target = deduped("/id");
        for (number, body) in [
            (1, "{\"id\":1}"),
            (2, "{\"id\":\"1\"}"),
            (3, "{\"id\":true}"),
            (4, "{\"id\":\"true\"}"),
        ] {
            target.take(number, message(body)).unwrap();
        }
        assert_eq!(target.inner().taken.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_refused_is_no_reason_to_drop_the_next() {
        let mut target = deduped("payload");
        for number in 1..=3 {
            target.take(number, message("same")).unwrap();
        }
        assert_eq!(target.inner().taken, [(1, "same".into())]);
        let why = Error::new(Kind::Refused, "no");
        let refused = Progress::One(1, Outcome::Dropped(why));
        assert_eq!(outcomes(&mut target, vec![refused]).await, [(1, "other")]);
        // Its target counts by itself.
        assert_eq!(
            target.inner().taken,
            [(1, "same".into()), (2, "same".into())]
        );
        let told = outcomes(&mut target, vec![accepted(2)]).await;
        assert_eq!(told, [(2, "accepted"), (3, "duplicate")]);
        assert_eq!(target.bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_went_nowhere_is_not_waited_for() {
        let mut target = deduped("payload");
        target.take(1, message("same")).unwrap();
        target.take(2, message("same")).unwrap();
        // Nothing overtakes the second until it is known whether the first is under way.
        assert!(!target.has_room());
        let nowhere = Progress::One(1, Outcome::Filtered);
        assert_eq!(outcomes(&mut target, vec![nowhere]).await, [(1, "other")]);
        assert!(target.has_room());
        assert_eq!(target.inner().taken.len(), 2);
        target.take(3, message("same")).unwrap();
        assert_eq!(outcomes(&mut target, vec![]).await, []);
        assert!(target.has_room());
        target.in_order = true;
        assert!(!target.has_room());
        let told = outcomes(&mut target, vec![accepted(2)]).await;
        assert_eq!(told, [(2, "accepted"), (3, "duplicate")]);
        assert!(target.has_room());
    }

    /// A target that filters some at once, and takes or refuses the others later, in any order.
    struct Chance {
        seed: u64,
        taken: Vec<u32>,
        accepted: Vec<String>,
        known: Vec<Progress>,
        under_way: Vec<(Number, String)>,
    }

    impl Chance {
        fn below(&mut self, limit: usize) -> usize {
            let next = self.seed.wrapping_mul(6_364_136_223_846_793_005);
            self.seed = next.wrapping_add(1_442_695_040_888_963_407);
            (self.seed >> 33) as usize % limit
        }
    }

    impl Target for Chance {
        fn name(&self) -> String {
            String::from("chance")
        }

        fn has_room(&self) -> bool {
            self.under_way.len() < 5
        }

        fn is_idle(&self) -> bool {
            self.known.is_empty() && self.under_way.is_empty()
        }

        fn take(&mut self, number: Number, message: Message) -> Result<()> {
            self.taken.push(message.topic.parse().unwrap());
            match self.below(4) {
                0 => self.known.push(Progress::One(number, Outcome::Filtered)),
                _ => {
                    let key = String::from_utf8_lossy(&message.payload).into_owned();
                    self.under_way.push((number, key));
                }
            }
            Ok(())
        }

        async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
            if !self.known.is_empty() || self.under_way.is_empty() {
                into.append(&mut self.known);
                return Ok(());
            }
            tokio::task::yield_now().await;
            let at = self.below(self.under_way.len());
            let (number, key) = self.under_way.remove(at);
            let outcome = match self.below(3) {
                0 => Outcome::Dropped(Error::new(Kind::Refused, "no")),
                _ => {
                    assert!(!self.accepted.contains(&key), "{key} twice");
                    self.accepted.push(key);
                    Outcome::Accepted
                }
            };
            into.push(Progress::One(number, outcome));
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_order_is_kept_whatever_becomes_of_messages() {
        const ALL: u32 = 200;
        for seed in 0..200 {
            let chance = Chance {
                seed,
                taken: Vec::new(),
                accepted: Vec::new(),
                known: Vec::new(),
                under_way: Vec::new(),
            };
            let dedup = Dedup {
                key: "payload".parse().unwrap(),
                patterns: Vec::new(),
                within: Duration::from_secs(600),
            };
            let target = Deduped::new(chance, Some(dedup), Origin::default());
            let mut target = target.in_order(true);
            let (mut next, mut told) = (1, Vec::new());
            for _ in 0..10_000 {
                while next <= ALL && target.has_room() {
                    let key = target.inner().below(60).to_string();
                    let mut message = Message::plain(key.into());
                    message.topic = next.to_string().into();
                    target.take(next.into(), message).unwrap();
                    next += 1;
                    assert!(target.bytes <= size_of::<Waiting>() + 10);
                }
                target.drive(&mut told).await.unwrap();
                if next > ALL && target.is_idle() {
                    break;
                }
            }
            assert_eq!(told.len(), ALL as usize, "seed {seed}");
            assert!(target.inner().taken.is_sorted(), "seed {seed}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let dedup = Dedup {
            key: "payload".parse().unwrap(),
            patterns: Vec::new(),
            within: Duration::from_secs(3600),
        };
        let mut keys = Keys::new(dedup, 3);
        let now = Instant::now();
        for key in 0..5 {
            keys.enter(key, now);
        }
        keys.enter(4, now + Duration::from_secs(1));
        assert!(keys.knows(4, now) && !keys.knows(0, now) && !keys.knows(2, now));
        assert_eq!((keys.known.len(), keys.order.len()), (2, 3));
    }
}
