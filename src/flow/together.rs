//! Several ends driven at once.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::future::LocalBoxFuture;

/// Waits until one of several is ready, each of which was polled then: one that always is does not keep the others from going
/// on. For ever, where there is none.
pub(crate) async fn any<T>(mut all: Vec<LocalBoxFuture<'_, T>>) -> T {
    poll_fn(|context| {
        let mut first = Poll::Pending;
        for future in &mut all {
            let polled = future.as_mut().poll(context);
            if first.is_pending() {
                first = polled;
            }
        }
        first
    })
    .await
}
