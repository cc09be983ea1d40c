//! Who looks at a run while it goes on: Prometheus, and who waits for the devices to be there.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Plan;
use crate::bench::report::prometheus::{self, Endpoint};
use crate::device::account::Account;
use crate::device::fleet::Fleet;
use crate::error::Result;
use crate::file;
use crate::flow::Announcement;
use crate::output::Console;

/// How often the page for Prometheus is another one.
const PERIOD: Duration = Duration::from_secs(1);

/// Those who look.
pub(super) struct Lookers<'a> {
    announcement: Announcement<'a>,
    is_ready: bool,
    console: Console,
    /// Whether it was reported that the fleet is late.
    is_late: bool,
    /// Whether it was reported that a sensor fails.
    has_failed: bool,
    metrics: Option<Metrics>,
}

struct Metrics {
    page: watch::Sender<String>,
    serving: JoinHandle<()>,
    next: Instant,
}

impl<'a> Lookers<'a> {
    /// Makes sure that all that is to be written can be, and begins to serve.
    ///
    /// # Errors
    /// A file that cannot be written; an address that cannot be listened on.
    pub(super) async fn begin(plan: &'a Plan, console: Console) -> Result<Self> {
        for path in plan.save_json.iter().chain(&plan.html) {
            file::check_replaceable(path)?;
        }
        let announcement = plan.ready.announcement()?;
        let metrics = match plan.prometheus {
            None => None,
            Some(address) => {
                let (endpoint, page) = Endpoint::bind(address).await?;
                let address = endpoint.local_addr()?;
                console.note(format_args!("metrics at http://{address}/metrics"));
                page.send_replace(text(&Account::default()));
                Some(Metrics {
                    page,
                    serving: tokio::spawn(endpoint.serve()),
                    next: Instant::now(),
                })
            }
        };
        Ok(Self {
            announcement,
            is_ready: false,
            console,
            is_late: false,
            has_failed: false,
            metrics,
        })
    }

    /// Shows how things stand.
    ///
    /// # Errors
    /// The file of `--ready-file` cannot be written, the command of `--on-ready` not be run.
    pub(super) fn look(&mut self, fleet: &Fleet) -> Result<()> {
        if !self.is_ready && fleet.is_complete() {
            self.is_ready = true;
            self.announcement.tell()?;
        }
        self.judge(fleet);
        if let Some(metrics) = self.metrics.as_mut().filter(|it| Instant::now() >= it.next) {
            metrics.next = Instant::now() + PERIOD;
            metrics.page.send_replace(text(&fleet.account));
        }
        Ok(())
    }

    /// Warns, once, of what is not as it should be.
    pub(super) fn judge(&mut self, fleet: &Fleet) {
        if !self.is_late
            && let Some(late) = fleet.account.fell_behind()
        {
            self.is_late = true;
            self.console.warn(late);
        }
        if !self.has_failed
            && let Some(failure) = fleet.failure()
        {
            self.has_failed = true;
            self.console.warn(failure);
        }
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn text(account: &Account) -> String {
    prometheus::counters("simulate", account.described())
}
