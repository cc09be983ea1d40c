//! Of several servers the first is the one that is meant: while another is connected to, it is tried from time to time.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::{Dialing, start_dialing};
use crate::connect::{Stream, Target};

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// When the first server is tried next.
pub(super) struct First {
    at: Instant,
    dialing: Option<Dialing>,
}

impl First {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::now() + EVERY,
            dialing: None,
        }
    }

    /// Some server was connected to.
    pub(super) fn connected(&mut self) {
        *self = Self::new();
    }

    /// A connection to the first server, once there is one while another is connected to. Cancel-safe.
    pub(super) async fn reached(&mut self, target: &Target) -> Stream {
        loop {
            if let Some(dialing) = &mut self.dialing {
                let dialed = dialing.as_mut().await;
                *self = Self::new();
                if let Ok(stream) = dialed {
                    return stream;
                }
            }
            let Some(first) = target.first() else {
                return pending().await;
            };
            sleep_until(self.at.into()).await;
            self.dialing = Some(start_dialing(&Arc::new(first)));
        }
    }
}
