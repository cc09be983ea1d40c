//! The thread that a store blocks, and when it commits: a transaction or a write to the disk costs milliseconds, whatever is in it.

mod gathering;

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::gathering::Gathering;
use super::{Refusal, Store};
use crate::error::{Error, Kind, Result};
use crate::message::Message;

/// When more keeps coming, what came first is safe after this long.
const LONGEST: Duration = Duration::from_millis(200);

/// When messages are committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syncing {
    /// As soon as no more come, and after 200 ms: sources that wait for acknowledgements are not kept waiting.
    #[default]
    Auto,
    /// The same with another limit.
    Within(Duration),
    /// Each for itself.
    Each,
    /// This long after the first.
    Every(Duration),
}

/// Messages with their numbers, which grow.
pub(super) type Batch = Vec<(u64, Message)>;

enum Order {
    Take(Batch),
    /// Nothing more comes: what was taken is to be safe now.
    Finish,
}

/// What a store has done.
#[derive(Debug, Default)]
pub struct Report {
    /// Every message up to this one is safe, but for what is refused.
    pub through: u64,
    /// These are refused.
    pub refused: Vec<Refusal>,
    /// In these there was nothing to keep.
    pub empty: Vec<u64>,
    /// Why it cannot go on.
    pub failure: Option<Error>,
    /// What was missing; told at the end.
    pub missing: Vec<(String, u64)>,
}

/// A store in a thread of its own.
pub struct Worker {
    orders: Option<Sender<Order>>,
    reports: UnboundedReceiver<Report>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Kind::Local`]: there cannot be another thread.
    pub fn start(store: impl Store + 'static, sync: Syncing) -> Result<Self> {
        let (orders, work) = channel();
        let (done, reports) = unbounded_channel();
        thread::Builder::new()
            .name(String::from("store"))
            .spawn(move || {
                let mut running = Running {
                    store,
                    newest: 0,
                    gathering: Gathering::default(),
                    done,
                };
                running.run(sync, &work);
                running.tell(Report {
                    missing: running.store.missing(),
                    ..Report::default()
                });
            })
            .map_err(|cause| Error::local("cannot start a thread", &cause))?;
        Ok(Self {
            orders: Some(orders),
            reports,
        })
    }

    /// Hands messages over; what became of them is reported.
    pub fn take(&self, batch: Batch) {
        self.order(Order::Take(batch));
    }

    /// Nothing more comes.
    pub fn finish(&self) {
        self.order(Order::Finish);
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // Where the thread has ended, its last report says why.
            let _ = orders.send(order);
        }
    }

    /// Waits for a report. Cancel-safe.
    ///
    /// # Errors
    /// [`Kind::Local`]: the thread has ended.
    pub async fn report(&mut self) -> Result<Report> {
        let ended = || Error::new(Kind::Local, "the thread of the store ended");
        self.reports.recv().await.ok_or_else(ended)
    }

    /// Lets the store close its files, and returns what was missing.
    pub async fn close(&mut self) -> Vec<(String, u64)> {
        self.orders = None;
        let mut missing = Vec::new();
        while let Some(report) = self.reports.recv().await {
            missing.extend(report.missing);
        }
        missing
    }
}

struct Running<S> {
    store: S,
    /// The newest message that was put.
    newest: u64,
    gathering: Gathering,
    done: UnboundedSender<Report>,
}

impl<S: Store> Running<S> {
    /// Works until nobody gives orders any more, or until the store fails.
    fn run(&mut self, sync: Syncing, work: &Receiver<Order>) {
        loop {
            let next = match work.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.gathering.begin(false);
                    work.recv().ok()
                }
                next => {
                    self.gathering.begin(true);
                    next.ok()
                }
            };
            let batch = match next {
                Some(Order::Take(batch)) => batch,
                Some(Order::Finish) => continue,
                None => return,
            };
            if let Err(failure) = self.group(batch, sync, work) {
                self.tell(Report {
                    failure: Some(failure),
                    ..Report::default()
                });
                return;
            }
        }
    }

    /// What is committed at once: this, and what comes in time.
    fn group(&mut self, batch: Batch, sync: Syncing, work: &Receiver<Order>) -> Result<()> {
        let began = Instant::now();
        self.put(batch, sync)?;
        loop {
            let next = match sync {
                Syncing::Each => break,
                Syncing::Auto if began.elapsed() >= LONGEST => break,
                Syncing::Within(longest) if began.elapsed() >= longest => break,
                Syncing::Auto | Syncing::Within(_) => self.gathering.next(work),
                Syncing::Every(time) => {
                    work.recv_timeout(time.saturating_sub(began.elapsed())).ok()
                }
            };
            match next {
                Some(Order::Take(batch)) => self.put(batch, sync)?,
                Some(Order::Finish) | None => break,
            }
        }
        self.commit()
    }

    fn put(&mut self, batch: Batch, sync: Syncing) -> Result<()> {
        self.gathering.came(batch.len());
        for (number, message) in batch {
            self.store.put(number, message)?;
            self.newest = number;
            if sync == Syncing::Each {
                self.commit()?;
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let (mut refused, began) = (Vec::new(), Instant::now());
        self.store.commit(&mut refused)?;
        self.gathering.committed(began.elapsed());
        let empty = self.store.empty();
        self.tell(Report {
            through: self.newest,
            refused,
            empty,
            ..Report::default()
        });
        Ok(())
    }

    fn tell(&self, report: Report) {
        // Nobody waits for it once the command has failed elsewhere.
        let _ = self.done.send(report);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Remembers what was committed together; refuses empty bodies; fails at the body `full`.
    #[derive(Default)]
    struct Kept {
        pending: Vec<u64>,
        refused: Vec<Refusal>,
        commits: Arc<Mutex<Vec<Vec<u64>>>>,
    }

    impl Store for Kept {
        fn put(&mut self, number: u64, message: Message) -> Result<()> {
            match &*message.payload {
                b"full" => return Err(Error::new(Kind::Local, "no space left on device")),
                b"" => self
                    .refused
                    .push((number, Error::new(Kind::Refused, "empty"))),
                _ => self.pending.push(number),
            }
            Ok(())
        }

        fn commit(&mut self, refused: &mut Vec<Refusal>) -> Result<()> {
            refused.append(&mut self.refused);
            let committed = std::mem::take(&mut self.pending);
            self.commits.lock().unwrap().push(committed);
            Ok(())
        }

        fn missing(&self) -> Vec<(String, u64)> {
            vec![(String::from("x"), 1)]
        }
    }

    fn batch(from: u64, bodies: &[&'static str]) -> Batch {
        let numbers = from..;
        numbers
            .zip(bodies)
            .map(|(number, body)| {
                let message = Message {
                    payload: (*body).into(),
                    ..Message::default()
                };
                (number, message)
            })
            .collect()
    }

    #[tokio::test]
    async fn what_is_committed_is_told() {
        let store = Kept::default();
        let commits = Arc::clone(&store.commits);
        let mut worker = Worker::start(store, Syncing::Auto).unwrap();
        worker.take(batch(1, &["a", "", "b"]));
        let report = worker.report().await.unwrap();
        assert_eq!((report.through, report.refused.len()), (3, 1));
        assert_eq!(*commits.lock().unwrap(), [[1, 3]]);
        worker.take(batch(4, &["c", "full"]));
        let report = worker.report().await.unwrap();
        assert_eq!(report.failure.unwrap().text(), "no space left on device");
        assert_eq!(report.through, 0, "nothing of the group is safe");
        assert_eq!(worker.close().await, [(String::from("x"), 1)]);
        assert_eq!(commits.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn each_may_be_committed_for_itself() {
        let store = Kept::default();
        let commits = Arc::clone(&store.commits);
        let mut worker = Worker::start(store, Syncing::Each).unwrap();
        worker.take(batch(1, &["a", "b"]));
        while worker.report().await.unwrap().through < 2 {}
        worker.close().await;
        assert_eq!(commits.lock().unwrap()[..2], [[1], [2]]);
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_the_clock() {
        let store = Kept::default();
        let commits = Arc::clone(&store.commits);
        let hour = Duration::from_secs(3600);
        let mut worker = Worker::start(store, Syncing::Every(hour)).unwrap();
        worker.take(batch(1, &["a"]));
        worker.take(batch(2, &["b"]));
        worker.finish();
        assert_eq!(worker.report().await.unwrap().through, 2);
        assert_eq!(*commits.lock().unwrap(), [[1, 2]]);
    }
}
