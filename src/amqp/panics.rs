//! A panic in lapin's thread becomes an error of the command.
//!
//! lapin runs each connection's input and output in a thread of its own. Should that thread panic, every future
//! that waits for it would wait for ever, and with `panic = "abort"` the process would end with a signal. A
//! panic hook, which runs before either, tells whoever waits on that connection and holds the thread back for a moment, so
//! that the command can end with an error and its exit code.

use std::collections::HashMap;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::watch;

/// What each of lapin's threads is watched by.
static WATCHES: Mutex<Option<HashMap<ThreadId, watch::Sender<Option<String>>>>> = Mutex::new(None);

/// How long a panicking thread is held back: enough for a command to say its last words.
const HELD: Duration = Duration::from_secs(5);

/// Watches one thread, which is not known before it runs.
#[derive(Clone, Debug)]
pub(super) struct PanicGuard {
    sender: watch::Sender<Option<String>>,
    thread: Arc<Mutex<Option<ThreadId>>>,
}

impl PanicGuard {
    /// Installs the hook when it is the first one.
    pub(super) fn new() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !tell(info) {
                    usual(info);
                }
            }));
        });
        Self {
            sender: watch::Sender::new(None),
            thread: Arc::default(),
        }
    }

    /// The thread that calls this is the one to watch.
    pub(super) fn this_thread(&self) {
        let id = thread::current().id();
        *lock(&self.thread) = Some(id);
        lock(&WATCHES)
            .get_or_insert_default()
            .insert(id, self.sender.clone());
    }

    /// Waits for a panic of the watched thread; what it said comes back.
    pub(super) async fn panicked(&self) -> String {
        let mut receiver = self.sender.subscribe();
        // The sender is ours, so it cannot be gone.
        let seen = receiver.wait_for(Option::is_some).await;
        seen.ok().and_then(|text| text.clone()).unwrap_or_default()
    }

    /// Whether the watched thread has panicked.
    pub(super) fn has_panicked(&self) -> bool {
        self.sender.borrow().is_some()
    }

    /// The thread may end: forget it.
    pub(super) fn end(&self) {
        if let (Some(id), Some(watches)) = (lock(&self.thread).take(), lock(&WATCHES).as_mut()) {
            watches.remove(&id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it is held; and a hook must not panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the watcher of this thread; `false`: nobody watches it.
fn tell(info: &PanicHookInfo<'_>) -> bool {
    let id = thread::current().id();
    let watch = lock(&WATCHES)
        .as_mut()
        .and_then(|watches| watches.remove(&id));
    let Some(watch) = watch else { return false };
    let text = info.payload_as_str().unwrap_or("it panicked").to_owned();
    watch.send_replace(Some(text));
    thread::sleep(HELD);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_the_watched_thread_is_told() {
        let watch = PanicGuard::new();
        let watched = watch.clone();
        let thread = thread::spawn(move || {
            watched.this_thread();
            panic!("too long: {}", 662);
        });
        assert_eq!(watch.panicked().await, "too long: 662");
        assert!(thread.join().is_err());
    }

    #[tokio::test]
    async fn other_threads_panic_as_usual() {
        let watch = PanicGuard::new();
        assert!(thread::spawn(|| panic!("not ours")).join().is_err());
        let waited = tokio::time::timeout(Duration::from_millis(10), watch.panicked()).await;
        assert!(waited.is_err());
    }
}
